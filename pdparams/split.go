package pdparams

import (
	"fmt"

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
		fl.fail("%s is %s, not a dict", splitTable, kind(v))
	}
	parts = map[string]bool{}
	for key, v := range table.All() {
		name, ok := key.(string)
		info, ok2 := v.(*Dict)
		if !ok || !ok2 {
			fl.fail("%s maps %v to %s", splitTable, key, kind(v))
		}
		cut = append(cut, fl.joined(name, info, d, parts))
	}
	return cut, parts
}

// joined puts the parts of a tensor together and adds their names to used.
func (fl *flattener) joined(name string, info, d *Dict, used map[string]bool) entry {
	shape, _ := info.Get(splitShape)
	slices, _ := info.Get(splitSlices)
	names, ok := slices.(*list)
	if !ok || len(names.items) == 0 {
		fl.fail("%s: the parts of %q are %s", splitTable, name, kind(slices))
	}
	e := entry{name: name, shape: fl.shape(shape)}
	left, ok := tensor.CheckedCount(e.shape)
	for _, v := range names.items {
		a := fl.part(name, v, d, used)
		if e.typ == 0 {
			e.typ = a.typ
		}
		if a.typ != e.typ {
			fl.fail("%s: parts of %q are %s and %s", splitTable, name, e.typ, a.typ)
		}
		left -= tensor.Count(a.shape)
		e.parts = append(e.parts, a)
	}
	if !ok || left != 0 {
		fl.fail("%s: the parts of %q do not add up to shape %.200s", splitTable, name, tensor.ShapeString(e.shape))
	}
	return e
}

// part finds a part, which may be used once only.
func (fl *flattener) part(name string, v any, d *Dict, used map[string]bool) *array {
	t, ok := v.(*text)
	if !ok {
		fl.fail("%s: a part of %q is named by %s", splitTable, name, kind(v))
	}
	p := fl.str(t)
	found, _ := d.Get(p)
	a, ok := found.(*array)
	if !ok || a.data == nil || used[p] {
		fl.fail("%s: no part %q of %q", splitTable, p, name)
	}
	used[p] = true
	return a
}
