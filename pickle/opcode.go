package pickle

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
)

// The opcodes that the writer emits or the reader tells apart, named as in
// Python's pickletools.
const (
	opMark            = '('
	opStop            = '.'
	opBinFloat        = 'G'
	opBinInt          = 'J'
	opBinInt1         = 'K'
	opBinInt2         = 'M'
	opNone            = 'N'
	opReduce          = 'R'
	opBinUnicode      = 'X'
	opEmptyList       = ']'
	opAppend          = 'a'
	opBuild           = 'b'
	opBinPersID       = 'Q'
	opGlobal          = 'c'
	opAppends         = 'e'
	opBinGet          = 'h'
	opLongBinGet      = 'j'
	opBinPut          = 'q'
	opLongBinPut      = 'r'
	opSetItem         = 's'
	opTuple           = 't'
	opEmptyTuple      = ')'
	opSetItems        = 'u'
	opEmptyDict       = '}'
	Proto             = 0x80 // begins every pickle that is read or written here
	opTuple1          = 0x85
	opNewTrue         = 0x88
	opNewFalse        = 0x89
	opLong1           = 0x8a
	opLong4           = 0x8b
	opBinBytes        = 'B'
	opShortBinBytes   = 'C'
	opShortBinUnicode = 0x8c
	opBinBytes8       = 0x8e
	opStackGlobal     = 0x93
	opMemoize         = 0x94
	opFrame           = 0x95
)

// An opcode is what a byte of a pickle stands for. One without run is known
// but refused.
type opcode struct {
	name string
	run  func(*Machine)
}

// opcodes holds what the picklers of protocols 2 to 5 emit, Python 2's
// included, and the names of the others.
var opcodes = [256]opcode{
	opMark:       {"MARK", func(m *Machine) { m.marks = append(m.marks, len(m.stack)) }},
	opStop:       {"STOP", nil},
	'0':          {"POP", func(m *Machine) { m.pop() }},
	'1':          {"POP_MARK", func(m *Machine) { m.popMark() }},
	opBinFloat:   {"BINFLOAT", func(m *Machine) { m.push(math.Float64frombits(binary.BigEndian.Uint64(m.next(8)))) }},
	'I':          {"INT", decimal},
	opBinInt:     {"BININT", func(m *Machine) { m.push(int64(int32(m.uint(4)))) }},
	opBinInt1:    {"BININT1", func(m *Machine) { m.push(int64(m.uint(1))) }},
	opBinInt2:    {"BININT2", func(m *Machine) { m.push(int64(m.uint(2))) }},
	opLong1:      {"LONG1", func(m *Machine) { m.long(m.uint(1)) }},
	opLong4:      {"LONG4", func(m *Machine) { m.long(m.uint(4)) }},
	opNone:       {"NONE", func(m *Machine) { m.push(nil) }},
	opNewTrue:    {"NEWTRUE", func(m *Machine) { m.push(true) }},
	opNewFalse:   {"NEWFALSE", func(m *Machine) { m.push(false) }},
	opBinUnicode: {"BINUNICODE", func(m *Machine) { m.push(&Text{span: m.skip(m.uint(4))}) }},

	'T': {"BINSTRING", func(m *Machine) { m.push(&Text{span: m.skip(m.uint(4)), latin1: true}) }},
	'U': {"SHORT_BINSTRING", func(m *Machine) { m.push(&Text{span: m.skip(m.uint(1)), latin1: true}) }},

	opShortBinUnicode: {"SHORT_BINUNICODE", func(m *Machine) { m.push(&Text{span: m.skip(m.uint(1))}) }},
	0x8d:              {"BINUNICODE8", func(m *Machine) { m.push(&Text{span: m.skip(m.uint(8))}) }},
	opBinBytes:        {"BINBYTES", func(m *Machine) { m.push(&Blob{span: m.skip(m.uint(4))}) }},
	opShortBinBytes:   {"SHORT_BINBYTES", func(m *Machine) { m.push(&Blob{span: m.skip(m.uint(1))}) }},
	opBinBytes8:       {"BINBYTES8", func(m *Machine) { m.push(&Blob{span: m.skip(m.uint(8))}) }},
	0x96:              {"BYTEARRAY8", func(m *Machine) { m.push(&Blob{span: m.skip(m.uint(8))}) }},

	opEmptyTuple: {"EMPTY_TUPLE", func(m *Machine) { m.push(Tuple(nil)) }},
	opTuple1:     {"TUPLE1", func(m *Machine) { m.push(Tuple(slices.Clone(m.popN(1)))) }},
	opTuple1 + 1: {"TUPLE2", func(m *Machine) { m.push(Tuple(slices.Clone(m.popN(2)))) }},
	opTuple1 + 2: {"TUPLE3", func(m *Machine) { m.push(Tuple(slices.Clone(m.popN(3)))) }},
	opTuple:      {"TUPLE", func(m *Machine) { m.push(Tuple(slices.Clone(m.popMark()))) }},
	opEmptyList:  {"EMPTY_LIST", func(m *Machine) { m.push(&List{}) }},
	opAppend:     {"APPEND", func(m *Machine) { vs := m.popN(1); m.extend(m.top(), vs) }},
	opAppends:    {"APPENDS", func(m *Machine) { vs := m.popMark(); m.extend(m.top(), vs) }},
	opEmptyDict:  {"EMPTY_DICT", func(m *Machine) { m.push(&Dict{}) }},
	opSetItem:    {"SETITEM", func(m *Machine) { kv := m.popN(2); m.setItems(m.top(), kv) }},
	opSetItems:   {"SETITEMS", func(m *Machine) { kv := m.popMark(); m.setItems(m.top(), kv) }},
	0x8f:         {"EMPTY_SET", func(m *Machine) { m.push(&SetOf{}) }},
	0x90:         {"ADDITEMS", func(m *Machine) { vs := m.popMark(); m.add(m.top(), vs) }},
	0x91:         {"FROZENSET", func(m *Machine) { m.push(&SetOf{slices.Clone(m.popMark())}) }},

	opBinGet:     {"BINGET", func(m *Machine) { m.recall(uint32(m.uint(1))) }},
	opLongBinGet: {"LONG_BINGET", func(m *Machine) { m.recall(uint32(m.uint(4))) }},
	opBinPut:     {"BINPUT", func(m *Machine) { m.memo[uint32(m.uint(1))] = m.top() }},
	opLongBinPut: {"LONG_BINPUT", func(m *Machine) { m.memo[uint32(m.uint(4))] = m.top() }},
	opMemoize:    {"MEMOIZE", func(m *Machine) { m.memo[uint32(len(m.memo))] = m.top() }},

	opGlobal:      {"GLOBAL", func(m *Machine) { m.push(m.global(m.line(), m.line())) }},
	opStackGlobal: {"STACK_GLOBAL", stackGlobal},
	opReduce:      {"REDUCE", reduce},
	opBuild:       {"BUILD", build},
	Proto:         {"PROTO", proto},
	opFrame:       {"FRAME", frame},

	// An instruction to make an instance names its class; the name is worth
	// more in the error than the instruction.
	'i': {"INST", func(m *Machine) { m.global(m.line(), m.line()); m.Unsupported("opcode INST") }},

	0x81:        {"NEWOBJ", newObj},
	opBinPersID: {"BINPERSID", persistent},
	'o':         {"OBJ", nil}, 0x92: {"NEWOBJ_EX", nil},
	'P':  {"PERSID", nil},
	0x82: {"EXT1", nil}, 0x83: {"EXT2", nil}, 0x84: {"EXT4", nil},
	0x97: {"NEXT_BUFFER", nil}, 0x98: {"READONLY_BUFFER", nil},
	'2': {"DUP", nil}, 'F': {"FLOAT", nil}, 'L': {"LONG", nil}, 'S': {"STRING", nil},
	'V': {"UNICODE", nil}, 'd': {"DICT", nil}, 'l': {"LIST", nil},
	'g': {"GET", nil}, 'p': {"PUT", nil},
}

// uint reads an argument of n bytes.
func (m *Machine) uint(n int64) uint64 {
	var b [8]byte
	copy(b[:], m.next(n))
	return binary.LittleEndian.Uint64(b[:])
}

// maxLine is the longest text argument: a module, a class, a decimal number.
const maxLine = 1024

// line reads a text argument up to its newline.
func (m *Machine) line() string {
	n := min(maxLine, m.Src.left())
	b := m.next(n)
	i := bytes.IndexByte(b, '\n')
	if i < 0 {
		m.Fail("a text argument without its end")
	}
	m.Src.pos -= n - int64(i) - 1
	return string(b[:i])
}

// decimal is how Python 2 writes an int of more than 32 bits.
func decimal(m *Machine) {
	s := m.line()
	v, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		m.Fail("%.40q is not an integer", s)
	}
	m.push(v)
}

// long reads an int of n bytes in two's complement.
func (m *Machine) long(n uint64) {
	sp := m.skip(n)
	b := make([]byte, sp.n)
	m.Check(m.Src.copy(b, sp.off))
	slices.Reverse(b)
	v := new(big.Int).SetBytes(b)
	if len(b) > 0 && b[0] >= 0x80 {
		v.Sub(v, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	if v.IsInt64() {
		m.push(v.Int64())
	} else {
		m.push(v)
	}
}

func (m *Machine) extend(v any, vs []any) {
	l, ok := v.(*List)
	if !ok {
		m.Fail("items appended to %s", Kind(v))
	}
	l.Items = append(l.Items, vs...)
}

func (m *Machine) add(v any, vs []any) {
	s, ok := v.(*SetOf)
	if !ok {
		m.Fail("items added to %s", Kind(v))
	}
	s.Items = append(s.Items, vs...)
}

func stackGlobal(m *Machine) {
	v := m.popN(2)
	module, ok := v[0].(*Text)
	name, ok2 := v[1].(*Text)
	if !ok || !ok2 || module.n > maxLine || name.n > maxLine {
		m.Fail("a class whose name is %s and %s", Kind(v[0]), Kind(v[1]))
	}
	m.push(m.global(m.Str(module), m.Str(name)))
}

// persistent replaces an id by what it stands for.
func persistent(m *Machine) {
	if m.rules.Persistent == nil {
		m.refuse("BINPERSID")
	}
	m.push(m.rules.Persistent(m, m.pop()))
}

func proto(m *Machine) {
	if p := m.uint(1); p < 2 || p > 5 {
		m.Unsupported("pickle protocol %d", p)
	}
}

// frame says how many bytes follow until the next frame; only the bytes left
// matter to a reader that does not buffer by frame.
func frame(m *Machine) {
	if n := m.uint(8); n > uint64(m.Src.left()) {
		panic(failure{&FormatError{m.Op, fmt.Sprintf("the file is cut short: frame of %d bytes, %d left", n, m.Src.left())}})
	}
}
