package bundle_test

import (
	"bytes"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/bundle"
	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/tensor"
	"github.com/pptsn/pptsn/tsn"
)

var spec = clip.Spec{
	Sampling: clip.Sampling{Mode: clip.SelectLeft, Segments: 3},
	Steps: []clip.Step{
		{Scale: &clip.Scale{ShortSide: 64, Backend: clip.OpenCV}},
		{CenterCrop: &clip.CenterCrop{Size: 48}},
		{Normalize: &clip.Normalize{Std: [3]float32{1, 1, 1}}},
	},
}

// write exports a random network of three classes to prefix.
func write(t *testing.T, prefix string) (*tsn.Network, graph.Weights) {
	t.Helper()
	net, err := tsn.Build(tsn.Spec{Family: tsn.PPTSN, Layers: 18, Classes: 3}, spec.Views(), 48, 48)
	if err != nil {
		t.Fatal(err)
	}
	w, rng := graph.Weights{}, rand.New(rand.NewPCG(7, 7))
	for _, p := range net.Params {
		d := tensor.New(tensor.Float32, p.Shape...)
		for i := range d.Float32s() {
			d.Float32s()[i] = 0.02 + 0.05*rng.Float32()
		}
		w[p.Name] = d
	}
	m := bundle.Manifest{Model: "m", Network: net.Spec, Source: "test", Preprocess: spec, Labels: []string{"a", "b", "c"}}
	if err := bundle.Write(prefix, m, net, w); err != nil {
		t.Fatal(err)
	}
	return net, w
}

func TestWriteOpenVerify(t *testing.T) {
	dir := t.TempDir()
	prefix := filepath.Join(dir, "sub", "m")
	net, w := write(t, prefix)
	diff, err := bundle.Verify(t.Context(), prefix, net, w)
	if err != nil || diff > 1e-5 {
		t.Errorf("difference %v, %v", diff, err)
	}
	for _, path := range append(bundle.Files(prefix), prefix, filepath.Dir(prefix)) {
		b, err := bundle.Open(path)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		if b.Classes() != 3 || b.PerView() || b.EndsWithSoftmax() || b.Manifest == nil || b.Manifest.Labels[2] != "c" {
			t.Errorf("%s: %+v", path, b.Manifest)
		}
		if err := b.Fits(b.Manifest.Preprocess); err != nil {
			t.Error(err)
		}
	}
	first := filepath.Join(dir, "sub", "m.pdiparams")
	before, _ := os.ReadFile(first)
	write(t, prefix)
	if after, _ := os.ReadFile(first); !bytes.Equal(before, after) {
		t.Error("the same model gives other bytes the second time")
	}
}

// A weight that was written wrong must not pass.
func TestVerifyFindsDamage(t *testing.T) {
	prefix := filepath.Join(t.TempDir(), "m")
	net, w := write(t, prefix)
	other := w["head.fc.weight"].Clone()
	other.Float32s()[0] += 1
	w["head.fc.weight"] = other
	if diff, err := bundle.Verify(t.Context(), prefix, net, w); err == nil {
		t.Errorf("a changed weight passed with difference %v", diff)
	}
}

func TestBadManifests(t *testing.T) {
	prefix := filepath.Join(t.TempDir(), "m")
	write(t, prefix)
	path := prefix + ".pptsn.json"
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ name, old, new, want string }{
		{"newer format", `"format": 1`, `"format": 3`, "reads up to 2"},
		{"unknown key", `"model"`, `"modell"`, "modell"},
		{"unknown step", `"center_crop"`, `"corner_crop"`, "corner_crop"},
		{"too few labels", `"a",`, ``, "2 labels for 3 classes"},
		{"of another network", `"classes": 3`, `"classes": 4`, "3 labels for 4 classes"},
		{"cut off", "", "", "unexpected end"},
		{"no JSON", "{", "<", "invalid character"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			bad := strings.Replace(string(good), tc.old, tc.new, 1)
			if tc.name == "cut off" {
				bad = string(good[:len(good)/2])
			}
			if err := os.WriteFile(path, []byte(bad), 0o644); err != nil {
				t.Fatal(err)
			}
			_, err := bundle.Open(prefix)
			if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("error %v, want %q and the file's name", err, tc.want)
			}
		})
	}
}

func TestFits(t *testing.T) {
	prefix := filepath.Join(t.TempDir(), "m")
	write(t, prefix)
	b, err := bundle.Open(prefix)
	if err != nil {
		t.Fatal(err)
	}
	more, larger, uncut := spec, spec, spec
	more.Sampling.Segments = 8
	larger.Steps = append([]clip.Step{spec.Steps[0], {CenterCrop: &clip.CenterCrop{Size: 56}}}, spec.Steps[2])
	uncut.Steps = []clip.Step{spec.Steps[0], spec.Steps[2]}
	for _, tc := range []struct {
		name string
		spec clip.Spec
		want string
	}{
		{"more segments", more, "8 views"}, {"larger crop", larger, "56x56"}, {"no crop", uncut, "no crop"},
	} {
		if err := b.Fits(tc.spec); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: error %v, want %q", tc.name, err, tc.want)
		}
	}
}

func TestOpenNothing(t *testing.T) {
	dir := t.TempDir()
	for _, path := range []string{dir, filepath.Join(dir, "m"), filepath.Join(dir, "m.pdmodel")} {
		if _, err := bundle.Open(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: error %v, want fs.ErrNotExist", path, err)
		}
	}
	write(t, filepath.Join(dir, "a"))
	write(t, filepath.Join(dir, "b"))
	if _, err := bundle.Open(dir); err == nil || !strings.Contains(err.Error(), "a.pdmodel, b.pdmodel") {
		t.Errorf("error %v, want both models named", err)
	}
}
