// Package ort runs graphs and ONNX files with ONNX Runtime, whose library is
// loaded when it is first needed (see Load): the program neither links it nor
// needs it otherwise. For now with its CPU execution provider, in float32.
package ort

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync"

	onnxruntime "github.com/yalue/onnxruntime_go"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/onnx"
	"github.com/pptsn/pptsn/tensor"
)

// Options tunes an engine.
type Options struct {
	Threads int    // that compute one operation together; 0 means GOMAXPROCS
	Library string // file or folder of the library, see Load; empty to search
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
// optimises the graph; what graph.Optimize leaves gives the same network.
func Compile(g *graph.Graph, w graph.Weights, o Options) (*Engine, error) {
	if len(g.Inputs) == 0 || len(g.Outputs) == 0 {
		return nil, fmt.Errorf("ort: graph %s: %d inputs and %d outputs, want at least one of each", g.Name, len(g.Inputs), len(g.Outputs))
	}
	var model bytes.Buffer
	if err := onnx.Write(&model, g, w, onnx.Options{}); err != nil {
		return nil, fmt.Errorf("ort: %w", err)
	}
	inputs := make([]string, len(g.Inputs))
	for i, v := range g.Inputs {
		inputs[i] = v.Name
	}
	e := &Engine{name: g.Name, graph: g.Clone(), inputs: len(inputs), outputs: len(g.Outputs)}
	err := withSession(o, func(s *onnxruntime.SessionOptions) (err error) {
		e.session, err = onnxruntime.NewDynamicAdvancedSessionWithONNXData(model.Bytes(), inputs, onnx.OutputNames(g), s)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("ort: graph %s: %w", g.Name, err)
	}
	e.leak = runtime.AddCleanup(e, reportLeak, e.name)
	return e, nil
}

// Open prepares the network in an ONNX file, whose inputs and outputs must be
// arrays of float32.
func Open(path string, o Options) (*Engine, error) {
	e := &Engine{name: path}
	err := withSession(o, func(s *onnxruntime.SessionOptions) error {
		inputs, outputs, err := interfaceOf(path)
		if err != nil {
			return err
		}
		e.inputs, e.outputs = len(inputs), len(outputs)
		e.session, err = onnxruntime.NewDynamicAdvancedSession(path, inputs, outputs, s)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("ort: open %s: %w", path, err)
	}
	e.leak = runtime.AddCleanup(e, reportLeak, e.name)
	return e, nil
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
