package quantize

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pptsn/pptsn/graph"
)

// A holding says which values of an optimised graph are held in 8 bits. Values
// of one group share a scale: a pool hands the integers on as they are.
type holding struct {
	groups [][]string    // names, in the order of the graph
	signed []bool        // of each group
	layers []*graph.Node // the convolutions that multiply integers
}

// hold chooses the operands and residual operands of convolutions, and what
// pools between them read. Not held are the network's input, so that the first
// convolution stays in float32, and what only layers in float32 read. Layers are
// kept in float32 with all others that read the same operand.
func hold(g *graph.Graph, keep []string) holding {
	f := finder{g: g, producer: map[*graph.Value]*graph.Node{}, barred: map[*graph.Value]bool{}, group: map[*graph.Value]int{}}
	for _, n := range g.Nodes {
		f.producer[n.Out] = n
	}
	for _, n := range g.Nodes {
		if isConv(n) && slices.ContainsFunc(keep, func(name string) bool { return called(n, name) }) {
			f.barred[n.In[0]] = true
		}
	}
	return f.find()
}

// layerName is how a convolution is called: by its weights, since its result has
// the name of the last operation that was fused with it.
func layerName(n *graph.Node) string {
	name := strings.TrimSuffix(n.In[1].Name, ".w_0") // Paddle's
	return strings.TrimSuffix(name, "_weights")      // PaddleVideo's
}

// called reports whether a name is a convolution's: its own, or that of its
// weights or result.
func called(n *graph.Node, name string) bool {
	return name == layerName(n) || name == n.In[1].Name || name == n.Out.Name
}

func isConv(n *graph.Node) bool {
	_, ok := n.Op.(graph.Conv)
	return ok && n.In[1].Param
}

// checkKeep reports names that no convolution has.
func checkKeep(g *graph.Graph, keep []string) error {
	for _, name := range keep {
		found := slices.ContainsFunc(g.Nodes, func(n *graph.Node) bool { return isConv(n) && called(n, name) })
		if !found {
			var known []string
			for _, n := range g.Nodes {
				if isConv(n) {
					known = append(known, layerName(n))
				}
			}
			return fmt.Errorf("there is no layer %s to keep in float32: the convolutions are %s", name, strings.Join(known, ", "))
		}
	}
	return nil
}

type finder struct {
	g        *graph.Graph
	producer map[*graph.Value]*graph.Node
	barred   map[*graph.Value]bool // must stay in float32
	group    map[*graph.Value]int
	groups   int
}

func (f *finder) find() holding {
	h := holding{}
	for _, n := range f.g.Nodes {
		if !isConv(n) || !f.may(n.In[0]) {
			continue
		}
		h.layers = append(h.layers, n)
		f.add(n.In[0])
		if residual := n.In[len(n.In)-1]; n.Op.(graph.Conv).Residual && f.may(residual) {
			f.add(residual)
		}
	}
	for _, n := range slices.Backward(f.g.Nodes) { // a pool behind a pool before that one
		_, pool := n.Op.(graph.Pool)
		group, held := f.group[n.Out]
		if !pool || !held || !f.may(n.In[0]) {
			continue
		}
		f.join(n.In[0], group)
	}
	h.collect(f)
	return h
}

// may reports whether a value can be held: not what is a picture still.
func (f *finder) may(v *graph.Value) bool {
	return !v.Param && !f.barred[v] && !f.untouched(v)
}

// untouched reports whether a value is the network's input, in whatever shape.
func (f *finder) untouched(v *graph.Value) bool {
	n := f.producer[v]
	if n == nil {
		return !v.Param
	}
	switch n.Op.(type) {
	case graph.Reshape, graph.Transpose, graph.Slice, graph.Affine:
		return f.untouched(n.In[0])
	}
	return false
}

func (f *finder) add(v *graph.Value) {
	if _, held := f.group[v]; !held {
		f.group[v] = f.groups
		f.groups++
	}
}

// join puts a value into a group, with all that share a group with it.
func (f *finder) join(v *graph.Value, group int) {
	old, held := f.group[v]
	f.group[v] = group
	if !held {
		return
	}
	for w, g := range f.group {
		if g == old {
			f.group[w] = group
		}
	}
}

// collect lists the groups in the order of the graph.
func (h *holding) collect(f *finder) {
	at := map[int]int{}
	for _, n := range f.g.Nodes {
		group, held := f.group[n.Out]
		if !held {
			continue
		}
		i, seen := at[group]
		if !seen {
			i = len(h.groups)
			at[group] = i
			h.groups, h.signed = append(h.groups, nil), append(h.signed, false)
		}
		h.groups[i] = append(h.groups[i], n.Out.Name)
		h.signed[i] = h.signed[i] || !f.neverNegative(n.Out)
	}
}

// neverNegative reports whether a value's elements are at least 0 whatever the
// input is.
func (f *finder) neverNegative(v *graph.Value) bool {
	n := f.producer[v]
	if n == nil {
		return false
	}
	switch op := n.Op.(type) {
	case graph.Conv:
		return atLeastZero(op.Act)
	case graph.Binary:
		return atLeastZero(op.Act)
	case graph.Activate:
		return atLeastZero(op.Act)
	case graph.Pool, graph.Reshape, graph.Transpose, graph.Slice, graph.Mean, graph.TemporalShift:
		return f.neverNegative(n.In[0])
	case graph.Concat:
		return !slices.ContainsFunc(n.In, func(v *graph.Value) bool { return !f.neverNegative(v) })
	case graph.Softmax:
		return true
	}
	return false
}

func atLeastZero(a graph.Activation) bool {
	switch a.Func {
	case graph.ReLU, graph.ReLU6, graph.HardSigmoid, graph.Sigmoid:
		return true
	}
	return false
}

// values are all names of the groups.
func (h holding) values() []string { return slices.Concat(h.groups...) }

// scales are those that a threshold gives. counts has a histogram for each value.
func (h holding) scales(counts map[string]*histogram, t threshold) graph.Scales {
	s := graph.Scales{}
	for i, group := range h.groups {
		sum := &histogram{}
		for _, name := range group {
			sum.merge(counts[name])
		}
		one := int8Of(sum, t, h.signed[i])
		for _, name := range group {
			s[name] = one
		}
	}
	return s
}

func int8Of(h *histogram, t threshold, signed bool) graph.Int8 {
	steps := 255
	if signed {
		steps = 127
	}
	scale := float32(t(h, steps) / float64(steps))
	if scale == 0 {
		scale = 1 // of a value that is always 0 any does
	}
	return graph.Int8{Scale: scale, Signed: signed}
}

// float lists the convolutions that stay in float32.
func (h holding) float(g *graph.Graph) []string {
	var rest []string
	for _, n := range g.Nodes {
		if isConv(n) && !slices.Contains(h.layers, n) {
			rest = append(rest, layerName(n))
		}
	}
	return rest
}
