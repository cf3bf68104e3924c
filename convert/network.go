package convert

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/tensor"
	"github.com/pptsn/pptsn/tsn"
)

// A Network is the content of a checkpoint, under the names of package tsn.
type Network struct {
	Spec    tsn.Spec // Classes is 0 without a classifier
	Params  []tsn.Param
	Weights graph.Weights
	From    Report
}

// A Report says what became of the tensors of a file.
type Report struct {
	Layout  Layout
	Pairs   []Pair
	Made    []string // parameters that the file has no tensor for and that change nothing
	Left    []string // tensors of the file that have no place
	Rounded int      // tensors of float64 that became float32
	// NotFinite are tensors of the file with NaN or infinities, which are read as
	// they are.
	NotFinite []string
}

// A Pair is a tensor under two names.
type Pair struct {
	From  string `json:"from"`
	To    string `json:"to"`
	Shape []int  `json:"shape"` // in package tsn
}

// counter ends the name of a batch norm's count of its updates, which nothing is
// computed with.
const counter = ".num_batches_tracked"

// Read takes a network out of a checkpoint, converted to Float32. The whole file
// must be understood: a tensor of the backbone without a place is an error, as it
// would be computed with there and not here. With backboneOnly a classifier is
// neither wanted nor read.
func Read(c tsn.Checkpoint, backboneOnly bool) (*Network, error) {
	c = unwrap(c)
	m, err := find(c)
	if err != nil {
		return nil, err
	}
	if backboneOnly {
		m.head = ""
	} else if m.head == "" {
		return nil, fmt.Errorf("%s without a classifier (%s.weight): convert it with --backbone-only, or take a file with one",
			describe(m.spec), m.heads[0])
	}
	n := &Network{Weights: graph.Weights{}, From: Report{Layout: m.layout}}
	if n.Spec, err = m.whole(c); err != nil {
		return nil, err
	}
	if n.Params, err = params(n.Spec); err != nil {
		return nil, err
	}
	if err := n.read(c, m); err != nil {
		return nil, err
	}
	return n, n.leave(c, m, backboneOnly)
}

// params are those of a network, which may lack its classifier.
func params(s tsn.Spec) ([]tsn.Param, error) {
	whole := s
	whole.Classes = max(s.Classes, 1)
	net, err := tsn.Build(whole, 1, 32, 32)
	if err != nil {
		return nil, err
	}
	if s.Classes > 0 {
		return net.Params, nil
	}
	return slices.DeleteFunc(net.Params, func(p tsn.Param) bool { return strings.HasPrefix(p.Name, "head.") }), nil
}

// whole is the network with its classes counted.
func (m *match) whole(c tsn.Checkpoint) (tsn.Spec, error) {
	s := m.spec
	if m.head == "" {
		return s, nil
	}
	shape, _, _ := c.Info(m.head + ".weight")
	if len(shape) != 2 || shape[0] == 0 || shape[1] == 0 {
		return s, fmt.Errorf("the classifier %s.weight is %s, want two axes", m.head, tensor.ShapeString(shape))
	}
	s.Classes = shape[1]
	if m.torch {
		s.Classes = shape[0]
	}
	return s, nil
}

// read reads all parameters. Those of the backbone have been compared.
func (n *Network) read(c tsn.Checkpoint, m *match) error {
	for _, p := range n.Params {
		name := m.nameOf(p)
		if name == "" {
			n.Weights[p.Name] = identity(p)
			n.From.Made = append(n.From.Made, p.Name)
			continue
		}
		if err := check(c, name, m.turned(p)); err != nil {
			return err
		}
		if err := n.readOne(c, m, p, name); err != nil {
			return err
		}
	}
	return nil
}

// check finds what is wrong with a tensor before it is read.
func check(c tsn.Checkpoint, name string, want []int) error {
	shape, typ, ok := c.Info(name)
	switch {
	case !ok:
		return fmt.Errorf("%s %s is missing", name, tensor.ShapeString(want))
	case typ.IsInteger():
		return fmt.Errorf("%s is of %s: whole numbers are no weights without their scales, which no layout has", name, typ)
	case !slices.Equal(shape, want):
		return fmt.Errorf("%s is %s, want %s", name, tensor.ShapeString(shape), tensor.ShapeString(want))
	}
	return nil
}

func (n *Network) readOne(c tsn.Checkpoint, m *match, p tsn.Param, name string) error {
	raw, err := c.Tensor(name)
	if err != nil {
		return err // which names the tensor
	}
	d, err := raw.Float32()
	if err == nil && overflows(raw, d) {
		err = errors.New("has a number that is infinite in float32")
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	n.From.note(name, raw, d)
	if m.turns(p) {
		d = transposed(d)
	}
	n.Weights[p.Name] = d
	n.From.Pairs = append(n.From.Pairs, Pair{name, p.Name, p.Shape})
	return nil
}

// turns says whether the layout has the classifier as [K, C], PyTorch's way.
func (m *match) turns(p tsn.Param) bool { return m.torch && p.Name == "head.fc.weight" }

// turned is the shape of a parameter in the file.
func (m *match) turned(p tsn.Param) []int {
	if m.turns(p) {
		return []int{p.Shape[1], p.Shape[0]}
	}
	return p.Shape
}

// transposed is d of two axes, these exchanged.
func transposed(d *tensor.Dense) *tensor.Dense {
	rows, columns := d.Shape[0], d.Shape[1]
	t := tensor.New(d.Type, columns, rows)
	tensor.CopyStrided(t.Data, d.Data, t.Shape, []int{1, columns}, d.Type.Size())
	return t
}

// leave lists the tensors of the file that were not read, which must be of no
// weight.
func (n *Network) leave(c tsn.Checkpoint, m *match, backboneOnly bool) error {
	used := map[string]bool{}
	for _, p := range n.From.Pairs {
		used[p.From] = true
	}
	var foreign []string
	for _, name := range c.Names() {
		switch {
		case used[name]:
		case strings.HasSuffix(name, counter), backboneOnly && !m.inBackbone(name):
			n.From.Left = append(n.From.Left, name)
		default:
			foreign = append(foreign, name)
		}
	}
	if len(foreign) == 0 {
		return nil
	}
	err := fmt.Errorf("looks like %s in the names of %s, but has more, which would not be computed: %s", describe(n.Spec), m.layout, few(foreign))
	if !backboneOnly && !slices.ContainsFunc(foreign, m.inBackbone) {
		err = errors.Join(err, errors.New("all of that is outside of the backbone: --backbone-only leaves it out, and the classifier"))
	}
	return err
}

// inBackbone says whether a name without a place belongs to the backbone: it
// begins as one of the backbone's own.
func (m *match) inBackbone(name string) bool {
	first := func(s string) string { s, _, _ = strings.Cut(strings.TrimPrefix(s, m.prefix), "."); return s }
	if !strings.HasPrefix(name, m.prefix) {
		return false
	}
	return m.prefix != "" || slices.ContainsFunc(m.params, func(p tsn.Param) bool {
		return first(m.nameOf(p)) == first(name)
	})
}
