package dataset_test

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/dataset"
)

// spec leaves much to chance: frames, crops, mirroring.
var spec = clip.Spec{
	Sampling: clip.Sampling{Mode: clip.SelectLeft, Segments: 2, Random: true},
	Steps: []clip.Step{
		{Scale: &clip.Scale{ShortSide: 24, Backend: clip.OpenCV}},
		{MultiScaleCrop: &clip.MultiScaleCrop{Size: 16, Scales: []float64{1, 0.75}, MaxDistort: 1, Backend: clip.OpenCV}},
		{RandomFlip: &clip.RandomFlip{Probability: 0.5}},
		{Normalize: &clip.Normalize{Mean: [3]float32{0.5, 0.4, 0.3}, Std: [3]float32{0.2, 0.2, 0.3}}},
	},
}

// options describes a list of the given text.
func options(t testing.TB, frames bool, text string) dataset.Options {
	t.Helper()
	list := filepath.Join(t.TempDir(), "train.list")
	if err := os.WriteFile(list, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	o := dataset.Options{List: list, Frames: frames, Spec: spec}
	if frames {
		var err error
		if o.Pattern, err = clip.ParsePattern("img_{:05}.jpg"); err != nil {
			t.Fatal(err)
		}
	}
	return o
}

const pictures = 6 // in each folder

// folders makes n folders of pictures. Each has its own label: its number.
func folders(t testing.TB, n int) dataset.Options {
	t.Helper()
	dir := t.TempDir()
	var list strings.Builder
	for i := range n {
		name := fmt.Sprintf("clip %02d", i)
		if err := os.Mkdir(filepath.Join(dir, name), 0o777); err != nil {
			t.Fatal(err)
		}
		for p := range pictures {
			path := filepath.Join(dir, name, pictureName(p))
			if err := os.WriteFile(path, picture(t, i, p), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		fmt.Fprintf(&list, "%s %d %d\n", name, pictures, i)
	}
	o := options(t, true, list.String())
	o.Prefix = dir
	return o
}

func pictureName(p int) string { return fmt.Sprintf("img_%05d.jpg", p+1) }

func sampleRand(sample int) *rand.Rand { return dataset.SampleRand(1, 0, sample) }

func picture(t testing.TB, clip, n int) []byte {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, 40, 30))
	for y := range 30 {
		for x := range 40 {
			m.Set(x, y, color.RGBA{byte(37*clip + 5*x), byte(41*n + 3*y), byte(11*clip + 7*n + x + y), 255})
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func open(t testing.TB, o dataset.Options) *dataset.Set {
	t.Helper()
	set, err := dataset.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func newLoader(t testing.TB, s *dataset.Set, o dataset.LoaderOptions) *dataset.Loader {
	t.Helper()
	l, err := dataset.NewLoader(s, o)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// epoch is a copy of all batches from one on.
func epoch(t testing.TB, l *dataset.Loader, epoch, from int) []dataset.Batch {
	t.Helper()
	var all []dataset.Batch
	for b, err := range l.Epoch(t.Context(), epoch, from) {
		if err != nil {
			t.Fatal(err)
		}
		kept := dataset.Batch{Index: b.Index, Samples: b.Samples, Labels: b.Labels, Mixed: b.Mixed, Partners: b.Partners, Lambda: b.Lambda, Bad: b.Bad}
		if b.Views != nil {
			kept.Views = b.Views.Clone()
		}
		b.Release()
		all = append(all, kept)
	}
	return all
}
