package pdparams

import (
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/pptsn/pptsn/pickle"
)

// nameTable is the key under which Paddle keeps the parameter names.
const nameTable = "StructuredToParameterName@@"

// maxDepth limits how deep values nest.
const maxDepth = 100

// A flattener turns the value of a pickle into tensors and plain values. A
// pickle may refer to one value many times, so that a few bytes describe a
// huge tree: the tree may have no more nodes than the file has bytes, and its
// names little more text.
type flattener struct {
	*pickle.Machine
	f     *File
	nodes int64 // left
	chars int64 // left, in names
}

// newFile sorts the value of a pickle into tensors and plain values.
func newFile(m *pickle.Machine, root any) (f *File, err error) {
	defer pickle.Catch(&err)
	f = &File{src: m.Src, index: map[string]int{}, values: &Dict{}}
	fl := flattener{m, f, m.Src.Size(), 1<<20 + 2*m.Src.Size()}
	d, ok := root.(*Dict)
	if !ok { // one tensor or a list of them: their names begin without a key
		fl.top(&path{}, "", root)
		return f, nil
	}
	split, parts := fl.split(d)
	for key, v := range d.All() {
		if name, ok := key.(string); ok && (name == nameTable || name == splitTable || parts[name]) {
			continue
		}
		fl.top((&path{}).to(keyText(key)), key, v)
	}
	for _, e := range split {
		fl.enter(e)
	}
	fl.names(d)
	return f, nil
}

// top enters a value of the outermost dict.
func (fl *flattener) top(p *path, key, v any) {
	out := fl.value(p, v)
	if _, tensor := out.(Ref); !tensor {
		fl.f.values.Set(key, out)
	}
}

// value returns v as an exported value and enters the tensors in it.
func (fl *flattener) value(p *path, v any) any {
	if fl.nodes--; fl.nodes < 0 {
		fl.tooMany()
	}
	switch v := v.(type) {
	case nil, bool, int64, float64, complex128, *big.Int:
		return v
	case *pickle.Text:
		return fl.Str(v)
	case *pickle.Blob:
		return fl.Bytes(v)
	case *array:
		return fl.array(p, "", v)
	case Tuple:
		if len(v) == 2 {
			name, ok := v[0].(*pickle.Text)
			a, ok2 := v[1].(*array)
			if ok && ok2 {
				return fl.array(p, fl.Str(name), a)
			}
		}
		return Tuple(fl.list(p, v))
	case *pickle.List:
		return fl.list(p, v.Items)
	case *pickle.SetOf:
		return Set(fl.list(p, v.Items))
	case *Dict:
		return fl.dict(p, v)
	case *pickle.Global:
		if v.Name == "builtins.eval" {
			fl.Forbid(v.Name)
		}
	}
	fl.Unsupported("%s as a value", pickle.Kind(v))
	return nil
}

func (fl *flattener) list(p *path, vs []any) []any {
	fl.enough(p, len(vs))
	out := make([]any, len(vs))
	for i, v := range vs {
		out[i] = fl.value(p.to(strconv.Itoa(i)), v)
	}
	return out
}

func (fl *flattener) dict(p *path, d *Dict) *Dict {
	fl.enough(p, d.Len())
	out := &Dict{}
	for key, v := range d.All() {
		out.Set(key, fl.value(p.to(keyText(key)), v))
	}
	return out
}

// enough stops at a container that is too deep or too large.
func (fl *flattener) enough(p *path, n int) {
	if p.depth > maxDepth {
		fl.Unsupported("values nested deeper than %d", maxDepth)
	}
	if int64(n) > fl.nodes {
		fl.tooMany()
	}
}

func (fl *flattener) tooMany() {
	fl.Unsupported("values that refer to each other so often that they are larger than the file")
}

func (fl *flattener) array(p *path, param string, a *array) any {
	fl.Op = a.off
	if a.data == nil {
		fl.Fail("an array without elements")
	}
	if fl.chars -= p.len; fl.chars < 0 {
		fl.Unsupported("tensor names that are longer than the file")
	}
	name := p.String()
	fl.enter(entry{name, param, a.typ, a.shape, []*array{a}})
	return Ref(name)
}

// enter adds a tensor to the file.
func (fl *flattener) enter(e entry) {
	if _, ok := fl.f.index[e.name]; ok {
		fl.Unsupported("two tensors named %.200q", e.name)
	}
	fl.f.index[e.name] = len(fl.f.tensors)
	fl.f.tensors = append(fl.f.tensors, e)
}

// names reads the table of parameter names.
func (fl *flattener) names(d *Dict) {
	v, ok := d.Get(nameTable)
	if !ok {
		return
	}
	table, ok := v.(*Dict)
	if !ok {
		fl.Fail("%s is %s, not a dict", nameTable, pickle.Kind(v))
	}
	for key, v := range table.All() {
		structured, ok := key.(string)
		param, ok2 := v.(*pickle.Text)
		if !ok || !ok2 {
			fl.Fail("%s maps %v to %s", nameTable, key, pickle.Kind(v))
		}
		if i, ok := fl.f.index[structured]; ok {
			fl.f.tensors[i].param = fl.Str(param)
		}
	}
}

// A path is the way to a value: its key and those before.
type path struct {
	up    *path
	key   string
	depth int
	len   int64 // of the text
}

func (p *path) to(key string) *path {
	return &path{p, key, p.depth + 1, p.len + int64(len(key)) + 1}
}

func (p *path) String() string {
	var keys []string
	for ; p.up != nil; p = p.up {
		keys = append(keys, p.key)
	}
	slices.Reverse(keys)
	return strings.Join(keys, "/")
}

// keyText does not copy a long key, as fmt would each time it is used.
func keyText(key any) string {
	if s, ok := key.(string); ok {
		return s
	}
	return fmt.Sprint(key)
}
