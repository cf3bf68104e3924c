package dataset_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/dataset"
)

// Whatever the number of workers, a pass counts each clip once, names the bad
// one, and has spent time on every stage.
func TestMeasureGoroutines(t *testing.T) {
	o := folders(t, 7)
	if err := os.Remove(filepath.Join(o.Prefix, "clip 03", pictureName(2))); err != nil {
		t.Fatal(err)
	}
	o.Spec.Sampling.Segments = pictures // so that each picture is read
	first := newLoader(t, open(t, o), dataset.LoaderOptions{Batch: 3})
	for _, workers := range []int{0, 1, 4} {
		l, err := first.WithWorkers(workers)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			p, err := l.Measure(t.Context(), 0)
			if err != nil {
				t.Fatal(err)
			}
			if p.Clips != 6 || len(p.Bad) != 1 || p.Bad[0].Sample != 3 {
				t.Errorf("%d workers: %d clips, bad %v: want 6 and sample 3", workers, p.Clips, p.Bad)
			}
			if p.Took <= 0 || p.Times.Decode <= 0 || p.Times.Transform <= 0 || p.Times.Collate <= 0 {
				t.Errorf("%d workers: times %+v in %v: want all above 0", workers, p.Times, p.Took)
			}
		}
	}
	if _, err := first.WithWorkers(-1); err == nil {
		t.Error("-1 workers are taken")
	}
}

func TestMeasureCancel(t *testing.T) {
	l := newLoader(t, open(t, folders(t, 4)), dataset.LoaderOptions{Batch: 2, Workers: 2})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.Measure(ctx, 0); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
}

func TestSpread(t *testing.T) {
	var list strings.Builder
	for i := range 10 {
		fmt.Fprintf(&list, "clip%d.mp4 %d\n", i, i)
	}
	set := open(t, options(t, false, list.String()))
	for _, tc := range []struct {
		n     int
		lines string
	}{
		{1, "[1]"},
		{3, "[1 4 7]"},
		{5, "[1 3 5 7 9]"},
		{10, "[1 2 3 4 5 6 7 8 9 10]"},
		{99, "[1 2 3 4 5 6 7 8 9 10]"},
	} {
		part, lines := set.Spread(tc.n), []int{}
		for i := range part.Len() {
			lines = append(lines, part.Sample(i).Line)
		}
		if fmt.Sprint(lines) != tc.lines {
			t.Errorf("%d of 10 clips are those of lines %v, want %s", tc.n, lines, tc.lines)
		}
	}
}
