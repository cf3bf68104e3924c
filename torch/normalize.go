package torch

import (
	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/tensor"
)

// A normalizer turns 8-bit pictures into a network's input where the network
// is computed: a quarter of the bytes go there, and the host does nothing but
// copy. It holds 255, mean and deviation for a row of pixels, [3*W].
type normalizer struct{ full, mean, std Tensor }

func (s *Scope) normalizer(n clip.Normalize, w int) normalizer {
	row := func(channel func(c int) float32) Tensor {
		v := make([]float32, 3*w)
		for i := range v {
			v[i] = channel(i % 3)
		}
		return s.From(tensor.FromFloat32(v, len(v)))
	}
	return normalizer{
		full: row(func(int) float32 { return 255 }),
		mean: row(func(c int) float32 { return n.Mean[c] }),
		std:  row(func(c int) float32 { return n.Std[c] }),
	}
}

func (n normalizer) tensors() []Tensor { return []Tensor{n.full, n.mean, n.std} }

// normalize turns bytes [V, H, W, 3] into [V, 3, H, W], channels last. Each
// step is one of clip.Normalize's, rounded to float32 (a division is one: the
// divisors are tensors, by whose inverse libtorch does not multiply), so the
// numbers are those of clip.Views.
func (s *Scope) normalize(n normalizer, pixels Tensor, views, h, w int) Tensor {
	x := s.To(pixels, Float32)
	rows := s.Call("aten::view", x, []int{views * h, 3 * w})
	s.Run("aten::div_.Tensor", rows, n.full)
	s.Run("aten::sub_.Tensor", rows, n.mean, 1)
	s.Run("aten::div_.Tensor", rows, n.std)
	pictures := s.Call("aten::view", rows, []int{views, h, w, 3})
	out := s.Call("aten::permute", pictures, []int{0, 3, 1, 2})
	s.Release(x, rows, pictures)
	return out
}
