package pdparams

import "strings"

// A global is a class or function that a pickle may name. call makes what
// calling it in Python would return; without call it is only ever an argument.
type global struct {
	name string
	call func(m *machine, args Tuple) any
}

// globals is all that a pickle can reach. Each row is what Python, numpy or
// Paddle put into the files that paddle.save writes.
var globals = map[string]func(m *machine, args Tuple) any{
	"numpy.ndarray":                      nil,
	"numpy.dtype":                        newDtype,
	"numpy.core.multiarray._reconstruct": reconstruct,
	"numpy.core.multiarray.scalar":       scalar,
	"numpy.core.numeric._frombuffer":     fromBuffer, // protocol 5
	"_codecs.encode":                     encode,     // bytes in protocol 2

	"builtins.tuple":          newTuple, // a Tensor in a nested value: tuple((name, array))
	"builtins.list":           newList,
	"builtins.dict":           newDict,
	"builtins.set":            newSet,
	"builtins.frozenset":      newSet,
	"builtins.bytes":          newBytes,
	"builtins.bytearray":      newBytes,
	"builtins.complex":        newComplex,
	"collections.OrderedDict": newDict,

	// A LoDTensor of a static program: eval("data", {"data": array}), and
	// what newer versions write instead.
	"builtins.eval": evalData,
	"paddle.framework.io_utils._reconstruct_dense_tensor_data": denseTensor,
}

// global looks a class up.
func (m *machine) global(module, name string) *global {
	full := canonical(module) + "." + name
	call, ok := globals[full]
	if !ok {
		m.forbid(module + "." + name)
	}
	return &global{full, call}
}

func (m *machine) forbid(name string) { panic(failure{&ForbiddenError{m.op, name}}) }

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
func reduce(m *machine) {
	v := m.popN(2)
	g, ok := v[0].(*global)
	args, ok2 := v[1].(Tuple)
	if !ok || !ok2 {
		m.fail("a call of %s with %s", kind(v[0]), kind(v[1]))
	}
	if g.call == nil {
		m.unsupported("a call of %s", g.name)
	}
	m.push(g.call(m, args))
}

// build gives an object made by reduce its state.
func build(m *machine) {
	state := m.pop()
	switch v := m.top().(type) {
	case *array:
		v.setState(m, state)
	case *dtype:
		v.setState(m, state)
	default:
		m.unsupported("a state for %s", kind(v))
	}
}

// items returns the elements of the one sequence in args, if any.
func (m *machine) items(args Tuple) []any {
	switch len(args) {
	case 0:
		return nil
	case 1:
		switch v := args[0].(type) {
		case Tuple:
			return v
		case *list:
			return v.items
		}
	}
	m.unsupported("a sequence made of %s", kind(args))
	return nil
}

func newTuple(m *machine, args Tuple) any { return Tuple(m.items(args)) }
func newList(m *machine, args Tuple) any  { return &list{append([]any(nil), m.items(args)...)} }
func newSet(m *machine, args Tuple) any   { return &set{append([]any(nil), m.items(args)...)} }

// newDict makes a dict, of a list of pairs if there is one: Python 2's way to
// write an OrderedDict.
func newDict(m *machine, args Tuple) any {
	d := &Dict{}
	for _, pair := range m.items(args) {
		var kv []any
		switch p := pair.(type) {
		case Tuple:
			kv = p
		case *list:
			kv = p.items
		}
		if len(kv) != 2 {
			m.fail("a dict made of %s", kind(pair))
		}
		m.setItems(d, kv)
	}
	return d
}

// newBytes is bytes(), bytearray(bytes) or bytearray(str, "latin-1").
func newBytes(m *machine, args Tuple) any {
	switch {
	case len(args) == 0:
		return &blob{}
	case len(args) == 1:
		if b, ok := args[0].(*blob); ok {
			return b
		}
	case len(args) == 2 && m.is(args[1], "latin-1"):
		if t, ok := args[0].(*text); ok {
			return t.blob()
		}
	}
	m.unsupported("bytes made of %s", kind(args))
	return nil
}

// encode turns text to bytes, a character a byte.
func encode(m *machine, args Tuple) any {
	if len(args) == 2 && (m.is(args[1], "latin1") || m.is(args[1], "latin-1")) {
		if t, ok := args[0].(*text); ok {
			return t.blob()
		}
	}
	m.unsupported("_codecs.encode other than of a str to latin1")
	return nil
}

func (t *text) blob() *blob { return &blob{span: t.span, chars: !t.latin1} }

func newComplex(m *machine, args Tuple) any {
	if len(args) == 2 {
		re, ok := args[0].(float64)
		im, ok2 := args[1].(float64)
		if ok && ok2 {
			return complex(re, im)
		}
	}
	m.fail("a complex number made of %s", kind(args))
	return nil
}

// evalData is the one use of eval that Paddle makes. It evaluates nothing: the
// expression is known.
func evalData(m *machine, args Tuple) any {
	if len(args) == 2 && m.is(args[0], "data") {
		if d, ok := args[1].(*Dict); ok && d.Len() == 1 {
			if v, _ := d.Get("data"); isArray(v) {
				return v
			}
		}
	}
	m.forbid("builtins.eval")
	return nil
}

func denseTensor(m *machine, args Tuple) any {
	if len(args) != 1 || !isArray(args[0]) {
		m.fail("a tensor made of %s", kind(args))
	}
	return args[0]
}

func isArray(v any) bool {
	_, ok := v.(*array)
	return ok
}
