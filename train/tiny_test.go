package train

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/optim"
	"github.com/pptsn/pptsn/tensor"
	"github.com/pptsn/pptsn/torch"
	"github.com/pptsn/pptsn/tsn"
)

// tiny is a network with each kind of layer that ResNet-D has, for clips of two
// views of 24x24 pixels and five classes.
type tiny struct {
	*graph.Graph
	rng   *rand.Rand
	w     graph.Weights
	rules []optim.Param
	plain bool // without batch norm and dropout: what it computes of a clip depends on no other
}

const (
	tinyViews   = 2
	tinySide    = 24
	tinyClasses = 5
)

func newTiny(plain bool) *tiny { return newTinyOf(plain, 1) }

// newTinyOf is one with other weights for another seed.
func newTinyOf(plain bool, seed uint64) *tiny {
	n := &tiny{Graph: graph.New("tiny"), rng: rand.New(rand.NewPCG(seed, 2)), w: graph.Weights{}, plain: plain}
	x := n.Input("x", graph.Unknown, tinyViews, 3, tinySide, tinySide)
	x = n.Must("views", graph.Reshape{Shape: []int{-1, 3, tinySide, tinySide}}, x)
	x = n.block("stem", x, 16, 3, 1)
	x = n.Must("pool", graph.Pool{Max: true, Kernel: [2]int{3, 3}, Stride: [2]int{2, 2}, Pad: graph.SamePad(1)}, x)
	y := n.conv("second", n.block("first", x, 16, 3, 2), 32, 3, 1)
	short := n.Must("half", graph.Pool{Kernel: [2]int{2, 2}, Stride: [2]int{2, 2}, Ceil: true}, x)
	x = n.relu("joined", n.Must("sum", graph.Binary{Op: graph.Add}, y, n.conv("short", short, 32, 1, 1)))
	x = n.Must("pixels", graph.Mean{Axes: []int{2, 3}}, x)
	x = n.Must("clips", graph.Reshape{Shape: []int{-1, tinyViews, 32}}, x)
	x = n.Must("consensus", graph.Mean{Axes: []int{1}}, x)
	if !plain {
		x = n.Must("dropped", graph.Dropout{P: 0.4}, x)
	}
	n.Output(n.Must("scores", graph.Linear{Bias: true}, x,
		n.param("fc.weight", 0.3, 5, 1e-4, 32, tinyClasses), n.param("fc.bias", 0.1, 10, 0, tinyClasses)))
	return n
}

// param adds a parameter of random values up to limit that learns.
func (n *tiny) param(name string, limit, lr, decay float64, shape ...int) *graph.Value {
	d := tensor.New(tensor.Float32, shape...)
	for i := range d.Float32s() {
		d.Float32s()[i] = float32(limit * (2*n.rng.Float64() - 1))
	}
	n.w[name] = d
	n.rules = append(n.rules, optim.Param{Name: name, LRMult: lr, Decay: decay})
	return n.Param(name, shape...)
}

// constant adds a parameter of one value.
func (n *tiny) constant(name string, value float32, count int) *graph.Value {
	n.w[name] = tensor.New(tensor.Float32, count)
	for i := range count {
		n.w[name].Float32s()[i] = value
	}
	return n.Param(name, count)
}

// conv is a convolution and, unless the network is plain, its norm.
func (n *tiny) conv(name string, x *graph.Value, out, side, stride int) *graph.Value {
	limit := math.Sqrt(6 / float64(x.Shape[1]*side*side))
	op := graph.Conv{Stride: [2]int{stride, stride}, Dilation: [2]int{1, 1}, Pad: graph.SamePad(side / 2), Groups: 1}
	x = n.Must(name, op, x, n.param(name+".filter", limit, 1, 1e-4, out, x.Shape[1], side, side))
	if n.plain {
		return x
	}
	scale, offset := n.constant(name+".scale", 1, out), n.constant(name+".offset", 0, out)
	n.rules = append(n.rules, optim.Param{Name: name + ".scale", LRMult: 1}, optim.Param{Name: name + ".offset", LRMult: 1})
	return n.Must(name+".norm", graph.BatchNorm{Epsilon: 1e-5}, x, scale, offset,
		n.constant(name+".mean", 0, out), n.constant(name+".variance", 1, out))
}

func (n *tiny) relu(name string, x *graph.Value) *graph.Value {
	return n.Must(name, graph.Activate{Act: graph.Activation{Func: graph.ReLU}}, x)
}

func (n *tiny) block(name string, x *graph.Value, out, side, stride int) *graph.Value {
	return n.relu(name+".relu", n.conv(name, x, out, side, stride))
}

// learner teaches the network with those weights.
func (n *tiny) learner(t *testing.T, session *torch.Session, w graph.Weights, o LearnerOptions) *Learner {
	t.Helper()
	o.Params = n.rules
	return newLearner(t, session, n.network(), w, o)
}

func newLearner(t *testing.T, session *torch.Session, net *tsn.Network, w graph.Weights, o LearnerOptions) *Learner {
	t.Helper()
	if o.Rule == nil {
		o.Rule = optim.Momentum{Mu: 0.9, Nesterov: true}
	}
	l, err := NewLearner(t.Context(), session, net, w, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func (n *tiny) network() *tsn.Network {
	net := &tsn.Network{Graph: n.Graph, Spec: tsn.Spec{Classes: tinyClasses}}
	for _, p := range n.Params {
		net.Params = append(net.Params, tsn.Param{Name: p.Name, Paddle: strings.ReplaceAll(p.Name, ".", "_"), Shape: p.Shape})
	}
	return net
}

// batch is n clips made from a number, each of a random class and all the
// brighter the higher that is, so that there is something to learn.
func (n *tiny) batch(number uint64, clips int) MicroBatch {
	rng := rand.New(rand.NewPCG(number, 3))
	b := MicroBatch{Views: tensor.New(tensor.Float32, clips, tinyViews, 3, tinySide, tinySide), Seed: number}
	v := b.Views.Float32s()
	labels := make([]int, clips)
	for i := range labels {
		labels[i] = rng.IntN(tinyClasses)
		clip := v[i*len(v)/clips:][:len(v)/clips]
		for k := range clip {
			clip[k] = float32(rng.NormFloat64()) + float32(labels[i])
		}
	}
	b.Targets = Targets(Labels{A: labels}, tinyClasses, 0.1)
	return b
}

// teach runs a step on each batch and returns the losses.
func teach(t *testing.T, l *Learner, lr float64, batches ...MicroBatch) (losses []float64) {
	t.Helper()
	for _, b := range batches {
		out, err := l.Accumulate(t.Context(), b)
		if err != nil {
			t.Fatal(err)
		}
		if updated, err := l.Update(t.Context(), lr); err != nil || !updated {
			t.Fatalf("updated: %v, %v", updated, err)
		}
		losses = append(losses, out.Loss)
	}
	return losses
}

// same fails the test if any weight differs in any bit.
func same(t *testing.T, what string, got, want graph.Weights) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d weights, want %d", what, len(got), len(want))
	}
	for name, d := range want {
		if g := got[name]; g == nil || !slices.Equal(g.Data, d.Data) {
			t.Errorf("%s: %s differs", what, name)
		}
	}
}
