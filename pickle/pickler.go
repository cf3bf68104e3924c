package pickle

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"math/big"
	"slices"
	"unicode/utf8"
)

// The numbers of CPython's pickler (Modules/_pickle.c).
const (
	frameTarget = 64 << 10 // a frame ends at the first value after so many bytes
	frameMin    = 4        // less is written without a frame
	batch       = 1000     // items of a list or dict set at a time
)

// A Pickler writes values as CPython's pickler does, byte for byte. CPython
// refers back to an object that it has written before; here equal strings are
// one object, unless they are Unshared.
type Pickler struct {
	w     io.Writer
	proto int // 2 or 4
	extra Extra
	buf   []byte         // not written yet: in protocol 4, the open frame
	memo  map[any]uint32 // what may be referred to
	n     uint32         // values memoized
}

// shortBytes is a key of the memo: CPython has one object for all bytes of
// length 0, and for all of length 1 that are equal.
type shortBytes string

// Extra writes values of types that the pickler does not know. ok is false for
// one that it does not know either.
type Extra func(p *Pickler, v any) (ok bool, err error)

// An Unshared string is an object of its own.
type Unshared string

// A Token names a class.
type Token struct{ Module, Name string }

var (
	tokEncode  = Token{"_codecs", "encode"}
	tokBytes   = Token{"builtins", "bytes"}
	tokComplex = Token{"builtins", "complex"}
)

// Write writes v as a whole pickle of protocol 2 or 4. v is made of nil, bool,
// int, int64, *big.Int, float64, complex128, string, []byte, []any, Tuple,
// *Dict, and what extra writes, which may be nil. Protocol 4 gives the bytes of
// CPython's pickle.dump.
func Write(w io.Writer, proto int, v any, extra Extra) error {
	p := &Pickler{w: w, proto: proto, extra: extra, memo: map[any]uint32{}}
	if _, err := w.Write([]byte{Proto, byte(proto)}); err != nil {
		return err
	}
	if err := p.Save(v); err != nil {
		return err
	}
	p.byte(opStop)
	return p.flush()
}

func (p *Pickler) byte(b ...byte) { p.buf = append(p.buf, b...) }

func (p *Pickler) uint32(op byte, v uint32) {
	p.buf = binary.LittleEndian.AppendUint32(append(p.buf, op), v)
}

// flush ends the frame.
func (p *Pickler) flush() error {
	if p.proto >= 4 && len(p.buf) >= frameMin {
		head := binary.LittleEndian.AppendUint64([]byte{opFrame}, uint64(len(p.buf)))
		if _, err := p.w.Write(head); err != nil {
			return err
		}
	}
	_, err := p.w.Write(p.buf)
	p.buf = p.buf[:0]
	return err
}

// remember gives the value just written the next number. A key makes it known
// to recall.
func (p *Pickler) remember(key any) {
	if key != nil {
		p.memo[key] = p.n
	}
	switch {
	case p.proto >= 4:
		p.byte(opMemoize)
	case p.n < 256:
		p.byte(opBinPut, byte(p.n))
	default:
		p.uint32(opLongBinPut, p.n)
	}
	p.n++
}

// Recall writes a reference to a value if it is known.
func (p *Pickler) Recall(key any) bool {
	n, ok := p.memo[key]
	switch {
	case !ok:
		return false
	case n < 256:
		p.byte(opBinGet, byte(n))
	default:
		p.uint32(opLongBinGet, n)
	}
	return true
}

// Save writes a value.
func (p *Pickler) Save(v any) error {
	if len(p.buf) >= frameTarget {
		if err := p.flush(); err != nil {
			return err
		}
	}
	switch v := v.(type) {
	case nil:
		p.byte(opNone)
	case bool:
		p.bool(v)
	case int:
		p.int(int64(v))
	case int64:
		p.int(v)
	case *big.Int:
		if v.IsInt64() {
			p.int(v.Int64())
		} else {
			p.long(v)
		}
	case float64:
		p.buf = binary.BigEndian.AppendUint64(append(p.buf, opBinFloat), math.Float64bits(v))
	case complex128:
		return p.Call(nil, tokComplex, real(v), imag(v))
	case string:
		if p.Recall(v) {
			return nil
		}
		return p.string(v, v)
	case Unshared:
		return p.string(string(v), nil)
	case []byte:
		return p.bytes(v)
	case Tuple:
		return p.tuple(v)
	case []any:
		return p.list(v)
	case *Dict:
		return p.dict(v)
	case latin1:
		return p.latin1(v)
	case Token:
		return p.token(v)
	default:
		return p.other(v)
	}
	return nil
}

func (p *Pickler) other(v any) error {
	if p.extra != nil {
		if ok, err := p.extra(p, v); ok || err != nil {
			return err
		}
	}
	return fmt.Errorf("cannot write a %T", v)
}

// All saves values one after another.
func (p *Pickler) All(vs ...any) error {
	for _, v := range vs {
		if err := p.Save(v); err != nil {
			return err
		}
	}
	return nil
}

func (p *Pickler) bool(v bool) {
	if v {
		p.byte(opNewTrue)
	} else {
		p.byte(opNewFalse)
	}
}

func (p *Pickler) int(v int64) {
	switch {
	case v >= 0 && v <= math.MaxUint8:
		p.byte(opBinInt1, byte(v))
	case v >= 0 && v <= math.MaxUint16:
		p.byte(opBinInt2, byte(v), byte(v>>8))
	case v >= math.MinInt32 && v <= math.MaxInt32:
		p.uint32(opBinInt, uint32(v))
	default:
		p.long(big.NewInt(v))
	}
}

// long writes an int in as few bytes of two's complement as hold it.
func (p *Pickler) long(v *big.Int) {
	n := v.BitLen()/8 + 1
	pos := v
	if v.Sign() < 0 {
		pos = new(big.Int).Add(v, new(big.Int).Lsh(big.NewInt(1), uint(8*n)))
	}
	b := pos.FillBytes(make([]byte, n))
	if n > 1 && b[0] == 0xff && b[1] >= 0x80 { // -1 << (8k - 1) needs k bytes only
		b = b[1:]
	}
	slices.Reverse(b)
	if len(b) > math.MaxUint8 {
		p.uint32(opLong4, uint32(len(b)))
	} else {
		p.byte(opLong1, byte(len(b)))
	}
	p.byte(b...)
}

func (p *Pickler) string(s string, key any) error {
	if !utf8.ValidString(s) {
		return fmt.Errorf("%.40q is not UTF-8", s)
	}
	head := []byte{opShortBinUnicode, byte(len(s))}
	if p.proto < 4 || len(s) > math.MaxUint8 {
		head = binary.LittleEndian.AppendUint32([]byte{opBinUnicode}, uint32(len(s)))
	}
	if err := p.payload(head, []byte(s)); err != nil {
		return err
	}
	p.remember(key)
	return nil
}

// payload writes an opcode and its data. Large data stand outside of frames.
func (p *Pickler) payload(head, data []byte) error {
	if len(data) < frameTarget {
		p.byte(head...)
		p.byte(data...)
		return nil
	}
	if err := p.flush(); err != nil {
		return err
	}
	if _, err := p.w.Write(head); err != nil {
		return err
	}
	_, err := p.w.Write(data)
	return err
}
