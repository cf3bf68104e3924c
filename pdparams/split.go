package pdparams

import (
	"fmt"

	"github.com/pptsn/pptsn/pickle"
	"github.com/pptsn/pptsn/tensor"
)

// Protocols 2 and 3 cannot hold an object of 4 GiB. With them paddle.save cuts
// an array of more than partBytes/itemsize elements into flat parts and notes
// under splitTable, for its name, the shape and the names of the parts
// (_unpack_saved_dict in python/paddle/framework/io_utils.py).
const (
	splitTable  = "UnpackBigParamInfor@@"
	splitShape  = "OriginShape"
	splitSlices = "slices"
	partBytes   = 1<<30 - 1
)

func partName(name string, i int) string { return fmt.Sprintf("%s@@.%d", name, i) }

// split returns the tensors that were cut, and the names of all parts.
func (fl *flattener) split(d *Dict) (cut []entry, parts map[string]bool) {
	v, ok := d.Get(splitTable)
	if !ok {
		return nil, nil
	}
	table, ok := v.(*Dict)
	if !ok {
		fl.Fail("%s is %s, not a dict", splitTable, pickle.Kind(v))
	}
	parts = map[string]bool{}
	for key, v := range table.All() {
		name, ok := key.(string)
		info, ok2 := v.(*Dict)
		if !ok || !ok2 {
			fl.Fail("%s maps %v to %s", splitTable, key, pickle.Kind(v))
		}
		cut = append(cut, fl.joined(name, info, d, parts))
	}
	return cut, parts
}

// joined puts the parts of a tensor together and adds their names to used.
func (fl *flattener) joined(name string, info, d *Dict, used map[string]bool) entry {
	shape, _ := info.Get(splitShape)
	slices, _ := info.Get(splitSlices)
	names, ok := slices.(*pickle.List)
	if !ok || len(names.Items) == 0 {
		fl.Fail("%s: the parts of %q are %s", splitTable, name, pickle.Kind(slices))
	}
	e := entry{name: name, shape: readShape(fl.Machine, shape)}
	left, ok := tensor.CheckedCount(e.shape)
	for _, v := range names.Items {
		a := fl.part(name, v, d, used)
		if e.typ == 0 {
			e.typ = a.typ
		}
		if a.typ != e.typ {
			fl.Fail("%s: parts of %q are %s and %s", splitTable, name, e.typ, a.typ)
		}
		left -= tensor.Count(a.shape)
		e.parts = append(e.parts, a)
	}
	if !ok || left != 0 {
		fl.Fail("%s: the parts of %q do not add up to shape %.200s", splitTable, name, tensor.ShapeString(e.shape))
	}
	return e
}

// part finds a part, which may be used once only.
func (fl *flattener) part(name string, v any, d *Dict, used map[string]bool) *array {
	t, ok := v.(*pickle.Text)
	if !ok {
		fl.Fail("%s: a part of %q is named by %s", splitTable, name, pickle.Kind(v))
	}
	p := fl.Str(t)
	found, _ := d.Get(p)
	a, ok := found.(*array)
	if !ok || a.data == nil || used[p] {
		fl.Fail("%s: no part %q of %q", splitTable, p, name)
	}
	used[p] = true
	return a
}
