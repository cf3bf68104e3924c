package pdparams

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/pptsn/pptsn/tensor"
)

// bytes writes data as an object of its own.
func (p *pickler) bytes(data []byte) error {
	var key any
	if len(data) <= 1 {
		key = shortBytes(data)
		if p.recall(key) {
			return nil
		}
	}
	if p.proto < 4 {
		return p.bytesAsText(key, data)
	}
	var head []byte
	switch n := uint64(len(data)); {
	case n <= math.MaxUint8:
		head = []byte{opShortBinBytes, byte(n)}
	case n <= math.MaxUint32:
		head = binary.LittleEndian.AppendUint32([]byte{opBinBytes}, uint32(n))
	default:
		head = binary.LittleEndian.AppendUint64([]byte{opBinBytes8}, n)
	}
	if err := p.payload(head, data); err != nil {
		return err
	}
	p.remember(key)
	return nil
}

// bytesAsText writes data as _codecs.encode(text, "latin1").
func (p *pickler) bytesAsText(key any, data []byte) error {
	if len(data) == 0 {
		return p.call(key, tokBytes)
	}
	n := latin1Len(data)
	if n > math.MaxUint32 {
		return fmt.Errorf("%d bytes are too many for protocol 2", len(data))
	}
	return p.call(key, tokEncode, latin1(data), "latin1")
}

// latin1 is bytes to be written as text.
type latin1 []byte

func (p *pickler) latin1(data latin1) error {
	p.uint32(opBinUnicode, uint32(latin1Len(data)))
	for chunk := range slices.Chunk(data, chunkSize) {
		p.buf = encodeLatin1(p.buf, chunk)
		if len(p.buf) >= frameTarget {
			if err := p.flush(); err != nil {
				return err
			}
		}
	}
	p.remember(nil)
	return nil
}

func (p *pickler) tuple(vs Tuple) error {
	if len(vs) == 0 {
		p.byte(opEmptyTuple)
		return nil
	}
	if len(vs) > 3 {
		p.byte(opMark)
	}
	if err := p.all(vs...); err != nil {
		return err
	}
	if len(vs) > 3 {
		p.byte(opTuple)
	} else {
		p.byte(opTuple1 - 1 + byte(len(vs)))
	}
	p.remember(nil)
	return nil
}

func (p *pickler) list(vs []any) error {
	p.byte(opEmptyList)
	p.remember(nil)
	if len(vs) == 1 {
		err := p.save(vs[0])
		p.byte(opAppend)
		return err
	}
	for some := range slices.Chunk(vs, batch) {
		p.byte(opMark)
		if err := p.all(some...); err != nil {
			return err
		}
		p.byte(opAppends)
	}
	return nil
}

func (p *pickler) dict(d *Dict) error {
	p.byte(opEmptyDict)
	p.remember(nil)
	if d.Len() == 1 {
		err := p.all(d.items[0].key, d.items[0].value)
		p.byte(opSetItem)
		return err
	}
	for i := 0; i < d.Len(); i += batch {
		p.byte(opMark)
		for _, it := range d.items[i:min(i+batch, d.Len())] {
			if err := p.all(it.key, it.value); err != nil {
				return err
			}
		}
		p.byte(opSetItems)
	}
	if d.Len() > 0 && d.Len()%batch == 0 {
		p.byte(opMark, opSetItems) // CPython looks for more and finds none
	}
	return nil
}

func (p *pickler) token(t token) error {
	if p.recall(t) {
		return nil
	}
	if p.proto >= 4 {
		if err := p.all(t.module, t.name); err != nil {
			return err
		}
		p.byte(opStackGlobal)
	} else {
		module := t.module
		if module == "builtins" {
			module = "__builtin__" // Python 2's name
		}
		p.byte(opGlobal)
		p.byte([]byte(module + "\n" + t.name + "\n")...)
	}
	p.remember(t)
	return nil
}

// call writes a call of fn.
func (p *pickler) call(key any, fn token, args ...any) error {
	if err := p.all(fn, Tuple(args)); err != nil {
		return err
	}
	p.byte(opReduce)
	p.remember(key)
	return nil
}

func (p *pickler) dtype(t tensor.Type) error {
	if t == tensor.BFloat16 {
		t = tensor.Uint16 // as Paddle does
	}
	if p.recall(t) {
		return nil
	}
	if err := p.call(t, tokDtype, dtypeCode(t), false, true); err != nil {
		return err
	}
	order := "<"
	if t.Size() == 1 {
		order = "|"
	}
	err := p.save(Tuple{3, order, nil, nil, nil, -1, -1, 0})
	p.byte(opBuild)
	return err
}

func dtypeCode(t tensor.Type) string {
	for code, typ := range dtypes {
		if typ == t {
			return code
		}
	}
	return ""
}

func (p *pickler) array(d *tensor.Dense) error {
	if err := check(d); err != nil {
		return err
	}
	if err := p.call(nil, tokReconstruct, tokArray, Tuple{0}, []byte{'b'}); err != nil {
		return err
	}
	err := p.save(Tuple{1, shapeTuple(d.Shape), d.Type, false, d.Data})
	p.byte(opBuild)
	return err
}

func shapeTuple(shape []int) Tuple {
	t := make(Tuple, len(shape))
	for i, n := range shape {
		t[i] = n
	}
	return t
}
