package engine

import (
	"context"
	"fmt"
	"sync"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/ort"
	"github.com/pptsn/pptsn/tensor"
)

// An ortBody is the part of a network that treats each row alone: a view, or a
// clip where the network looks at neighbouring views.
type ortBody struct {
	*ort.Engine
	row     []int     // shape of a row of the input
	views   int       // in a row
	piece   int       // rows that are computed at once
	buffers sync.Pool // *[]float32, for the views of a piece
}

// compile compiles the body of the network for two clips, which is that of any
// number.
func (r *ortRunner) compile(shape []int) (*ortBody, error) {
	bound, err := r.g.Bind(shape)
	if err != nil {
		return nil, err
	}
	body, _ := graph.SplitRows(bound)
	if body == nil || len(body.Inputs) != 1 {
		return nil, fmt.Errorf("graph %s: ort finds no part of it that treats each view or clip alone: take the engine onednn or torch", r.g.Name)
	}
	if r.scales != nil {
		if body, err = r.quantise(body); err != nil {
			return nil, err
		}
	}
	b := &ortBody{row: body.Inputs[0].Shape[1:]}
	b.views = tensor.Count(b.row[:len(b.row)-3]) // of no axes 1
	b.piece = max(1, r.piece/b.views)
	o := r.options
	o.MaxBatch = b.piece
	b.Engine, err = ort.Compile(body, r.w, o)
	return b, err
}

// quantise rounds as the provider can use it. Convolutions with a sum inside
// stay in floats within ONNX Runtime's CPU provider: what onnx.SplitSums would do
// for them is faster, but no longer what the scales mean.
func (r *ortRunner) quantise(body *graph.Graph) (*graph.Graph, error) {
	scales := graph.Scales{} // the tail's are float32
	for _, v := range body.Inputs {
		if s, ok := r.scales[v.Name]; ok {
			scales[v.Name] = s
		}
	}
	for _, n := range body.Nodes {
		if s, ok := r.scales[n.Out.Name]; ok {
			scales[n.Out.Name] = s
		}
	}
	if r.options.Provider == ort.TensorRT {
		return graph.Quantize(body, r.w, scales.AllSigned(), graph.QuantizeOptions{FloatBias: true})
	}
	return graph.Quantize(body, r.w, scales, graph.QuantizeOptions{})
}

// A piece is some rows, ready to be computed.
type piece struct {
	from, to int
	views    *[]float32
}

// run computes the rows of all clips, piece by piece, and fills the next one
// meanwhile. It returns the body's outputs, with the rows in order.
func (e *ortBody) run(ctx context.Context, b batch) ([]*tensor.Dense, error) {
	rows, size := b.rows()/e.views, tensor.Count(e.row)
	ctx, cancel := context.WithCancel(ctx)
	filled := make(chan piece) // unbuffered: one piece waits while another is computed
	go func() {
		defer close(filled)
		for from := 0; from < rows && ctx.Err() == nil; from += e.piece {
			p := piece{from, min(from+e.piece, rows), e.buffer(min(e.piece, rows) * size)}
			b.fill(*p.views, p.from*e.views, p.to*e.views)
			select {
			case filled <- p:
			case <-ctx.Done():
			}
		}
	}()
	defer func() { // the clips are read until the goroutine ends
		cancel()
		for range filled {
		}
	}()
	var joints []*tensor.Dense
	done := 0
	for p := range filled {
		n := p.to - p.from
		out, err := e.Run(ctx, tensor.FromFloat32((*p.views)[:n*size], append([]int{n}, e.row...)...))
		if err != nil {
			return nil, err
		}
		e.buffers.Put(p.views)
		joints = setRows(joints, out, p, rows)
		done = p.to
	}
	if done < rows {
		return nil, ctx.Err()
	}
	return joints, nil
}

// buffer is memory for n numbers at least.
func (e *ortBody) buffer(n int) *[]float32 {
	if v, ok := e.buffers.Get().(*[]float32); ok && len(*v) >= n {
		return v
	}
	v := make([]float32, n)
	return &v
}

// setRows copies the results of a piece to their rows of all.
func setRows(all, out []*tensor.Dense, p piece, rows int) []*tensor.Dense {
	if all == nil {
		for _, o := range out {
			all = append(all, tensor.New(tensor.Float32, append([]int{rows}, o.Shape[1:]...)...))
		}
	}
	for i, o := range out {
		row := tensor.Count(o.Shape[1:])
		copy(all[i].Float32s()[p.from*row:p.to*row], o.Float32s())
	}
	return all
}
