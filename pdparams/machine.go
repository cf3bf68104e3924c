package pdparams

import (
	"fmt"
	"math/big"
	"slices"
	"unicode/utf8"
)

// maxOps bounds the work and memory that a file of tiny opcodes can ask for.
// A tensor takes about 25 opcodes.
const maxOps = 1 << 22

// A machine builds the values of a pickle. It knows a fixed set of classes
// and calls nothing: what Python would call becomes a value of this package.
type machine struct {
	src   *source
	op    int64 // offset of the opcode that runs
	stack []any
	marks []int // heights of the stack
	memo  map[uint32]any
}

// What stands on the stack: nil, bool, int64, *big.Int, float64, complex128,
// Tuple and *Dict as in an exported value (their elements being these again),
// and:
type (
	// text is a str. Its characters are read when they are wanted.
	text struct {
		span
		latin1 bool // a str of Python 2: a byte is a character up to U+00FF
		known  bool
		s      string
	}
	// blob is a bytes or bytearray, read when wanted.
	blob struct {
		span
		chars bool // written as UTF-8 text, each character standing for a byte
		known bool
		b     []byte
	}
	list struct{ items []any }
	set  struct{ items []any }
)

// A failure carries an error up to load.
type failure struct{ err error }

// load runs the pickle that starts at src.pos and returns its value.
func load(src *source) (m *machine, root any, err error) {
	m = &machine{src: src, memo: map[uint32]any{}}
	defer catch(&err)
	return m, m.run(), nil
}

// catch, deferred, turns a failure into an error.
func catch(err *error) {
	switch r := recover().(type) {
	case nil:
	case failure:
		*err = r.err
	default:
		panic(r)
	}
}

func (m *machine) run() any {
	for range maxOps {
		m.op = m.src.pos
		code := m.next(1)[0]
		op := &opcodes[code]
		switch {
		case code == opStop:
			return m.pop()
		case op.name == "":
			m.fail("unknown opcode 0x%02x", code)
		case op.run == nil:
			m.unsupported("opcode %s, which Paddle does not write", op.name)
		}
		op.run(m)
	}
	m.unsupported("more than %d opcodes", maxOps)
	return nil
}

func (m *machine) fail(format string, args ...any) {
	panic(failure{&FormatError{m.op, fmt.Sprintf(format, args...)}})
}

func (m *machine) unsupported(format string, args ...any) {
	panic(failure{&UnsupportedError{m.op, fmt.Sprintf(format, args...)}})
}

func (m *machine) check(err error) {
	if err != nil {
		panic(failure{err})
	}
}

func (m *machine) next(n int64) []byte {
	b, err := m.src.next(n)
	m.check(err)
	return b
}

func (m *machine) skip(n uint64) span {
	sp, err := m.src.skip(int64(n))
	m.check(err)
	return sp
}

func (m *machine) push(v any) { m.stack = append(m.stack, v) }

// floor is the height below which the stack belongs to the last mark.
func (m *machine) floor() int {
	if n := len(m.marks); n > 0 {
		return m.marks[n-1]
	}
	return 0
}

func (m *machine) top() any {
	if len(m.stack) <= m.floor() {
		m.fail("the stack is empty")
	}
	return m.stack[len(m.stack)-1]
}

func (m *machine) pop() any { return m.popN(1)[0] }

// popN returns the top n values, valid until the next push.
func (m *machine) popN(n int) []any {
	if len(m.stack)-n < m.floor() {
		m.fail("the stack is empty")
	}
	i := len(m.stack) - n
	vs := m.stack[i:]
	m.stack = m.stack[:i]
	return vs
}

// popMark returns what was pushed since the last mark, valid until the next
// push.
func (m *machine) popMark() []any {
	if len(m.marks) == 0 {
		m.fail("no mark on the stack")
	}
	i := m.floor()
	m.marks = m.marks[:len(m.marks)-1]
	vs := m.stack[i:]
	m.stack = m.stack[:i]
	return vs
}

func (m *machine) recall(i uint32) {
	v, ok := m.memo[i]
	if !ok {
		m.fail("memo %d was never set", i)
	}
	m.push(v)
}

// str reads the characters of t.
func (m *machine) str(t *text) string {
	if t.known {
		return t.s
	}
	b := make([]byte, t.n)
	m.check(m.src.copy(b, t.off))
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

// is reports whether v is this very text.
func (m *machine) is(v any, want string) bool {
	t, ok := v.(*text)
	return ok && t.n == int64(len(want)) && m.str(t) == want
}

// bytes reads the bytes of b.
func (m *machine) bytes(b *blob) []byte {
	if !b.known {
		n, err := b.count(m.src)
		m.check(err)
		b.b = make([]byte, n)
		m.check(b.read(m.src, b.b))
		b.known = true
	}
	return b.b
}

// key returns a dict key as a Go value that can be compared.
func (m *machine) key(v any) any {
	switch v := v.(type) {
	case *text:
		return m.str(v)
	case nil, bool, int64, float64:
		return v
	}
	m.unsupported("a dict key that is %s", kind(v))
	return nil
}

func (m *machine) setItems(d any, kv []any) {
	dict, ok := d.(*Dict)
	if !ok {
		m.fail("items set on %s", kind(d))
	}
	if len(kv)%2 != 0 {
		m.fail("a dict key without a value")
	}
	for c := range slices.Chunk(kv, 2) {
		dict.Set(m.key(c[0]), c[1])
	}
}

// kind describes a value for an error.
func kind(v any) string {
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
	case *text:
		return "a str"
	case *blob:
		return "bytes"
	case *list:
		return "a list"
	case *set:
		return "a set"
	case Tuple:
		return fmt.Sprintf("a tuple of %d", len(v))
	case *Dict:
		return "a dict"
	case *array:
		return "an array"
	case *dtype:
		return "numpy.dtype"
	case *global:
		return v.name
	}
	return fmt.Sprintf("%T", v)
}
