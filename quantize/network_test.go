package quantize

import (
	"slices"
	"testing"

	"github.com/pptsn/pptsn/bundle"
	"github.com/pptsn/pptsn/engine"
	"github.com/pptsn/pptsn/onednn"
	"github.com/pptsn/pptsn/tensor"
)

func TestPieces(t *testing.T) {
	var sizes []int
	var elements []float32
	x := noiseViews(1, 10)
	for part := range pieces(x) {
		sizes = append(sizes, part.Shape[0])
		elements = append(elements, part.Float32s()...)
	}
	if !slices.Equal(sizes, []int{4, 4, 2}) || !slices.Equal(elements, x.Float32s()) {
		t.Errorf("pieces of %v views", sizes)
	}
}

// With all of its views a clip has the scores that the engine gives it, whether
// the network takes clips or single pictures.
func TestScoresOfAllViews(t *testing.T) {
	pictures := toyOf(t, true)
	for name, b := range map[string]*bundle.Bundle{"clips": toy(t), "pictures": pictures} {
		j := mustJob(t, Options{Bundle: b, Spec: toySpec})
		run, err := open(j.net.body, j.net.w, onednn.Options{Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		defer run.Close()
		e, err := engine.Open(t.Context(), j.Bundle.Graph, j.Bundle.Weights, engine.Options{Kind: engine.OneDNN, Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		for l := range load(t.Context(), actions(t, 1)[:2], toySpec, 1) {
			if l.err != nil {
				t.Fatal(l.err)
			}
			x, results := j.net.sample(l.clip, 100), rows{}
			values, err := run.run(t.Context(), x)
			if err != nil {
				t.Fatal(err)
			}
			results.add(j.net, values)
			got, err := j.net.scores(results)
			if err != nil {
				t.Fatal(err)
			}
			var apart noise
			apart.add(got, scoresOf(t, e, l))
			if apart.relative() > 1e-5 || x.Shape[0] != 3 {
				t.Errorf("%s: scores %v of %d views, the engine gives %v", name, got, x.Shape[0], scoresOf(t, e, l))
			}
		}
	}
}

// The views of a sample are spread over the clip.
func TestSampleViews(t *testing.T) {
	j := mustJob(t, Options{Bundle: toy(t), Spec: toySpec})
	for l := range load(t.Context(), actions(t, 1)[:1], toySpec, 1) {
		if l.err != nil {
			t.Fatal(l.err)
		}
		all := l.clip.Views(nil, 0, 3)
		for _, tc := range []struct {
			views int
			want  []int
		}{{1, []int{1}}, {2, []int{0, 2}}, {3, []int{0, 1, 2}}, {9, []int{0, 1, 2}}} {
			x := j.net.sample(l.clip, tc.views)
			want := tensor.New(tensor.Float32, len(tc.want), 3, 24, 24)
			size := len(all) / 3
			for i, v := range tc.want {
				copy(want.Float32s()[i*size:], all[v*size:(v+1)*size])
			}
			if !slices.Equal(x.Shape, want.Shape) || !slices.Equal(x.Float32s(), want.Float32s()) {
				t.Errorf("%d views are not those numbered %v", tc.views, tc.want)
			}
		}
	}
}
