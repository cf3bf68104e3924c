package evaluate_test

import (
	"bytes"
	"encoding/json"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/evaluate"
)

var numbers = []string{"zero", "one", "two", "three"}

func TestText(t *testing.T) {
	r := table(t, evaluate.Metric{Classes: 4, Names: numbers, Worst: 1})
	var b bytes.Buffer
	if err := r.Text(&b); err != nil {
		t.Fatal(err)
	}
	const want = `class    videos  correct  accuracy  most often taken for
0 zero        4        1   25.00 %  2 two (2)
1 one         1        1  100.00 %
2 two         2        1   50.00 %
3 three       0        0         -

worst videos: loss, probability of the true class
  9.0004   0.00012  c  is 0 zero, taken for 2 two

videos         7, of which 1 could not be read and count as wrong
top-1          42.86 %  3 of 7  95 % interval 15.82 to 74.95 %
top-5          85.71 %  6 of 7  95 % interval 48.69 to 97.43 %  (of 4 classes: always right)
mean class     58.33 %  top-1 averaged over 3 classes
mean loss       2.4840
`
	if b.String() != want {
		t.Errorf("wrote\n%s\nwant\n%s", b.String(), want)
	}
}

func TestWriteFiles(t *testing.T) {
	r := table(t, evaluate.Metric{Classes: 4, Names: numbers, Worst: 1})
	dir := filepath.Join(t.TempDir(), "new", "folder")
	written, err := r.WriteFiles(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(written) != 5 {
		t.Errorf("wrote %v", written)
	}
	read := func(name string) []byte {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	var report map[string]any
	if err := json.Unmarshal(read("report.json"), &report); err != nil || report["videos"] != 7.0 || report["failed"].([]any)[0].(map[string]any)["file"] != "f" {
		t.Errorf("report.json: %v, %v", report, err)
	}
	var matrix struct {
		Classes []string
		Counts  [][]int `json:"counts_true_by_predicted"`
	}
	if err := json.Unmarshal(read("confusion.json"), &matrix); err != nil || !slices.Equal(matrix.Classes, numbers) || !slices.EqualFunc(matrix.Counts, r.Confusion, slices.Equal) {
		t.Errorf("confusion.json: %+v, %v", matrix, err)
	}
	if want := "class,name,videos,correct,accuracy,most_often_taken_for,times\n0,zero,4,1,0.25,2 two,2\n"; !strings.HasPrefix(string(read("classes.csv")), want) {
		t.Errorf("classes.csv: %s", read("classes.csv"))
	}
	if want := "file,line,label,predicted,probability,loss\nc,3,0,2,"; !strings.HasPrefix(string(read("worst.csv")), want) {
		t.Errorf("worst.csv: %s", read("worst.csv"))
	}
	if _, err := png.Decode(bytes.NewReader(read("confusion.png"))); err != nil {
		t.Errorf("confusion.png: %v", err)
	}
}

// One class is always right and one always wrong: both colours are full and
// cover about as much (the counts are written over them).
func TestDraw(t *testing.T) {
	for _, classes := range []int{4, 41, 500} {
		tally, _ := evaluate.NewTally(evaluate.Metric{Classes: classes})
		for i, r := range []struct{ label, taken int }{{0, 0}, {1, 3}} {
			scores := make([]float32, classes)
			scores[r.taken] = 1
			if err := tally.Add(evaluate.Row{Row: i, Label: r.label, Scores: scores}); err != nil {
				t.Fatal(err)
			}
		}
		r, err := tally.Result()
		if err != nil {
			t.Fatal(err)
		}
		m, err := r.Draw()
		if err != nil {
			t.Fatal(err)
		}
		blue, red := 0, 0
		for y := range m.Bounds().Dy() {
			for x := range m.Bounds().Dx() {
				switch m.At(x, y).(color.RGBA) {
				case color.RGBA{8, 81, 156, 255}:
					blue++
				case color.RGBA{179, 21, 29, 255}:
					red++
				}
			}
		}
		if blue == 0 || red == 0 || min(blue, red) < max(blue, red)/2 {
			t.Errorf("%d classes: %d pixels say right, %d wrong: want as many", classes, blue, red)
		}
	}
}

func TestDrawTooMany(t *testing.T) {
	r := &evaluate.Result{Classes: make([]evaluate.Class, evaluate.MaxDrawn+1)}
	if _, err := r.Draw(); err == nil || !strings.Contains(err.Error(), "at most 4096") {
		t.Errorf("error %v", err)
	}
}
