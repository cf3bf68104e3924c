package onednn_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/onednn"
)

// A randomNetwork grows layer by layer. What the graph refuses is left out.
type randomNetwork struct {
	*rand.Rand
	g *graph.Graph
}

func (r *randomNetwork) name() string { return fmt.Sprint("n", len(r.g.Nodes)) }

func (r *randomNetwork) pad(most [2]int) graph.Pad {
	return graph.Pad{Top: r.IntN(most[0]), Left: r.IntN(most[1]), Bottom: r.IntN(most[0]), Right: r.IntN(most[1])}
}

func (r *randomNetwork) add(op graph.Op, x *graph.Value, rest ...*graph.Value) *graph.Value {
	if v, err := r.g.Apply(r.name(), op, append([]*graph.Value{x}, rest...)...); err == nil {
		return v
	}
	return x
}

// conv is most often of the kind that own code computes, and always now and then not.
func (r *randomNetwork) conv(name string, x *graph.Value) *graph.Value {
	first := name == "stem"
	kernel := [2]int{1 + r.IntN(5), 1 + r.IntN(5)}
	op := graph.Conv{
		Stride: [2]int{1 + r.IntN(3), 1 + r.IntN(3)}, Dilation: [2]int{1, 1}, Groups: 1, Bias: true,
		Pad: r.pad([2]int{kernel[0] + 1, kernel[1] + 1}), Act: graph.Activation{Func: graph.ReLU},
	}
	out := 32 * (1 + r.IntN(3))
	switch seldom := r.IntN(12); {
	case seldom == 0:
		op.Dilation = [2]int{2, 1}
	case seldom == 1:
		out = 48
	case first:
	case seldom == 2:
		op.Groups = 2
	case seldom == 3:
		op.Act = graph.Activation{}
	case seldom < 8:
		kernel, op.Stride, op.Pad = [2]int{1, 1}, [2]int{1, 1}, graph.Pad{}
	}
	for i, room := range []int{x.Shape[2] + op.Pad.Top + op.Pad.Bottom, x.Shape[3] + op.Pad.Left + op.Pad.Right} {
		if room < op.Dilation[i]*(kernel[i]-1)+1 {
			return x
		}
	}
	w := r.g.Param(name+".w", out, x.Shape[1]/op.Groups, kernel[0], kernel[1])
	return r.g.Must(name, op, x, w, r.g.Param(name+".b", out))
}

func (r *randomNetwork) layer(x *graph.Value) *graph.Value {
	kernel := [2]int{1 + r.IntN(3), 1 + r.IntN(3)}
	stride := [2]int{1 + r.IntN(3), 1 + r.IntN(3)}
	switch r.IntN(6) {
	case 0:
		return r.add(graph.Pool{Max: true, Kernel: kernel, Stride: stride, Ceil: r.IntN(2) == 0, Pad: r.pad(kernel)}, x)
	case 1:
		two := [2]int{2, 2}
		p := graph.Pool{Kernel: two, Stride: two, Ceil: r.IntN(3) == 0, CountPadding: r.IntN(3) == 0}
		if r.IntN(4) == 0 {
			p.Stride, p.Pad = [2]int{1 + r.IntN(2), 1 + r.IntN(2)}, r.pad(two)
		}
		return r.add(p, x)
	case 2:
		name := r.name()
		op := graph.Conv{Stride: [2]int{1, 1}, Dilation: [2]int{1, 1}, Groups: 1, Residual: true, Act: graph.Activation{Func: graph.ReLU}}
		return r.g.Must(name, op, x, r.g.Param(name+".w", x.Shape[1], x.Shape[1], 1, 1), x)
	}
	return r.conv(r.name(), x)
}

// newRandomNetwork has up to six layers, and sometimes a second output or reader
// of a value between them. The graph is nil if nothing fits.
func newRandomNetwork(seed uint64) (*randomNetwork, []int) {
	r := &randomNetwork{Rand: rand.New(rand.NewPCG(seed, 9)), g: graph.New(fmt.Sprint("network ", seed))}
	shape := []int{1 + r.IntN(4), 1 + r.IntN(4), 4 + r.IntN(30), 4 + r.IntN(30)}
	v := r.conv("stem", r.g.Input("x", append([]int{graph.Unknown}, shape[1:]...)...))
	values := []*graph.Value{v}
	for range 1 + r.IntN(5) {
		v = r.layer(v)
		values = append(values, v)
	}
	if len(r.g.Nodes) == 0 {
		return nil, nil
	}
	r.g.Output(v)
	if other := values[r.IntN(len(values))]; other != v && r.IntN(3) == 0 {
		r.g.Output(other)
	}
	if r.IntN(3) == 0 {
		if side := r.conv("side", values[r.IntN(len(values))]); side.Name == "side" {
			r.g.Output(r.layer(side))
		}
	}
	return r, shape
}

// holdMeans holds what a convolution leaves to a mean as the mean is held: only
// then are means of our own.
func holdMeans(g *graph.Graph, s graph.Scales) {
	for i, n := range g.Nodes {
		if p, pool := n.Op.(graph.Pool); !pool || p.Max || s[n.Out.Name].Scale == 0 {
			continue
		}
		for _, from := range g.Nodes[1:i] {
			if _, conv := from.Op.(graph.Conv); conv && from.Out == n.In[0] {
				s[from.Out.Name] = s[n.Out.Name]
			}
		}
	}
}

// TestRandomNetworks compares networks that are like those that own code computes
// with the evaluator: what it may not compute it must leave to oneDNN.
func TestRandomNetworks(t *testing.T) {
	requires(t, graph.INT8)
	own, chains := 0, 0
	for seed := range uint64(120) {
		r, shape := newRandomNetwork(seed)
		if r == nil {
			continue
		}
		w, in := randomWeights(r.g, seed), ramp(shape...)
		s := firstOfFloats(t, r.g, w, in)
		holdMeans(r.g, s)
		want := quantised(t, r.g, w, s, in)
		e := compile(t, r.g, w, onednn.Options{Threads: 1 + r.IntN(5), Chunk: 1 + r.IntN(4), Precision: graph.INT8, Scales: s})
		if compareOutputs(t, e, in, want, 1.25*int8Tolerance); t.Failed() {
			t.Fatal(r.g)
		}
		layers, _, err := e.Profile(t.Context(), 1, in.Shape)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range layers {
			if l.Kernel == "bytes" {
				own++
			}
			if strings.Contains(l.Layer, " .. ") {
				chains++
			}
		}
	}
	t.Logf("%d layers of our own, %d of them chains", own, chains)
}
