package torch_test

import (
	"errors"
	"os"
	"testing"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/graph/graphtest"
	"github.com/pptsn/pptsn/torch"
)

// device is where the tests run: PPTSN_TORCH_DEVICE=cuda asks for a GPU.
func device(t testing.TB) torch.Device {
	t.Helper()
	if _, err := torch.Version(); errors.As(err, new(*torch.NotFoundError)) {
		t.Skip(err)
	} else if err != nil {
		t.Fatal(err)
	}
	if os.Getenv("PPTSN_TORCH_DEVICE") == "cuda" {
		return torch.CUDA(0)
	}
	return torch.CPU
}

func TestSuite(t *testing.T) {
	d := device(t)
	graphtest.Run(t, func(g *graph.Graph, w graph.Weights) (graphtest.Executor, error) {
		return torch.Compile(t.Context(), g, w, torch.EngineOptions{Session: torch.SessionOptions{Device: d, Threads: 2}})
	}, 1e-5)
}

// In bfloat16 each result of a convolution is rounded to 8 bits, half a
// percent, and so are its filters and pictures: with a few of them behind each
// other results lie within 3 % of the largest.
func TestSuiteBFloat16(t *testing.T) { suite16(t, torch.BFloat16, 0.03) }

// Float16 has 11 bits.
func TestSuiteFloat16(t *testing.T) {
	if !device(t).CUDA {
		t.Skip("libtorch has no convolutions in float16 on the CPU")
	}
	suite16(t, torch.Float16, 0.004)
}

func suite16(t *testing.T, dtype torch.DType, tol float64) {
	d := device(t)
	graphtest.Run(t, func(g *graph.Graph, w graph.Weights) (graphtest.Executor, error) {
		return torch.Compile(t.Context(), g, w, torch.EngineOptions{
			Session: torch.SessionOptions{Device: d, Threads: 2}, Network: torch.NetworkOptions{DType: dtype},
		})
	}, tol)
}
