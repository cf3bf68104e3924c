package clip_test

import (
	"encoding/binary"
	"fmt"
	"image"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/frame"
	"github.com/pptsn/pptsn/internal/testdata"
	"github.com/pptsn/pptsn/tensor"
)

func TestScaleParity(t *testing.T) {
	var kit struct {
		Formula formula
		Cases   []struct {
			content
			SrcW  int `json:"src_w"`
			SrcH  int `json:"src_h"`
			Scale string
			Args  struct {
				ShortSize  int   `json:"short_size"`
				FixedRatio *bool `json:"fixed_ratio"`
				DoRound    bool  `json:"do_round"`
				Backend    string
			}
		}
	}
	readKit(t, "transforms/scale.json", &kit)
	for _, tc := range kit.Cases {
		t.Run(fmt.Sprintf("%dx%d %s", tc.SrcW, tc.SrcH, tc.Scale), func(t *testing.T) {
			c := load(t, &film{formula: kit.Formula, n: 1, w: tc.SrcW, h: tc.SrcH}, clip.Step{Scale: &clip.Scale{
				ShortSide:  tc.Args.ShortSize,
				FixedRatio: tc.Args.FixedRatio == nil || *tc.Args.FixedRatio,
				Round:      tc.Args.DoRound,
				Backend:    backend(t, tc.Args.Backend),
			}})
			tc.check(t, c.Picture(0))
		})
	}
}

func TestCenterCropParity(t *testing.T) {
	var kit struct {
		Formula formula
		Cases   []struct {
			content
			W, H    int
			DoRound bool `json:"do_round"`
			X1, Y1  int
		}
	}
	readKit(t, "transforms/center_crop.json", &kit)
	for _, tc := range kit.Cases {
		t.Run(fmt.Sprintf("%dx%d round %v", tc.W, tc.H, tc.DoRound), func(t *testing.T) {
			crop := clip.CenterCrop{Size: tc.OutW, Round: tc.DoRound}
			if at := crop.Box(image.Pt(tc.W, tc.H)).Min; at != image.Pt(tc.X1, tc.Y1) {
				t.Errorf("corner is %v, want %d,%d", at, tc.X1, tc.Y1)
			}
			c := load(t, &film{formula: kit.Formula, n: 1, w: tc.W, h: tc.H}, clip.Step{CenterCrop: &crop})
			tc.check(t, c.Picture(0))
		})
	}
}

func TestTenCropParity(t *testing.T) {
	var kit struct {
		Formula formula
		Cases   []struct {
			W, H, Target, Frames int
			Views                []struct {
				Index, Frame, X, Y int
				Flipped            bool
				SHA256             string
			}
		}
	}
	readKit(t, "transforms/ten_crop.json", &kit)
	for _, tc := range kit.Cases {
		t.Run(fmt.Sprintf("%dx%d", tc.W, tc.H), func(t *testing.T) {
			src := &film{formula: kit.Formula, n: tc.Frames, w: tc.W, h: tc.H}
			c := load(t, src, clip.Step{TenCrop: &clip.TenCrop{Size: tc.Target}})
			if c.Len() != len(tc.Views) {
				t.Fatalf("%d views, want %d", c.Len(), len(tc.Views))
			}
			boxes := clip.TenCrop{Size: tc.Target}.Boxes(image.Pt(tc.W, tc.H))
			for _, v := range tc.Views {
				if at := boxes[v.Index/(2*tc.Frames)].Min; at != image.Pt(v.X, v.Y) {
					t.Errorf("view %d: corner is %v, want %d,%d", v.Index, at, v.X, v.Y)
				}
				if sum(c.Picture(v.Index).Pix) != v.SHA256 {
					t.Errorf("view %d: sha256 differs", v.Index)
				}
			}
		})
	}
}

// multiScaleCrop is the step of the kit's configurations.
func multiScaleCrop(t *testing.T, config, name string, size int) clip.MultiScaleCrop {
	t.Helper()
	c := clip.MultiScaleCrop{
		Size: size, Scales: []float64{1, .875, .75, .66}, MaxDistort: 1, FixedPositions: true, Backend: backend(t, name),
	}
	switch config {
	case "pptsn":
		c.AllowDuplication, c.MorePositions = true, true
	case "tsn":
		c.AllowDuplication = true
	case "default":
		c.MorePositions = true
	case "default_nomore":
	default:
		t.Fatalf("configuration %q", config)
	}
	return c
}

func TestMultiScaleCropCandidatesParity(t *testing.T) {
	var kit struct {
		Cases []struct {
			Config       string
			W, H, Target int
			Pairs        [][2]int
			Candidates   []struct {
				CropW      int      `json:"crop_w"`
				CropH      int      `json:"crop_h"`
				PixelBoxes [][4]int `json:"pixel_boxes"`
			}
		}
	}
	readKit(t, "transforms/multi_scale_crop_candidates.json", &kit)
	for _, tc := range kit.Cases {
		t.Run(fmt.Sprintf("%s %dx%d", tc.Config, tc.W, tc.H), func(t *testing.T) {
			c, size := multiScaleCrop(t, tc.Config, "cv2", tc.Target), image.Pt(tc.W, tc.H)
			var want []image.Point
			for _, p := range tc.Pairs {
				want = append(want, image.Pt(p[0], p[1]))
			}
			if got := c.Sizes(size); !slices.Equal(got, want) {
				t.Errorf("sizes are %v, want %v", got, want)
			}
			for _, k := range tc.Candidates {
				var want []image.Rectangle
				for _, b := range k.PixelBoxes {
					want = append(want, image.Rect(b[0], b[1], b[0]+b[2], b[1]+b[3]))
				}
				if got := c.Boxes(size, image.Pt(k.CropW, k.CropH)); !slices.Equal(got, want) {
					t.Errorf("boxes of %dx%d are %v, want %v", k.CropW, k.CropH, got, want)
				}
			}
		})
	}
}

func TestMultiScaleCropForcedParity(t *testing.T) {
	var kit struct {
		Formula formula
		Cases   []struct {
			content
			Config, Backend string
			W, H            int
			Pair            int `json:"pair_index"`
			Offset          int `json:"offset_index"`
		}
	}
	readKit(t, "transforms/multi_scale_crop_forced.json", &kit)
	for _, tc := range kit.Cases {
		t.Run(fmt.Sprintf("%s %s %dx%d %d %d", tc.Config, tc.Backend, tc.W, tc.H, tc.Pair, tc.Offset), func(t *testing.T) {
			c, size := multiScaleCrop(t, tc.Config, tc.Backend, tc.OutW), image.Pt(tc.W, tc.H)
			box := c.Boxes(size, c.Sizes(size)[tc.Pair])[tc.Offset]
			tc.check(t, cutAndResize(c, kit.Formula.frame(0, tc.W, tc.H), box))
		})
	}
}

func cutAndResize(c clip.MultiScaleCrop, m *frame.RGB, box image.Rectangle) *frame.RGB {
	cut, out := frame.NewRGB(box.Dx(), box.Dy()), frame.NewRGB(c.Size, c.Size)
	frame.Crop(cut, m, box.Min.X, box.Min.Y)
	if c.Backend == clip.Pillow {
		frame.ResizePillow(out, cut)
	} else {
		frame.ResizeOpenCV(out, cut)
	}
	return out
}

// Every candidate is drawn, nothing else is, and all frames get the same.
func TestMultiScaleCropDraws(t *testing.T) {
	const w, h = 40, 31
	c := clip.MultiScaleCrop{
		Size: 24, Scales: []float64{1, .875, .75, .66}, MaxDistort: 1,
		FixedPositions: true, MorePositions: true, Backend: clip.OpenCV,
	}
	candidates := [2]map[string]image.Rectangle{{}, {}} // of frames 0 and 1, by their content
	for t := range candidates {
		for _, crop := range c.Sizes(image.Pt(w, h)) {
			for _, box := range c.Boxes(image.Pt(w, h), crop) {
				candidates[t][string(cutAndResize(c, anyFormula.frame(t, w, h), box).Pix)] = box
			}
		}
	}
	spec := clip.Spec{
		Sampling: clip.Sampling{Mode: clip.Plain, Segments: 2},
		Steps:    []clip.Step{{MultiScaleCrop: &c}, {Normalize: &imageNet}},
	}
	drawn := map[image.Rectangle]bool{}
	for seed := range uint64(1500) {
		got, err := clip.Load(t.Context(), &film{formula: anyFormula, n: 2, w: w, h: h}, spec,
			clip.Options{Rand: rand.New(rand.NewPCG(seed, 0))})
		if err != nil {
			t.Fatal(err)
		}
		a, ok := candidates[0][string(got.Picture(0).Pix)]
		b, same := candidates[1][string(got.Picture(1).Pix)]
		if !ok || !same || a != b {
			t.Fatalf("seed %d: frame 0 shows %v (%v), frame 1 %v (%v)", seed, a, ok, b, same)
		}
		drawn[a] = true
	}
	if len(drawn) != len(candidates[0]) {
		t.Errorf("%d boxes drawn, want all %d", len(drawn), len(candidates[0]))
	}
}

// Without fixed positions every offset that fits is drawn: a 3x3 box in 5x3
// pixels begins at 0, 1 or 2.
func TestMultiScaleCropAnywhere(t *testing.T) {
	c := clip.MultiScaleCrop{Size: 3, Scales: []float64{1}, Backend: clip.OpenCV}
	spec := clip.Spec{
		Sampling: clip.Sampling{Mode: clip.Plain, Segments: 1},
		Steps:    []clip.Step{{MultiScaleCrop: &c}, {Normalize: &imageNet}},
	}
	m := anyFormula.frame(0, 5, 3)
	seen := map[int]int{}
	for seed := range uint64(300) {
		got, err := clip.Load(t.Context(), &film{formula: anyFormula, n: 1, w: 5, h: 3}, spec,
			clip.Options{Rand: rand.New(rand.NewPCG(seed, 0))})
		if err != nil {
			t.Fatal(err)
		}
		for x := range 3 {
			if slices.Equal(got.Picture(0).Pix, cutAndResize(c, m, image.Rect(x, 0, x+3, 3)).Pix) {
				seen[x]++
			}
		}
	}
	if len(seen) != 3 || seen[0]+seen[1]+seen[2] != 300 || min(seen[0], seen[1], seen[2]) < 60 {
		t.Errorf("offsets drawn %v, want 0, 1 and 2 about 100 times each", seen)
	}
}

func TestRandomFlip(t *testing.T) {
	straight, mirrored := anyFormula.frame(1, 6, 4), frame.NewRGB(6, 4)
	frame.Flip(mirrored, straight)
	for _, tc := range []struct {
		probability float64
		low, high   int // flips of 400
	}{{0, 0, 0}, {1, 400, 400}, {0.25, 70, 130}} {
		spec := clip.Spec{
			Sampling: clip.Sampling{Mode: clip.Plain, Segments: 2},
			Steps:    []clip.Step{{RandomFlip: &clip.RandomFlip{Probability: tc.probability}}, {Normalize: &imageNet}},
		}
		flips := 0
		rng := rand.New(rand.NewPCG(3, 4))
		for range 400 {
			c, err := clip.Load(t.Context(), &film{formula: anyFormula, n: 2, w: 6, h: 4}, spec, clip.Options{Rand: rng})
			if err != nil {
				t.Fatal(err)
			}
			if slices.Equal(c.Picture(1).Pix, mirrored.Pix) {
				flips++
			} else if !slices.Equal(c.Picture(1).Pix, straight.Pix) {
				t.Fatal("neither straight nor mirrored")
			}
		}
		if flips < tc.low || flips > tc.high {
			t.Errorf("probability %v: %d flips of 400", tc.probability, flips)
		}
	}
}

func TestNormalizeParity(t *testing.T) {
	var kit struct {
		Formula formula
		Cases   []struct {
			W, H, Frames int
			ArraySHA256  string    `json:"array_sha256"`
			NormSHA256   string    `json:"norm_sha256"`
			First        []float32 `json:"norm_first16"`
			Last         []float32 `json:"norm_last16"`
		}
	}
	readKit(t, "transforms/flip_array_norm.json", &kit)
	for _, tc := range kit.Cases {
		t.Run(fmt.Sprintf("%dx%d", tc.W, tc.H), func(t *testing.T) {
			src := &film{formula: kit.Formula, n: tc.Frames, w: tc.W, h: tc.H}
			got := load(t, src).Views(nil, 0, tc.Frames)
			if !slices.Equal(got[:len(tc.First)], tc.First) {
				t.Errorf("begins %v, want %v", got[:len(tc.First)], tc.First)
			}
			if !slices.Equal(got[len(got)-len(tc.Last):], tc.Last) {
				t.Errorf("ends %v, want %v", got[len(got)-len(tc.Last):], tc.Last)
			}
			if sum(tensor.FromFloat32(got, len(got)).Data) != tc.NormSHA256 {
				t.Error("sha256 differs")
			}
			for i, v := range got { // undo it: bytes as floats, which is what the kit calls the array
				c := i / (tc.W * tc.H) % 3
				got[i] = float32(math.Round(float64((v*imageNet.Std[c] + imageNet.Mean[c]) * 255)))
			}
			if sum(tensor.FromFloat32(got, len(got)).Data) != tc.ArraySHA256 {
				t.Error("sha256 before normalization differs")
			}
		})
	}
}

func TestNormalizationTableParity(t *testing.T) {
	path := filepath.Join(testdata.Parity(t), "transforms", "normalization_table.npy")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	header := 10 + int(binary.LittleEndian.Uint16(b[8:]))
	if !strings.Contains(string(b[:header]), "'<f4'") || !strings.Contains(string(b[:header]), "(3, 256)") {
		t.Fatalf("%s: not float32 [3, 256]", path)
	}
	grey := frame.NewRGB(256, 1) // every byte value once, in all channels
	for i := range grey.Pix {
		grey.Pix[i] = byte(i / 3)
	}
	got := still{grey}.views(t)
	for i, v := range got {
		want := math.Float32frombits(binary.LittleEndian.Uint32(b[header+4*i:]))
		if v != want {
			t.Errorf("channel %d of byte %d is %v, want %v", i/256, i%256, v, want)
		}
	}
}
