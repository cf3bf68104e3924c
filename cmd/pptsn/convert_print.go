package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/pptsn/pptsn/convert"
)

// A conversion is what convert reports.
type conversion struct {
	Input   string         `json:"input"`
	Output  string         `json:"output"`
	From    convert.Layout `json:"from"`
	To      convert.Layout `json:"to"`
	Family  string         `json:"family"`
	Layers  int            `json:"layers"`
	Classes int            `json:"classes,omitempty"` // 0: no classifier
	Tensors []convert.Pair `json:"tensors"`
	Made    []string       `json:"made,omitempty"`
	LeftOut []string       `json:"left_out,omitempty"`
	Rounded int            `json:"rounded,omitempty"` // tensors of float64
	// NotFinite are the input's tensors with NaN or infinities.
	NotFinite []string `json:"not_finite,omitempty"`
}

// newConversion joins the names that the tensors had to those that they got.
func newConversion(input string, o convertOptions, n *convert.Network, written []convert.Pair) conversion {
	had := map[string]string{}
	for _, p := range n.From.Pairs {
		had[p.To] = p.From
	}
	r := conversion{Input: input, Output: o.output, From: n.From.Layout, To: convert.Layout(o.to), Family: string(n.Spec.Family),
		Layers: n.Spec.Layers, Classes: n.Spec.Classes, LeftOut: n.From.Left, Rounded: n.From.Rounded, NotFinite: n.From.NotFinite}
	for _, p := range written {
		if from, ok := had[p.From]; ok {
			r.Tensors = append(r.Tensors, convert.Pair{From: from, To: p.To, Shape: p.Shape})
		} else {
			r.Made = append(r.Made, p.To)
		}
	}
	return r
}

func (r conversion) text() string {
	w := &strings.Builder{}
	classes := "no classifier"
	if r.Classes > 0 {
		classes = countOf(r.Classes, "class")
	}
	fmt.Fprintf(w, "%s\n  %s's names: %s of %d layers, %s\n", r.Input, r.From, r.Family, r.Layers, classes)
	counters, others := split(r.LeftOut, ".num_batches_tracked")
	if counters > 0 {
		fmt.Fprintf(w, "  left out: %s of a batch norm's updates (num_batches_tracked), which nothing is computed with\n", countOf(counters, "count"))
	}
	if len(others) > 0 {
		fmt.Fprintf(w, "  left out, as outside of the backbone: %s\n", strings.Join(others, ", "))
	}
	if r.Rounded > 0 {
		fmt.Fprintf(w, "  %s of float64 rounded to float32\n", countOf(r.Rounded, "tensor"))
	}
	if len(r.Made) > 0 {
		fmt.Fprintf(w, "  made: a projection that changes nothing, where the file has none: %s\n", strings.Join(r.Made, ", "))
	}
	fmt.Fprintf(w, "%s\n  %s, %s's names: %s\n", r.Output, countOf(len(r.Tensors)+len(r.Made), "tensor"), r.To, r.example())
	return w.String()
}

// warn says which tensors a network of these weights computes rubbish with.
func (r conversion) warn(w io.Writer) {
	remarks{w}.some("tensor", "of "+r.Input+" with NaN or infinite numbers, converted as they are", r.NotFinite, "")
}

// example shows the first tensor and the last.
func (r conversion) example() string {
	first, last := r.Tensors[0], r.Tensors[len(r.Tensors)-1]
	return fmt.Sprintf("%s is %s, ..., %s is %s", first.From, first.To, last.From, last.To)
}

// split counts the names that end so and returns the others.
func split(names []string, ending string) (n int, others []string) {
	for _, name := range names {
		if strings.HasSuffix(name, ending) {
			n++
		} else {
			others = append(others, name)
		}
	}
	return n, others
}
