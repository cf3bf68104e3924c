package onednn_test

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/graph/graphtest"
	"github.com/pptsn/pptsn/onednn"
)

// tolerance of float32 sums against float64 ones, relative to the largest
// result.
const tolerance = 1e-5

func TestSuite(t *testing.T) {
	for _, o := range []onednn.Options{{}, {Threads: 1, Chunk: 1}, {Threads: 2, Chunk: 3}} {
		t.Run(fmt.Sprintf("%d threads, chunk %d", o.Threads, o.Chunk), func(t *testing.T) {
			graphtest.Run(t, func(g *graph.Graph, w graph.Weights) (graphtest.Executor, error) {
				return onednn.Compile(g, w, o)
			}, tolerance)
		})
	}
}

func TestCompileErrors(t *testing.T) {
	good, deep := views(), graph.New("deep")
	shape := make([]int, 13)
	for i := range shape {
		shape[i] = 1
	}
	deep.Output(deep.Must("relu", graph.Activate{Act: graph.Activation{Func: graph.ReLU}}, deep.Input("x", shape...)))
	for _, tc := range []struct {
		name string
		g    *graph.Graph
		w    graph.Weights
		o    onednn.Options
		want string
	}{
		{"no weights", good, nil, onednn.Options{}, "w: absent"},
		{"negative threads", good, randomWeights(good, 1), onednn.Options{Threads: -1}, "-1 threads"},
		{"negative chunk", good, randomWeights(good, 1), onednn.Options{Chunk: -1}, "-1 views"},
		{"too many axes", deep, nil, onednn.Options{}, "more than 12 axes"},
	} {
		e, err := onednn.Compile(tc.g, tc.w, tc.o)
		if err == nil {
			e.Close()
			t.Errorf("%s: no error", tc.name)
		} else if !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q", tc.name, err, tc.want)
		}
	}
}

func TestPrepare(t *testing.T) {
	g := views()
	e := compile(t, g, randomWeights(g, 1), onednn.Options{})
	if err := e.Prepare([]int{2, 5, 3, 8, 8}); err != nil {
		t.Error(err)
	}
	if err := e.Prepare([]int{2, 4, 3, 8, 8}); err == nil {
		t.Error("prepared for a shape that the graph does not allow")
	}
	e.Close()
	if err := e.Prepare([]int{2, 5, 3, 8, 8}); !errors.Is(err, onednn.ErrClosed) {
		t.Errorf("error after Close is %v", err)
	}
}

// Engines do not disturb each other.
func TestEnginesAtOnce(t *testing.T) {
	g := views()
	in := ramp(3, 5, 3, 8, 8)
	var wg sync.WaitGroup
	for i := range 6 {
		w := randomWeights(g, uint64(i))
		want, err := graph.Eval(g, w, in)
		if err != nil {
			t.Fatal(err)
		}
		e := compile(t, g, w, onednn.Options{Threads: 1 + i%3, Chunk: i})
		wg.Go(func() {
			for range 10 {
				got, err := e.Run(t.Context(), in)
				if err == nil {
					err = graphtest.Compare(got[0], want[0], tolerance)
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

// Engines that come and go leave neither memory nor threads behind.
func TestNoLeak(t *testing.T) {
	g := views()
	w := randomWeights(g, 1)
	use := func(n int) {
		for i := range n {
			e := compile(t, g, w, onednn.Options{Threads: 1 + i%2})
			if _, err := e.Run(t.Context(), ramp(1+i%3, 5, 3, 8, 8)); err != nil {
				t.Fatal(err)
			}
			e.Close()
		}
	}
	stays(t, func() { use(50) }, func() { use(200) })
}

// An engine does not grow with the number of shapes it has seen.
func TestManyShapes(t *testing.T) {
	g := views()
	e := compile(t, g, randomWeights(g, 1), onednn.Options{Threads: 1})
	use := func(videos int) {
		for n := range videos {
			if _, err := e.Run(t.Context(), ramp(1+n, 5, 3, 8, 8)); err != nil {
				t.Fatal(err)
			}
		}
	}
	stays(t, func() { use(100) }, func() { use(100) })
}

// stays holds that work leaves memory and threads as they are once before has
// filled what is bounded: oneDNN's cache of kernels, Go's heap.
func stays(t *testing.T, before, work func()) {
	t.Helper()
	before()
	runtime.GC()
	memory, threads := resident(t)
	work()
	runtime.GC()
	moreMemory, moreThreads := resident(t)
	if grown := moreMemory - memory; grown > 16<<20 {
		t.Errorf("%d KiB are left behind", grown>>10)
	}
	if moreThreads > threads+40 { // Go's runtime adds some as it likes; a leak would be one for each of 100 or 200 engines or shapes
		t.Errorf("%d threads, were %d", moreThreads, threads)
	}
}

// resident is the process's memory in bytes, and its number of threads.
func resident(t *testing.T) (memory, threads int) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip("no /proc: ", err)
	}
	for line := range strings.Lines(string(status)) {
		f := strings.Fields(line)
		switch f[0] {
		case "VmRSS:":
			kib, _ := strconv.Atoi(f[1])
			memory = kib << 10
		case "Threads:":
			threads, _ = strconv.Atoi(f[1])
		}
	}
	return memory, threads
}
