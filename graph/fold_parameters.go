package graph

import "github.com/pptsn/pptsn/tensor"

// foldParameters computes what depends on parameters alone, such as the reshaped
// bias that Paddle adds to a convolution, and makes the result a parameter.
func foldParameters(r *rewrite) error {
	return r.each(func(n *Node) error {
		in := make([]*tensor.Dense, len(n.In))
		for i, v := range n.In {
			if !v.Param {
				return nil
			}
			in[i] = r.w[v.Name]
		}
		t, err := EvalNode(n.Op, in...)
		if err != nil {
			return err
		}
		r.remove(n)
		n.Out.Param = true
		r.g.Params = append(r.g.Params, n.Out)
		r.w[n.Out.Name] = t
		return nil
	})
}
