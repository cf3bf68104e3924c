package tsn

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/tensor"
)

// A Checkpoint holds tensors by their structured names; *pdparams.File is one.
type Checkpoint interface {
	Names() []string
	Tensor(name string) (*tensor.Dense, error)
	Info(name string) (shape []int, t tensor.Type, ok bool)
}

// Load reads the network's weights, converted to Float32. Every parameter must
// be there with its shape, and there must be no further backbone or head (of 34
// layers 18 could be read and would be rubbish), else the error is a
// *MismatchError. Tensors of other names are ignored.
func (n *Network) Load(c Checkpoint) (graph.Weights, error) {
	if err := n.compare(c); err != nil {
		return nil, err
	}
	weights := graph.Weights{}
	for _, p := range n.Params {
		t, err := c.Tensor(p.Name)
		if err != nil {
			return nil, err
		}
		if weights[p.Name], err = t.Float32(); err != nil {
			return nil, fmt.Errorf("%s: %w", p.Name, err)
		}
	}
	return weights, nil
}

// compare returns nil if every parameter is there with its shape.
func (n *Network) compare(c Checkpoint) error {
	e := &MismatchError{Network: n.Graph.Name, Params: len(n.Params)}
	known := map[string]bool{}
	for _, p := range n.Params {
		known[p.Name] = true
		shape, _, ok := c.Info(p.Name)
		switch {
		case !ok:
			e.Missing = append(e.Missing, p.Name+" "+tensor.ShapeString(p.Shape))
		case !slices.Equal(shape, p.Shape):
			e.Wrong = append(e.Wrong, fmt.Sprintf("%s is %s, want %s", p.Name, tensor.ShapeString(shape), tensor.ShapeString(p.Shape)))
		}
	}
	more := false
	for _, name := range c.Names() {
		if known[name] {
			continue
		}
		shape, _, _ := c.Info(name)
		e.Unknown = append(e.Unknown, name+" "+tensor.ShapeString(shape))
		more = more || strings.HasPrefix(name, "backbone.") || strings.HasPrefix(name, "head.")
	}
	if len(e.Missing)+len(e.Wrong) == 0 && !more {
		return nil
	}
	e.Hint, e.Classes = n.hint(c)
	return e
}

// hint guesses what the file is, from the names that tell the families apart.
func (n *Network) hint(c Checkpoint) (hint string, classes int) {
	found, certain := Identify(c)
	shape, _, ok := c.Info("head.fc.weight")
	switch {
	case found.Family != "" && (found.Family != n.Spec.Family || certain && found.Layers != n.Spec.Layers):
		return fmt.Sprintf("the file looks like a %s with %d layers, the configuration asks for a %s with %d: use the configuration that it was trained with",
			found.Family, found.Layers, n.Spec.Family, n.Spec.Layers), 0
	case ok && len(shape) == 2 && shape[1] != n.Spec.Classes:
		return fmt.Sprintf("the file was trained on %d classes, the configuration says %d", shape[1], n.Spec.Classes), shape[1]
	case !ok && hasPrefix(c, "conv1_1.", "conv._conv.", "backbone.conv"):
		return "the file holds a backbone without the network's classifier, which training can start from but nothing can be predicted with", 0
	}
	return "the file is not a checkpoint of this network", 0
}

// Identify tells which network a checkpoint belongs to, from its tensors'
// names. Family is empty if they fit none; ok says that Layers is certain.
func Identify(c Checkpoint) (s Spec, ok bool) {
	third := "" // begins the names of the third stage's blocks
	switch {
	case hasPrefix(c, "backbone.bb_0_0."):
		s.Family, third = PPTSN, "backbone.bb_2_"
	case hasPrefix(c, "backbone.res2a."):
		s.Family, third = TSN, "backbone.res4"
	default:
		return s, false
	}
	blocks := countBlocks(c, third)
	bottleneck := hasPrefix(c, "backbone.bb_0_0.conv2.", "backbone.res2a.conv2.")
	for _, layers := range s.Family.Depths() {
		if (Spec{Layers: layers}).Stages()[2] == blocks && (layers >= 50) == bottleneck {
			s.Layers = layers
			return s, true
		}
	}
	return s, false
}

// countBlocks counts the different names up to the next dot behind a prefix.
func countBlocks(c Checkpoint, prefix string) int {
	seen := map[string]bool{}
	for _, name := range c.Names() {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			block, _, _ := strings.Cut(rest, ".")
			seen[block] = true
		}
	}
	return len(seen)
}

func hasPrefix(c Checkpoint, prefixes ...string) bool {
	return slices.ContainsFunc(c.Names(), func(name string) bool {
		return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(name, p) })
	})
}

// A MismatchError says how a checkpoint differs from a network.
type MismatchError struct {
	Network string
	Params  int      // parameters the network has
	Missing []string // "name [shape]" that the file lacks
	Wrong   []string // "name is [shape], want [shape]"
	Unknown []string // "name [shape]" that the network lacks
	Hint    string   // what the file seems to be and what to do

	Classes    int    // of the file where that is what differs, else 0
	ClassesKey string // what sets their number, for Error; "": num_classes
}

// Error lists the first few of each kind.
func (e *MismatchError) Error() string {
	b := &strings.Builder{}
	fmt.Fprintf(b, "the checkpoint does not fit network %s (%d parameters): %s", e.Network, e.Params, e.Hint)
	if e.Classes > 0 {
		fmt.Fprintf(b, ": set %s=%d, or use the file that belongs to the configuration", cmp.Or(e.ClassesKey, "num_classes"), e.Classes)
	}
	list := func(title string, items []string) {
		if len(items) == 0 {
			return
		}
		fmt.Fprintf(b, "\n  %d %s:", len(items), title)
		for i, s := range items {
			if i == 5 {
				fmt.Fprintf(b, "\n    ... and %d more", len(items)-5)
				break
			}
			b.WriteString("\n    " + s)
		}
	}
	list("of another shape", e.Wrong)
	list("missing", e.Missing)
	list("in the file that the network does not have", e.Unknown)
	return b.String()
}
