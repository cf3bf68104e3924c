package graph

import (
	"fmt"
	"io"
	"strings"

	"github.com/pptsn/pptsn/tensor"
)

// Print writes the graph as text, one node a line: its result, operation,
// operands and cost.
func (g *Graph) Print(w io.Writer) error {
	b := &strings.Builder{}
	fmt.Fprintf(b, "graph %s: %d nodes, %d parameters, %s\n", g.Name, len(g.Nodes), g.ParamCount(), costString(g.FLOPs()))
	for _, v := range g.Inputs {
		fmt.Fprintf(b, "input  %s\n", v)
	}
	for _, n := range g.Nodes {
		fmt.Fprintf(b, "%s\n", n)
	}
	for _, v := range g.Outputs {
		fmt.Fprintf(b, "output %s\n", v)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// String is one line: "y [N, O, H, W] = conv 3x3/2 (x, w) 0.02 GFLOP".
func (n *Node) String() string {
	names := make([]string, len(n.In))
	for i, v := range n.In {
		names[i] = v.Name
	}
	s := fmt.Sprintf("%s = %s(%s)", n.Out, describe(n), strings.Join(names, ", "))
	if f := n.FLOPs(); f > 0 {
		s += "  " + costString(f)
	}
	return s
}

// describe is the operation with what its result's shape does not tell.
func describe(n *Node) string {
	switch op := n.Op.(type) {
	case Conv:
		w := n.In[1].Shape
		s := fmt.Sprintf("conv %dx%d/%d ", w[2], w[3], op.Stride[0])
		if op.Groups > 1 {
			s += fmt.Sprintf("groups %d ", op.Groups)
		}
		if op.Residual {
			s += "+residual "
		}
		return s + actSuffix(op.Act)
	case Pool:
		return fmt.Sprintf("%s %dx%d/%d ", op.Kind(), op.Kernel[0], op.Kernel[1], op.Stride[0])
	case Mean:
		return fmt.Sprintf("mean over %v ", op.Axes)
	case Reshape:
		return "reshape " + tensor.ShapeString(op.Shape) + " "
	case Binary:
		return op.Kind() + " " + actSuffix(op.Act)
	default:
		return n.Op.Kind() + " "
	}
}

func actSuffix(a Activation) string {
	if a.Func == Identity {
		return ""
	}
	return "+" + a.String() + " "
}

func costString(flops int64) string { return fmt.Sprintf("%.4g GFLOP", float64(flops)/1e9) }

// ParamCount is the number of values in all parameters.
func (g *Graph) ParamCount() int {
	n := 0
	for _, p := range g.Params {
		n += tensor.Count(p.Shape)
	}
	return n
}

// FLOPs counts the multiplications and additions of convolutions and linear
// layers, two for each multiply-add, as is customary; an unknown dimension
// counts as 1.
func (g *Graph) FLOPs() int64 {
	var sum int64
	for _, n := range g.Nodes {
		sum += n.FLOPs()
	}
	return sum
}

// FLOPs is the node's share of Graph.FLOPs.
func (n *Node) FLOPs() int64 {
	switch n.Op.(type) {
	case Conv:
		w := n.In[1].Shape
		return 2 * int64(knownCount(n.Out.Shape)) * int64(w[1]*w[2]*w[3])
	case Linear:
		x := n.In[0].Shape
		return 2 * int64(knownCount(n.Out.Shape)) * int64(x[len(x)-1])
	}
	return 0
}
