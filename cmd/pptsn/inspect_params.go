package main

import (
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/pptsn/pptsn/convert"
	"github.com/pptsn/pptsn/pdparams"
	"github.com/pptsn/pptsn/tensor"
)

// A checkpointReport says what a .pdparams, .pdopt, .pth or .safetensors file holds.
type checkpointReport struct {
	File       string         `json:"file"`
	Kind       string         `json:"kind"` // "checkpoint"
	Tensors    []tensorReport `json:"tensors"`
	Parameters int            `json:"parameters"` // values in all tensors
}

type tensorReport struct {
	Name      string `json:"name"`
	Shape     []int  `json:"shape"`
	Type      string `json:"type"`
	Parameter string `json:"parameter,omitempty"` // name in Paddle's programs
}

func inspectCheckpoint(file string) (report, error) {
	f, err := convert.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	paddle, _ := f.Checkpoint.(*pdparams.File)
	r := checkpointReport{File: file, Kind: "checkpoint", Tensors: []tensorReport{}}
	for _, name := range f.Names() {
		shape, t, _ := f.Info(name)
		p := ""
		if paddle != nil {
			p, _ = paddle.ParameterName(name)
		}
		if shape == nil {
			shape = []int{} // JSON's [], not null
		}
		r.Tensors = append(r.Tensors, tensorReport{Name: name, Shape: shape, Type: t.String(), Parameter: p})
		r.Parameters += tensor.Count(shape)
	}
	return r, nil
}

func (r checkpointReport) text(w io.Writer) error {
	fmt.Fprintf(w, "%s\n  %s, %s\n", r.File, countOf(len(r.Tensors), "tensor"), countOf(r.Parameters, "value"))
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, x := range r.Tensors {
		fmt.Fprintf(t, "  %s\t%s\t%s\n", x.Name, x.Type, tensor.ShapeString(x.Shape))
	}
	return t.Flush()
}

// A namesReport says what a .pdiparams.info file holds.
type namesReport struct {
	File      string           `json:"file"`
	Kind      string           `json:"kind"` // "names"
	Variables []variableReport `json:"variables"`
}

type variableReport struct {
	Name       string `json:"name"`            // in the program
	Structured string `json:"structured_name"` // in the checkpoint
	Trainable  bool   `json:"trainable"`
}

func inspectNames(file string) (report, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	vars, err := pdparams.ReadInfo(f, info.Size())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	r := namesReport{File: file, Kind: "names", Variables: []variableReport{}}
	for _, v := range vars {
		r.Variables = append(r.Variables, variableReport{Name: v.Name, Structured: v.StructuredName, Trainable: v.Trainable})
	}
	return r, nil
}

func (r namesReport) text(w io.Writer) error {
	fmt.Fprintf(w, "%s\n  %s\n", r.File, countOf(len(r.Variables), "variable"))
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, v := range r.Variables {
		fmt.Fprintf(t, "  %s\t%s\n", v.Name, v.Structured)
	}
	return t.Flush()
}
