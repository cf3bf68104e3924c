package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/ort"
	"github.com/pptsn/pptsn/tensor"
)

// ortRunner runs the part of a network that treats each view alone with ONNX
// Runtime, some views at a time, and the rest, which is small, with graph.Eval.
type ortRunner struct {
	g       *graph.Graph // optimised
	w       graph.Weights
	in      input
	scales  graph.Scales
	options ort.Options
	piece   int // views that are computed at once

	mu     sync.Mutex
	bodies map[[3]int]*ortBody // by views of a clip, height and width
	closed bool
}

func openORT(g *graph.Graph, w graph.Weights, in input, o Options) (runner, error) {
	r := &ortRunner{in: in, options: ortOptions(o), piece: o.ortPiece(in), bodies: map[[3]int]*ortBody{}}
	err := r.options.Provider.Supports(o.Precision)
	if err == nil {
		err = ort.Available(r.options.Provider)
	}
	if err != nil {
		return nil, fmt.Errorf("engine: %w", err)
	}
	if r.g, r.w, err = graph.Optimize(g, w); err != nil {
		return nil, fmt.Errorf("engine: %w", err)
	}
	if o.Precision == graph.INT8 {
		if len(o.Scales) == 0 {
			return nil, errors.New("engine: ort computes in int8 what has scales: quantise the network first")
		}
		if err := o.Scales.Check(r.g); err != nil {
			return nil, fmt.Errorf("engine: %w", err)
		}
		r.scales = o.Scales
	}
	if in.h == graph.Unknown || in.w == graph.Unknown || in.views == graph.Unknown && !in.perView {
		return r, nil // compiled when clips show the sizes
	}
	views := in.views
	if in.perView {
		views = 1
	}
	if _, err := r.body(views, in.h, in.w); err != nil {
		return nil, err
	}
	return r, nil
}

func ortOptions(o Options) ort.Options {
	provider := ort.CPU
	switch {
	case o.TensorRT:
		provider = ort.TensorRT
	case o.GPU:
		provider = ort.CUDA
	case o.OpenVINO:
		provider = ort.OpenVINO
	}
	return ort.Options{Threads: o.Threads, Provider: provider, Device: o.Device, Precision: o.Precision, Cache: o.Cache}
}

// ortPiece is how many views are computed at once. Sixteen keep a CPU's cores
// busy; a GPU wants more. TensorRT must know.
func (o Options) ortPiece(in input) int {
	switch {
	case o.TensorRT && o.MaxViews > 0:
		return o.MaxViews
	case o.TensorRT && in.views > 0:
		return in.views
	case o.GPU:
		return 32
	}
	return 16
}

// Scores implements runner.
func (r *ortRunner) Scores(ctx context.Context, clips []*clip.Clip) ([][]float32, error) {
	b, err := r.in.batch(clips)
	if err != nil {
		return nil, err
	}
	views := b.views
	if r.in.perView {
		views = 1 // a network of pictures knows of no clips
	}
	body, err := r.body(views, b.h, b.w)
	if err != nil {
		return nil, err
	}
	joints, err := body.run(ctx, b)
	if err != nil {
		return nil, fmt.Errorf("engine: %w", err)
	}
	out, err := r.tail(b.shape, joints)
	if err != nil {
		return nil, fmt.Errorf("engine: %w", err)
	}
	return b.scores(out), nil
}

// body returns the compiled part for clips of that shape.
func (r *ortRunner) body(views, h, w int) (*ortBody, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, fmt.Errorf("engine: %w", ort.ErrClosed)
	}
	key := [3]int{views, h, w}
	if b := r.bodies[key]; b != nil {
		return b, nil
	}
	shape := []int{two, views, 3, h, w}
	if r.in.perView {
		shape = []int{two, 3, h, w}
	}
	b, err := r.compile(shape)
	if err != nil {
		return nil, fmt.Errorf("engine: %w", err)
	}
	r.bodies[key] = b
	return b, nil
}

// two clips are the fewest in which the rows can be told from the rest.
const two = 2

// tail computes the scores of clips, which make an input of that shape, from
// what the body has made of the rows.
func (r *ortRunner) tail(shape []int, joints []*tensor.Dense) (*tensor.Dense, error) {
	n := shape[0]
	bound, err := r.g.Bind(append([]int{max(two, n)}, shape[1:]...))
	if err != nil {
		return nil, err
	}
	_, tail := graph.SplitRows(bound)
	if len(tail.Inputs) != len(joints) {
		return nil, fmt.Errorf("graph %s: the part behind the backbone reads %d values, want %d", r.g.Name, len(tail.Inputs), len(joints))
	}
	in := make([]*tensor.Dense, len(joints))
	for i, v := range tail.Inputs {
		in[i] = tensor.New(tensor.Float32, v.Shape...)
		for rest := in[i].Float32s(); len(rest) > 0; { // of one clip twice
			rest = rest[copy(rest, joints[i].Float32s()):]
		}
	}
	out, err := graph.Eval(tail, r.w, in...)
	if err != nil {
		return nil, err
	}
	k := out[0].Shape[1:]
	return tensor.FromFloat32(out[0].Float32s()[:n*tensor.Count(k)], append([]int{n}, k...)...), nil
}

// Close implements runner.
func (r *ortRunner) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	var errs []error
	for _, b := range r.bodies {
		errs = append(errs, b.Close())
	}
	return errors.Join(errs...)
}
