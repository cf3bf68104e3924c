package dataset

import (
	"fmt"
	"image"
	"math"
	"math/rand/v2"
)

// Mix blends pairs of clips of a batch and their labels. With probability
// CutmixShare it pastes a box (Cutmix), else it adds (Mixup). The blend is drawn
// from Beta(alpha, alpha), once for a batch, as is the box.
//
// The rules are those of paddlevideo/loader/pipelines/mix.py, with one
// difference: there Cutmix takes the second and third axis of [N, T, 3, H, W] for
// the picture's and cuts colours and rows. Here a box is one of rows and columns.
type Mix struct {
	CutmixShare float64 // 0 for Mixup, 1 for Cutmix, between for VideoMix
	MixupAlpha  float64 // above 0 where Mixup may happen
	CutmixAlpha float64 // above 0 where Cutmix may happen
}

func (m Mix) check() error {
	alpha := func(name string, a float64) error {
		if !(a >= 1e-6 && a <= 1e6) {
			return fmt.Errorf("%s of mixing is %v: want a number from 1e-6 to 1e6", name, a)
		}
		return nil
	}
	if !(m.CutmixShare >= 0 && m.CutmixShare <= 1) {
		return fmt.Errorf("the share of Cutmix is %v: want a probability", m.CutmixShare)
	}
	if m.CutmixShare < 1 {
		if err := alpha("MixupAlpha", m.MixupAlpha); err != nil {
			return err
		}
	}
	if m.CutmixShare > 0 {
		return alpha("CutmixAlpha", m.CutmixAlpha)
	}
	return nil
}

// apply mixes the n clips in x, each of planes pictures of h by w, with
// themselves in the order perm. lambda is the share that a clip keeps of itself.
func (m Mix) apply(x []float32, n, planes, h, w int, rng *rand.Rand) (lambda float32, perm []int) {
	cut := rng.Float64() < m.CutmixShare
	perm = rng.Perm(n)
	if !cut {
		lam := beta(rng, m.MixupAlpha)
		return mixup(x, perm, lam), perm
	}
	box := cutBox(h, w, beta(rng, m.CutmixAlpha), rng)
	return cutmix(x, perm, planes, h, w, box), perm
}

// mixup sets each clip to lam*clip + (1-lam)*partner, in float32 with both
// products rounded.
func mixup(x []float32, perm []int, lam float64) float32 {
	a, b := float32(lam), float32(1-lam)
	pairs(x, perm, func(own, partner []float32) {
		partner = partner[:len(own)]
		for i, v := range own {
			own[i] = float32(a*v) + float32(b*partner[i])
		}
	})
	return a
}

// cutmix replaces the box by the partner's in each picture of each clip. The
// share that is left follows from the box, which the border may have cut.
func cutmix(x []float32, perm []int, planes, h, w int, box image.Rectangle) float32 {
	pairs(x, perm, func(own, partner []float32) {
		for row := range planes * h {
			if y := row % h; y >= box.Min.Y && y < box.Max.Y {
				from, to := row*w+box.Min.X, row*w+box.Max.X
				copy(own[from:to], partner[from:to])
			}
		}
	})
	return float32(1 - float64(box.Dx()*box.Dy())/float64(h*w))
}

// cutBox is a box of the share 1-lam of a picture, before the border cuts it,
// around a random pixel.
func cutBox(h, w int, lam float64, rng *rand.Rand) image.Rectangle {
	side := math.Sqrt(1 - lam)
	halfH, halfW := int(float64(h)*side)/2, int(float64(w)*side)/2
	y, x := rng.IntN(h), rng.IntN(w)
	return image.Rect(x-halfW, y-halfH, x+halfW, y+halfH).Intersect(image.Rect(0, 0, w, h))
}

// pairs calls do for each clip and, unchanged so far, its partner: clip perm[i]
// for clip i. Going around the cycles of perm, one clip has to be saved at a
// time instead of all.
func pairs(x []float32, perm []int, do func(own, partner []float32)) {
	size := len(x) / len(perm)
	at := func(i int) []float32 { return x[i*size : (i+1)*size] }
	saved := make([]float32, size)
	seen := make([]bool, len(perm))
	for first := range perm {
		if seen[first] {
			continue
		}
		copy(saved, at(first))
		for i := first; !seen[i]; i = perm[i] {
			seen[i] = true
			partner := saved
			if perm[i] != first {
				partner = at(perm[i])
			}
			do(at(i), partner)
		}
	}
}
