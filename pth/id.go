package pth

import (
	"slices"

	"github.com/pptsn/pptsn/pickle"
	"github.com/pptsn/pptsn/tensor"
)

// An id is what a persistent id says of a storage.
type id struct {
	key  string
	typ  tensor.Type
	n    int64
	view any // of a legacy file: (key, offset, elements) or nil
}

// readID takes ("storage", class, key, device, elements) and, in a legacy file,
// a view.
func readID(m *pickle.Machine, v any) id {
	t, ok := v.(pickle.Tuple)
	if !ok || len(t) < 5 || !m.Is(t[0], "storage") {
		if ok && len(t) > 1 && m.Is(t[0], "module") {
			m.Unsupported("%s", wholeModule)
		}
		m.Fail("a persistent id that is %s", pickle.Kind(v))
	}
	g, ok := t[1].(*pickle.Global)
	key, ok2 := t[2].(*pickle.Text)
	n, ok3 := t[4].(int64)
	if !ok || !ok2 || !ok3 || n < 0 {
		m.Fail("a storage that is %s, %s, %s", pickle.Kind(t[1]), pickle.Kind(t[2]), pickle.Kind(t[4]))
	}
	name := trimTorch(g.Name)
	typ, ok := storages[name]
	if slices.Contains(quantisedStorages, name) {
		m.Unsupported(quantised)
	}
	if !ok {
		m.Unsupported("a storage of class %s", g.Name)
	}
	out := id{key: m.Str(key), typ: typ, n: n}
	if len(t) > 5 {
		out.view = t[5]
	}
	return out
}
