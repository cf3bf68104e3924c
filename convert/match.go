package convert

import (
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"

	"github.com/pptsn/pptsn/tensor"
	"github.com/pptsn/pptsn/tsn"
)

// A match is a network and how a file names its tensors.
type match struct {
	scheme
	spec   tsn.Spec
	params []tsn.Param // in front of the classifier
	prefix string
	head   string // "" if the file has no classifier
}

// nameOf is a parameter's name in the file, "" if the layout does not have it.
func (m *match) nameOf(p tsn.Param) string {
	u, rest, ok := unitOf(p)
	if !ok {
		return m.head + strings.TrimPrefix(p.Name, "head.fc")
	}
	if m.name == nil {
		return m.prefix + strings.TrimPrefix(p.Name, "backbone.")
	}
	conv, norm := m.name(u, m.spec)
	suffix, isConv := strings.CutPrefix(rest, "._conv")
	switch {
	case conv == "":
		return ""
	case isConv:
		return m.prefix + conv + suffix
	}
	suffix = strings.TrimPrefix(rest, "._batch_norm")
	if m.torch {
		suffix = strings.NewReplacer("_mean", "running_mean", "_variance", "running_var").Replace(suffix)
	}
	return m.prefix + norm + suffix
}

// find recognises the largest network all of whose tensors in front of the
// classifier the file has.
func find(c tsn.Checkpoint) (*match, error) {
	var best, nearest *match
	most, closest := 0, math.MinInt
	for m, err := range matches() {
		if err != nil {
			return nil, err
		}
		fit, misfits := m.compare(c)
		if len(misfits) == 0 && fit > most {
			best, most = m, fit
		}
		if fit > 0 && fit-len(misfits) > closest {
			nearest, closest = m, fit-len(misfits)
		}
	}
	if best == nil {
		return nil, unknown(c, nearest)
	}
	best.findHead(c)
	return best, nil
}

// matches are all networks under all names.
func matches() iter.Seq2[*match, error] {
	return func(yield func(*match, error) bool) {
		for _, s := range schemes() {
			for _, layers := range s.family.Depths() {
				spec := tsn.Spec{Family: s.family, Layers: layers}
				params, err := params(spec)
				for _, prefix := range s.prefixes {
					if !yield(&match{scheme: s, spec: spec, params: params, prefix: prefix}, err) {
						return
					}
				}
			}
		}
	}
}

// compare counts the parameters that the file has and describes the others.
func (m *match) compare(c tsn.Checkpoint) (fit int, misfits []string) {
	for _, p := range m.params {
		name := m.nameOf(p)
		if name == "" {
			continue
		}
		shape, _, ok := c.Info(name)
		switch {
		case !ok:
			misfits = append(misfits, name+" "+tensor.ShapeString(p.Shape)+" is missing")
		case !slices.Equal(shape, p.Shape):
			misfits = append(misfits, fmt.Sprintf("%s is %s, want %s", name, tensor.ShapeString(shape), tensor.ShapeString(p.Shape)))
		default:
			fit++
		}
	}
	return fit, misfits
}

func (m *match) findHead(c tsn.Checkpoint) {
	for _, head := range m.heads {
		if _, _, ok := c.Info(head + ".weight"); ok {
			m.head = head
			return
		}
	}
}

// unknown says where a file differs from the network that it is most like.
func unknown(c tsn.Checkpoint, m *match) error {
	if len(c.Names()) == 0 {
		return errors.New("there are no tensors in it")
	}
	if m == nil {
		return fmt.Errorf("no network that pptsn builds, in the names of %s: the tensors are %s", allLayouts, few(c.Names()))
	}
	_, misfits := m.compare(c)
	return fmt.Errorf("no network that pptsn builds: most like %s in the names of %s, but %s", describe(m.spec), m.layout, few(misfits))
}

const allLayouts = "pptsn, torchvision, timm, mmaction2 or paddleclas"

func describe(s tsn.Spec) string { return fmt.Sprintf("a %s of %d layers", s.Family, s.Layers) }

// few lists the first of some names.
func few(names []string) string {
	const most = 5
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}
