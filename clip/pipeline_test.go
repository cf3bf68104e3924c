package clip_test

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"testing"

	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/tensor"
)

// A pipelineCase is one of the kit's tencrop/pipelines.json: a configuration
// file's whole preprocessing, run on a synthetic clip.
type pipelineCase struct {
	Clip, Pipeline string
	Frames, W, H   int
	Shape          [4]int
	Sampler        struct {
		NumSeg     int  `json:"num_seg"`
		SelectLeft bool `json:"select_left"`
		Linspace   bool `json:"linspace_sample"`
	}
	Indices   []int                     `json:"frame_indices"`
	SHA256    string                    `json:"sha256_all"`
	ViewSHA   []string                  `json:"view_sha256"`
	Grid      []int                     `json:"grid_positions"`
	ViewGrids map[string][3][][]float32 `json:"view_grids"`
}

func (tc pipelineCase) spec(t *testing.T, norm clip.Normalize) clip.Spec {
	t.Helper()
	steps := map[string][2]clip.Step{
		"pptsn_frames_test": {
			{Scale: &clip.Scale{ShortSide: 256, Round: true, Backend: clip.OpenCV}}, {TenCrop: &clip.TenCrop{Size: 224}}},
		"pptsn_videos_test": {
			{Scale: &clip.Scale{ShortSide: 256, Backend: clip.OpenCV}}, {TenCrop: &clip.TenCrop{Size: 224}}},
		"pptsn_infer_helper": {
			{Scale: &clip.Scale{ShortSide: 256, FixedRatio: true, Backend: clip.OpenCV}}, {TenCrop: &clip.TenCrop{Size: 224}}},
		"pptsn_valid": {
			{Scale: &clip.Scale{ShortSide: 256, Round: true, Backend: clip.OpenCV}}, {CenterCrop: &clip.CenterCrop{Size: 224}}},
		"tsn_test": {
			{Scale: &clip.Scale{ShortSide: 256, Round: true, Backend: clip.OpenCV}}, {TenCrop: &clip.TenCrop{Size: 224}}},
		"tsn_dali_test": {
			{Scale: &clip.Scale{ShortSide: 256, FixedRatio: true, Backend: clip.Pillow}}, {CenterCrop: &clip.CenterCrop{Size: 224, Round: true}}},
	}
	two, ok := steps[tc.Pipeline]
	if !ok {
		t.Fatalf("pipeline %q", tc.Pipeline)
	}
	s := clip.Spec{
		Sampling: clip.Sampling{Mode: clip.Plain, Segments: tc.Sampler.NumSeg},
		Steps:    []clip.Step{two[0], two[1], {Normalize: &norm}},
	}
	switch {
	case tc.Sampler.Linspace:
		s.Sampling.Mode = clip.Linspace
	case tc.Sampler.SelectLeft:
		s.Sampling.Mode = clip.SelectLeft
	}
	return s
}

func TestPipelineParity(t *testing.T) {
	var kit struct {
		Formula   formula
		Mean, Std [3]float32
		Cases     []pipelineCase
	}
	readKit(t, "tencrop/pipelines.json", &kit)
	norm := clip.Normalize{Mean: kit.Mean, Std: kit.Std}
	for i, tc := range kit.Cases {
		t.Run(tc.Clip+" "+tc.Pipeline, func(t *testing.T) {
			spec := tc.spec(t, norm)
			if h, w := spec.Size(); spec.Views() != tc.Shape[0] || h != tc.Shape[2] || w != tc.Shape[3] {
				t.Errorf("specification promises %d views of %dx%d, want %v", spec.Views(), h, w, tc.Shape)
			}
			src := &film{formula: kit.Formula, n: tc.Frames, w: tc.W, h: tc.H}
			c, err := clip.Load(t.Context(), src, spec, clip.Options{Workers: i % 3}) // the same result
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(c.Frames, tc.Indices) {
				t.Errorf("frames are %v, want %v", c.Frames, tc.Indices)
			}
			if h, w := c.Size(); [4]int{c.Len(), 3, h, w} != tc.Shape {
				t.Fatalf("shape is %v, want %v", [4]int{c.Len(), 3, h, w}, tc.Shape)
			}
			tc.checkViews(t, c)
		})
	}
}

// checkViews goes through the views a few at a time, as a network would.
func (tc pipelineCase) checkViews(t *testing.T, c *clip.Clip) {
	t.Helper()
	const chunk = 7
	all := sha256.New()
	h, w := c.Size()
	n := 3 * h * w
	buf := make([]float32, chunk*n)
	for from := 0; from < c.Len(); from += chunk {
		to := min(from+chunk, c.Len())
		c.Views(buf, from, to)
		for v := from; v < to; v++ {
			view := buf[(v-from)*n:][:n]
			b := tensor.FromFloat32(view, n).Data
			all.Write(b)
			if sum(b) != tc.ViewSHA[v] {
				t.Errorf("view %d: sha256 differs", v)
			}
			tc.checkGrid(t, v, view)
		}
	}
	if hex.EncodeToString(all.Sum(nil)) != tc.SHA256 {
		t.Error("sha256 of all views differs")
	}
}

func (tc pipelineCase) checkGrid(t *testing.T, v int, view []float32) {
	t.Helper()
	h, w := tc.Shape[2], tc.Shape[3]
	for c, rows := range tc.ViewGrids[strconv.Itoa(v)] {
		for i, row := range rows {
			for j, want := range row {
				if got := view[(c*h+tc.Grid[i])*w+tc.Grid[j]]; got != want {
					t.Fatalf("view %d channel %d (%d, %d) is %v, want %v", v, c, tc.Grid[j], tc.Grid[i], got, want)
				}
			}
		}
	}
}
