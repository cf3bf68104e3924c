package pickle

import (
	"fmt"
	"math/big"
	"slices"
	"unicode/utf8"
)

// maxOps bounds the work and memory that a file of tiny opcodes can ask for. An
// item that one opcode copies counts as another. A tensor takes about 25 opcodes.
const maxOps = 1 << 22

// A Machine builds the values of a pickle. It knows a fixed set of classes
// and calls nothing.
type Machine struct {
	Src   *Source
	Op    int64 // offset of the opcode that runs, which errors carry
	rules *Rules
	ops   int // that ran, see maxOps
	stack []any
	marks []int // heights of the stack
	memo  map[uint32]any
}

// What stands on the stack: nil, bool, int64, *big.Int, float64, complex128,
// Tuple and *Dict, their elements being these again, what the rules make, and:
type (
	// Text is a str. Its characters are read when they are wanted.
	Text struct {
		span
		latin1 bool // a str of Python 2: a byte is a character up to U+00FF
		known  bool
		s      string
		bytes  *Blob // the same as bytes, once they were asked for
	}
	// List is a list.
	List struct{ Items []any }
	// SetOf is a set or frozenset, in the order of the file.
	SetOf struct{ Items []any }
)

// A failure carries an error up to Catch.
type failure struct{ err error }

// Load runs the pickle that stands next in src and returns its value, and the
// machine, which reads what the value refers to.
func Load(src *Source, rules *Rules) (m *Machine, root any, err error) {
	m = &Machine{Src: src, rules: rules, memo: map[uint32]any{}}
	defer Catch(&err)
	return m, m.run(), nil
}

// Catch, deferred, turns a failure of a machine into an error.
func Catch(err *error) {
	switch r := recover().(type) {
	case nil:
	case failure:
		*err = r.err
	default:
		panic(r)
	}
}

func (m *Machine) run() any {
	for {
		m.spend(1)
		m.Op = m.Src.pos
		code := m.next(1)[0]
		op := &opcodes[code]
		switch {
		case code == opStop:
			return m.pop()
		case op.name == "":
			m.Fail("unknown opcode 0x%02x", code)
		case op.run == nil:
			m.refuse(op.name)
		}
		op.run(m)
	}
}

// spend counts n opcodes, or items copied, towards maxOps.
func (m *Machine) spend(n int) {
	if m.ops += n; m.ops > maxOps {
		m.Unsupported("more than %d opcodes", maxOps)
	}
}

// refuse stops at an opcode that the writer of such files does not use.
func (m *Machine) refuse(opcode string) {
	m.Unsupported("opcode %s, which %s does not write", opcode, m.rules.Writer)
}

// Fail stops with a FormatError.
func (m *Machine) Fail(format string, args ...any) {
	panic(failure{&FormatError{m.Op, fmt.Sprintf(format, args...)}})
}

// Unsupported stops with an UnsupportedError.
func (m *Machine) Unsupported(format string, args ...any) {
	panic(failure{&UnsupportedError{m.Op, fmt.Sprintf(format, args...)}})
}

// Check stops with err unless it is nil.
func (m *Machine) Check(err error) {
	if err != nil {
		panic(failure{err})
	}
}

func (m *Machine) next(n int64) []byte {
	b, err := m.Src.Next(n)
	m.Check(err)
	return b
}

func (m *Machine) skip(n uint64) span {
	sp, err := m.Src.Skip(int64(n))
	m.Check(err)
	return sp
}

func (m *Machine) push(v any) { m.stack = append(m.stack, v) }

// floor is the height below which the stack belongs to the last mark.
func (m *Machine) floor() int {
	if n := len(m.marks); n > 0 {
		return m.marks[n-1]
	}
	return 0
}

func (m *Machine) top() any {
	if len(m.stack) <= m.floor() {
		m.Fail("the stack is empty")
	}
	return m.stack[len(m.stack)-1]
}

func (m *Machine) pop() any { return m.popN(1)[0] }

// popN returns the top n values, valid until the next push.
func (m *Machine) popN(n int) []any {
	if len(m.stack)-n < m.floor() {
		m.Fail("the stack is empty")
	}
	i := len(m.stack) - n
	vs := m.stack[i:]
	m.stack = m.stack[:i]
	return vs
}

// popMark returns what was pushed since the last mark, valid until the next
// push.
func (m *Machine) popMark() []any {
	if len(m.marks) == 0 {
		m.Fail("no mark on the stack")
	}
	i := m.floor()
	m.marks = m.marks[:len(m.marks)-1]
	vs := m.stack[i:]
	m.stack = m.stack[:i]
	return vs
}

func (m *Machine) recall(i uint32) {
	v, ok := m.memo[i]
	if !ok {
		m.Fail("memo %d was never set", i)
	}
	m.push(v)
}

// Str reads the characters of t.
func (m *Machine) Str(t *Text) string {
	if t.known {
		return t.s
	}
	b := make([]byte, t.n)
	m.Check(m.Src.copy(b, t.off))
	switch {
	case t.latin1:
		r := make([]rune, len(b))
		for i, c := range b {
			r[i] = rune(c)
		}
		t.s = string(r)
	case !utf8.Valid(b):
		panic(failure{&FormatError{t.off, "text is not valid UTF-8"}})
	default:
		t.s = string(b)
	}
	t.known = true
	return t.s
}

// Is reports whether v is this very text.
func (m *Machine) Is(v any, want string) bool {
	t, ok := v.(*Text)
	return ok && t.n == int64(len(want)) && m.Str(t) == want
}

// Bytes reads the bytes of b.
func (m *Machine) Bytes(b *Blob) []byte {
	if !b.known {
		n, err := b.count(m.Src)
		m.Check(err)
		b.b = make([]byte, n)
		m.Check(b.Read(m.Src, b.b))
		b.known = true
	}
	return b.b
}

// key returns a dict key as a Go value that can be compared.
func (m *Machine) key(v any) any {
	switch v := v.(type) {
	case *Text:
		return m.Str(v)
	case nil, bool, int64, float64:
		return v
	}
	m.Unsupported("a dict key that is %s", Kind(v))
	return nil
}

func (m *Machine) setItems(d any, kv []any) {
	dict, ok := d.(*Dict)
	if !ok {
		m.Fail("items set on %s", Kind(d))
	}
	if len(kv)%2 != 0 {
		m.Fail("a dict key without a value")
	}
	for c := range slices.Chunk(kv, 2) {
		dict.Set(m.key(c[0]), c[1])
	}
}

// Kind describes a value for an error.
func Kind(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case bool:
		return "a bool"
	case int64:
		return fmt.Sprint(v)
	case *big.Int:
		return "a large int"
	case float64, complex128:
		return "a number"
	case *Text:
		return "a str"
	case *Blob:
		return "bytes"
	case *List:
		return "a list"
	case *SetOf:
		return "a set"
	case Tuple:
		return fmt.Sprintf("a tuple of %d", len(v))
	case *Dict:
		return "a dict"
	case Described:
		return v.Kind()
	}
	return fmt.Sprintf("%T", v)
}
