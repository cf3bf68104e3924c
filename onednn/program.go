package onednn

// #include "steps.h"
import "C"

import (
	"cmp"
	"fmt"
	"time"
	"unsafe"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/tensor"
)

// A program is a bound graph as a list of steps. It owns its primitives, but
// no memory for numbers: that is given to each run.
type program struct {
	scope scope
	steps []step
	code  []C.struct_nn_step // of the steps
	views []view
	size  int            // bytes of intermediate results and scratch memory
	arena unsafe.Pointer // where they lay in the last run
}

// A step computes a value, or several of a chain, or brings one into another layout.
type step struct {
	layer  string // what asked for it, as printed
	kernel string // oneDNN's name of what computes it, or ours
	flops  int64  // of the node
	code   C.struct_nn_step
	plain  func(p *program, slots []unsafe.Pointer) error // computed in Go; code is unused
}

// A view is where some primitive, or code of our own, finds an operand.
type view struct {
	mem    memory   // of a primitive
	spot   *uintptr // of our own code, in memory of C's; nil for a primitive
	buf    *buffer
	offset int // bytes from the buffer's start
}

// run computes; slots are the addresses of the inputs, then of the outputs, all
// plain, and arena that of size bytes.
func (p *program) run(d device, slots []unsafe.Pointer, arena unsafe.Pointer) error {
	p.place(slots, arena)
	for from := 0; from < len(p.steps); {
		to := from + 1
		for to < len(p.steps) && p.steps[from].plain == nil && p.steps[to].plain == nil {
			to++
		}
		if err := p.compute(d, slots, from, to); err != nil {
			return err
		}
		from = to
	}
	return nil
}

// each is run with a report of how long each step took.
func (p *program) each(d device, slots []unsafe.Pointer, arena unsafe.Pointer, took func(step int, t time.Duration)) error {
	p.place(slots, arena)
	for i := range p.steps {
		begin := time.Now()
		if err := p.compute(d, slots, i, i+1); err != nil {
			return err
		}
		took(i, time.Since(begin))
	}
	return nil
}

// place tells the steps where their operands lie.
func (p *program) place(slots []unsafe.Pointer, arena unsafe.Pointer) {
	for _, v := range p.views {
		if v.buf.slot < 0 && p.arena == arena {
			continue
		}
		at := unsafe.Add(v.buf.at(slots, arena), v.offset)
		if v.spot != nil {
			*v.spot = uintptr(at) // no pointer to the garbage collector: the one before may be of an input that is gone
		} else {
			v.mem.set(at)
		}
	}
	p.arena = arena
}

// compute runs one step of Go's, or some of C's.
func (p *program) compute(d device, slots []unsafe.Pointer, from, to int) (err error) {
	done := 0
	if s := p.steps[from]; s.plain != nil {
		err = s.plain(p, slots)
	} else {
		done, err = d.run(p.code[from:to]...)
	}
	if err != nil {
		s := p.steps[from+done]
		return fmt.Errorf("layer %s (%s): %w", s.layer, cmp.Or(s.kernel, "plain Go"), err)
	}
	return nil
}

func (p *program) close() { p.scope.close() }

// at is the buffer's address in a run.
func (b *buffer) at(slots []unsafe.Pointer, arena unsafe.Pointer) unsafe.Pointer {
	switch {
	case b.slot >= 0:
		return slots[b.slot]
	case b.within != nil:
		return unsafe.Add(b.within.at(slots, arena), b.offset)
	}
	return unsafe.Add(arena, b.offset)
}

// evaluate is a step for what oneDNN cannot do: the graph's own evaluator, on
// plain memory. params are operands that do not change.
func evaluate(op graph.Op, in []place, shapes [][]int, params []*tensor.Dense, out place) func(*program, []unsafe.Pointer) error {
	return func(p *program, slots []unsafe.Pointer) error {
		operands := make([]*tensor.Dense, len(in))
		for i, at := range in {
			if operands[i] = params[i]; params[i] == nil {
				from := unsafe.Add(at.buf.at(slots, p.arena), at.offset)
				operands[i] = tensor.FromFloat32(floats(from, tensor.Count(shapes[i])), shapes[i]...)
			}
		}
		result, err := graph.EvalNode(op, operands...)
		if err != nil {
			return err
		}
		copy(floats(out.buf.at(slots, p.arena), result.Len()), result.Float32s())
		return nil
	}
}
