package pdparams

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
	opProto           = 0x80
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
	run  func(*machine)
}

// opcodes holds what the picklers of protocols 2 to 5 emit, Python 2's
// included, and the names of the others.
var opcodes = [256]opcode{
	opMark:       {"MARK", func(m *machine) { m.marks = append(m.marks, len(m.stack)) }},
	opStop:       {"STOP", nil},
	'0':          {"POP", func(m *machine) { m.pop() }},
	'1':          {"POP_MARK", func(m *machine) { m.popMark() }},
	opBinFloat:   {"BINFLOAT", func(m *machine) { m.push(math.Float64frombits(binary.BigEndian.Uint64(m.next(8)))) }},
	'I':          {"INT", decimal},
	opBinInt:     {"BININT", func(m *machine) { m.push(int64(int32(m.uint(4)))) }},
	opBinInt1:    {"BININT1", func(m *machine) { m.push(int64(m.uint(1))) }},
	opBinInt2:    {"BININT2", func(m *machine) { m.push(int64(m.uint(2))) }},
	opLong1:      {"LONG1", func(m *machine) { m.long(m.uint(1)) }},
	opLong4:      {"LONG4", func(m *machine) { m.long(m.uint(4)) }},
	opNone:       {"NONE", func(m *machine) { m.push(nil) }},
	opNewTrue:    {"NEWTRUE", func(m *machine) { m.push(true) }},
	opNewFalse:   {"NEWFALSE", func(m *machine) { m.push(false) }},
	opBinUnicode: {"BINUNICODE", func(m *machine) { m.push(&text{span: m.skip(m.uint(4))}) }},

	'T': {"BINSTRING", func(m *machine) { m.push(&text{span: m.skip(m.uint(4)), latin1: true}) }},
	'U': {"SHORT_BINSTRING", func(m *machine) { m.push(&text{span: m.skip(m.uint(1)), latin1: true}) }},

	opShortBinUnicode: {"SHORT_BINUNICODE", func(m *machine) { m.push(&text{span: m.skip(m.uint(1))}) }},
	0x8d:              {"BINUNICODE8", func(m *machine) { m.push(&text{span: m.skip(m.uint(8))}) }},
	opBinBytes:        {"BINBYTES", func(m *machine) { m.push(&blob{span: m.skip(m.uint(4))}) }},
	opShortBinBytes:   {"SHORT_BINBYTES", func(m *machine) { m.push(&blob{span: m.skip(m.uint(1))}) }},
	opBinBytes8:       {"BINBYTES8", func(m *machine) { m.push(&blob{span: m.skip(m.uint(8))}) }},
	0x96:              {"BYTEARRAY8", func(m *machine) { m.push(&blob{span: m.skip(m.uint(8))}) }},

	opEmptyTuple: {"EMPTY_TUPLE", func(m *machine) { m.push(Tuple(nil)) }},
	opTuple1:     {"TUPLE1", func(m *machine) { m.push(Tuple(slices.Clone(m.popN(1)))) }},
	opTuple1 + 1: {"TUPLE2", func(m *machine) { m.push(Tuple(slices.Clone(m.popN(2)))) }},
	opTuple1 + 2: {"TUPLE3", func(m *machine) { m.push(Tuple(slices.Clone(m.popN(3)))) }},
	opTuple:      {"TUPLE", func(m *machine) { m.push(Tuple(slices.Clone(m.popMark()))) }},
	opEmptyList:  {"EMPTY_LIST", func(m *machine) { m.push(&list{}) }},
	opAppend:     {"APPEND", func(m *machine) { vs := m.popN(1); m.extend(m.top(), vs) }},
	opAppends:    {"APPENDS", func(m *machine) { vs := m.popMark(); m.extend(m.top(), vs) }},
	opEmptyDict:  {"EMPTY_DICT", func(m *machine) { m.push(&Dict{}) }},
	opSetItem:    {"SETITEM", func(m *machine) { kv := m.popN(2); m.setItems(m.top(), kv) }},
	opSetItems:   {"SETITEMS", func(m *machine) { kv := m.popMark(); m.setItems(m.top(), kv) }},
	0x8f:         {"EMPTY_SET", func(m *machine) { m.push(&set{}) }},
	0x90:         {"ADDITEMS", func(m *machine) { vs := m.popMark(); m.add(m.top(), vs) }},
	0x91:         {"FROZENSET", func(m *machine) { m.push(&set{slices.Clone(m.popMark())}) }},

	opBinGet:     {"BINGET", func(m *machine) { m.recall(uint32(m.uint(1))) }},
	opLongBinGet: {"LONG_BINGET", func(m *machine) { m.recall(uint32(m.uint(4))) }},
	opBinPut:     {"BINPUT", func(m *machine) { m.memo[uint32(m.uint(1))] = m.top() }},
	opLongBinPut: {"LONG_BINPUT", func(m *machine) { m.memo[uint32(m.uint(4))] = m.top() }},
	opMemoize:    {"MEMOIZE", func(m *machine) { m.memo[uint32(len(m.memo))] = m.top() }},

	opGlobal:      {"GLOBAL", func(m *machine) { m.push(m.global(m.line(), m.line())) }},
	opStackGlobal: {"STACK_GLOBAL", stackGlobal},
	opReduce:      {"REDUCE", reduce},
	opBuild:       {"BUILD", build},
	opProto:       {"PROTO", proto},
	opFrame:       {"FRAME", frame},

	// An instruction to make an instance names its class; the name is worth
	// more in the error than the instruction.
	'i': {"INST", func(m *machine) { m.global(m.line(), m.line()); m.unsupported("opcode INST") }},

	'o': {"OBJ", nil}, 0x81: {"NEWOBJ", nil}, 0x92: {"NEWOBJ_EX", nil},
	'P': {"PERSID", nil}, 'Q': {"BINPERSID", nil},
	0x82: {"EXT1", nil}, 0x83: {"EXT2", nil}, 0x84: {"EXT4", nil},
	0x97: {"NEXT_BUFFER", nil}, 0x98: {"READONLY_BUFFER", nil},
	'2': {"DUP", nil}, 'F': {"FLOAT", nil}, 'L': {"LONG", nil}, 'S': {"STRING", nil},
	'V': {"UNICODE", nil}, 'd': {"DICT", nil}, 'l': {"LIST", nil},
	'g': {"GET", nil}, 'p': {"PUT", nil},
}

// uint reads an argument of n bytes.
func (m *machine) uint(n int64) uint64 {
	var b [8]byte
	copy(b[:], m.next(n))
	return binary.LittleEndian.Uint64(b[:])
}

// maxLine is the longest text argument: a module, a class, a decimal number.
const maxLine = 1024

// line reads a text argument up to its newline.
func (m *machine) line() string {
	n := min(maxLine, m.src.left())
	b := m.next(n)
	i := bytes.IndexByte(b, '\n')
	if i < 0 {
		m.fail("a text argument without its end")
	}
	m.src.pos -= n - int64(i) - 1
	return string(b[:i])
}

// decimal is how Python 2 writes an int of more than 32 bits.
func decimal(m *machine) {
	s := m.line()
	v, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		m.fail("%.40q is not an integer", s)
	}
	m.push(v)
}

// long reads an int of n bytes in two's complement.
func (m *machine) long(n uint64) {
	sp := m.skip(n)
	b := make([]byte, sp.n)
	m.check(m.src.copy(b, sp.off))
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

func (m *machine) extend(v any, vs []any) {
	l, ok := v.(*list)
	if !ok {
		m.fail("items appended to %s", kind(v))
	}
	l.items = append(l.items, vs...)
}

func (m *machine) add(v any, vs []any) {
	s, ok := v.(*set)
	if !ok {
		m.fail("items added to %s", kind(v))
	}
	s.items = append(s.items, vs...)
}

func stackGlobal(m *machine) {
	v := m.popN(2)
	module, ok := v[0].(*text)
	name, ok2 := v[1].(*text)
	if !ok || !ok2 || module.n > maxLine || name.n > maxLine {
		m.fail("a class whose name is %s and %s", kind(v[0]), kind(v[1]))
	}
	m.push(m.global(m.str(module), m.str(name)))
}

func proto(m *machine) {
	if p := m.uint(1); p < 2 || p > 5 {
		m.unsupported("pickle protocol %d", p)
	}
}

// frame says how many bytes follow until the next frame; only the bytes left
// matter to a reader that does not buffer by frame.
func frame(m *machine) {
	if n := m.uint(8); n > uint64(m.src.left()) {
		panic(failure{&FormatError{m.op, fmt.Sprintf("the file is cut short: frame of %d bytes, %d left", n, m.src.left())}})
	}
}
