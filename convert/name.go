package convert

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/pptsn/pptsn/tensor"
)

// Named is the network under the names of a layout, in the order of package tsn.
// What the layout cannot express is an error. Batch norms' counts of updates are
// not among the tensors; PyTorch sets them to 0.
func (n *Network) Named(to Layout) ([]tensor.Named, []Pair, error) {
	m, err := n.writer(to)
	if err != nil {
		return nil, nil, err
	}
	var out []tensor.Named
	var pairs []Pair
	for _, p := range n.Params {
		d, name := n.Weights[p.Name], m.nameOf(p)
		if name == "" {
			if !bytes.Equal(d.Data, identity(p).Data) {
				return nil, nil, fmt.Errorf("%s has a projection in its first block (%s) that computes something, and %s has none there",
					describe(n.Spec), p.Name, to)
			}
			continue
		}
		if m.turns(p) {
			d = transposed(d)
		}
		out = append(out, tensor.Named{Name: name, Tensor: d})
		pairs = append(pairs, Pair{p.Name, name, p.Shape})
	}
	return out, pairs, nil
}

// writer finds how a layout names the network.
func (n *Network) writer(to Layout) (*match, error) {
	i := slices.IndexFunc(schemes(), func(s scheme) bool { return s.layout == to && s.family == n.Spec.Family })
	if i < 0 {
		return nil, fmt.Errorf("%s does not have %s", to, describe(n.Spec))
	}
	if n.Spec.Layers == 200 && to != PPTSN {
		return nil, fmt.Errorf("%s does not have %s with its 3, 12, 48 and 3 blocks", to, describe(n.Spec))
	}
	s := schemes()[i]
	return &match{scheme: s, spec: n.Spec, prefix: s.prefixes[0], head: s.heads[0]}, nil
}
