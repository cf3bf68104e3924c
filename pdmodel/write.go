package pdmodel

import (
	"fmt"
	"io"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/pdparams"
)

// Write writes a graph and its weights as Paddle's three files: the program
// (.pdmodel), its parameters (.pdiparams) and their names (.pdiparams.info).
// Nothing is written if the graph cannot be.
func Write(program, params, info io.Writer, g *graph.Graph, w graph.Weights, m Meta) error {
	if err := g.CheckWeights(w); err != nil {
		return err
	}
	p, err := Build(g, m)
	if err != nil {
		return err
	}
	if _, err := program.Write(p.Encode()); err != nil {
		return fmt.Errorf("pdmodel: program: %w", err)
	}
	values := graph.Weights{}
	for _, v := range g.Params {
		values[m.variable(v.Name)] = w[v.Name]
	}
	if err := WriteParams(params, p, values); err != nil {
		return fmt.Errorf("pdmodel: parameters: %w", err)
	}
	if err := pdparams.WriteInfo(info, m.info(g)); err != nil {
		return fmt.Errorf("pdmodel: names of the parameters: %w", err)
	}
	return nil
}

// info lists the variables of a graph's parameters, which are the graph's
// structured names.
func (m Meta) info(g *graph.Graph) []pdparams.VarInfo {
	return convert(g.Params, func(p *graph.Value) pdparams.VarInfo {
		frozen := m.Frozen[p.Name]
		return pdparams.VarInfo{Name: m.variable(p.Name), StructuredName: p.Name, StopGradient: frozen, Trainable: !frozen}
	})
}
