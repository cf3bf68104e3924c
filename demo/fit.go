package main

import (
	"math"
	"math/rand/v2"
	"strings"

	"github.com/pptsn/pptsn/tensor"
	"github.com/pptsn/pptsn/tsn"
)

// randomBackbone draws convolutions as He et al. (2015) initialise them, and
// batch norms that do nothing but damp the residual branches.
func randomBackbone(s tsn.Spec, seed uint64) map[string]*tensor.Dense {
	net, err := tsn.Build(s, 1, 32, 32)
	if err != nil {
		panic(err) // the configuration was checked
	}
	rng, weights := rand.New(rand.NewPCG(seed, 0)), map[string]*tensor.Dense{}
	for _, p := range net.Params {
		if strings.HasPrefix(p.Name, "head.") {
			continue
		}
		t := tensor.New(tensor.Float32, p.Shape...)
		weights[p.Name] = t
		for i := range t.Float32s() {
			t.Float32s()[i] = initial(p, rng)
		}
	}
	return weights
}

func initial(p tsn.Param, rng *rand.Rand) float32 {
	switch {
	case strings.HasSuffix(p.Name, "._conv.weight"):
		fanIn := tensor.Count(p.Shape[1:])
		return float32(rng.NormFloat64() * math.Sqrt(2/float64(fanIn)))
	case strings.HasSuffix(p.Name, ".conv1._batch_norm.weight"):
		return 0.5
	case strings.HasSuffix(p.Name, "._batch_norm.weight"), strings.HasSuffix(p.Name, "._variance"):
		return 1
	}
	return 0
}

func identity(n int) *tensor.Dense {
	t := tensor.New(tensor.Float32, n, n)
	for i := range n {
		t.Float32s()[i*n+i] = 1
	}
	return t
}

const (
	ridge     = 1e-2 // share of the kernel's mean diagonal added to it
	sharpness = 10   // the score of a clip's own class; others are near 0
)

// fit is ridge regression from features x, standardised, to one-hot classes, in
// its dual form, which has as many unknowns as there are clips:
//
//	a = (Z Zt + lambda I)^-1 Y,  W = Zt a,  z = (x - mean) / deviation
//
// It returns weights [C, K] and bias [K] for features as they are.
func fit(x [][]float32, clips []labelled, classes int) (w, bias *tensor.Dense) {
	n, c := len(x), len(x[0])
	mean, scale := standard(x)
	z := func(i, k int) float64 { return (float64(x[i][k]) - mean[k]) * scale[k] }
	kernel, trace := make([][]float64, n), 0.0
	for i := range kernel {
		kernel[i] = make([]float64, n+classes) // beside it, the right-hand side
		for j := range n {
			for k := range c {
				kernel[i][j] += z(i, k) * z(j, k)
			}
		}
		kernel[i][n+clips[i].class] = sharpness
		trace += kernel[i][i]
	}
	for i := range n {
		kernel[i][i] += ridge * trace / float64(n)
	}
	solve(kernel)
	w, bias = tensor.New(tensor.Float32, c, classes), tensor.New(tensor.Float32, classes)
	for k := range c {
		for class := range classes {
			sum := 0.0
			for i := range n {
				sum += z(i, k) * kernel[i][n+class]
			}
			sum *= scale[k]
			w.Float32s()[k*classes+class] = float32(sum)
			bias.Float32s()[class] -= float32(sum * mean[k])
		}
	}
	return w, bias
}

// standard returns the mean of each feature and 1 / its standard deviation, 0
// for features that never change.
func standard(x [][]float32) (mean, scale []float64) {
	n, c := float64(len(x)), len(x[0])
	mean, scale = make([]float64, c), make([]float64, c)
	for k := range c {
		var sum, squares float64
		for i := range x {
			sum += float64(x[i][k])
			squares += float64(x[i][k]) * float64(x[i][k])
		}
		mean[k] = sum / n
		if variance := squares/n - mean[k]*mean[k]; variance > 1e-12*squares {
			scale[k] = 1 / math.Sqrt(variance)
		}
	}
	return mean, scale
}

// solve brings [A | B], A symmetric and positive, to [I | A^-1 B] by Gauss and
// Jordan's elimination.
func solve(m [][]float64) {
	for i := range m {
		pivot := m[i][i]
		for k := range m[i] {
			m[i][k] /= pivot
		}
		for j := range m {
			if j == i {
				continue
			}
			f := m[j][i]
			for k := range m[j] {
				m[j][k] -= f * m[i][k]
			}
		}
	}
}
