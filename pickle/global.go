package pickle

import (
	"slices"
	"strings"
)

// A Global is a class or function that a pickle may name.
type Global struct {
	Name string // module and name
	call Call
}

// Kind describes g for an error.
func (g *Global) Kind() string { return g.Name }

// python is what every pickle can reach: containers, and how protocol 2 writes
// bytes.
var python = map[string]Call{
	"_codecs.encode":          encode,
	"builtins.tuple":          newTuple,
	"builtins.list":           newList,
	"builtins.dict":           newDict,
	"builtins.set":            newSet,
	"builtins.frozenset":      newSet,
	"builtins.bytes":          newBytes,
	"builtins.bytearray":      newBytes,
	"builtins.complex":        newComplex,
	"collections.OrderedDict": newDict,
}

// global looks a class up.
func (m *Machine) global(module, name string) *Global {
	full := canonical(module) + "." + name
	call, ok := python[full]
	if !ok {
		call, ok = m.rules.Globals[full]
	}
	if !ok {
		m.Forbid(module + "." + name)
	}
	return &Global{full, call}
}

// Forbid stops at a class that is not among the rules.
func (m *Machine) Forbid(name string) { panic(failure{&ForbiddenError{m.Op, name}}) }

// canonical is the name of a module in Python 3 with numpy 1.
func canonical(module string) string {
	if module == "__builtin__" { // Python 2, and protocol 2 always
		return "builtins"
	}
	if rest, ok := strings.CutPrefix(module, "numpy._core."); ok { // numpy 2
		return "numpy.core." + rest
	}
	return module
}

// reduce replaces a callable and its arguments by the result.
func reduce(m *Machine) {
	v := m.popN(2)
	g, ok := v[0].(*Global)
	args, ok2 := v[1].(Tuple)
	if !ok || !ok2 {
		m.Fail("a call of %s with %s", Kind(v[0]), Kind(v[1]))
	}
	m.push(g.Call(m, args))
}

// newObj makes an instance of a class with arguments, as reduce does.
func newObj(m *Machine) {
	if !m.rules.Instances {
		m.refuse("NEWOBJ")
	}
	reduce(m)
}

// Call returns what calling g would.
func (g *Global) Call(m *Machine, args Tuple) any {
	if g.call == nil {
		m.Unsupported("a call of %s", g.Name)
	}
	return g.call(m, args)
}

// build gives an object made by reduce its state.
func build(m *Machine) {
	state := m.pop()
	switch v := m.top().(type) {
	case Stateful:
		v.SetState(m, state)
	case *Dict:
		if m.rules.Instances {
			return
		}
		m.Unsupported("a state for a dict")
	default:
		m.Unsupported("a state for %s", Kind(v))
	}
}

// items returns the elements of the one sequence in args, if any.
func (m *Machine) items(args Tuple) []any {
	switch len(args) {
	case 0:
		return nil
	case 1:
		switch v := args[0].(type) {
		case Tuple:
			return v
		case *List:
			return v.Items
		}
	}
	m.Unsupported("a sequence made of %s", Kind(args))
	return nil
}

// Copies share the items: nothing changes one, and what is appended to one copy
// goes elsewhere.
func newTuple(m *Machine, args Tuple) any { return Tuple(m.items(args)) }
func newList(m *Machine, args Tuple) any  { return &List{slices.Clip(m.items(args))} }
func newSet(m *Machine, args Tuple) any   { return &SetOf{slices.Clip(m.items(args))} }

// newDict makes a dict, of a list of pairs if there is one: Python 2's way to
// write an OrderedDict.
func newDict(m *Machine, args Tuple) any {
	d, pairs := &Dict{}, m.items(args)
	m.spend(len(pairs))
	for _, pair := range pairs {
		var kv []any
		switch p := pair.(type) {
		case Tuple:
			kv = p
		case *List:
			kv = p.Items
		}
		if len(kv) != 2 {
			m.Fail("a dict made of %s", Kind(pair))
		}
		m.setItems(d, kv)
	}
	return d
}

// newBytes is bytes(), bytearray(bytes) or bytearray(str, "latin-1").
func newBytes(m *Machine, args Tuple) any {
	switch {
	case len(args) == 0:
		return &Blob{}
	case len(args) == 1:
		if b, ok := args[0].(*Blob); ok {
			return b
		}
	case len(args) == 2 && m.Is(args[1], "latin-1"):
		if t, ok := args[0].(*Text); ok {
			return t.blob()
		}
	}
	m.Unsupported("bytes made of %s", Kind(args))
	return nil
}

// encode turns text to bytes, a character a byte.
func encode(m *Machine, args Tuple) any {
	if len(args) == 2 && (m.Is(args[1], "latin1") || m.Is(args[1], "latin-1")) {
		if t, ok := args[0].(*Text); ok {
			return t.blob()
		}
	}
	m.Unsupported("_codecs.encode other than of a str to latin1")
	return nil
}

// blob is t as bytes, one object however often it is asked for: its bytes are
// read once.
func (t *Text) blob() *Blob {
	if t.bytes == nil {
		t.bytes = &Blob{span: t.span, chars: !t.latin1}
	}
	return t.bytes
}

func newComplex(m *Machine, args Tuple) any {
	if len(args) == 2 {
		re, ok := args[0].(float64)
		im, ok2 := args[1].(float64)
		if ok && ok2 {
			return complex(re, im)
		}
	}
	m.Fail("a complex number made of %s", Kind(args))
	return nil
}
