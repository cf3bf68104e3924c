package pptsn_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/pptsn/pptsn"
	"github.com/pptsn/pptsn/bundle"
	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/internal/testdata"
	"github.com/pptsn/pptsn/pdmodel"
	"github.com/pptsn/pptsn/tsn"
)

// center is smallSpec with the centre of that many frames.
func center(segments int) clip.Spec {
	s := smallSpec
	s.Sampling.Segments = segments
	s.Steps = []clip.Step{s.Steps[0], {CenterCrop: &clip.CenterCrop{Size: 48, Round: true}}, s.Steps[2]}
	return s
}

func ten(segments int) clip.Spec {
	s := smallSpec
	s.Sampling.Segments = segments
	return s
}

// A preset gives what a model gives that was exported for its views, whatever the
// model was exported for.
func TestPresetIsExportForItsViews(t *testing.T) {
	_, net, w := smallModel(t)
	export := func(s clip.Spec) string {
		built, err := tsn.Build(net.Spec, s.Views(), 48, 48)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "m")
		if err := bundle.Write(path, bundle.Manifest{Model: "m", Network: net.Spec, Source: "test", Preprocess: s}, built, w); err != nil {
			t.Fatal(err)
		}
		return path
	}
	classify := func(path string, o pptsn.Options) *pptsn.Result {
		m, err := pptsn.Open(path, o)
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		res, err := m.ClassifySource(t.Context(), noise{90, 5})
		if err != nil {
			t.Fatal(err)
		}
		return res
	}
	from := []string{export(ten(2)), export(center(3)), export(center(1))}
	for _, tc := range []struct {
		preset pptsn.Preset
		spec   clip.Spec
	}{
		{pptsn.Fast, center(8)}, {pptsn.Balanced, center(25)}, {pptsn.Accurate, ten(25)},
	} {
		want := classify(export(tc.spec), pptsn.Options{})
		for _, path := range from {
			sameResult(t, classify(path, pptsn.Options{Preset: tc.preset}), want)
		}
	}
}

func TestPresetApply(t *testing.T) {
	rounded := center(3)
	down := rounded
	down.Steps = []clip.Step{rounded.Steps[0], {CenterCrop: &clip.CenterCrop{Size: 48}}, rounded.Steps[2]}
	got, err := pptsn.Fast.Apply(down)
	if err != nil || got.Steps[1].CenterCrop.Round || got.Sampling.Segments != 8 {
		t.Errorf("a crop that is central already was changed: %+v, %v", got, err)
	}
	before := ten(2)
	if got, err := pptsn.Balanced.Apply(before); err != nil || !reflect.DeepEqual(got, center(25)) {
		t.Errorf("%+v, %v", got, err)
	}
	if !reflect.DeepEqual(before, smallSpec) {
		t.Error("Apply changed its argument")
	}
	if _, err := pptsn.Preset("slow").Apply(before); err == nil || !strings.Contains(err.Error(), "fast, balanced or accurate") {
		t.Errorf("error %v", err)
	}
	uncut := clip.Spec{Sampling: before.Sampling, Steps: []clip.Step{before.Steps[2]}}
	if _, err := pptsn.Fast.Apply(uncut); err == nil || !strings.Contains(err.Error(), "neither") {
		t.Errorf("error %v", err)
	}
}

// PP-TSM moves features between neighbouring frames: with other frames it would
// be another network.
func TestPresetRefusesPPTSM(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(testdata.Shared(t), "data/paddle/pptsm-k400/ppTSM.pdmodel"))
	if err != nil {
		t.Fatal(err)
	}
	program, err := pdmodel.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	g, err := program.Graph()
	if err != nil {
		t.Fatal(err)
	}
	spec := center(8)
	_, err = pptsn.New(&bundle.Bundle{Path: "ppTSM.pdmodel", Graph: g}, pptsn.Options{Preprocess: &spec, Preset: pptsn.Balanced})
	if err == nil || !strings.Contains(err.Error(), "does not simply average") || !strings.Contains(err.Error(), "ppTSM.pdmodel") {
		t.Errorf("error %v", err)
	}
}
