// Package onednn runs graphs on the CPU with oneDNN's primitives, in float32,
// bfloat16 or 8-bit integers.
//
// Compile optimises a graph; the first input of a shape makes oneDNN choose
// kernels and memory layouts for it. Layouts are kept from one primitive to the
// next and weights are brought into theirs once. What the network does with
// each view alone runs a few views at a time, so that intermediate results stay
// near the cores and memory does not grow with the number of views.
//
// It needs the shared library oneDNN (dnnl) 2.6 or 3.x, built for OpenMP by
// GCC as Debian's is. Documentation: https://oneapi-src.github.io/oneDNN/
package onednn

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"unsafe"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/internal/osthread"
	"github.com/pptsn/pptsn/tensor"
)

// ErrClosed is returned by an engine that was closed.
var ErrClosed = errors.New("onednn: engine is closed")

// Options tunes an engine. The zero value uses all cores.
type Options struct {
	// Threads that compute. 0 means one for each core that the process may
	// use: not for each hardware thread of a core, and at most GOMAXPROCS,
	// which respects the limits of containers.
	Threads int
	// Chunk is how many views are computed at once. 0 means 8, or one for each
	// thread where there are more.
	Chunk int
	// Precision of convolutions: FP32, BF16 or INT8; all else is float32. A
	// precision that Supports reports on is an error, unless forced.
	Precision graph.Precision
	Force     bool
	// Scales of the optimised graph, for INT8. Convolutions whose operand has
	// none are computed in float32; a first one, on up to 4 channels, multiplies
	// in bfloat16 where the processor can and its result is held in 8 bits.
	Scales graph.Scales
}

// An Engine is a compiled network. Many goroutines may call it; they take
// turns, since each run uses all threads.
type Engine struct {
	name   string
	thread *osthread.Thread[*machine]
	leak   runtime.Cleanup
}

// Compile optimises a graph for inference and readies an engine for it. The
// caller closes the engine. Neither g nor w is changed; w must not be changed
// while the engine lives. If all dimensions of g are known its primitives are
// made now, else for each new input shape, see Prepare.
func Compile(g *graph.Graph, w graph.Weights, o Options) (*Engine, error) {
	if o.Threads < 0 || o.Chunk < 0 {
		return nil, fmt.Errorf("onednn: %d threads, %d views at once", o.Threads, o.Chunk)
	}
	if err := o.checkPrecision(); err != nil {
		return nil, fmt.Errorf("onednn: %w", err)
	}
	if o.Threads == 0 {
		o.Threads = cores()
	}
	if o.Chunk == 0 {
		o.Chunk = max(8, o.Threads)
	}
	if err := check(g); err != nil {
		return nil, fmt.Errorf("onednn: %w", err)
	}
	g, w, err := graph.Optimize(g, w)
	if err != nil {
		return nil, fmt.Errorf("onednn: %w", err)
	}
	if err := o.Scales.Check(g); err != nil {
		return nil, fmt.Errorf("onednn: %w", err)
	}
	thread, err := osthread.Start(func() (*machine, error) { return newMachine(g, w, o) }, (*machine).close)
	if err != nil {
		return nil, fmt.Errorf("onednn: %w", err)
	}
	e := &Engine{name: g.Name, thread: thread}
	e.leak = runtime.AddCleanup(e, reportLeak, g.Name)
	if shapes, known := inputShapes(g); known {
		if err := e.Prepare(shapes...); err != nil {
			e.Close()
			return nil, err
		}
	}
	return e, nil
}

func cores() int {
	n := min(runtime.GOMAXPROCS(0), runtime.NumCPU())
	if p := physicalCores(); p > 0 {
		n = min(n, p)
	}
	return n
}

// check reports what no engine can run.
func check(g *graph.Graph) error {
	if err := g.Check(); err != nil {
		return err
	}
	values := slices.Concat(g.Inputs, g.Params)
	for _, n := range g.Nodes {
		values = append(values, n.Out)
	}
	for _, v := range values {
		if len(v.Shape) > maxAxes {
			return fmt.Errorf("graph %s: %s has more than %d axes", g.Name, v, maxAxes)
		}
	}
	return nil
}

func reportLeak(name string) {
	slog.Warn("onednn: an engine was never closed; its memory and threads are lost", "graph", name)
}

func inputShapes(g *graph.Graph) (shapes [][]int, known bool) {
	known = true
	for _, in := range g.Inputs {
		shapes = append(shapes, in.Shape)
		for _, d := range in.Shape {
			known = known && d != graph.Unknown
		}
	}
	return shapes, known
}

// Prepare makes the primitives for inputs of these shapes and reorders the
// weights, which the first run of each shape does otherwise. The engine
// remembers the last few shapes.
func (e *Engine) Prepare(shapes ...[]int) error {
	var err error
	asked := e.thread.Do(context.Background(), func(m *machine) { _, err = m.plan(shapes) })
	return e.grow(errors.Join(asked, err))
}

// Run computes the outputs for inputs of shapes that the graph allows. A run
// whose context ends stops between chunks of views.
func (e *Engine) Run(ctx context.Context, inputs ...*tensor.Dense) ([]*tensor.Dense, error) {
	shapes := make([][]int, len(inputs))
	for i, in := range inputs {
		if in.Type != tensor.Float32 {
			return nil, e.grow(fmt.Errorf("input %d is %s, want float32", i, in.Type))
		}
		shapes[i] = in.Shape
	}
	var pinned runtime.Pinner // C reads them where they lie
	defer pinned.Unpin()
	given := make([]unsafe.Pointer, len(inputs))
	for i, in := range inputs {
		if in.Len() > 0 {
			given[i] = unsafe.Pointer(&in.Data[0])
			pinned.Pin(given[i])
		}
	}
	return e.run(ctx, shapes, source{given: given, fill: func(input int, dst []float32, from, to int) error {
		size := inputs[input].Len() / graph.Rows(shapes[input])
		copy(dst, inputs[input].Float32s()[from*size:to*size])
		return nil
	}})
}

// RunRows is Run for one input that is handed over in pieces: an input of that
// shape, of which fill writes views from to to, exclusive, into dst. A view is
// what lies under the leading axes: all but the last three, but at least the
// first (graph.Rows counts them). fill is called from another goroutine, in
// order and once for each view, while earlier views are computed; its error
// ends the run and is returned, wrapped.
func (e *Engine) RunRows(ctx context.Context, shape []int, fill func(dst []float32, from, to int) error) ([]*tensor.Dense, error) {
	return e.run(ctx, [][]int{shape}, source{fill: func(_ int, dst []float32, from, to int) error {
		return fill(dst, from, to)
	}})
}

func (e *Engine) run(ctx context.Context, shapes [][]int, in source) (out []*tensor.Dense, err error) {
	asked := e.thread.Do(ctx, func(m *machine) {
		var p *plan
		if p, err = m.plan(shapes); err == nil {
			out, err = m.run(ctx, p, in)
		}
	})
	return out, e.grow(errors.Join(asked, err))
}

func (e *Engine) grow(err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, osthread.ErrStopped) {
		return ErrClosed
	}
	return fmt.Errorf("onednn: %s: %w", e.name, err)
}

// Close waits for a run in progress and frees all memory and threads. It may
// be called twice, and while others call Run, which then returns ErrClosed.
func (e *Engine) Close() error {
	e.leak.Stop()
	e.thread.Stop()
	return nil
}
