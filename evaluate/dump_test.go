package evaluate_test

import (
	"bytes"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"

	"github.com/pptsn/pptsn/evaluate"
)

var dumped = []evaluate.Row{
	{Row: 0, Line: 1, File: "with <space> &.avi", Label: 1, Scores: []float32{0.1, -1e-30, 3.4028235e38}},
	{Row: 1, Line: 3, File: "broken.avi", Label: 0, Error: "no video stream"},
	{Row: 2, Line: 4, File: "c.avi", Label: 2, Scores: []float32{float32(math.Nextafter32(1, 2)), 0, 16777216}},
}

func writeDump(t *testing.T, path string, rows []evaluate.Row) {
	t.Helper()
	d, err := evaluate.CreateDump(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		if err := d.Write(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Finish(); err != nil {
		t.Fatal(err)
	}
}

func TestDumpKeepsEveryBit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "scores.jsonl")
	writeDump(t, path, dumped)
	var got []evaluate.Row
	for r, err := range evaluate.ReadDumps(path) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, r)
	}
	if !reflect.DeepEqual(got, dumped) {
		t.Errorf("read %+v, want %+v", got, dumped)
	}
	text, _ := os.ReadFile(path)
	const first = `{"row":0,"line":1,"file":"with <space> &.avi","label":1,"scores":[0.1,-1e-30,3.4028235e+38]}` + "\n"
	if !strings.HasPrefix(string(text), first) {
		t.Errorf("wrote %s, want first %s", text, first)
	}
}

// Whatever stops the program, the rows so far are in FILE.partial, also while
// it runs.
func TestDumpUnfinished(t *testing.T) {
	path := filepath.Join(t.TempDir(), "scores.jsonl")
	d, err := evaluate.CreateDump(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Write(dumped[0]); err != nil {
		t.Fatal(err)
	}
	if text, _ := os.ReadFile(path + ".partial"); bytes.Count(text, []byte("\n")) != 1 {
		t.Errorf("while it runs the file holds %q, want one line", text)
	}
	left, err := d.Close()
	if err != nil || left != path+".partial" {
		t.Errorf("Close: %q, %v", left, err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("an unfinished dump has the name of a whole one")
	}
	if left, err := d.Close(); left != "" || err != nil {
		t.Errorf("second Close: %q, %v", left, err)
	}
}

func TestDumpWithoutRowsLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	d, err := evaluate.CreateDump(filepath.Join(dir, "scores.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	if left, err := d.Close(); left != "" || err != nil {
		t.Errorf("Close: %q, %v", left, err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 0 {
		t.Errorf("left %v", entries)
	}
}

func TestDumpFullDisk(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("no /dev/full here")
	}
	path := filepath.Join(t.TempDir(), "scores.jsonl")
	if err := os.Symlink("/dev/full", path+".partial"); err != nil {
		t.Skip(err)
	}
	d, err := evaluate.CreateDump(path)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := d.Write(dumped[0]); !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "scores.jsonl") {
		t.Errorf("error %v, want that of a full disk with the file's name", err)
	}
}

func TestReadDumpErrors(t *testing.T) {
	const good = `{"row":0,"line":1,"file":"a","label":0,"scores":[1,2]}` + "\n"
	for _, tc := range []struct{ name, text, want string }{
		{"other classes", good + `{"row":1,"line":2,"file":"b","label":0,"scores":[1,2,3]}`, "line 2: 3 scores, but line 1 has 2"},
		{"label", good + "\n" + `{"row":1,"line":2,"file":"b","label":2,"scores":[1,2]}`, "line 3: label 2, want 0 to 1"},
		{"no label", `{"row":1,"line":2,"file":"b","scores":[1,2]}`, "line 1: label -1"},
		{"no row", `{"line":2,"file":"b","label":0,"scores":[1,2]}`, "line 1: row -1"},
		{"no scores", `{"row":1,"line":2,"file":"b","label":0}`, "neither scores nor an error"},
		{"both", `{"row":1,"line":2,"file":"b","label":0,"scores":[1,2],"error":"x"}`, "both"},
		{"too large", `{"row":1,"line":2,"file":"b","label":0,"scores":[1,1e39]}`, "line 1"},
		{"unknown key", `{"row":1,"line":2,"file":"b","label":0,"score":[1]}`, `unknown field "score"`},
		{"two objects", strings.TrimSpace(good) + good, "more than one object"},
		{"cut off", good + good[:30], "line 2: the line is cut off"},
		{"long line", strings.Repeat(" ", 5<<20), "not a dump"},
		{"no JSON", "RIFF....AVI", "line 1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var last error
			for _, err := range evaluate.ReadDump(strings.NewReader(tc.text)) {
				last = err
			}
			if last == nil || !strings.Contains(last.Error(), tc.want) {
				t.Errorf("error %v, want %q", last, tc.want)
			}
		})
	}
}

// Two networks that are sure of different things: the mean of [0.9, 0.1] and
// [0.4, 0.6] is [0.65, 0.35].
func TestEnsemble(t *testing.T) {
	dir := t.TempDir()
	ln := func(p float64) float32 { return float32(math.Log(p)) }
	a, b := filepath.Join(dir, "a.jsonl"), filepath.Join(dir, "b.jsonl")
	writeDump(t, a, []evaluate.Row{{File: "x", Label: 0, Scores: []float32{ln(0.9) + 7, ln(0.1) + 7}}, {Row: 1, File: "y", Label: 1, Scores: []float32{0, 1}}})
	writeDump(t, b, []evaluate.Row{{File: "x", Label: 0, Scores: []float32{ln(0.4) - 3, ln(0.6) - 3}}, {Row: 1, File: "y", Label: 1, Error: "gone"}})
	var rows []evaluate.Row
	for r, err := range evaluate.ReadDumps(a, b) {
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, r)
	}
	if len(rows) != 2 {
		t.Fatalf("%d rows, want 2", len(rows))
	}
	for i, want := range []float64{0.65, 0.35} {
		if got := math.Exp(float64(rows[0].Scores[i])); math.Abs(got-want) > 1e-6 {
			t.Errorf("probability %d is %v, want %v", i, got, want)
		}
	}
	if rows[1].Error != b+": gone" || rows[1].Scores != nil {
		t.Errorf("row that one could not read: %+v", rows[1])
	}
}

func TestEnsembleOfOtherLists(t *testing.T) {
	dir := t.TempDir()
	row := evaluate.Row{File: "x", Scores: []float32{0, 1}}
	other, longer := row, row
	other.File, longer.Row = "y", 1
	a := filepath.Join(dir, "a.jsonl")
	writeDump(t, a, []evaluate.Row{row})
	for _, tc := range []struct {
		rows []evaluate.Row
		want string
	}{
		{[]evaluate.Row{other}, "row 0 is x of class 0"},
		{[]evaluate.Row{row, longer}, "a.jsonl has fewer rows than "},
		{[]evaluate.Row{{File: "x", Scores: []float32{0, 1, 2}}}, "2 classes in"},
	} {
		b := filepath.Join(dir, "b.jsonl")
		writeDump(t, b, tc.rows)
		_, err := evaluate.Count(evaluate.ReadDumps(a, b), evaluate.Metric{})
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("error %v, want %q", err, tc.want)
		}
	}
}

func FuzzReadDump(f *testing.F) {
	f.Add([]byte(`{"row":0,"line":1,"file":"a","label":0,"scores":[1,2]}` + "\n" + `{"row":1,"line":2,"file":"b","label":1,"error":"x"}`))
	f.Add([]byte(`{"row":0,"line":1,"file":"a","label":131071,"error":"x"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := evaluate.Count(evaluate.ReadDump(bytes.NewReader(data)), evaluate.Metric{Worst: 3})
		if err != nil {
			return
		}
		correct := 0
		for _, c := range r.Classes {
			correct += c.Correct
		}
		if a := r.Top[0]; a.Correct != correct || a.Low > a.Accuracy || a.High < a.Accuracy || math.IsNaN(r.MeanLoss) {
			t.Errorf("%+v with %d on the diagonal", r, correct)
		}
		if err := r.Text(io.Discard); err != nil {
			t.Error(err)
		}
	})
}
