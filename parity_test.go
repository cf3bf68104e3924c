package pptsn_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/config"
	"github.com/pptsn/pptsn/frame"
	"github.com/pptsn/pptsn/internal/parity"
	"github.com/pptsn/pptsn/onednn"
	"github.com/pptsn/pptsn/tsn"
)

// The reference's logits through oneDNN.
func TestOneDNNParity(t *testing.T) {
	kit := parity.Open(t)
	for _, c := range kit.NetCases(t) {
		t.Run(c.Spec.Name, func(t *testing.T) {
			g, w := c.Build(t, kit)
			e, err := onednn.Compile(g, w, onednn.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close()
			out, err := e.Run(t.Context(), c.Input(t, kit))
			if err != nil {
				t.Fatal(err)
			}
			if e := parity.CompareLogits(out[0], c.EvalLogits); e > parity.LogitTolerance {
				t.Errorf("logits: relative error %.2g, tolerance %.2g", e, parity.LogitTolerance)
			}
		})
	}
}

// The reference's pipelines from frames to logits: configuration, sampling,
// transforms, network.
func TestTenCropParity(t *testing.T) {
	kit := parity.Open(t)
	var file struct {
		Cases []struct {
			Clip     string
			Frames   int
			W, H     int
			Pipeline string
			Net      *struct {
				Kind    tsn.Family
				Layers  int
				Classes int `json:"num_classes"`
				Views   int `json:"num_seg_seen"`
				Logits  [][]float64
			}
		}
	}
	kit.Read(t, "tencrop/pipelines.json", &file)
	for _, c := range file.Cases {
		if c.Net == nil {
			continue // package clip compares its views
		}
		t.Run(c.Clip+" "+c.Pipeline, func(t *testing.T) {
			spec := pipeline(t, c.Pipeline)
			h, w := spec.Size()
			if spec.Views() != c.Net.Views {
				t.Fatalf("%d views, want %d", spec.Views(), c.Net.Views)
			}
			net, err := tsn.Build(tsn.Spec{Family: c.Net.Kind, Layers: c.Net.Layers, Classes: c.Net.Classes}, c.Net.Views, h, w)
			if err != nil {
				t.Fatal(err)
			}
			e, err := onednn.Compile(net.Graph, kit.Weights(net), onednn.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close()
			loaded, err := clip.Load(t.Context(), synthetic{kit, c.Frames, c.W, c.H}, spec, clip.Options{})
			if err != nil {
				t.Fatal(err)
			}
			out, err := e.RunRows(t.Context(), []int{1, loaded.Len(), 3, h, w}, func(dst []float32, from, to int) error {
				loaded.Views(dst, from, to)
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if e := parity.CompareLogits(out[0], c.Net.Logits); e > parity.LogitTolerance {
				t.Errorf("logits: relative error %.2g, tolerance %.2g", e, parity.LogitTolerance)
			}
		})
	}
}

// pipeline is the kit's pipeline as our own configuration files define it.
func pipeline(t *testing.T, name string) clip.Spec {
	t.Helper()
	if name == "tsn_dali_test" { // we have no file of it
		return clip.Spec{Sampling: clip.Sampling{Mode: clip.Plain, Segments: 25}, Steps: []clip.Step{
			{Scale: &clip.Scale{ShortSide: 256, FixedRatio: true, Backend: clip.Pillow}},
			{CenterCrop: &clip.CenterCrop{Size: 224, Round: true}},
			{Normalize: &clip.Normalize{Mean: [3]float32{0.485, 0.456, 0.406}, Std: [3]float32{0.229, 0.224, 0.225}}},
		}}
	}
	for _, p := range []struct {
		name, file string
		use        config.Use // "": INFERENCE
	}{
		{"pptsn_frames_test", "pptsn/pptsn_k400_frames.yaml", config.Test},
		{"pptsn_videos_test", "pptsn/pptsn_k400_videos.yaml", config.Test},
		{"pptsn_infer_helper", "pptsn/pptsn_k400_videos.yaml", ""},
		{"pptsn_valid", "pptsn/pptsn_k400_videos.yaml", config.Valid},
		{"tsn_test", "tsn/tsn_k400_videos.yaml", config.Test},
	} {
		if p.name != name {
			continue
		}
		cfg, err := config.Load("configs/recognition/"+p.file, nil)
		if err != nil {
			t.Fatal(err)
		}
		if p.use != "" {
			spec, err := cfg.Clip(p.use)
			if err != nil {
				t.Fatal(err)
			}
			return spec
		}
		inference, err := cfg.Inference()
		if err != nil {
			t.Fatal(err)
		}
		return inference.Clip
	}
	t.Fatalf("pipeline %q is unknown", name)
	return clip.Spec{}
}

// synthetic is a clip of the kit's frames.
type synthetic struct {
	kit     *parity.Kit
	n, w, h int
}

func (s synthetic) Len() int { return s.n }

func (s synthetic) Frames(_ context.Context, indices []int) ([]*frame.RGB, error) {
	frames := make([]*frame.RGB, len(indices))
	for i, n := range indices {
		if n < 0 || n >= s.n {
			return nil, fmt.Errorf("frame %d of %d", n, s.n)
		}
		frames[i] = s.kit.Frame(s.w, s.h, n)
	}
	return frames, nil
}
