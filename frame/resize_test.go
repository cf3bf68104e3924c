package frame_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/pptsn/pptsn/frame"
)

var resizers = []struct {
	name      string
	resize    func(dst, src *frame.RGB)
	reference func(dst, src *frame.RGB)
}{
	{"opencv", frame.ResizeOpenCV, referenceOpenCV},
	{"pillow", frame.ResizePillow, referencePillow},
}

// Backends by the names the kit uses.
func backend(t *testing.T, name string) func(dst, src *frame.RGB) {
	t.Helper()
	switch name {
	case "cv2":
		return frame.ResizeOpenCV
	case "pillow":
		return frame.ResizePillow
	}
	t.Fatalf("backend %q", name)
	return nil
}

func TestResizeParity(t *testing.T) {
	var kit struct {
		Formula formula
		Cases   []struct {
			content
			SrcW  int `json:"src_w"`
			SrcH  int `json:"src_h"`
			OutW  int `json:"out_w"`
			OutH  int `json:"out_h"`
			Scale string
			Args  struct{ Backend string }
		}
	}
	dir := readKit(t, "scale.json", &kit)
	for _, tc := range kit.Cases {
		t.Run(fmt.Sprintf("%dx%d %s", tc.SrcW, tc.SrcH, tc.Scale), func(t *testing.T) {
			name := tc.Args.Backend
			if name == "" {
				name = "pillow" // the constructor's default
			}
			dst := frame.NewRGB(tc.OutW, tc.OutH)
			backend(t, name)(dst, kit.Formula.frame(0, tc.SrcW, tc.SrcH))
			tc.check(t, dir, dst)
		})
	}
}

func TestResizeAgainstReference(t *testing.T) {
	sizes := [][4]int{ // source w, h, result w, h
		{1, 1, 1, 1}, {1, 1, 7, 5}, {1, 9, 4, 3}, {9, 1, 3, 4}, {2, 2, 1, 1}, {2, 3, 5, 5},
		{64, 48, 32, 24},     // exact halving: OpenCV has a path of its own for it
		{40, 30, 40, 13},     // one direction unchanged
		{40, 30, 13, 30},     // the other
		{33, 17, 33, 17},     // both
		{200, 3, 11, 50},     // many taps across, enlarged down
		{341, 256, 224, 224}, // what crops of training go through
		{8, 8, 2048, 2}, {7, 5, 1, 1}, {500, 2, 2, 500},
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 60 {
		sizes = append(sizes, [4]int{1 + rng.IntN(90), 1 + rng.IntN(90), 1 + rng.IntN(90), 1 + rng.IntN(90)})
	}
	for _, r := range resizers {
		for _, s := range sizes {
			src := frame.NewRGB(s[0], s[1])
			for i := range src.Pix {
				src.Pix[i] = byte(rng.Uint32())
				if rng.IntN(3) == 0 { // extremes are where sums overflow
					src.Pix[i] = 255
				}
			}
			got, want := frame.NewRGB(s[2], s[3]), frame.NewRGB(s[2], s[3])
			r.resize(got, src)
			r.reference(want, src)
			if !bytes.Equal(got.Pix, want.Pix) {
				t.Errorf("%s %dx%d to %dx%d differs from the reference", r.name, s[0], s[1], s[2], s[3])
			}
		}
	}
}

func TestResizeKeepsWhite(t *testing.T) {
	for _, r := range resizers {
		src, dst := frame.NewRGB(37, 53), frame.NewRGB(101, 11)
		for i := range src.Pix {
			src.Pix[i] = 255
		}
		r.resize(dst, src)
		if bytes.Count(dst.Pix, []byte{255}) != len(dst.Pix) {
			t.Errorf("%s: white did not stay white", r.name)
		}
	}
}

func BenchmarkResize(b *testing.B) {
	for _, r := range resizers {
		for _, s := range [][4]int{{320, 240, 341, 256}, {640, 360, 455, 256}, {1920, 1080, 455, 256}, {256, 192, 224, 224}} {
			b.Run(fmt.Sprintf("%s/%dx%d-%dx%d", r.name, s[0], s[1], s[2], s[3]), func(b *testing.B) {
				src, dst := frame.NewRGB(s[0], s[1]), frame.NewRGB(s[2], s[3])
				b.ReportAllocs()
				for b.Loop() {
					r.resize(dst, src)
				}
			})
		}
	}
}
