package quantize

import (
	"context"
	"fmt"
	"slices"

	"github.com/pptsn/pptsn/bundle"
	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/onednn"
	"github.com/pptsn/pptsn/tensor"
)

// A network is an optimised graph that can be run on some of a clip's views.
type network struct {
	whole *graph.Graph // as exported, optimised
	w     graph.Weights
	views int          // of a clip
	body  *graph.Graph // from views [R, 3, H, W], or from whole clips [1, T, 3, H, W]
	tail  *graph.Graph // from the body's results of all views to scores; nil: the body gives them
}

// newNetwork readies a model for clips of that kind, which it must fit.
func newNetwork(b *bundle.Bundle, spec clip.Spec) (*network, error) {
	g, w, err := graph.Optimize(b.Graph, b.Weights)
	if err != nil {
		return nil, err
	}
	n := &network{whole: g, w: w, views: spec.Views()}
	height, width := spec.Size()
	shape := []int{1, n.views, 3, height, width}
	if b.PerView() {
		shape = []int{n.views, 3, height, width}
	}
	bound, err := g.Bind(shape)
	if err != nil {
		return nil, err
	}
	n.body, n.tail = graph.SplitRows(bound)
	if n.body == nil || readsInput(n.tail, bound) {
		n.body, n.tail = bound, nil
	}
	return n, nil
}

// readsInput reports whether the tail looks at the pictures themselves.
func readsInput(tail, g *graph.Graph) bool {
	return slices.ContainsFunc(tail.Inputs, func(v *graph.Value) bool { return v.Name == g.Inputs[0].Name })
}

// sample takes about that many views of a clip, evenly spread, as the body takes
// them: all of them where it cannot take single views.
func (n *network) sample(c *clip.Clip, views int) *tensor.Dense {
	views = min(views, n.views)
	shape := slices.Clone(n.body.Inputs[0].Shape)
	if shape[0] != graph.Unknown {
		x := tensor.New(tensor.Float32, shape...)
		c.Views(x.Float32s(), 0, n.views)
		return x
	}
	shape[0] = views
	x := tensor.New(tensor.Float32, shape...)
	size := x.Len() / views
	for i := range views {
		v := (2*i + 1) * n.views / (2 * views) // the middle of the i-th part
		c.Views(x.Float32s()[i*size:(i+1)*size], v, v+1)
	}
	return x
}

// scores are the network's for a clip of which the body's results are known for
// some views, as if these were repeated.
func (n *network) scores(body map[string]*tensor.Dense) ([]float32, error) {
	out := body[n.body.Outputs[0].Name]
	if n.tail != nil {
		in := make([]*tensor.Dense, len(n.tail.Inputs))
		for i, v := range n.tail.Inputs {
			in[i] = repeated(body[v.Name], v.Shape)
		}
		all, err := graph.Eval(n.tail, n.w, in...)
		if err != nil {
			return nil, err
		}
		out = all[0]
	}
	return meanOfRows(out), nil
}

// repeated fills an array of that shape with t's elements again and again.
func repeated(t *tensor.Dense, shape []int) *tensor.Dense {
	out := tensor.New(tensor.Float32, shape...)
	for rest := out.Float32s(); len(rest) > 0; {
		rest = rest[copy(rest, t.Float32s()):]
	}
	return out
}

// meanOfRows averages [R, K] over R: a network of single pictures gives scores
// for each.
func meanOfRows(t *tensor.Dense) []float32 {
	k := t.Shape[len(t.Shape)-1]
	mean := make([]float32, k)
	for i, v := range t.Float32s() {
		mean[i%k] += v
	}
	for i := range mean {
		mean[i] /= float32(t.Len() / k)
	}
	return mean
}

// A runner runs a graph and gives the values it was asked for.
type runner struct {
	*onednn.Engine
	values []string
}

// open readies a graph whose outputs are, besides its own, values of those names.
func open(g *graph.Graph, w graph.Weights, o onednn.Options, values ...string) (*runner, error) {
	g = g.Clone()
	r := &runner{}
	for _, v := range g.Outputs {
		r.values = append(r.values, v.Name)
	}
	for _, n := range g.Nodes {
		if slices.Contains(values, n.Out.Name) && !slices.Contains(g.Outputs, n.Out) {
			g.Output(n.Out)
			r.values = append(r.values, n.Out.Name)
		}
	}
	var err error
	if r.Engine, err = onednn.Compile(g, w, o); err != nil {
		return nil, err
	}
	return r, nil
}

func (r *runner) run(ctx context.Context, x *tensor.Dense) (map[string]*tensor.Dense, error) {
	out, err := r.Run(ctx, x)
	if err != nil {
		return nil, fmt.Errorf("quantize: %w", err)
	}
	values := map[string]*tensor.Dense{}
	for i, name := range r.values {
		values[name] = out[i]
	}
	return values, nil
}
