package dataset_test

import (
	"encoding/json"
	"image"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/pptsn/pptsn/config"
	"github.com/pptsn/pptsn/dataset"
	"github.com/pptsn/pptsn/internal/parity"
)

func TestParityMixup(t *testing.T) {
	var kit struct{ Cases []json.RawMessage }
	parity.Open(t).Read(t, "loss_metrics.json", &kit)
	cases := 0
	for _, raw := range kit.Cases {
		var tc struct {
			Kind, Name  string
			Lam         any // a number here, a list in other kinds
			Permutation []int
			Imgs        [][]float32
			OutImgs     [][]float32 `json:"out_imgs"`
			OutLams     []float32   `json:"out_lams"`
		}
		if err := json.Unmarshal(raw, &tc); err != nil {
			t.Fatal(err)
		}
		if tc.Kind != "mixup_batch" {
			continue
		}
		cases++
		x := slices.Concat(tc.Imgs...)
		if got := dataset.Mixup(x, tc.Permutation, tc.Lam.(float64)); got != tc.OutLams[0] {
			t.Errorf("%s: lambda %v, want %v", tc.Name, got, tc.OutLams[0])
		}
		for i, want := range slices.Concat(tc.OutImgs...) {
			if x[i] != want {
				t.Fatalf("%s: number %d is %v, want %v", tc.Name, i, x[i], want)
			}
		}
	}
	if cases == 0 {
		t.Fatal("no case of mixup_batch")
	}
}

// What a configuration says of mixing is what a Loader takes.
var _ = (*dataset.Mix)(config.Training{}.Mix)

// Every pixel of the box comes from the partner, every other one stays.
func TestCutmix(t *testing.T) {
	const planes, h, w = 6, 5, 7
	perm := []int{2, 1, 3, 0}
	value := func(clip, i int) float32 { return float32(1000*clip + i) }
	for _, box := range []image.Rectangle{
		image.Rect(2, 1, 5, 4), image.Rect(0, 0, w, h), image.Rect(3, 3, 3, 3), image.Rect(6, 0, 7, 2),
	} {
		x := make([]float32, len(perm)*planes*h*w)
		for i := range x {
			x[i] = value(i/(planes*h*w), i%(planes*h*w))
		}
		lambda := dataset.Cutmix(x, perm, planes, h, w, box)
		kept := 0
		for i, got := range x {
			clip, at := i/(planes*h*w), i%(planes*h*w)
			want := value(clip, at)
			if image.Pt(at%w, at/w%h).In(box) {
				want = value(perm[clip], at)
			} else {
				kept++
			}
			if got != want {
				t.Fatalf("box %v: number %d of clip %d is %v, want %v", box, at, clip, got, want)
			}
		}
		if want := float32(kept) / float32(len(x)); math.Abs(float64(lambda-want)) > 1e-6 {
			t.Errorf("box %v: lambda %v, want the share kept, %v", box, lambda, want)
		}
	}
}

func TestCutBox(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	const h, w = 30, 40
	largest, corners := image.Point{}, 0
	for range 3000 {
		box := dataset.CutBox(h, w, 0.75, rng)                                 // half of each side
		if !box.In(image.Rect(0, 0, w, h)) || box.Dx() > 20 || box.Dy() > 14 { // 15 is 2*7 around the middle
			t.Fatalf("box %v", box)
		}
		largest = image.Pt(max(largest.X, box.Dx()), max(largest.Y, box.Dy()))
		if box.Min.X == 0 && box.Min.Y == 0 {
			corners++
		}
	}
	if largest != image.Pt(20, 14) || corners == 0 {
		t.Errorf("largest box %v, %d in a corner", largest, corners)
	}
	if box := dataset.CutBox(h, w, 1, rng); !box.Empty() {
		t.Errorf("box %v for nothing", box)
	}
}

// The distribution functions of Beta(1/2, 1/2), (1, 1) and (2, 2) are known in
// closed form, and the variance of Beta(a, a) is 1/(4(2a+1)).
func TestBeta(t *testing.T) {
	const n = 40000
	for _, tc := range []struct {
		a   float64
		cdf func(x float64) float64
	}{
		{0.5, func(x float64) float64 { return 2 / math.Pi * math.Asin(math.Sqrt(x)) }},
		{1, func(x float64) float64 { return x }},
		{2, func(x float64) float64 { return x * x * (3 - 2*x) }},
		{0.2, nil}, {1e-6, nil}, {1e6, nil},
	} {
		rng := rand.New(rand.NewPCG(3, 4))
		v := make([]float64, n)
		sum, squares := 0.0, 0.0
		for i := range v {
			v[i] = dataset.Beta(rng, tc.a)
			if !(v[i] >= 0 && v[i] <= 1) {
				t.Fatalf("Beta(%v, %v) gave %v", tc.a, tc.a, v[i])
			}
			sum += v[i]
			squares += (v[i] - 0.5) * (v[i] - 0.5)
		}
		variance := 1 / (4 * (2*tc.a + 1))
		if d := math.Abs(sum/n-0.5) / math.Sqrt(variance/n); d > 5 {
			t.Errorf("Beta(%v, %v): mean %v", tc.a, tc.a, sum/n)
		}
		if got := squares / n; math.Abs(got/variance-1) > 0.05 {
			t.Errorf("Beta(%v, %v): variance %v, want %v", tc.a, tc.a, got, variance)
		}
		if tc.cdf == nil {
			continue
		}
		slices.Sort(v)
		for i, x := range v {
			if d := math.Abs(tc.cdf(x) - float64(i)/n); d > 2/math.Sqrt(n) { // Kolmogorov: 1e-3 of runs exceed 1.95
				t.Errorf("Beta(%v, %v): %v of all are below %v, want %v", tc.a, tc.a, float64(i)/n, x, tc.cdf(x))
				break
			}
		}
	}
}
