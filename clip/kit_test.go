package clip_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/frame"
	"github.com/pptsn/pptsn/internal/testdata"
)

// A formula makes the parity kit's frames (README, section 1): the constants
// kx, ky, kc, kt, m.
type formula [5]int

var anyFormula = formula{5, 11, 37, 23, 41}

func (k formula) frame(t, w, h int) *frame.RGB {
	m := frame.NewRGB(w, h)
	for i := range m.Pix {
		x, y, c := i/3%w, i/3/w, i%3
		m.Pix[i] = byte(x*k[0] + y*k[1] + c*k[2] + t*k[3] + x*y%k[4])
	}
	return m
}

// A film is a Source of formula frames that notes what it was asked for.
type film struct {
	formula formula
	n, w, h int
	asked   [][]int
}

func (f *film) Len() int { return f.n }

func (f *film) Frames(_ context.Context, indices []int) ([]*frame.RGB, error) {
	f.asked = append(f.asked, indices)
	var out []*frame.RGB
	for _, i := range indices {
		out = append(out, f.formula.frame(i, f.w, f.h))
	}
	return out, nil
}

// A content is what the kit says about a picture.
type content struct {
	SHA256 string
	Grid   [][][3]byte // 16 x 16 pixels spread evenly
	OutW   int         `json:"out_w"`
	OutH   int         `json:"out_h"`
}

func (want content) check(t *testing.T, m *frame.RGB) {
	t.Helper()
	if m.W != want.OutW || m.H != want.OutH {
		t.Fatalf("size is %dx%d, want %dx%d", m.W, m.H, want.OutW, want.OutH)
	}
	for i := range want.Grid {
		for j, p := range want.Grid[i] {
			y, x := i*(m.H-1)/15, j*(m.W-1)/15
			if got := [3]byte(m.Pix[3*(y*m.W+x):]); got != p {
				t.Fatalf("pixel (%d, %d) is %v, want %v", x, y, got, p)
			}
		}
	}
	if sum(m.Pix) != want.SHA256 {
		t.Error("sha256 differs")
	}
}

func sum(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}

func readKit(t *testing.T, name string, into any) {
	t.Helper()
	path := filepath.Join(testdata.Parity(t), name)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// backend translates the kit's names; its default is the reference's.
func backend(t *testing.T, name string) clip.Backend {
	t.Helper()
	switch name {
	case "cv2":
		return clip.OpenCV
	case "pillow", "":
		return clip.Pillow
	}
	t.Fatalf("backend %q", name)
	return ""
}

// imageNet is what all of the reference's configurations normalise with.
var imageNet = clip.Normalize{Mean: [3]float32{0.485, 0.456, 0.406}, Std: [3]float32{0.229, 0.224, 0.225}}

// load runs steps, with a Normalize behind them, on the frames 0 to t-1.
func load(t testing.TB, src *film, steps ...clip.Step) *clip.Clip {
	t.Helper()
	spec := clip.Spec{
		Sampling: clip.Sampling{Mode: clip.Linspace, Segments: src.n},
		Steps:    append(steps, clip.Step{Normalize: &imageNet}),
	}
	c, err := clip.Load(t.Context(), src, spec, clip.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// A still is a Source of one given picture.
type still struct{ pic *frame.RGB }

func (still) Len() int { return 1 }

func (s still) Frames(context.Context, []int) ([]*frame.RGB, error) {
	return []*frame.RGB{s.pic}, nil
}

// views normalises the picture.
func (s still) views(t *testing.T) []float32 {
	t.Helper()
	spec := clip.Spec{Sampling: clip.Sampling{Mode: clip.Plain, Segments: 1}, Steps: []clip.Step{{Normalize: &imageNet}}}
	c, err := clip.Load(t.Context(), s, spec, clip.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return c.Views(nil, 0, 1)
}
