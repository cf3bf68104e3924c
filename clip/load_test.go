package clip_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/frame"
)

func sampled(mode clip.Mode, segments int, random bool, steps ...clip.Step) clip.Spec {
	return clip.Spec{
		Sampling: clip.Sampling{Mode: mode, Segments: segments, Random: random},
		Steps:    append(steps, normalize),
	}
}

func TestLoadAsksForEachFrameOnce(t *testing.T) {
	for _, tc := range []struct {
		name    string
		spec    clip.Spec
		n       int
		indices []int
		asked   []int
	}{
		{"short clips repeat frame 0", sampled(clip.SelectLeft, 4, false), 3, []int{0, 0, 0, 0}, []int{0}},
		{"plain wraps around", sampled(clip.Plain, 5, false), 3, []int{0, 1, 2, 0, 1}, []int{0, 1, 2}},
		{"all different", sampled(clip.Linspace, 3, false), 9, []int{0, 4, 8}, []int{0, 4, 8}},
	} {
		src := &film{formula: anyFormula, n: tc.n, w: 8, h: 6}
		c, err := clip.Load(t.Context(), src, tc.spec, clip.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(c.Frames, tc.indices) || !reflect.DeepEqual(src.asked, [][]int{tc.asked}) {
			t.Errorf("%s: frames %v, asked for %v; want %v, %v", tc.name, c.Frames, src.asked, tc.indices, tc.asked)
		}
		for i, index := range c.Frames {
			if !slices.Equal(c.Picture(i).Pix, anyFormula.frame(index, 8, 6).Pix) {
				t.Errorf("%s: view %d is not frame %d", tc.name, i, index)
			}
		}
	}
}

// A shrinking film says a length and, when a frame past its end is asked for,
// finds that it is shorter.
type shrinking struct {
	film
	lengths []int // what it says after each failure
	tries   int
}

var errDamaged = errors.New("damaged")

func (s *shrinking) Frames(ctx context.Context, indices []int) ([]*frame.RGB, error) {
	s.tries++
	if len(s.lengths) > 0 {
		s.n, s.lengths = s.lengths[0], s.lengths[1:]
		return nil, errDamaged
	}
	return s.film.Frames(ctx, indices)
}

func TestLoadFollowsLength(t *testing.T) {
	for _, tc := range []struct {
		name    string
		lengths []int
		tries   int
		err     error
		indices []int
	}{
		{"shorter", []int{10}, 2, nil, []int{0, 4, 9}},
		{"twice shorter", []int{50, 10}, 3, nil, []int{0, 4, 9}},
		{"fails at the same length", []int{100}, 1, errDamaged, nil},
		{"fails again at the new length", []int{10, 10}, 2, errDamaged, nil},
		{"never stops shrinking", []int{90, 80, 70, 60, 50, 40, 30}, 4, errDamaged, nil},
		{"nothing left", []int{0}, 1, clip.ErrNoFrames, nil},
		{"nothing left: the cause is kept", []int{0}, 1, errDamaged, nil},
	} {
		src := &shrinking{film: film{formula: anyFormula, n: 100, w: 8, h: 6}, lengths: tc.lengths}
		c, err := clip.Load(t.Context(), src, sampled(clip.Linspace, 3, false), clip.Options{})
		if !errors.Is(err, tc.err) || src.tries != tc.tries {
			t.Errorf("%s: %v after %d tries, want %v after %d", tc.name, err, src.tries, tc.err, tc.tries)
		}
		if err == nil && !slices.Equal(c.Frames, tc.indices) {
			t.Errorf("%s: frames %v, want %v", tc.name, c.Frames, tc.indices)
		}
	}
}

// What is drawn depends on the true length only, not on what was believed first.
func TestLoadDrawsByTrueLength(t *testing.T) {
	spec := sampled(clip.SelectLeft, 3, true, clip.Step{RandomFlip: &clip.RandomFlip{Probability: 0.5}})
	for seed := range uint64(20) {
		var got [2]*clip.Clip
		for i, src := range []clip.Source{
			&film{formula: anyFormula, n: 30, w: 8, h: 6},
			&shrinking{film: film{formula: anyFormula, n: 100, w: 8, h: 6}, lengths: []int{60, 30}},
		} {
			var err error
			if got[i], err = clip.Load(t.Context(), src, spec, clip.Options{Rand: rand.New(rand.NewPCG(seed, 1))}); err != nil {
				t.Fatal(err)
			}
		}
		if !slices.Equal(got[0].Frames, got[1].Frames) || !slices.Equal(got[0].Views(nil, 0, 3), got[1].Views(nil, 0, 3)) {
			t.Errorf("seed %d: %v and %v", seed, got[0].Frames, got[1].Frames)
		}
	}
}

func TestLoadErrors(t *testing.T) {
	valid := sampled(clip.Linspace, 3, false)
	for _, tc := range []struct {
		name string
		src  clip.Source
		spec clip.Spec
		want string
	}{
		{"no frames", reel{}, valid, "no frames"},
		{"invalid specification", newReel(3, 8, 6), clip.Spec{}, "mode"},
		{"random without random numbers", newReel(3, 8, 6), sampled(clip.Plain, 3, true), "random numbers"},
		{"flip without random numbers", newReel(3, 8, 6),
			sampled(clip.Plain, 3, false, clip.Step{RandomFlip: &clip.RandomFlip{}}), "random numbers"},
		{"too narrow", newReel(3, 200, 300), sampled(clip.Plain, 3, false, center224),
			"center_crop: a picture of 200x300 is smaller than the crop of 224x224: put a scale step with short_side 224"},
		{"too low", newReel(3, 300, 200), sampled(clip.Plain, 3, false, tenCrop), "ten_crop: a picture of 300x200"},
		{"too long", newReel(1, 1, 4000), sampled(clip.Plain, 1, false, scale256), "256x1024000"},
		{"different sizes", append(newReel(1, 8, 6), newReel(2, 6, 8)...), valid, "frames of 8x6 and of 6x8"},
		{"too few pictures", miser{newReel(3, 8, 6)}, valid, "2 pictures for 3"},
	} {
		_, err := clip.Load(t.Context(), tc.src, tc.spec, clip.Options{})
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q", tc.name, err, tc.want)
		}
	}
}

// A miser keeps the last picture for itself.
type miser struct{ reel }

func (m miser) Frames(ctx context.Context, indices []int) ([]*frame.RGB, error) {
	return m.reel.Frames(ctx, indices[1:])
}

// A picture two pixels smaller than the crop would be cut with a black border
// by the reference.
func TestMultiScaleCropTooSmall(t *testing.T) {
	step := clip.Step{MultiScaleCrop: &clip.MultiScaleCrop{
		Size: 224, Scales: []float64{1, .875}, FixedPositions: true, Backend: clip.OpenCV}}
	for _, tc := range []struct {
		short int
		fits  bool
	}{{221, true}, {222, false}, {223, false}, {224, true}} {
		_, err := clip.Load(t.Context(), newReel(1, 300, tc.short), sampled(clip.Plain, 1, false, step),
			clip.Options{Rand: rand.New(rand.NewPCG(1, 2))})
		if fits := err == nil; fits != tc.fits {
			t.Errorf("shorter side %d: %v", tc.short, err)
		}
	}
}

func TestLoadCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	src := &shrinking{film: film{formula: anyFormula, n: 100, w: 8, h: 6}, lengths: []int{50}}
	if _, err := clip.Load(ctx, src, sampled(clip.Linspace, 3, false), clip.Options{}); err == nil || src.tries != 1 {
		t.Errorf("%v after %d tries, want an error after one", err, src.tries)
	}
	if _, err := clip.Load(ctx, newReel(3, 8, 6), sampled(clip.Linspace, 3, false), clip.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want context.Canceled", err)
	}
}

// Frames of different size are scaled and cut each by its own size, with the
// same random decisions.
func TestLoadMixedSizes(t *testing.T) {
	src := append(newReel(1, 320, 240), newReel(1, 240, 320)...)
	spec := sampled(clip.Plain, 2, false, scale256,
		clip.Step{MultiScaleCrop: &clip.MultiScaleCrop{
			Size: 224, Scales: []float64{1, .875, .75, .66}, MaxDistort: 1, FixedPositions: true, Backend: clip.OpenCV}},
		clip.Step{RandomFlip: &clip.RandomFlip{Probability: 0.5}})
	for seed := range uint64(30) {
		c, err := clip.Load(t.Context(), src, spec, clip.Options{Rand: rand.New(rand.NewPCG(seed, 0))})
		if err != nil {
			t.Fatal(err)
		}
		if h, w := c.Size(); h != 224 || w != 224 || c.Len() != 2 {
			t.Fatalf("%d views of %dx%d", c.Len(), w, h)
		}
	}
}

// A crop after a flip cuts from the flipped picture, and a ten crop of it has
// left and right exchanged.
func TestCropAfterFlip(t *testing.T) {
	flip := clip.Step{RandomFlip: &clip.RandomFlip{Probability: 1}}
	crop := clip.Step{TenCrop: &clip.TenCrop{Size: 4}}
	m := anyFormula.frame(0, 12, 8)
	mirrored := frame.NewRGB(12, 8)
	frame.Flip(mirrored, m)
	opt := clip.Options{Rand: rand.New(rand.NewPCG(0, 0))}
	got, err := clip.Load(t.Context(), reel{m}, sampled(clip.Plain, 1, false, flip, crop), opt)
	if err != nil {
		t.Fatal(err)
	}
	want, err := clip.Load(t.Context(), reel{mirrored}, sampled(clip.Plain, 1, false, crop), opt)
	if err != nil {
		t.Fatal(err)
	}
	for v := range 10 {
		if !slices.Equal(got.Picture(v).Pix, want.Picture(v).Pix) {
			t.Errorf("view %d differs", v)
		}
	}
	if !slices.Equal(got.Views(nil, 0, 10), want.Views(nil, 0, 10)) {
		t.Error("normalised views differ")
	}
}

func TestViews(t *testing.T) {
	c := load(t, &film{formula: anyFormula, n: 3, w: 9, h: 7}, clip.Step{TenCrop: &clip.TenCrop{Size: 5}})
	const n = 3 * 5 * 5
	all := c.Views(nil, 0, 30)
	if len(all) != 30*n {
		t.Fatalf("%d values for 30 views, want %d", len(all), 30*n)
	}
	dst := make([]float32, 5*n)
	dst[4*n] = 42
	part := c.Views(dst, 11, 15)
	if &part[0] != &dst[0] || len(part) != 4*n || dst[4*n] != 42 {
		t.Error("a slice that is long enough was not used, or used past its views")
	}
	if !slices.Equal(part, all[11*n:15*n]) {
		t.Error("views 11 to 14 differ from those of all views")
	}
	defer func() {
		if recover() == nil {
			t.Error("a slice that is too short did not panic")
		}
	}()
	if len(c.Views(nil, 3, 3)) != 0 {
		t.Error("no views have values")
	}
	c.Views(dst[:n-1], 0, 1)
}

func TestClipIsSafeForGoroutines(t *testing.T) {
	src := &film{formula: anyFormula, n: 5, w: 40, h: 30}
	spec := sampled(clip.Linspace, 5, false, clip.Step{TenCrop: &clip.TenCrop{Size: 24}})
	c, err := clip.Load(t.Context(), src, spec, clip.Options{Workers: 3})
	if err != nil {
		t.Fatal(err)
	}
	want := c.Views(nil, 0, c.Len())
	same := make(chan bool)
	for range 4 {
		go func() { same <- slices.Equal(c.Views(nil, 0, c.Len()), want) }()
	}
	for range 4 {
		if !<-same {
			t.Error("views differ between goroutines")
		}
	}
}
