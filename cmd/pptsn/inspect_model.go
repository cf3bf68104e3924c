package main

import (
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/pptsn/pptsn/bundle"
	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/pdmodel"
	"github.com/pptsn/pptsn/tensor"
)

// A modelReport says what a program and the files beside it hold.
type modelReport struct {
	File       string         `json:"file"`
	Kind       string         `json:"kind"` // "model"
	Version    string         `json:"version"`
	Operators  map[string]int `json:"operators"`
	Inputs     []portReport   `json:"inputs"`
	Outputs    []portReport   `json:"outputs"`
	Parameters int            `json:"parameters"`        // values in all parameters
	GFLOPs     float64        `json:"gflops,omitempty"`  // for one clip, a multiply-add as two
	Refused    string         `json:"refused,omitempty"` // why pptsn cannot run it

	Source     string      `json:"preprocess_source,omitempty"` // "inference" or "test"
	Preprocess *clip.Spec  `json:"preprocess,omitempty"`
	Classes    int         `json:"classes,omitempty"`
	Labels     []string    `json:"labels,omitempty"`
	Int8       *int8Layers `json:"int8,omitempty"` // of a quantised model
}

// int8Layers counts the convolutions that multiply integers.
type int8Layers struct {
	Layers       int `json:"layers"`
	Convolutions int `json:"convolutions"` // of all
}

type portReport struct {
	Name  string `json:"name"`
	Type  string `json:"type"`
	Shape []int  `json:"shape"` // -1: any size
}

func inspectModel(path string) (report, error) {
	file, err := bundle.Find(path)
	if err != nil {
		return nil, err
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	p, err := pdmodel.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	r := modelReport{File: file, Kind: "model", Version: p.VersionString(), Operators: p.OpCounts(),
		Inputs: ports(p.Inputs()), Outputs: ports(p.Outputs())}
	for _, v := range p.Params() {
		n := 1
		for _, d := range v.Tensor.Dims {
			n *= int(d)
		}
		r.Parameters += n
	}
	g, err := p.Graph()
	if err != nil {
		r.Refused = err.Error()
	} else {
		r.Classes, r.GFLOPs = lastDimension(g), gflops(g)
	}
	return r, r.addManifest(file, g)
}

// addManifest says what stands beside the program, of which g is nil if it
// cannot be run.
func (r *modelReport) addManifest(file string, g *graph.Graph) error {
	m, err := bundle.ReadManifest(file)
	if err != nil || m == nil {
		return err
	}
	r.Source, r.Preprocess, r.Labels = m.Source, &m.Preprocess, m.Labels
	if len(m.Scales) > 0 && g != nil {
		r.Int8 = countInt8(g, m.Scales)
	}
	return nil
}

// countInt8 needs no weights: optimising leaves the operands of convolutions
// their names.
func countInt8(g *graph.Graph, s graph.Scales) *int8Layers {
	c := &int8Layers{}
	for _, n := range g.Nodes {
		if _, conv := n.Op.(graph.Conv); conv {
			c.Convolutions++
		}
		if s.InInt8(n) {
			c.Layers++
		}
	}
	return c
}

func ports(list []pdmodel.Port) []portReport {
	out := []portReport{}
	for _, p := range list {
		out = append(out, portReport{p.Name, p.Type.String(), p.Shape})
	}
	return out
}

func lastDimension(g *graph.Graph) int {
	if len(g.Outputs) != 1 || len(g.Outputs[0].Shape) == 0 {
		return 0
	}
	return max(0, g.Outputs[0].Shape[len(g.Outputs[0].Shape)-1])
}

// gflops is the cost of one clip: unknown dimensions are taken as 1.
func gflops(g *graph.Graph) float64 {
	shapes := make([][]int, len(g.Inputs))
	for i, in := range g.Inputs {
		shapes[i] = slices.Clone(in.Shape)
		for k, d := range shapes[i] {
			if d == graph.Unknown {
				shapes[i][k] = 1
			}
		}
	}
	bound, err := g.Bind(shapes...)
	if err != nil {
		return 0 // a program for larger pictures only
	}
	return float64(bound.FLOPs()) / 1e9
}

func (r modelReport) text(w io.Writer) error {
	fmt.Fprintf(w, "%s\n  written by Paddle's format version: %s\n", r.File, r.Version)
	for _, p := range r.Inputs {
		fmt.Fprintf(w, "  input  %s %s %s\n", p.Name, p.Type, tensor.ShapeString(p.Shape))
	}
	for _, p := range r.Outputs {
		fmt.Fprintf(w, "  output %s %s %s\n", p.Name, p.Type, tensor.ShapeString(p.Shape))
	}
	fmt.Fprintf(w, "  %d values in parameters\n", r.Parameters)
	if r.GFLOPs > 0 {
		fmt.Fprintf(w, "  %.4g GFLOP a clip\n", r.GFLOPs)
	}
	if r.Refused != "" {
		fmt.Fprintf(w, "  pptsn cannot run it: %s\n", r.Refused)
	}
	if r.Int8 != nil {
		fmt.Fprintf(w, "  quantised: %d of %d convolutions multiply 8-bit integers\n", r.Int8.Layers, r.Int8.Convolutions)
	}
	fmt.Fprintf(w, "  operators: %s\n", operatorList(r.Operators))
	if r.Preprocess != nil {
		spec, err := indented(r.Preprocess)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "  preprocessing (%s): %s\n", r.Source, spec)
	}
	if len(r.Labels) > 0 {
		fmt.Fprintf(w, "  %d classes: %s\n", len(r.Labels), strings.Join(r.Labels, ", "))
	} else if r.Classes > 0 {
		fmt.Fprintf(w, "  %d classes, without names\n", r.Classes)
	}
	return nil
}

func operatorList(counts map[string]int) string {
	var parts []string
	for _, op := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%s x%d", op, counts[op]))
	}
	return strings.Join(parts, ", ")
}
