package pdparams

import (
	"slices"

	"github.com/pptsn/pptsn/pickle"
	"github.com/pptsn/pptsn/tensor"
)

// read fills dst, which has the size of all elements, with them:
// little-endian, the last axis varying fastest.
func (a *array) read(src *pickle.Source, dst []byte) error {
	if err := a.data.Read(src, dst); err != nil {
		return err
	}
	if a.big {
		swapBytes(dst, a.typ)
	}
	if a.fortran && len(a.shape) > 1 {
		tensor.CopyStrided(dst, slices.Clone(dst), a.shape, fortranSteps(a.shape), a.typ.Size())
	}
	return nil
}

// swapBytes turns big-endian elements into little-endian ones.
func swapBytes(b []byte, t tensor.Type) {
	size := t.Size()
	if t == tensor.Complex64 || t == tensor.Complex128 {
		size /= 2 // two numbers
	}
	if size == 1 {
		return
	}
	for e := range slices.Chunk(b, size) {
		slices.Reverse(e)
	}
}

// fortranSteps are how many elements lie between neighbours along each axis
// where the first axis varies fastest.
func fortranSteps(shape []int) []int {
	steps := make([]int, len(shape))
	n := 1
	for i, d := range shape {
		steps[i] = n
		n *= d
	}
	return steps
}
