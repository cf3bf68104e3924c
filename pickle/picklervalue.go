package pickle

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
)

// bytes writes data as an object of its own.
func (p *Pickler) bytes(data []byte) error {
	var key any
	if len(data) <= 1 {
		key = shortBytes(data)
		if p.Recall(key) {
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
func (p *Pickler) bytesAsText(key any, data []byte) error {
	if len(data) == 0 {
		return p.Call(key, tokBytes)
	}
	n := latin1Len(data)
	if n > math.MaxUint32 {
		return fmt.Errorf("%d bytes are too many for protocol 2", len(data))
	}
	return p.Call(key, tokEncode, latin1(data), "latin1")
}

// latin1 is bytes to be written as text.
type latin1 []byte

func (p *Pickler) latin1(data latin1) error {
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

func (p *Pickler) tuple(vs Tuple) error {
	if len(vs) == 0 {
		p.byte(opEmptyTuple)
		return nil
	}
	if len(vs) > 3 {
		p.byte(opMark)
	}
	if err := p.All(vs...); err != nil {
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

func (p *Pickler) list(vs []any) error {
	p.byte(opEmptyList)
	p.remember(nil)
	if len(vs) == 1 {
		err := p.Save(vs[0])
		p.byte(opAppend)
		return err
	}
	for some := range slices.Chunk(vs, batch) {
		p.byte(opMark)
		if err := p.All(some...); err != nil {
			return err
		}
		p.byte(opAppends)
	}
	return nil
}

func (p *Pickler) dict(d *Dict) error {
	p.byte(opEmptyDict)
	p.remember(nil)
	if d.Len() == 1 {
		err := p.All(d.items[0].key, d.items[0].value)
		p.byte(opSetItem)
		return err
	}
	for i := 0; i < d.Len(); i += batch {
		p.byte(opMark)
		for _, it := range d.items[i:min(i+batch, d.Len())] {
			if err := p.All(it.key, it.value); err != nil {
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

func (p *Pickler) token(t Token) error {
	if p.Recall(t) {
		return nil
	}
	if p.proto >= 4 {
		if err := p.All(t.Module, t.Name); err != nil {
			return err
		}
		p.byte(opStackGlobal)
	} else {
		module := t.Module
		if module == "builtins" {
			module = "__builtin__" // Python 2's name
		}
		p.byte(opGlobal)
		p.byte([]byte(module + "\n" + t.Name + "\n")...)
	}
	p.remember(t)
	return nil
}

// Call writes a call of fn. A key makes the result known to Recall.
func (p *Pickler) Call(key any, fn Token, args ...any) error {
	if err := p.All(fn, Tuple(args)); err != nil {
		return err
	}
	p.byte(opReduce)
	p.remember(key)
	return nil
}

// Build gives the value just written a state.
func (p *Pickler) Build(state any) error {
	err := p.Save(state)
	p.byte(opBuild)
	return err
}

// Persistent writes a persistent id: what it stands for is outside the pickle.
func (p *Pickler) Persistent(id any) error {
	err := p.Save(id)
	p.byte(opBinPersID)
	return err
}
