package engine_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"testing"

	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/engine"
	"github.com/pptsn/pptsn/frame"
	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/graph/graphtest"
	"github.com/pptsn/pptsn/internal/parity"
	"github.com/pptsn/pptsn/onednn"
	"github.com/pptsn/pptsn/ort"
	"github.com/pptsn/pptsn/tensor"
	"github.com/pptsn/pptsn/torch"
	"github.com/pptsn/pptsn/tsn"
)

// tolerances of scores, relative to the largest: of float32 sums; of weights
// and activations of 8 bits of mantissa; of sums that are rounded to the next
// 8-bit step, layer after layer.
var tolerances = map[graph.Precision]float64{graph.FP32: 1e-4, graph.BF16: 3e-2, graph.INT8: 5e-2}

const kitViews, kitSide, classes = 3, 32, 5

// kitSource is frames of the parity kit, beginning with the given one.
type kitSource struct {
	kit   *parity.Kit
	first int
}

func (kitSource) Len() int { return 9 }

func (s kitSource) Frames(_ context.Context, indices []int) ([]*frame.RGB, error) {
	frames := make([]*frame.RGB, len(indices))
	for i, n := range indices {
		frames[i] = s.kit.Frame(80, 70, s.first+n)
	}
	return frames, nil
}

// An agreement is the kit's network and clips, and what they give by the plain
// evaluator: in floats, and with the roundings of int8.
type agreement struct {
	net    *tsn.Network
	w      graph.Weights
	scales graph.Scales
	clips  []*clip.Clip
	want   map[graph.Precision][]float32
}

func newAgreement(t *testing.T, spec tsn.Spec, clips int) agreement {
	kit := parity.Open(t)
	net, err := tsn.Build(spec, kitViews, kitSide, kitSide)
	if err != nil {
		t.Fatal(err)
	}
	a := agreement{net: net, w: kit.Weights(net), want: map[graph.Precision][]float32{}}
	pre := clip.Spec{Sampling: clip.Sampling{Mode: clip.SelectLeft, Segments: kitViews}, Steps: []clip.Step{
		{CenterCrop: &clip.CenterCrop{Size: kitSide}},
		{Normalize: &clip.Normalize{Mean: [3]float32{0.485, 0.456, 0.406}, Std: [3]float32{0.229, 0.224, 0.225}}},
	}}
	var pixels []float32
	for i := range clips {
		c, err := clip.Load(t.Context(), kitSource{kit, 11 * i}, pre, clip.Options{})
		if err != nil {
			t.Fatal(err)
		}
		a.clips, pixels = append(a.clips, c), append(pixels, c.Views(nil, 0, kitViews)...)
	}
	in := tensor.FromFloat32(pixels, clips, kitViews, 3, kitSide, kitSide)
	g, w, err := graph.Optimize(net.Graph, a.w)
	if err != nil {
		t.Fatal(err)
	}
	if a.scales, err = graphtest.Scales(g, w, in); err != nil {
		t.Fatal(err)
	}
	q, err := graph.Quantize(g, w, a.scales, graph.QuantizeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	a.want[graph.FP32] = eval(t, net.Graph, a.w, in)
	a.want[graph.BF16] = a.want[graph.FP32]
	a.want[graph.INT8] = eval(t, q, w, in)
	return a
}

func eval(t *testing.T, g *graph.Graph, w graph.Weights, in *tensor.Dense) []float32 {
	out, err := graph.Eval(g, w, in)
	if err != nil {
		t.Fatal(err)
	}
	return out[0].Float32s()
}

// Every engine and precision that this machine has gives the evaluator's
// scores, for several sizes of batches, asked from many goroutines at once.
func TestGoroutinesOfAllEnginesAgree(t *testing.T) {
	for _, tc := range []struct {
		spec  tsn.Spec
		clips int // few: the evaluator is slow
	}{
		{tsn.Spec{Family: tsn.PPTSN, Layers: 18, Classes: classes}, 4},
		{tsn.Spec{Family: tsn.TSN, Layers: 50, Classes: classes}, 2},
	} {
		spec, a := tc.spec, newAgreement(t, tc.spec, tc.clips)
		for _, o := range []engine.Options{
			{Kind: engine.OneDNN},
			{Kind: engine.OneDNN, Precision: graph.BF16},
			{Kind: engine.OneDNN, Precision: graph.INT8, Scales: a.scales},
			{Kind: engine.Torch},
			{Kind: engine.Torch, Precision: graph.BF16},
			{Kind: engine.ORT},
			{Kind: engine.ORT, Precision: graph.INT8, Scales: a.scales},
		} {
			t.Run(fmt.Sprintf("%s%d %s %s", spec.Family, spec.Layers, o.Kind, o.Precision), func(t *testing.T) {
				o.Threads = 2
				a.test(t, o)
			})
		}
	}
}

func (a agreement) test(t *testing.T, o engine.Options) {
	if o.Kind == engine.OneDNN && onednn.Supports(o.Precision) != nil {
		t.Skip(onednn.Supports(o.Precision))
	}
	e, err := engine.Open(t.Context(), a.net.Graph, a.w, o)
	if errors.As(err, new(*torch.NotFoundError)) || errors.As(err, new(*ort.NotFoundError)) {
		t.Skip(err)
	} else if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	var wg sync.WaitGroup
	for n := 1; n <= len(a.clips); n++ {
		wg.Go(func() {
			for first := range len(a.clips) - n + 1 {
				got, err := e.Scores(t.Context(), a.clips[first:first+n])
				if err != nil {
					t.Error(err)
					return
				}
				a.compare(t, o.Precision, first, got)
			}
		})
	}
	wg.Wait()
}

// compare checks the scores of clips from first on.
func (a agreement) compare(t *testing.T, p graph.Precision, first int, got [][]float32) {
	want, largest := a.want[p], 0.0
	for _, v := range want {
		largest = max(largest, math.Abs(float64(v)))
	}
	for i, scores := range got {
		for k, v := range scores {
			w := want[(first+i)*classes+k]
			if d := math.Abs(float64(v - w)); !(d <= tolerances[p]*largest) {
				t.Errorf("%d clips from %d on: clip %d class %d: %v, want %v", len(got), first, i, k, v, w)
				return
			}
		}
	}
}
