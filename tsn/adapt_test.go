package tsn

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/pdparams"
	"github.com/pptsn/pptsn/tensor"
)

// pictures is a file as PaddleClas writes it of a network trained on pictures, such
// as ResNet50_vd_ssld_v2_pretrained.pdparams: the names of the backbone without a
// prefix, and a classifier of its own called out.
func pictures(t *testing.T, n *Network, w graph.Weights) *pdparams.File {
	t.Helper()
	var entries []pdparams.Entry
	for _, p := range n.Params {
		if name, ok := strings.CutPrefix(p.Name, "backbone."); ok {
			entries = append(entries, pdparams.Entry{Name: name, Tensor: w[p.Name]})
		}
	}
	entries = append(entries,
		pdparams.Entry{Name: "out.weight", Tensor: tensor.New(tensor.Float32, n.Spec.FeatureChannels(), 1000)},
		pdparams.Entry{Name: "out.bias", Tensor: tensor.New(tensor.Float32, 1000)})
	var b bytes.Buffer
	if err := pdparams.Write(&b, entries, pdparams.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "ResNet18_vd_pretrained.pdparams")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := pdparams.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func TestAdaptPictures(t *testing.T) {
	net, err := Build(Spec{Family: PPTSN, Layers: 18, Classes: 10}, 1, 32, 32)
	if err != nil {
		t.Fatal(err)
	}
	theirs := net.Init(0.1, 1)
	f := pictures(t, net, theirs)
	for _, backboneOnly := range []bool{true, false} {
		ours := net.Init(0.1, 2)
		fc := ours["head.fc.weight"].Clone()
		r, err := net.Adapt(ours, f, backboneOnly)
		if err != nil {
			t.Fatal(err)
		}
		if want := []string{"out.weight [512, 1000]", "out.bias [1000]"}; !slices.Equal(r.Unused, want) || len(r.Wrong) > 0 {
			t.Errorf("not used %q, want %q; of another shape %q", r.Unused, want, r.Wrong)
		}
		if want := []string{"head.fc.weight [512, 10]", "head.fc.bias [10]"}; !backboneOnly && !slices.Equal(r.Missing, want) || backboneOnly && r.Missing != nil {
			t.Errorf("backbone only %v: missing %q, want %q", backboneOnly, r.Missing, want)
		}
		if r.Loaded != len(net.Params)-2 {
			t.Errorf("%d tensors loaded, want %d", r.Loaded, len(net.Params)-2)
		}
		for name, w := range ours {
			want := theirs[name]
			if name == "head.fc.weight" {
				want = fc
			}
			if !bytes.Equal(w.Data, want.Data) {
				t.Errorf("%s is not what it should be", name)
			}
		}
	}
}

// A program's log names each tensor that did not find its place.
func TestReportReads(t *testing.T) {
	r := Report{Loaded: 120, Missing: []string{"head.fc.bias [10]"}, Unused: []string{"out.weight [512, 1000]", "out.bias [1000]"}}
	want := `120 tensors loaded
  1 not in the file, left as they are:
    head.fc.bias [10]
  2 in the file, not used:
    out.weight [512, 1000]
    out.bias [1000]`
	if got := r.String(); got != want {
		t.Errorf("the report is\n%s\nwant\n%s", got, want)
	}
}

// The reference does not load the names of other toolkits, or those that PaddleClas
// has used since 2021.
func TestAdaptForeignNames(t *testing.T) {
	net, err := Build(Spec{Family: PPTSN, Layers: 18, Classes: 10}, 1, 32, 32)
	if err != nil {
		t.Fatal(err)
	}
	_, err = net.Adapt(net.Init(0.1, 1), memory{"stem.0.conv.weight": {32, 3, 3, 3}, "fc.weight": {512, 1000}}, true)
	if err == nil || !strings.Contains(err.Error(), "pptsn convert") {
		t.Errorf("error %v, want one that names pptsn convert", err)
	}
}
