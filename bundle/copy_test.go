package bundle_test

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/bundle"
	"github.com/pptsn/pptsn/graph"
)

// scales of values that the network computes, see tsn.Build.
var scales = graph.Scales{"backbone.conv1_1.relu": {Scale: 0.25}, "backbone.bb_0_0.conv1._batch_norm": {Scale: 0.5, Signed: true}}

// A quantised copy has the same program and weights, and scales in a format that
// older programs refuse.
func TestCopy(t *testing.T) {
	dir := t.TempDir()
	from, to := filepath.Join(dir, "m"), filepath.Join(dir, "sub", "q")
	write(t, from)
	b, err := bundle.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	m := *b.Manifest
	m.Scales = scales
	if err := b.Copy(to, m); err != nil {
		t.Fatal(err)
	}
	for _, ext := range []string{".pdmodel", ".pdiparams", ".pdiparams.info"} {
		want, err := os.ReadFile(from + ext)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(to + ext); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s differs from the model's (%v)", ext, err)
		}
	}
	q, err := bundle.Open(to)
	if err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(q.Scales(), scales) || q.Manifest.Format != 2 || b.Manifest.Format != 1 || b.Scales() != nil {
		t.Errorf("scales %v in format %d from a model of format %d", q.Scales(), q.Manifest.Format, b.Manifest.Format)
	}
}

func TestCopyOntoItself(t *testing.T) {
	prefix := filepath.Join(t.TempDir(), "m")
	write(t, prefix)
	b, err := bundle.Open(prefix)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Copy(filepath.Join(filepath.Dir(prefix), ".", "m"), *b.Manifest); err == nil || !strings.Contains(err.Error(), "not changed") {
		t.Errorf("error %v, want a refusal", err)
	}
}

// A model without the names of its parameters, as some tools leave it, can be
// copied too.
func TestCopyWithoutNames(t *testing.T) {
	dir := t.TempDir()
	prefix := filepath.Join(dir, "m")
	write(t, prefix)
	if err := os.Remove(prefix + ".pdiparams.info"); err != nil {
		t.Fatal(err)
	}
	b, err := bundle.Open(prefix)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Copy(filepath.Join(dir, "q"), *b.Manifest); err != nil {
		t.Fatal(err)
	}
	if _, err := bundle.Open(filepath.Join(dir, "q")); err != nil {
		t.Error(err)
	}
}

func TestForeignScales(t *testing.T) {
	dir := t.TempDir()
	prefix := filepath.Join(dir, "m")
	write(t, prefix)
	b, err := bundle.Open(prefix)
	if err != nil {
		t.Fatal(err)
	}
	m := *b.Manifest
	for _, tc := range []struct {
		name, value string
		scale       float32
	}{
		{"unknown", "backbone.conv9.relu", 1}, {"zero", "backbone.conv1_1.relu", 0},
	} {
		m.Scales = graph.Scales{tc.value: {Scale: tc.scale}}
		to := filepath.Join(dir, tc.name)
		if err := b.Copy(to, m); err != nil {
			t.Fatal(err)
		}
		if _, err := bundle.Open(to); err == nil || !strings.Contains(err.Error(), tc.value) || !strings.Contains(err.Error(), to) {
			t.Errorf("%s: error %v, want the value and the file named", tc.name, err)
		}
	}
}
