package clip_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/pptsn/pptsn/clip"
)

var kitModes = map[string]clip.Sampling{
	"select_left_valid": {Mode: clip.SelectLeft},
	"select_left_train": {Mode: clip.SelectLeft, Random: true},
	"linspace":          {Mode: clip.Linspace},
	"plain_valid":       {Mode: clip.Plain},
	"plain_train":       {Mode: clip.Plain, Random: true},
}

func TestSamplingParity(t *testing.T) {
	type kitCase struct {
		Mode, Format string
		NumSeg       int `json:"num_seg"`
		FramesLen    int `json:"frames_len"`
		Indices      []int
		Lo, Hi       []int
	}
	var kit struct{ Cases []kitCase }
	readKit(t, "sampler.json", &kit)
	for _, tc := range kit.Cases {
		t.Run(fmt.Sprintf("%s %s %d of %d", tc.Mode, tc.Format, tc.NumSeg, tc.FramesLen), func(t *testing.T) {
			s, ok := kitModes[tc.Mode]
			if !ok {
				t.Fatal("unknown mode")
			}
			s.Segments = tc.NumSeg
			from0 := func(indices []int) {
				if tc.Format != "frame" {
					return
				}
				for i := range indices {
					// From 1. The kit's out_of_range cases ask for files that do
					// not exist; here they wrap around as they do for videos, on
					// purpose.
					indices[i] = (indices[i] - 1) % tc.FramesLen
				}
			}
			if !s.Random {
				from0(tc.Indices)
				got, err := s.Indices(tc.FramesLen, nil)
				if err != nil || !slices.Equal(got, tc.Indices) {
					t.Errorf("%v %v, want %v", got, err, tc.Indices)
				}
				return
			}
			from0(tc.Lo)
			from0(tc.Hi)
			checkRange(t, s, tc.FramesLen, tc.Lo, tc.Hi)
		})
	}
}

// checkRange draws until every segment has shown both its ends.
func checkRange(t *testing.T, s clip.Sampling, n int, lo, hi []int) {
	t.Helper()
	rng := rand.New(rand.NewPCG(uint64(n), uint64(s.Segments)))
	lowSeen, highSeen := make([]bool, len(lo)), make([]bool, len(hi))
	for range 20000 {
		got, err := s.Indices(n, rng)
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range got {
			if v < lo[i] || v > hi[i] {
				t.Fatalf("segment %d gives %d, want %d..%d", i, v, lo[i], hi[i])
			}
			lowSeen[i] = lowSeen[i] || v == lo[i]
			highSeen[i] = highSeen[i] || v == hi[i]
		}
		if !slices.Contains(lowSeen, false) && !slices.Contains(highSeen, false) {
			return
		}
	}
	t.Errorf("some ends never came: low %v, high %v", lowSeen, highSeen)
}

// Python's float64 result differs from the exact fraction for this many of the
// lengths 26 to 5000; counted with CPython's float and fractions.Fraction.
func TestSamplingIsFloat64(t *testing.T) {
	const k = 25
	for _, tc := range []struct {
		mode     clip.Mode
		exact    func(n, x int) int
		want     int
		examples []int
	}{
		{clip.SelectLeft, func(n, x int) int { return (2*x + 1) * n / (2 * k) }, 367, []int{30, 58, 60, 62}},
		{clip.Linspace, func(n, x int) int { return x * (n - 1) / (k - 1) }, 15, []int{393, 785, 809}},
	} {
		var differ []int
		for n := 26; n <= 5000; n++ {
			got, err := clip.Sampling{Mode: tc.mode, Segments: k}.Indices(n, nil)
			if err != nil {
				t.Fatal(err)
			}
			for x := range got {
				if got[x] != tc.exact(n, x) {
					differ = append(differ, n)
					break
				}
			}
		}
		if len(differ) != tc.want || !slices.Equal(differ[:len(tc.examples)], tc.examples) {
			t.Errorf("%s: %d lengths differ, first %v; want %d, %v",
				tc.mode, len(differ), differ[:min(4, len(differ))], tc.want, tc.examples)
		}
	}
}

func TestSamplingOneSegment(t *testing.T) {
	for _, tc := range []struct {
		mode clip.Mode
		n    int
		want int
	}{
		{clip.SelectLeft, 1, 0},
		{clip.SelectLeft, 10, 5},
		{clip.Linspace, 1, 0},
		{clip.Linspace, 10, 0}, // numpy.linspace(0, 9, 1) is [0]
		{clip.Plain, 10, 4},
	} {
		got, err := clip.Sampling{Mode: tc.mode, Segments: 1}.Indices(tc.n, nil)
		if err != nil || !slices.Equal(got, []int{tc.want}) {
			t.Errorf("%s of %d frames: %v %v, want %d", tc.mode, tc.n, got, err, tc.want)
		}
	}
}

func TestSamplingErrors(t *testing.T) {
	ok := clip.Sampling{Mode: clip.SelectLeft, Segments: 3}
	for _, n := range []int{0, -1} {
		if _, err := ok.Indices(n, nil); !errors.Is(err, clip.ErrNoFrames) {
			t.Errorf("%d frames: %v, want ErrNoFrames", n, err)
		}
	}
	for _, s := range []clip.Sampling{
		{},
		{Mode: "uniform", Segments: 3},
		{Mode: clip.Plain, Segments: 0},
		{Mode: clip.Plain, Segments: 1 << 40},
		{Mode: clip.Plain, Segments: 3, Random: true}, // and no random numbers
		{Mode: clip.Linspace, Segments: 3, Random: true},
	} {
		if _, err := s.Indices(10, nil); err == nil {
			t.Errorf("%+v: no error", s)
		}
	}
}
