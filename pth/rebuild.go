package pth

import "github.com/pptsn/pptsn/pickle"

// rebuildTensor takes (storage, offset, shape, strides, ...).
func rebuildTensor(m *pickle.Machine, args pickle.Tuple) any {
	if len(args) < 4 {
		m.Fail("a tensor made of %s", pickle.Kind(args))
	}
	s, ok := args[0].(*storage)
	offset, ok2 := args[1].(int64)
	if !ok || !ok2 {
		m.Fail("a tensor made of %s from %s", pickle.Kind(args[0]), pickle.Kind(args[1]))
	}
	v := &view{s, offset, sizes(m, args[2]), sizes(m, args[3])}
	if len(v.shape) != len(v.strides) {
		m.Fail("a tensor of %d axes with %d strides", len(v.shape), len(v.strides))
	}
	v.check(m)
	return v
}

// Kind describes v for an error.
func (v *view) Kind() string { return "a tensor" }

// Kind describes s for an error.
func (s *storage) Kind() string { return "a storage" }

// maxAxes is PyTorch's limit.
const maxAxes = 64

// sizes reads a tuple of sizes or strides.
func sizes(m *pickle.Machine, v any) []int {
	t, ok := v.(pickle.Tuple)
	if !ok || len(t) > maxAxes {
		m.Fail("a shape that is %s", pickle.Kind(v))
	}
	out := make([]int, len(t))
	for i, d := range t {
		n, ok := d.(int64)
		if !ok || n < 0 || int64(int(n)) != n {
			m.Fail("axis %d of a shape is %s", i, pickle.Kind(d))
		}
		out[i] = int(n)
	}
	return out
}

// rebuildSubclass takes (function, class, arguments, state): a tensor with
// attributes.
func rebuildSubclass(m *pickle.Machine, args pickle.Tuple) any {
	if len(args) >= 3 {
		g, ok := args[0].(*pickle.Global)
		inner, ok2 := args[2].(pickle.Tuple)
		if ok && ok2 {
			return g.Call(m, inner)
		}
	}
	m.Fail("a tensor made of %s", pickle.Kind(args))
	return nil
}
