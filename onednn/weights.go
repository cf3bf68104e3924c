package onednn

import (
	"bytes"
	"errors"
	"fmt"
	"unsafe"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/tensor"
)

// A store holds a network's weights in the layouts that primitives asked for,
// each layout once.
type store struct {
	device
	plain graph.Weights
	forms map[string][]form
	scope scope
}

// A form is one layout of a parameter.
type form struct {
	from, to desc // how it is read from plain memory, and how it lies
	mem      memory
}

func newStore(d device, w graph.Weights) *store {
	return &store{device: d, plain: w, forms: map[string][]form{}}
}

// get returns the parameter, whose plain memory is read as from, laid out as
// to. What made makes of it, if not nil, is taken instead; it must be the same
// for the same descriptions.
func (s *store) get(name string, from, to desc, made func(*tensor.Dense) *tensor.Dense) (memory, error) {
	for _, f := range s.forms[name] {
		if f.from.equal(from) && f.to.equal(to) {
			return f.mem, nil
		}
	}
	data, err := s.alloc(&s.scope, to.size())
	if err != nil {
		return memory{}, err
	}
	f := form{from: from.copy(&s.scope), to: to.copy(&s.scope)}
	f.mem = s.memory(&s.scope, f.to)
	f.mem.set(data)
	param := s.plain[name]
	if made != nil {
		param = made(param)
	}
	plain := param.Data
	if from.equal(to) {
		copy(unsafe.Slice((*byte)(data), len(plain)), plain)
	} else if err := s.reorder(plain, f); err != nil {
		return memory{}, err
	}
	s.forms[name] = append(s.forms[name], f)
	return f.mem, nil
}

// reorder lays plain out as f. It is copied to C's memory first: C may not
// keep the address of Go's.
func (s *store) reorder(plain []byte, f form) error {
	var tmp scope
	defer tmp.close()
	from := s.memory(&tmp, f.from)
	data, err := s.alloc(&tmp, len(plain))
	if err != nil {
		return err
	}
	copy(unsafe.Slice((*byte)(data), len(plain)), plain)
	from.set(data)
	if err := s.move(&tmp, f.from, f.to, from, f.mem); err != nil || f.to.size() <= len(plain) {
		return err
	}
	return s.checkPadded(&tmp, plain, f)
}

// checkPadded reads a layout that pads the channels back: oneDNN 3.7.2 loses
// weights where neither input nor output channels fill their blocks (37x19x3x3 to ABcd16b16a). Such
// a primitive is as good as none.
func (s *store) checkPadded(tmp *scope, plain []byte, f form) error {
	data, err := s.alloc(tmp, len(plain))
	if err != nil {
		return err
	}
	back := s.memory(tmp, f.from)
	back.set(data)
	if err := s.move(tmp, f.to, f.from, f.mem, back); errors.Is(err, errUnimplemented) {
		return nil // of integers with sums beside them; these are not read back
	} else if err != nil {
		return err
	}
	if f.from.dtype() == f.to.dtype() && !bytes.Equal(unsafe.Slice((*byte)(data), len(plain)), plain) {
		return fmt.Errorf("weights are laid out wrongly: %w", errUnimplemented)
	}
	return nil
}

// move carries numbers from one memory to another and waits for it.
func (s *store) move(tmp *scope, a, b desc, from, to memory) error {
	r, err := maker{s.device, tmp, tmp}.reorder(a, b, nil)
	if err != nil {
		return err
	}
	scratch, err := s.alloc(tmp, r.scratch(tmp).size())
	if err != nil {
		return err
	}
	operands := []operand{{argSource, from}, {argDest, to}, {argScratch, s.memory(tmp, r.scratch(tmp))}}
	operands[2].mem.set(scratch)
	_, err = s.run(newCall(tmp, r, operands))
	return err
}

func (s *store) alloc(owner *scope, size int) (unsafe.Pointer, error) {
	p, err := alloc(size)
	if err == nil {
		owner.add(func() { release(p) })
	}
	return p, err
}

func (s *store) close() { s.scope.close() }
