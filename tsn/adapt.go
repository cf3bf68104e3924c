package tsn

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/tensor"
)

// A Report says what became of a checkpoint's tensors in Adapt.
type Report struct {
	Loaded  int
	Missing []string // "name [shape]" of the network that the file lacks
	Wrong   []string // "name is [shape], want [shape]"
	Unused  []string // "name [shape]" of the file
}

// Adapt replaces weights of w by those of a checkpoint that fit by name and
// shape, to train on from them. A backbone's names may lack the prefix
// "backbone.", as in the files that PaddleClas trains on pictures. With
// backboneOnly a classifier in the file is ignored. w is changed; the others of
// its weights stay. A checkpoint of which no backbone parameter fits is an
// error.
func (n *Network) Adapt(w graph.Weights, c Checkpoint, backboneOnly bool) (Report, error) {
	var r Report
	used := map[string]bool{}
	fits := false
	for _, p := range n.Params {
		backbone := strings.HasPrefix(p.Name, "backbone.")
		if backboneOnly && !backbone {
			continue
		}
		name, shape, ok := find(c, p.Name)
		switch {
		case !ok:
			r.Missing = append(r.Missing, p.Name+" "+tensor.ShapeString(p.Shape))
			continue
		case !slices.Equal(shape, p.Shape):
			used[name] = true
			r.Wrong = append(r.Wrong, fmt.Sprintf("%s is %s, want %s", name, tensor.ShapeString(shape), tensor.ShapeString(p.Shape)))
			continue
		}
		t, err := c.Tensor(name)
		if err == nil {
			t, err = t.Float32()
		}
		if err != nil {
			return r, fmt.Errorf("%s: %w", name, err)
		}
		w[p.Name], used[name] = t, true
		r.Loaded++
		fits = fits || backbone
	}
	for _, name := range c.Names() {
		if !used[name] {
			shape, _, _ := c.Info(name)
			r.Unused = append(r.Unused, name+" "+tensor.ShapeString(shape))
		}
	}
	if !fits {
		if err := n.compare(c); err != nil {
			return r, fmt.Errorf("nothing in the file fits the backbone (of another toolkit? \"pptsn convert\" gives a file our names): %w", err)
		}
	}
	return r, nil
}

func find(c Checkpoint, param string) (name string, shape []int, ok bool) {
	for _, name := range []string{param, strings.TrimPrefix(param, "backbone.")} {
		if shape, _, ok := c.Info(name); ok {
			return name, shape, true
		}
	}
	return "", nil, false
}

// String lists what did not fit, a line each.
func (r Report) String() string {
	b := &strings.Builder{}
	fmt.Fprintf(b, "%d tensors loaded", r.Loaded)
	for _, part := range []struct {
		title string
		items []string
	}{{"of another shape, not loaded", r.Wrong}, {"not in the file, left as they are", r.Missing}, {"in the file, not used", r.Unused}} {
		if len(part.items) > 0 {
			fmt.Fprintf(b, "\n  %d %s:\n    %s", len(part.items), part.title, strings.Join(part.items, "\n    "))
		}
	}
	return b.String()
}
