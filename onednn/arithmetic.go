package onednn

import (
	"errors"

	"github.com/pptsn/pptsn/graph"
)

func (o Options) checkPrecision() error {
	if (o.Precision == graph.INT8) != (o.Scales != nil) {
		return errors.New("int8 needs scales, and scales are for int8 alone")
	}
	if o.Precision == graph.FP16 || !o.Force {
		return Supports(o.Precision)
	}
	return nil
}

// An arithmetic says as what numbers the values of a graph are held.
type arithmetic struct {
	precision graph.Precision
	scales    graph.Scales
	pictures  map[*graph.Value]bool // values that a convolution reads or adds, or a pooling reads
}

// of is the arithmetic of one bound graph.
func (a arithmetic) of(g *graph.Graph) arithmetic {
	a.pictures = map[*graph.Value]bool{}
	for _, n := range g.Nodes {
		switch op := n.Op.(type) {
		case graph.Pool:
			a.pictures[n.In[0]] = true
		case graph.Conv:
			a.pictures[n.In[0]] = true
			if op.Residual {
				a.pictures[n.In[len(n.In)-1]] = true
			}
		}
	}
	return a
}

// low reports whether a node is computed on smaller numbers than float32, and
// on which.
func (a arithmetic) low(n *graph.Node) (dtype, bool) {
	x := n.In[0]
	conv, isConv := n.Op.(graph.Conv)
	switch {
	case len(x.Shape) != 4 || x.Param || isConv && !fixed(n, conv):
	case a.precision == graph.BF16:
		return bfloat16s, wholeChannels(n)
	case a.precision == graph.INT8:
		held, ok := a.scales[x.Name]
		return integers(held), ok
	}
	return float32s, false
}

// fixed reports whether a convolution's weights and bias are parameters, of which
// smaller numbers can be made, and what it reads is none.
func fixed(n *graph.Node, op graph.Conv) bool {
	return !n.In[0].Param && n.In[1].Param && (!op.Bias || n.In[2].Param)
}

// wholeChannels holds but for convolutions whose output channels do not fill
// vectors of 16: on those a kernel of oneDNN 3.7.2 (jit_bf16:avx512_core_bf16)
// adds other numbers than the bias.
func wholeChannels(n *graph.Node) bool {
	c, conv := n.Op.(graph.Conv)
	return !conv || n.Out.Shape[1]/c.Groups%16 == 0
}

func integers(i graph.Int8) dtype {
	if i.Signed {
		return int8s
	}
	return uint8s
}

// held is how the result of a convolution on smaller numbers is kept, and what
// integers stand for: small where others read it so.
func (a arithmetic) held(n *graph.Node) (t dtype, scale float32) {
	if !a.pictures[n.Out] {
		return float32s, 0
	}
	if a.precision == graph.BF16 {
		return bfloat16s, 0
	}
	c, i := n.Op.(graph.Conv), a.scales[n.Out.Name]
	if c.Residual {
		if _, ok := a.scales[n.In[len(n.In)-1].Name]; !ok {
			return float32s, 0
		}
	}
	if linear := c.Act.Func == graph.Identity || c.Act.Func == graph.ReLU; i.Scale == 0 || !linear {
		return float32s, 0
	}
	return integers(i), i.Scale
}
