package quantize

import (
	"context"
	"fmt"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/onednn"
	"github.com/pptsn/pptsn/tensor"
)

// layerSamples is how many samples the layers' errors are measured on, with one
// piece of each: roundings are computed one by one there, which is slow.
const layerSamples = 8

// A Layer is a convolution that multiplies integers, and how far its result is
// from float32's, on calibration clips.
type Layer struct {
	Name   string  `json:"layer"`
	Value  string  `json:"value"`  // the result's name in the graph
	Scale  float32 `json:"scale"`  // of the operand's integers
	Signed bool    `json:"signed"` // the operand's integers may be below 0

	// With the operands of float32: the error that the layer's own rounding
	// makes, of operands, weights and bias.
	DB    float64 `json:"sqnr_db"` // signal to quantisation noise, at most 200; the mean over views, see noise
	Error float64 `json:"error"`   // the same as the root of the squared error relative to the squares
	// With the operands that the layers before it give.
	TotalDB    float64 `json:"total_sqnr_db"`
	TotalError float64 `json:"total_error"`
}

// layers measures each layer of a holding.
func (j *job) layers(ctx context.Context, c *calibration, h holding, s graph.Scales) ([]Layer, error) {
	alone, err := j.openAlone(h, s)
	if err != nil {
		return nil, err
	}
	defer alone.Close()
	together, err := j.net.rounded(s, j.Threads, results(h)...)
	if err != nil {
		return nil, err
	}
	defer together.Close()
	own, total := make([]noise, len(h.layers)), make([]noise, len(h.layers))
	samples := c.samples[:min(layerSamples, len(c.samples))]
	for i, clip := range samples {
		x := pieceFrom(clip.views, 0)
		single, err := alone.run(ctx, x)
		if err != nil {
			return nil, err
		}
		all, err := together.run(ctx, x)
		if err != nil {
			return nil, err
		}
		for k, n := range h.layers {
			want := single[n.Out.Name]
			addViews(&own[k], single[aloneName(n)], want)
			addViews(&total[k], all[n.Out.Name], want)
		}
		j.Progress("measure layers", i+1, len(samples))
	}
	return describe(h, s, own, total), nil
}

// addViews compares values [R, ...] view by view.
func addViews(n *noise, got, want *tensor.Dense) {
	size := want.Len() / want.Shape[0]
	for at := 0; at < want.Len(); at += size {
		n.add(got.Float32s()[at:at+size], want.Float32s()[at:at+size])
	}
}

func describe(h holding, s graph.Scales, own, total []noise) []Layer {
	var layers []Layer
	for k, n := range h.layers {
		operand := s[n.In[0].Name]
		layers = append(layers, Layer{
			Name: layerName(n), Value: n.Out.Name, Scale: operand.Scale, Signed: operand.Signed,
			DB: own[k].db(), Error: own[k].relative(), TotalDB: total[k].db(), TotalError: total[k].relative(),
		})
	}
	return layers
}

// openAlone readies the body in float32, with a twin beside each layer that
// rounds its operands, which nothing reads.
func (j *job) openAlone(h holding, s graph.Scales) (*runner, error) {
	g := j.net.body.Clone()
	t := twins{g: g, w: j.net.w, scales: within(g, s), rounded: map[*graph.Value]*graph.Value{}}
	names := results(h)
	for _, n := range g.Nodes {
		if t.scales.InInt8(n) {
			if err := t.add(n); err != nil {
				return nil, err
			}
			names = append(names, aloneName(n))
		}
	}
	return open(g, j.net.w, onednn.Options{Threads: j.Threads}, names...)
}

func results(h holding) []string {
	var names []string
	for _, n := range h.layers {
		names = append(names, n.Out.Name)
	}
	return names
}

// aloneName is the result of a layer's twin.
func aloneName(n *graph.Node) string { return n.Out.Name + "/alone" }

type twins struct {
	g       *graph.Graph
	w       graph.Weights
	scales  graph.Scales
	rounded map[*graph.Value]*graph.Value
}

// add adds the twin of a layer.
func (t twins) add(n *graph.Node) error {
	op := graph.IntegerConv(n, t.w, t.scales)
	in := append([]*graph.Value(nil), n.In...)
	for i, v := range in {
		if held, ok := t.scales[v.Name]; ok {
			in[i] = t.round(v, graph.FakeQuant{Type: held.Type(), Scales: []float32{held.Scale}})
		}
	}
	in[1] = t.round(in[1], op.Weights)
	if op.Bias.Scales != nil {
		in[2] = t.round(in[2], op.Bias)
	}
	if _, err := t.g.Apply(aloneName(n), n.Op, in...); err != nil {
		return fmt.Errorf("quantize: %w", err)
	}
	return nil
}

// round rounds a value, once for all of its readers.
func (t twins) round(v *graph.Value, op graph.FakeQuant) *graph.Value {
	if t.rounded[v] == nil {
		t.rounded[v] = t.g.Must(v.Name+"/rounded", op, v)
	}
	return t.rounded[v]
}
