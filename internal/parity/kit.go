// Package parity reads the parity kit: numbers that the reference
// implementation computed, and the formulas of their inputs. The kit's README
// defines both; nothing here is used outside tests.
package parity

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/pptsn/pptsn/frame"
	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/internal/testdata"
	"github.com/pptsn/pptsn/tensor"
	"github.com/pptsn/pptsn/tsn"
)

// A Kit is one folder of expected values.
type Kit struct {
	Dir     string
	Seed    uint64
	Formula [5]int // kx, ky, kc, kt, m of the synthetic frames
}

// Open finds the kit; without one the test is skipped.
func Open(t testing.TB) *Kit {
	t.Helper()
	k := &Kit{Dir: testdata.Parity(t)}
	var head struct {
		Formula [5]int
		Seed    uint64 `json:"kit_seed"`
	}
	k.Read(t, "tencrop/pipelines.json", &head)
	k.Formula, k.Seed = head.Formula, head.Seed
	return k
}

// Read decodes one JSON file of the kit.
func (k *Kit) Read(t testing.TB, name string, to any) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(k.Dir, name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, to); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// Frame is synthetic frame number n of a clip.
func (k *Kit) Frame(w, h, n int) *frame.RGB {
	f, img := k.Formula, frame.NewRGB(w, h)
	for y := range h {
		for x := range w {
			for c := range 3 {
				img.Pix[3*(y*w+x)+c] = byte(x*f[0] + y*f[1] + c*f[2] + n*f[3] + x*y%f[4])
			}
		}
	}
	return img
}

// Stream fills v with the random numbers of a name: FNV-1a seeds splitmix64,
// of whose words the upper 24 bits become a number in [-1, 1).
func (k *Kit) Stream(name string, v []float32) {
	h := uint64(0xcbf29ce484222325)
	for _, c := range []byte(name) {
		h = (h ^ uint64(c)) * 0x100000001b3
	}
	const gamma = 0x9E3779B97F4A7C15
	s := h ^ k.Seed*gamma
	for i := range v {
		s += gamma
		z := s
		z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
		z = (z ^ z>>27) * 0x94D049BB133111EB
		z ^= z >> 31
		v[i] = (float32(z>>40) - 1<<23) / (1 << 23)
	}
}

// Weights are the kit's weights of a network.
func (k *Kit) Weights(net *tsn.Network) graph.Weights {
	w := graph.Weights{}
	for _, p := range net.Params {
		d := tensor.New(tensor.Float32, p.Shape...)
		v := d.Float32s()
		k.Stream(p.Name, v)
		rule := weightRule(p.Name, p.Shape)
		for i := range v {
			v[i] = rule(v[i])
		}
		w[p.Name] = d
	}
	return w
}

func weightRule(name string, shape []int) func(float32) float32 {
	ends := func(suffix string) bool {
		return len(name) >= len(suffix) && name[len(name)-len(suffix):] == suffix
	}
	scaled := func(by float64) func(float32) float32 {
		s := float32(math.Sqrt(by))
		return func(v float32) float32 { return v * s }
	}
	switch {
	case ends(".conv2._batch_norm.weight"):
		return func(v float32) float32 { return 0.25 + v/16 }
	case ends("._batch_norm.weight"):
		return func(v float32) float32 { return 1 + v/8 }
	case ends("._batch_norm._variance"):
		return func(v float32) float32 { return 1 + v/4 }
	case ends("._conv.weight"):
		return scaled(3 / float64(shape[1]*shape[2]*shape[3]))
	case ends(".fc.weight"):
		return scaled(3 / float64(shape[0]))
	default:
		return func(v float32) float32 { return v / 8 }
	}
}
