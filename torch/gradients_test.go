package torch_test

import (
	"context"
	"encoding/binary"
	"math"
	"testing"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/graph/graphtest"
	"github.com/pptsn/pptsn/tensor"
	"github.com/pptsn/pptsn/torch"
)

// In float64, whose passes are those of float32: differences of a float32 loss
// would be mostly rounding.
func TestGradients(t *testing.T) {
	s := session(t)
	graphtest.Gradients(t, func(g *graph.Graph, w graph.Weights) (graphtest.Trainee, error) {
		net, err := torch.NewNetwork(t.Context(), s, g, w, torch.NetworkOptions{DType: torch.Float64})
		return trainee{t.Context(), net}, err
	})
}

// A trainee is a network that is trained as package train does it.
type trainee struct {
	ctx context.Context
	net *torch.Network
}

// dropoutSeed makes every pass drop the same features.
const dropoutSeed = 7

func (n trainee) Loss(in, weights *tensor.Dense, m graphtest.Move) (loss float64, err error) {
	err = n.net.Session().Do(n.ctx, func(s *torch.Scope) error {
		x, params := s.To(s.From(in), torch.Float64), map[string]torch.Tensor{}
		for name, along := range m.Along {
			by := s.To(s.From(along), torch.Float64)
			if p := n.net.Param(name); !p.None() {
				params[name] = s.Call("aten::add.Tensor", p, by, m.Step)
			} else {
				x = s.Call("aten::add.Tensor", x, by, m.Step)
			}
		}
		loss = float64Of(s, n.loss(s, torch.Pass{Training: true, Params: params}, x, weights))
		return nil
	})
	return loss, err
}

func (n trainee) Gradients(in, weights *tensor.Dense) (map[string]*tensor.Dense, error) {
	grads := map[string]*tensor.Dense{}
	err := n.net.Session().Do(n.ctx, func(s *torch.Scope) error {
		x := s.To(s.From(in), torch.Float64)
		leaves, names := []torch.Tensor{x}, []string{n.net.Graph().Inputs[0].Name}
		for _, p := range n.net.Graph().Params {
			leaves, names = append(leaves, n.net.Param(p.Name)), append(names, p.Name)
		}
		for _, l := range leaves {
			s.RequireGrad(l)
		}
		s.WithGrad(func() { s.Backward(n.loss(s, torch.Pass{Training: true}, x, weights)) })
		for i, g := range s.Grads(leaves) {
			if !g.None() {
				grads[names[i]] = s.Dense(g, tensor.Float32)
			}
		}
		s.DropGrads(leaves)
		return nil
	})
	return grads, err
}

func (n trainee) loss(s *torch.Scope, p torch.Pass, x torch.Tensor, weights *tensor.Dense) torch.Tensor {
	s.Seed(dropoutSeed)
	y := n.net.Forward(s, p, x)[0]
	return s.Call("aten::sum", s.Call("aten::mul.Tensor", y, s.To(s.From(weights), torch.Float64)), nil)
}

func (n trainee) Close() error { return n.net.Close() }

func float64Of(s *torch.Scope, t torch.Tensor) float64 {
	d := s.Dense(t, tensor.Float64)
	if d == nil {
		return math.NaN()
	}
	return math.Float64frombits(binary.LittleEndian.Uint64(d.Data))
}

// session starts a session on the tests' device, with one thread: arrays are small.
func session(t testing.TB) *torch.Session {
	t.Helper()
	s, err := torch.NewSession(torch.SessionOptions{Device: device(t), Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}
