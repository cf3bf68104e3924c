// Package engine runs an exported or trained network on clips with one of the
// program's engines, and chooses among them.
package engine

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/graph"
)

// A Kind names an engine.
type Kind string

// The engines.
const (
	Auto   Kind = "auto"   // see Open
	OneDNN Kind = "onednn" // oneDNN, on the CPU
	Torch  Kind = "torch"  // libtorch, on the CPU or a CUDA device
	ORT    Kind = "ort"    // ONNX Runtime with one of its execution providers
)

// Options says what runs a network, and how. The zero value is the engine that
// is fastest on the CPU, in float32.
type Options struct {
	Kind      Kind // "" is Auto
	Precision graph.Precision
	Force     bool         // compute in that precision even where the processor has no instructions for it
	Scales    graph.Scales // for INT8: of the optimised graph
	GPU       bool         // a CUDA device, not the CPU
	Device    int          // which CUDA device, from 0
	TensorRT  bool         // ONNX Runtime's TensorRT provider; implies GPU
	OpenVINO  bool         // ONNX Runtime's OpenVINO provider
	Threads   int          // on the CPU; 0: one for each core
	MaxViews  int          // the most views that one call will have, where an engine must know (TensorRT); 0: those of one clip
	Cache     string       // folder of engines that TensorRT has built; "": none are kept
}

// An Engine is a network that is ready to run. Many goroutines may call it.
type Engine struct {
	kind      Kind
	precision graph.Precision
	reasons   []string
	runner
}

// A runner is an engine's way to compute. Scores returns [n][K] scores for n
// clips, as the network gives them, before a softmax that is not part of it.
type runner interface {
	Scores(ctx context.Context, clips []*clip.Clip) ([][]float32, error)
	io.Closer
}

// Open readies a network, which is a graph from clips [N, T, 3, H, W] or from
// single pictures [N, 3, H, W] to scores [N, K]; of pictures a clip's scores are
// the mean. The weights must not change before Close.
func Open(ctx context.Context, g *graph.Graph, w graph.Weights, o Options) (*Engine, error) {
	choice, err := choose(o, thisMachine)
	if err != nil {
		return nil, err
	}
	o.Kind, o.GPU = choice.kind, o.GPU || o.TensorRT
	e := &Engine{kind: choice.kind, precision: o.Precision, reasons: choice.reasons}
	in, err := newInput(g)
	if err != nil {
		return nil, err
	}
	switch o.Kind {
	case OneDNN:
		e.runner, err = openOneDNN(g, w, in, o)
	case Torch:
		e.runner, err = openTorch(ctx, g, w, in, o)
	case ORT:
		e.runner, err = openORT(g, w, in, o)
	default:
		return nil, fmt.Errorf("engine: there is no engine %q: want auto, onednn, torch or ort", o.Kind)
	}
	return e, err
}

// Kind is the engine that runs; never Auto.
func (e *Engine) Kind() Kind { return e.kind }

// Precision is the arithmetic in which the network is computed.
func (e *Engine) Precision() graph.Precision { return e.precision }

// Reasons say how Auto chose, and what an engine had to do otherwise than it
// should, which may show only when it has run. One sentence each.
func (e *Engine) Reasons() []string {
	if r, ok := e.runner.(interface{ Notes() []string }); ok {
		return slices.Concat(e.reasons, r.Notes())
	}
	return e.reasons
}

// Rest lets go of the CPU's threads that wait for the next call, which starts
// them again: a program with several engines, of which few run at a time, calls
// it, or they slow each other down.
func (e *Engine) Rest() {
	if r, ok := e.runner.(interface{ Rest() }); ok {
		r.Rest()
	}
}
