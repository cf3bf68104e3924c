// Package ort runs graphs and ONNX files with ONNX Runtime, whose library is
// loaded when it is first needed (see Load): the program neither links it nor
// needs it otherwise. It computes with one of ONNX Runtime's execution
// providers, see Provider, which are libraries beside its own.
package ort

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"sync"

	onnxruntime "github.com/yalue/onnxruntime_go"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/onnx"
	"github.com/pptsn/pptsn/tensor"
)

// Options tunes an engine. The zero value computes on the CPU, in float32.
type Options struct {
	Threads   int             // that compute one operation together on the CPU; 0 means GOMAXPROCS
	Library   string          // file or folder of the library, see Load; empty to search
	Provider  Provider        // "" is CPU
	Device    int             // which GPU, from 0
	Precision graph.Precision // see Provider.Supports; INT8 wants a graph of graph.Quantize, and only that
	MaxBatch  int             // for TensorRT: the most rows that a run will have
	Cache     string          // for TensorRT: folder of the engines that it has built; "" keeps none, nor does Open

	// Optimized is a file that ONNX Runtime writes the network to as it runs
	// it, for those who want to see which operators it has made of it; "" for
	// none. The CPU provider only.
	Optimized string
}

// ErrClosed is returned for a closed engine.
var ErrClosed = errors.New("ort: the engine is closed")

// An Engine is a network ready to run. Its methods may be called from several
// goroutines at once.
type Engine struct {
	name    string       // of the graph or file
	graph   *graph.Graph // nil for a file
	inputs  int
	outputs int

	mu      sync.RWMutex // written by Close alone
	session *onnxruntime.DynamicAdvancedSession
	leak    runtime.Cleanup
}

// Compile prepares a graph with its weights, which are copied. ONNX Runtime
// optimises the graph; what graph.Optimize leaves gives the same network. Of a
// quantised graph the CPU provider runs what onnx.SplitSums makes faster.
func Compile(g *graph.Graph, w graph.Weights, o Options) (*Engine, error) {
	if len(g.Inputs) == 0 || len(g.Outputs) == 0 {
		return nil, fmt.Errorf("ort: graph %s: %d inputs and %d outputs, want at least one of each", g.Name, len(g.Inputs), len(g.Outputs))
	}
	if err := o.fits(g); err != nil {
		return nil, fmt.Errorf("ort: graph %s: %w", g.Name, err)
	}
	var model bytes.Buffer
	half := o.Provider == CUDA && o.Precision == graph.FP16 // TensorRT converts by itself
	if err := onnx.Write(&model, g, w, onnx.Options{Float16: half}); err != nil {
		return nil, fmt.Errorf("ort: %w", err)
	}
	var inputs []input
	var names []string
	for _, v := range g.Inputs {
		inputs, names = append(inputs, input{v.Name, v.Shape}), append(names, v.Name)
	}
	e := &Engine{name: g.Name, graph: g.Clone(), inputs: len(inputs), outputs: len(g.Outputs)}
	err := withSession(o, inputs, model.Bytes(), func(s *onnxruntime.SessionOptions) (err error) {
		e.session, err = onnxruntime.NewDynamicAdvancedSessionWithONNXData(model.Bytes(), names, onnx.OutputNames(g), s)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("ort: graph %s: %w", g.Name, err)
	}
	e.leak = runtime.AddCleanup(e, reportLeak, e.name)
	return e, nil
}

// fits reports a graph that is not of the precision.
func (o Options) fits(g *graph.Graph) error {
	quantised := slices.ContainsFunc(g.Nodes, func(n *graph.Node) bool { return n.Op.Kind() == graph.FakeQuant{}.Kind() })
	switch {
	case quantised && o.Precision != graph.INT8:
		return fmt.Errorf("it holds 8-bit numbers: want precision int8, not %s", o.Precision)
	case !quantised && o.Precision == graph.INT8:
		return fmt.Errorf("precision int8 is for a graph that graph.Quantize has made")
	}
	return nil
}

// Open prepares the network in an ONNX file, whose inputs and outputs must be
// arrays of float32.
func Open(path string, o Options) (*Engine, error) {
	e, err := open(path, o)
	if err != nil {
		return nil, fmt.Errorf("ort: open %s: %w", path, err)
	}
	e.leak = runtime.AddCleanup(e, reportLeak, e.name)
	return e, nil
}

func open(path string, o Options) (*Engine, error) {
	if _, err := o.load(); err != nil {
		return nil, err
	}
	inputs, outputs, err := interfaceOf(path)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, in := range inputs {
		names = append(names, in.name)
	}
	e := &Engine{name: path, inputs: len(inputs), outputs: len(outputs)}
	err = withSession(o, inputs, nil, func(s *onnxruntime.SessionOptions) (err error) {
		e.session, err = onnxruntime.NewDynamicAdvancedSession(path, names, outputs, s)
		return err
	})
	return e, err
}

func reportLeak(name string) {
	slog.Warn("ort: an engine was never closed; its memory and threads are lost", "network", name)
}

// Close frees what the engine holds, after the runs under way. It may be called
// twice.
func (e *Engine) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.session == nil {
		return nil
	}
	e.leak.Stop()
	err := e.session.Destroy()
	e.session = nil
	return err
}

// Run computes the outputs for inputs of float32, in the order of the graph or
// file. The results are the caller's. When ctx ends, so does the run.
func (e *Engine) Run(ctx context.Context, inputs ...*tensor.Dense) ([]*tensor.Dense, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	e.mu.RLock()
	defer e.mu.RUnlock()
	if e.session == nil {
		return nil, ErrClosed
	}
	c, err := e.newCall(inputs)
	defer c.destroy()
	if err != nil {
		return nil, fmt.Errorf("ort: %s: %w", e.name, err)
	}
	if err := e.run(ctx, c); err != nil {
		return nil, fmt.Errorf("ort: %s: %w", e.name, err)
	}
	return c.results, nil
}

func (e *Engine) run(ctx context.Context, c *call) error {
	opts, err := onnxruntime.NewRunOptions()
	if err != nil {
		return err
	}
	defer opts.Destroy()
	terminated := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(terminated)
		opts.Terminate() // fails only for options that do not exist
	})
	err = e.session.RunWithOptions(c.inputs, c.outputs, opts)
	if !stop() {
		<-terminated // it uses opts
	}
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return err
	}
	return c.collect()
}
