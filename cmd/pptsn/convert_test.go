package main

import (
	"bytes"
	"encoding/json"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/atomicfile"
	"github.com/pptsn/pptsn/pdparams"
	"github.com/pptsn/pptsn/tensor"
	"github.com/pptsn/pptsn/tsn"
)

// A checkpoint goes to another toolkit's names and file and comes back the same.
func TestConvertThereAndBack(t *testing.T) {
	dir := t.TempDir()
	ours := writeCheckpoint(t, filepath.Join(dir, "best.pdparams"), tsn.Spec{Family: tsn.TSN, Layers: 18, Classes: 5})
	before, err := os.ReadFile(ours)
	if err != nil {
		t.Fatal(err)
	}
	theirs, back := filepath.Join(dir, "resnet18.pth"), filepath.Join(dir, "back.pdparams")
	code, out, errOut := command(t, "", "convert", ours, "-o", theirs, "--to", "torchvision")
	for _, want := range []string{"pptsn's names: tsn of 18 layers, 5 classes", "102 tensors, torchvision's names: backbone.conv._conv.weight is conv1.weight"} {
		if code != exitOK || !strings.Contains(out, want) {
			t.Fatalf("exit %d, output lacks %q\n%s%s", code, want, out, errOut)
		}
	}
	code, out, errOut = command(t, "", "convert", theirs, "-o", back, "--json")
	var r conversion
	if err := json.Unmarshal([]byte(out), &r); err != nil || code != exitOK {
		t.Fatalf("exit %d: %v\n%s%s", code, err, out, errOut)
	}
	if r.From != "torchvision" || r.To != "pptsn" || r.Layers != 18 || r.Classes != 5 || len(r.Tensors) != 102 || r.Tensors[0].From != "conv1.weight" {
		t.Errorf("report %+v", r)
	}
	sameTensors(t, back, ours)
	if after, err := os.ReadFile(ours); err != nil || !bytes.Equal(after, before) {
		t.Errorf("the input was changed (%v)", err)
	}
	code, out, _ = command(t, "", "inspect", theirs)
	if code != exitOK || !strings.Contains(out, "102 tensors") || !strings.Contains(out, "layer1.0.bn1.running_mean") {
		t.Errorf("inspect exits with %d\n%s", code, out)
	}
}

// sameTensors compares two checkpoints of package tsn, and their parameters' names.
func sameTensors(t *testing.T, a, b string) {
	t.Helper()
	f, err := pdparams.Open(a)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	g, err := pdparams.Open(b)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	if len(f.Names()) != len(g.Names()) {
		t.Errorf("%d tensors, want %d", len(f.Names()), len(g.Names()))
	}
	for _, name := range g.Names() {
		got, err := f.Tensor(name)
		if err != nil {
			t.Fatal(err)
		}
		want, err := g.Tensor(name)
		if err != nil || !bytes.Equal(got.Data, want.Data) {
			t.Errorf("%s came back changed (%v)", name, err)
		}
	}
	if p, ok := f.ParameterName("backbone.conv._conv.weight"); !ok || p != "conv1_weights" {
		t.Errorf("the parameter's name is %q, want conv1_weights", p)
	}
}

func TestConvertBackboneOnly(t *testing.T) {
	dir := t.TempDir()
	ours := writeCheckpoint(t, filepath.Join(dir, "best.pdparams"), tsn.Spec{Family: tsn.TSN, Layers: 18, Classes: 5})
	file := filepath.Join(dir, "features.safetensors")
	code, out, errOut := command(t, "", "convert", ours, "-o", file, "--to", "mmaction2", "--backbone-only")
	if code != exitOK || !strings.Contains(out, "no classifier") || !strings.Contains(out, "left out, as outside of the backbone: head.fc.weight, head.fc.bias") {
		t.Fatalf("exit %d\n%s%s", code, out, errOut)
	}
	code, _, errOut = command(t, "", "convert", file, "-o", filepath.Join(dir, "x.pdparams"))
	if code != exitFailed || !strings.Contains(errOut, "--backbone-only") {
		t.Errorf("without its classifier: exit %d, %s", code, errOut)
	}
	if code, _, errOut = command(t, "", "convert", file, "-o", filepath.Join(dir, "x.pdparams"), "--backbone-only"); code != exitOK {
		t.Errorf("exit %d, %s", code, errOut)
	}
}

// Numbers that no network can be meant to have are said, not changed.
func TestConvertNotFinite(t *testing.T) {
	dir := t.TempDir()
	var tensors []tensor.Named
	f, err := pdparams.Open(writeCheckpoint(t, filepath.Join(dir, "best.pdparams"), tsn.Spec{Family: tsn.TSN, Layers: 18, Classes: 1}))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, name := range f.Names() {
		d, err := f.Tensor(name)
		if err != nil {
			t.Fatal(err)
		}
		if name == "head.fc.bias" {
			d.Float32s()[0] = float32(math.NaN())
		}
		tensors = append(tensors, tensor.Named{Name: name, Tensor: d})
	}
	bad, out := filepath.Join(dir, "bad.pdparams"), filepath.Join(dir, "out.pth")
	err = atomicfile.Write(bad, func(w io.Writer) error { return pdparams.Write(w, tensors, pdparams.WriteOptions{}) })
	if err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := command(t, "", "convert", bad, "-o", out)
	if want := "pptsn: 1 tensor of " + bad + " with NaN or infinite numbers, converted as they are: head.fc.bias\n"; code != exitOK || stderr != want || !strings.Contains(stdout, ", 1 class\n") {
		t.Errorf("exit %d\n%swant %s%s", code, stderr, want, stdout)
	}
	var r conversion
	_, stdout, _ = command(t, "", "convert", bad, "-o", out, "--json")
	if err := json.Unmarshal([]byte(stdout), &r); err != nil || !slices.Equal(r.NotFinite, []string{"head.fc.bias"}) {
		t.Errorf("report %s (%v)", stdout, err)
	}
}

func TestConvertRefuses(t *testing.T) {
	dir := t.TempDir()
	ours := writeCheckpoint(t, filepath.Join(dir, "best.pdparams"), tsn.Spec{Family: tsn.PPTSN, Layers: 18, Classes: 5})
	text := writeFile(t, filepath.Join(dir, "text.pth"), "hello")
	output := filepath.Join(dir, "out.pth")
	for _, tc := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"no input", []string{"-o", output}, exitUsage, "takes one checkpoint"},
		{"two inputs", []string{ours, ours, "-o", output}, exitUsage, "got 2"},
		{"no output", []string{ours}, exitUsage, "-o OUTPUT"},
		{"an ending that says nothing", []string{ours, "-o", filepath.Join(dir, "out")}, exitUsage, "ends in .pdparams, .pth"},
		{"a toolkit that is not known", []string{ours, "-o", output, "--to", "keras"}, exitUsage, "pptsn, torchvision, timm, mmaction2"},
		{"foreign names in Paddle's file", []string{ours, "-o", filepath.Join(dir, "out.pdparams"), "--to", "timm"}, exitUsage, "not those of timm"},
		{"the input as output", []string{ours, "-o", ours}, exitUsage, "is the input"},
		{"no file", []string{filepath.Join(dir, "none.pth"), "-o", output}, exitFailed, "no such file"},
		{"no checkpoint", []string{text, "-o", output}, exitFailed, "text, not a pickle"},
		{"another family", []string{ours, "-o", output, "--to", "torchvision"}, exitFailed, "torchvision does not have a pptsn of 18 layers"},
		{"a projection that has no place", []string{ours, "-o", output, "--to", "timm"}, exitFailed, "a projection in its first block"},
		{"no folder", []string{ours, "-o", filepath.Join(dir, "none", "out.pth")}, exitFailed, "no such file"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			code, out, errOut := command(t, "", append([]string{"convert"}, tc.args...)...)
			if code != tc.code || !strings.Contains(errOut, tc.want) || out != "" {
				t.Errorf("exit %d, want %d with %q\n%s%s", code, tc.code, tc.want, out, errOut)
			}
		})
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) != 2 {
		t.Errorf("files are left: %q", left)
	}
}
