package evaluate_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/engine"
	"github.com/pptsn/pptsn/evaluate"
	"github.com/pptsn/pptsn/frame"
	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/internal/parity"
	"github.com/pptsn/pptsn/tensor"
	"github.com/pptsn/pptsn/torch"
	"github.com/pptsn/pptsn/tsn"
)

// synthetic is a clip of the kit's frames, beginning with the given one.
type synthetic struct {
	kit   *parity.Kit
	first int
}

func (synthetic) Len() int { return 9 }

func (s synthetic) Frames(_ context.Context, indices []int) ([]*frame.RGB, error) {
	frames := make([]*frame.RGB, len(indices))
	for i, n := range indices {
		frames[i] = s.kit.Frame(40, 32, s.first+n)
	}
	return frames, nil
}

// The scores are those of the plain evaluator, also where a piece of views ends
// in the middle of a clip.
func TestForwards(t *testing.T) {
	t.Run("oneDNN", func(t *testing.T) {
		testForward(t, func(net *tsn.Network, w graph.Weights) (evaluate.Forward, io.Closer, error) {
			e, err := engine.Open(t.Context(), net.Graph, w, engine.Options{Kind: engine.OneDNN, Threads: 1})
			if err != nil {
				return nil, nil, err
			}
			return e.Scores, e, nil
		})
	})
	t.Run("torch", func(t *testing.T) {
		session, err := torch.NewSession(torch.SessionOptions{Threads: 1})
		if errors.As(err, new(*torch.NotFoundError)) {
			t.Skip(err)
		} else if err != nil {
			t.Fatal(err)
		}
		defer session.Close()
		testForward(t, func(net *tsn.Network, w graph.Weights) (evaluate.Forward, io.Closer, error) {
			return evaluate.OnTorch(t.Context(), session, net, w)
		})
	})
}

func testForward(t *testing.T, on func(*tsn.Network, graph.Weights) (evaluate.Forward, io.Closer, error)) {
	kit := parity.Open(t)
	s := clip.Spec{Sampling: clip.Sampling{Mode: clip.SelectLeft, Segments: 3}, Steps: []clip.Step{
		{CenterCrop: &clip.CenterCrop{Size: 32}},
		{Normalize: &clip.Normalize{Mean: [3]float32{0.485, 0.456, 0.406}, Std: [3]float32{0.229, 0.224, 0.225}}},
	}}
	net, err := tsn.Build(tsn.Spec{Family: tsn.PPTSN, Layers: 18, Classes: 5}, 3, 32, 32)
	if err != nil {
		t.Fatal(err)
	}
	weights := kit.Weights(net)
	forward, network, err := on(net, weights)
	if err != nil {
		t.Fatal(err)
	}
	defer network.Close()
	var clips []*clip.Clip
	var views []float32
	for i := range 3 {
		c, err := clip.Load(t.Context(), synthetic{kit, 11 * i}, s, clip.Options{})
		if err != nil {
			t.Fatal(err)
		}
		clips, views = append(clips, c), append(views, c.Views(nil, 0, 3)...)
	}
	want, err := graph.Eval(net.Graph, weights, tensor.FromFloat32(views, 3, 3, 3, 32, 32))
	if err != nil {
		t.Fatal(err)
	}
	got, err := forward(t.Context(), clips)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range want[0].Float32s() {
		if g := got[i/5][i%5]; math.Abs(float64(g-v)) > 1e-4 {
			t.Errorf("clip %d class %d: %v, want %v", i/5, i%5, g, v)
		}
	}
	if a, b := fmt.Sprint(got[0]), fmt.Sprint(got[1]); a == b {
		t.Errorf("different clips have the same scores %s", a)
	}
	s.Sampling.Segments = 2
	other, err := clip.Load(t.Context(), synthetic{kit, 0}, s, clip.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := forward(t.Context(), []*clip.Clip{other}); err == nil || !strings.Contains(err.Error(), "2 views of 32x32 pixels for a network of 3") {
		t.Errorf("clip of another shape: %v", err)
	}
}
