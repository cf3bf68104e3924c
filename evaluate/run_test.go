package evaluate_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/dataset"
	"github.com/pptsn/pptsn/evaluate"
)

var spec = clip.Spec{
	Sampling: clip.Sampling{Mode: clip.SelectLeft, Segments: 2},
	Steps:    []clip.Step{{TenCrop: &clip.TenCrop{Size: 16}}, {Normalize: &clip.Normalize{Std: [3]float32{1, 1, 1}}}},
}

// grey makes folders of pictures, 32x24, as light as their class says: a list of
// those labels. A label below 0 stands for a damaged picture of class 0.
func grey(t *testing.T, labels ...int) *dataset.Set {
	t.Helper()
	dir := t.TempDir()
	list := ""
	for i, label := range labels {
		clipDir := filepath.Join(dir, fmt.Sprint("clip", i))
		if err := os.Mkdir(clipDir, 0o777); err != nil {
			t.Fatal(err)
		}
		m := image.NewRGBA(image.Rect(0, 0, 32, 24))
		draw.Draw(m, m.Rect, image.NewUniform(color.Gray{uint8(60 * max(label, 0))}), image.Point{}, draw.Src)
		var b bytes.Buffer
		if err := jpeg.Encode(&b, m, nil); err != nil {
			t.Fatal(err)
		}
		for n := range 3 {
			data := b.Bytes()
			if label < 0 {
				data = []byte("not a picture")
			}
			if err := os.WriteFile(filepath.Join(clipDir, fmt.Sprintf("img_%05d.jpg", n+1)), data, 0o666); err != nil {
				t.Fatal(err)
			}
		}
		list += fmt.Sprintf("clip%d 3 %d\n\n", i, max(label, 0)) // blank lines do not count
	}
	file := filepath.Join(dir, "val.list")
	if err := os.WriteFile(file, []byte(list), 0o666); err != nil {
		t.Fatal(err)
	}
	pattern, err := clip.ParsePattern("img_{:05}.jpg")
	if err != nil {
		t.Fatal(err)
	}
	set, err := dataset.Open(dataset.Options{List: file, Prefix: dir, Frames: true, Pattern: pattern, Spec: spec, Classes: 4})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// lightness is a network that tells the classes of grey apart.
func lightness(_ context.Context, clips []*clip.Clip) ([][]float32, error) {
	scores := make([][]float32, len(clips))
	for i, c := range clips {
		scores[i] = make([]float32, 4)
		scores[i][(int(c.Picture(0).Pix[0])+30)/60] = 1
	}
	return scores, nil
}

// The result, the rows and their order do not depend on workers or batches.
func TestRunConcurrent(t *testing.T) {
	set := grey(t, 0, 1, -1, 3, 2, 1, 0)
	for _, tc := range []struct{ workers, batch, batches int }{{0, 0, 7}, {3, 2, 4}, {1, 7, 1}, {2, 100, 1}} {
		var rows []evaluate.Row
		var at []evaluate.Progress
		r, err := evaluate.Run(t.Context(), set, lightness, evaluate.Options{
			Metric: evaluate.Metric{Classes: 4, Worst: 1}, Batch: tc.batch, Workers: tc.workers,
			Row:      func(r evaluate.Row) error { rows = append(rows, r); return nil },
			Progress: func(p evaluate.Progress) { at = append(at, p) },
		})
		if err != nil {
			t.Fatal(err)
		}
		if r.Videos != 7 || r.Top[0].Correct != 6 || len(r.Failed) != 1 || len(r.Worst) != 1 {
			t.Errorf("%+v: %+v, want 6 of 7 and one failed", tc, r)
		}
		if f := r.Failed[0]; f.Row != 2 || f.Line != 5 || f.File != "clip2" || !strings.Contains(f.Error, "val.list:5") {
			t.Errorf("%+v: failed %+v", tc, f)
		}
		for i, row := range rows {
			if row.Row != i || row.Line != 2*i+1 || row.File != fmt.Sprint("clip", i) || (row.Scores == nil) != (i == 2) {
				t.Errorf("%+v: row %d is %+v", tc, i, row)
			}
		}
		want := evaluate.Progress{Batch: tc.batches - 1, Rows: 7, Of: 7, Failed: 1}
		if len(at) != tc.batches || at[len(at)-1] != want {
			t.Errorf("%+v: progress %+v, want %d ending %+v", tc, at, tc.batches, want)
		}
		again, err := evaluate.Count(func(yield func(evaluate.Row, error) bool) {
			for _, r := range rows {
				if !yield(r, nil) {
					return
				}
			}
		}, evaluate.Metric{Worst: 1})
		if err != nil || !reflect.DeepEqual(again, r) {
			t.Errorf("counted again: %+v, %v, want %+v", again, err, r)
		}
	}
}

// Two clips of a video: one that fails spoils it, else the sum counts.
func TestRunMultiCrop(t *testing.T) {
	set := grey(t, 1, 1, 2, 2, 0, -1)
	calls := 0
	weak := func(_ context.Context, clips []*clip.Clip) ([][]float32, error) {
		calls++
		return [][]float32{{[]float32{0, 3, 0, 0, 0}[calls-1], 1, 1.5, 0}}, nil // the second row alone is wrong
	}
	r, err := evaluate.Run(t.Context(), set, weak, evaluate.Options{Metric: evaluate.Metric{Classes: 4, ClipsPerVideo: 2, TopK: []int{1}}})
	if err != nil {
		t.Fatal(err)
	}
	// sums: [3 2 3 0] of class 1: taken for 0; [0 2 3 0] of class 2: right; the third failed
	if r.Videos != 3 || r.Top[0].Correct != 1 || r.Confusion[1][0] != 1 || r.Confusion[2][2] != 1 || len(r.Failed) != 1 || r.Failed[0].File != "clip5" {
		t.Errorf("%+v", r)
	}
	if _, err := evaluate.Run(t.Context(), set, weak, evaluate.Options{Metric: evaluate.Metric{Classes: 4, ClipsPerVideo: 4}}); err == nil || !strings.Contains(err.Error(), "no multiple of the 4 clips") {
		t.Errorf("6 rows, 4 to a video: %v", err)
	}
}

func TestRunCancel(t *testing.T) {
	set := grey(t, 0, 1, 2, 3, 0, 1)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	rows, calls := 0, 0
	_, err := evaluate.Run(ctx, set, func(ctx context.Context, clips []*clip.Clip) ([][]float32, error) {
		if calls++; calls == 3 {
			cancel()
			return nil, ctx.Err()
		}
		return lightness(ctx, clips)
	}, evaluate.Options{Metric: evaluate.Metric{Classes: 4}, Workers: 2, Row: func(evaluate.Row) error { rows++; return nil }})
	if !errors.Is(err, context.Canceled) || rows != 2 || calls != 3 {
		t.Errorf("error %v after %d rows and %d batches", err, rows, calls)
	}
}

func TestRunErrors(t *testing.T) {
	set := grey(t, 0, 1)
	boom := errors.New("boom")
	gives := func(s ...float32) evaluate.Forward {
		return func(context.Context, []*clip.Clip) ([][]float32, error) { return [][]float32{s}, nil }
	}
	for _, tc := range []struct {
		name string
		f    evaluate.Forward
		m    evaluate.Metric
		want error
		text string
	}{
		{"forward", func(context.Context, []*clip.Clip) ([][]float32, error) { return nil, boom }, evaluate.Metric{Classes: 4}, boom, "boom"},
		{"NaN", gives(0, float32(math.NaN()), 0, 0), evaluate.Metric{Classes: 4}, evaluate.ErrNotNumbers, "clip0"},
		{"infinite", gives(0, float32(math.Inf(1)), 0, 0), evaluate.Metric{Classes: 4}, evaluate.ErrNotNumbers, "clip0"},
		{"other classes", gives(1, 2), evaluate.Metric{Classes: 4}, nil, "2 scores for 4 classes"},
		{"label", gives(1), evaluate.Metric{Classes: 1}, nil, "label 1, want 0 to 0"},
		{"no classes", lightness, evaluate.Metric{}, nil, "0 classes"},
		{"top-0", lightness, evaluate.Metric{Classes: 4, TopK: []int{0}}, nil, "top-0"},
		{"names", lightness, evaluate.Metric{Classes: 4, Names: []string{"a"}}, nil, "1 names for 4 classes"},
	} {
		_, err := evaluate.Run(t.Context(), set, tc.f, evaluate.Options{Metric: tc.m})
		if err == nil || !strings.Contains(err.Error(), tc.text) || tc.want != nil && !errors.Is(err, tc.want) {
			t.Errorf("%s: error %v, want %q", tc.name, err, tc.text)
		}
	}
}
