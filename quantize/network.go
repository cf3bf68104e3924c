package quantize

import (
	"context"
	"fmt"
	"iter"
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
	float []string     // convolutions of the tail, which no view has alone: they stay in float32
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
		return n, nil
	}
	n.float = holding{}.float(n.tail)
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
func (n *network) scores(body rows) ([]float32, error) {
	if n.tail == nil {
		v := n.body.Outputs[0]
		return meanOfRows(body[v.Name], v.Shape[len(v.Shape)-1]), nil
	}
	in := make([]*tensor.Dense, len(n.tail.Inputs))
	for i, v := range n.tail.Inputs {
		in[i] = repeated(body[v.Name], v.Shape)
	}
	out, err := graph.Eval(n.tail, n.w, in...)
	if err != nil {
		return nil, err
	}
	return meanOfRows(out[0].Float32s(), out[0].Shape[len(out[0].Shape)-1]), nil
}

// rows are values of a body, by name, for some views one behind the other.
type rows map[string][]float32

// add appends what a body gave for more views.
func (r rows) add(n *network, more map[string]*tensor.Dense) {
	for _, v := range n.body.Outputs {
		r[v.Name] = append(r[v.Name], more[v.Name].Float32s()...)
	}
}

// repeated fills an array of that shape with elements again and again.
func repeated(elements []float32, shape []int) *tensor.Dense {
	out := tensor.New(tensor.Float32, shape...)
	for rest := out.Float32s(); len(rest) > 0; {
		rest = rest[copy(rest, elements):]
	}
	return out
}

// meanOfRows averages [R, k] over R: a network of single pictures gives scores
// for each.
func meanOfRows(v []float32, k int) []float32 {
	mean := make([]float32, k)
	for i, x := range v {
		mean[i%k] += x
	}
	for i := range mean {
		mean[i] /= float32(len(v) / k)
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

// pieceViews is how many views are computed at once: their values fill memory.
const pieceViews = 4

// pieces yields x [R, ...] as a few rows after the other.
func pieces(x *tensor.Dense) iter.Seq[*tensor.Dense] {
	return func(yield func(*tensor.Dense) bool) {
		for from := 0; from < x.Shape[0]; from += pieceViews {
			if !yield(pieceFrom(x, from)) {
				return
			}
		}
	}
}

func pieceFrom(x *tensor.Dense, from int) *tensor.Dense {
	to, size := min(from+pieceViews, x.Shape[0]), x.Len()/x.Shape[0]
	return tensor.FromFloat32(x.Float32s()[from*size:to*size], slices.Concat([]int{to - from}, x.Shape[1:])...)
}

// run computes the values for one piece.
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
