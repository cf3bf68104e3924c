package ort_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/pptsn/pptsn/atomicfile"
	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/internal/parity"
	"github.com/pptsn/pptsn/internal/testdata"
	"github.com/pptsn/pptsn/onnx"
	"github.com/pptsn/pptsn/ort"
	"github.com/pptsn/pptsn/tensor"
)

// block is a residual block with all that an optimised one has inside its
// convolutions, and results of every kind.
func block() (*graph.Graph, graph.Weights) {
	g := graph.New("block")
	x := g.Input("x", graph.Unknown, 3, 9, 7)
	w1, b1 := g.Param("w1", 4, 3, 1, 1), g.Param("b1", 4)
	w2, b2 := g.Param("w2", 4, 3, 3, 3), g.Param("b2", 4)
	c := graph.Conv{Stride: [2]int{2, 2}, Dilation: [2]int{1, 1}, Groups: 1, Bias: true}
	short := g.Must("short", c, x, w1, b1)
	c.Pad, c.Residual, c.Act = graph.SamePad(1), true, graph.Activation{Func: graph.ReLU}
	y := g.Must("sum", c, x, w2, b2, short)
	dropped := g.Must("dropped", graph.Dropout{P: 0.5}, y)
	g.Output(y, dropped, g.Must("mean", graph.Mean{Axes: []int{0, 1, 2, 3}}, dropped), x, w1, y)
	w := graph.Weights{}
	for i, p := range g.Params {
		w[p.Name] = random(uint64(i), p.Shape...)
	}
	return g, w
}

func TestResults(t *testing.T) {
	needLibrary(t)
	g, w := block()
	e := compile(t, g, w, ort.Options{Threads: 2})
	for _, batch := range []int{1, 5, 2} {
		agree(t, e, g, w, random(uint64(batch), batch, 3, 9, 7))
	}
}

// The reference's logits, of networks as built and as optimised.
func TestNetworksParity(t *testing.T) {
	needLibrary(t)
	kit := parity.Open(t)
	for _, c := range kit.NetCases(t) {
		t.Run(c.Spec.Name, func(t *testing.T) {
			g, w := c.Build(t, kit)
			optimised, folded, err := graph.Optimize(g, w)
			if err != nil {
				t.Fatal(err)
			}
			in := c.Input(t, kit)
			for _, e := range []*ort.Engine{compile(t, g, w, ort.Options{}), compile(t, optimised, folded, ort.Options{})} {
				out, err := e.Run(t.Context(), in)
				if err != nil {
					t.Fatal(err)
				}
				if e := parity.CompareLogits(out[0], c.EvalLogits); e > parity.LogitTolerance {
					t.Errorf("logits: relative error %.2g, tolerance %.2g", e, parity.LogitTolerance)
				}
				if err := e.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// A real file of another exporter: three labels, of which softmax gives the
// probabilities.
func TestOpen(t *testing.T) {
	needLibrary(t)
	path := filepath.Join(testdata.Shared(t), "data", "paddle", "mobilenetv3-small-035", "model.onnx")
	e, err := ort.Open(path, ort.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	const batch = 2
	out, err := e.Run(t.Context(), random(1, batch, 3, 224, 224))
	if err != nil {
		t.Fatal(err)
	}
	if len(out) != 1 || out[0].String() != "float32 [2, 3]" {
		t.Fatalf("got %v, want one float32 [2, 3]", out)
	}
	for n := range batch {
		var sum float64
		for _, p := range out[0].Float32s()[3*n : 3*n+3] {
			sum += float64(p)
		}
		if math.Abs(sum-1) > 1e-5 {
			t.Errorf("probabilities of picture %d sum to %v", n, sum)
		}
	}
}

func TestConcurrentRuns(t *testing.T) {
	needLibrary(t)
	g, w := block()
	e := compile(t, g, w, ort.Options{})
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() { agree(t, e, g, w, random(uint64(i), 1+i%3, 3, 9, 7)) })
	}
	wg.Wait()
}

func TestBadCalls(t *testing.T) {
	needLibrary(t)
	g, w := block()
	e := compile(t, g, w, ort.Options{})
	good := random(1, 1, 3, 9, 7)
	for _, tc := range []struct {
		name   string
		inputs []*tensor.Dense
		want   string
	}{
		{"no input", nil, "0 inputs given, want 1"},
		{"two inputs", []*tensor.Dense{good, good}, "2 inputs given, want 1"},
		{"another type", []*tensor.Dense{tensor.New(tensor.Int64, 1, 3, 9, 7)}, "int64"},
		{"another size", []*tensor.Dense{random(1, 1, 3, 9, 8)}, "cannot take [1, 3, 9, 8]"},
		{"nothing in it", []*tensor.Dense{tensor.New(tensor.Float32, 0, 3, 9, 7)}, "empty"},
	} {
		if _, err := e.Run(t.Context(), tc.inputs...); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: error %v, want one with %q", tc.name, err, tc.want)
		}
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	if _, err := e.Run(t.Context(), good); !errors.Is(err, ort.ErrClosed) {
		t.Errorf("closed: error %v", err)
	}
}

// A run of many seconds ends soon after its context.
func TestCancel(t *testing.T) {
	needLibrary(t)
	g := graph.New("long")
	x := g.Input("x", 1, 64, 256, 256)
	w := g.Param("w", 64, 64, 3, 3)
	for i := range 200 {
		x = g.Must(fmt.Sprint("conv", i), graph.Conv{Stride: [2]int{1, 1}, Dilation: [2]int{1, 1}, Pad: graph.SamePad(1), Groups: 1}, x, w)
	}
	g.Output(x)
	e := compile(t, g, graph.Weights{"w": random(0, w.Shape...)}, ort.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	go cancel()
	if _, err := e.Run(ctx, random(1, 1, 64, 256, 256)); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
}

func TestBadFiles(t *testing.T) {
	needLibrary(t)
	if _, err := ort.Open("any", ort.Options{Threads: -1}); err == nil {
		t.Error("opened with -1 threads")
	}
	broken := filepath.Join(t.TempDir(), "broken.onnx")
	if err := os.WriteFile(broken, []byte("version https://git-lfs"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{broken, filepath.Join(t.TempDir(), "absent.onnx")} {
		if _, err := ort.Open(path, ort.Options{}); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: error %v", path, err)
		}
	}
}

// onnxruntime_go reads no scalars of networks whose shapes are not known.
func TestScalarOfFile(t *testing.T) {
	needLibrary(t)
	g := graph.New("scalar")
	g.Output(g.Must("y", graph.Mean{Axes: []int{0}}, g.Input("x", 3)))
	path := filepath.Join(t.TempDir(), "scalar.onnx")
	if err := atomicfile.Write(path, func(w io.Writer) error { return onnx.Write(w, g, nil, onnx.Options{}) }); err != nil {
		t.Fatal(err)
	}
	e, err := ort.Open(path, ort.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if _, err := e.Run(t.Context(), random(1, 3)); err == nil {
		t.Error("no error")
	}
}

// Each search runs in a process of its own, because a process keeps the
// library that it has loaded.
func TestLibrarySearch(t *testing.T) {
	needLibrary(t)
	found, err := ort.Load("")
	if err != nil {
		t.Fatal(err)
	}
	empty := t.TempDir()
	text := filepath.Join(empty, "text")
	if err := os.WriteFile(text, []byte("no library"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name, option, variable, want string
	}{
		{"found by itself", "", "", "loaded " + found},
		{"the variable's file", "", found, "loaded " + found},
		{"the variable's folder", "", filepath.Dir(found), "loaded " + found},
		{"the option goes before the variable", found, empty, "loaded " + found},
		{"an empty folder", empty, "", "no ONNX Runtime: looked for libonnxruntime.so in " + empty + "; `make setup` in pptsn's source fetches it"},
		{"an absent folder", "", "/nonexistent", "looked for libonnxruntime.so in /nonexistent"},
		{"not a library", text, "", "load " + text},
	} {
		t.Run(tc.name, func(t *testing.T) {
			child := exec.Command(os.Args[0], "-test.run=^TestLoadInChild$", "-test.v")
			child.Env = append(os.Environ(), "LOAD_IN_CHILD="+tc.option+"\n", ort.LibraryVariable+"="+tc.variable)
			out, err := child.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			if !strings.Contains(string(out), tc.want) {
				t.Errorf("got %s\nwant %s", out, tc.want)
			}
		})
	}
}

func TestLoadInChild(t *testing.T) {
	option, ok := os.LookupEnv("LOAD_IN_CHILD")
	if !ok {
		t.Skip("TestLibrarySearch runs it")
	}
	path, err := ort.Load(strings.TrimSpace(option))
	if err != nil {
		t.Log(err)
		return
	}
	t.Log("loaded " + path)
	if _, err := ort.Load("/another/library"); err == nil {
		t.Error("a second library was loaded")
	}
}
