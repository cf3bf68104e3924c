package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pptsn/pptsn/dataset"
)

// benchRow has what the rows of bench data --json hold.
type benchRow struct {
	Row     string
	Variant string
	Workers *int
	Clips   int
	Of      int `json:"clips_of_list"`
	Bad     int
	Turns   int
	Files   int
	Bytes   int64
	Cold    bool
	Limit   string
	Stages  []struct {
		Stage string
		Ms    float64 `json:"ms_per_clip"`
		Share float64
	}
	Ratio *spread         `json:"clips_per_second_ratio"`
	Rate  json.RawMessage `json:"clips_per_second"` // a spread, or what is needed
}

func benchRows(t *testing.T, stdout string) (rows []benchRow) {
	t.Helper()
	for line := range strings.Lines(stdout) {
		var r benchRow
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		rows = append(rows, r)
	}
	return rows
}

func sizes(t *testing.T, dir string, names ...string) (sum int64) {
	t.Helper()
	for _, name := range names {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		sum += info.Size()
	}
	return sum
}

// There is a row for each variant and number of workers, and what can be
// counted is exact.
func TestBenchDataJSON(t *testing.T) {
	f := makeBrowseFixture(t)
	writeFile(t, filepath.Join(f.dir, "two.list"), "clip 1.mp4 1\nclip 4.mp4 0\n")
	code, stdout, stderr := command(t, "", "bench", "data", "-c", f.config, "--workers", "2,0,1", "--clips", "3", "--repeat", "2", "--json", "--cold",
		"--need", "0.001", "--against", "DATASET.train.file_path="+filepath.Join(f.dir, "two.list"))
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	rows := benchRows(t, stdout)
	var shape []string
	for _, r := range rows {
		text := r.Row + " " + r.Variant
		if r.Workers != nil {
			text += fmt.Sprintf(" %d", *r.Workers)
		}
		shape = append(shape, text)
	}
	want := []string{
		"files as configured", "rate as configured 0", "rate as configured 1", "rate as configured 2", "need as configured 0",
		"files against", "rate against 0", "rate against 1", "rate against 2", "need against 0",
		"ratio  0", "ratio  1", "ratio  2",
	}
	if !slices.Equal(shape, want) {
		t.Fatalf("rows %q, want %q", shape, want)
	}
	if r := rows[0]; r.Clips != 3 || r.Of != 5 || r.Files != 3 || r.Bytes != sizes(t, f.dir, "clip 0.mp4", "clip 1.mp4", "clip 3.mp4") {
		t.Errorf("files %+v", r)
	}
	if r := rows[5]; r.Clips != 2 || r.Of != 2 || r.Files != 2 || r.Bytes != sizes(t, f.dir, "clip 1.mp4", "clip 4.mp4") {
		t.Errorf("files against %+v", r)
	}
	for i, r := range rows {
		if r.Row == "rate" {
			checkRate(t, r, 3-i/5)
		}
	}
}

// checkRate holds one row against itself.
func checkRate(t *testing.T, r benchRow, clips int) {
	t.Helper()
	if r.Clips != clips || r.Turns != 2 || r.Bad != 0 || !r.Cold {
		t.Errorf("%s, %d workers: %d clips, %d bad, %d turns, cold %v: want %d, 0, 2, true", r.Variant, *r.Workers, r.Clips, r.Bad, r.Turns, r.Cold, clips)
	}
	var rate spread
	if err := json.Unmarshal(r.Rate, &rate); err != nil || !(rate.Low > 0 && rate.Low <= rate.Median && rate.Median <= rate.High) {
		t.Errorf("rates %s", r.Rate)
	}
	sum, most, limit := 0.0, 0.0, ""
	for _, s := range r.Stages {
		sum += s.Share
		if s.Ms > most {
			most, limit = s.Ms, s.Stage
		}
	}
	if len(r.Stages) != 3 || math.Abs(sum-1) > 1e-9 || r.Limit != limit {
		t.Errorf("stages %+v, limit %s", r.Stages, r.Limit)
	}
}

// The table names all that the rows do; a bad clip is named once and makes the
// exit code 1.
func TestBenchDataText(t *testing.T) {
	f := makeBrowseFixture(t)
	code, stdout, stderr := command(t, "", "bench", "data", "-c", f.config, "--use", "test", "--workers", "0,1", "--repeat", "1", "--need", "1e9")
	if code != 1 || strings.Count(stderr, "val.list:2: ") != 1 || !strings.Contains(stderr, "they could not be read: 1 clip\n") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	for _, want := range []string{"PIPELINE.test, files in the system's cache, 1 turn each", "2 of 2 clips of ", "workers  clips/s", "limits (", "1e+09 clips/s: no number of workers"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("the table lacks %q:\n%s", want, stdout)
		}
	}
}

// Figures of turns that are made up.
func TestBenchFigures(t *testing.T) {
	for _, tc := range []struct {
		values []float64
		want   spread
	}{
		{[]float64{3}, spread{3, 3, 3}},
		{[]float64{9, 1, 2}, spread{2, 1, 9}},
		{[]float64{4, 1, 2, 9}, spread{3, 1, 9}},
	} {
		if got := spreadOf(tc.values); got != tc.want {
			t.Errorf("%v: %v, want %v", tc.values, got, tc.want)
		}
	}
	pass := func(clips int, took, decode, transform, collate float64) dataset.Pass {
		return dataset.Pass{Clips: clips, Took: seconds(took), Times: dataset.Times{Decode: seconds(decode), Transform: seconds(transform), Collate: seconds(collate)}}
	}
	b := &dataBench{benchDataOptions: benchDataOptions{workers: []int{1, 2}, need: 30}}
	b.variants = []*benchVariant{
		{series: []*benchSeries{
			{workers: 1, passes: []dataset.Pass{pass(10, 1, 0.6, 0.2, 0.2), pass(10, 0.5, 0.3, 0.1, 0.1)}},
			{workers: 2, passes: []dataset.Pass{pass(20, 0.5, 0.8, 0.1, 0.1), pass(20, 0.5, 0.8, 0.1, 0.1)}},
		}},
		{series: []*benchSeries{
			{passes: []dataset.Pass{pass(10, 0.5, 0, 1, 0), pass(10, 0.125, 0, 1, 0)}},
			{passes: []dataset.Pass{pass(20, 1, 0, 1, 0), pass(20, 1, 0, 1, 0)}},
		}},
	}
	rates := b.rateRows(b.variants[0])
	if got, want := rates[0].Rate, (spread{15, 10, 20}); got != want {
		t.Errorf("clips/s %v, want %v", got, want)
	}
	if got := rates[0].PerClip[0]; math.Abs(got.Ms-45) > 1e-9 || math.Abs(got.Share-0.6) > 1e-9 || rates[0].Limit != "decode" {
		t.Errorf("decode %+v, limit %s: want 45 ms, 60 %% and decode", got, rates[0].Limit)
	}
	if got, want := b.ratioRow(0).Ratio, (spread{3, 2, 4}); got != want {
		t.Errorf("ratio %v, want %v", got, want)
	}
	if row := b.needRow(b.variants[0], rates); row.Workers == nil || *row.Workers != 2 || row.Cores != 3 {
		t.Errorf("30 clips/s: %+v: want 2 workers, 3 cores", row) // 75 ms a clip on one worker
	}
	b.need = 50
	if row := b.needRow(b.variants[0], rates); row.Workers != nil || row.Cores != 4 {
		t.Errorf("50 clips/s: %+v: want none that was measured, 4 cores", row)
	}
	for frames, want := range map[bool]string{false: "decode limits (60 %): where videos are large or have few key frames", true: "decode limits (60 %): where pictures are larger"} {
		if got := (&benchVariant{frames: frames}).limits(rates[0], 2); !strings.Contains(got, want) {
			t.Errorf("advice %q, want %q", got, want)
		}
	}
	if got := fastest(rates).Workers; got != 2 {
		t.Errorf("fastest with %d workers, want 2", got)
	}
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// A measurement of hours ends at once.
func TestBenchDataCancelled(t *testing.T) {
	f := makeBrowseFixture(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	time.AfterFunc(100*time.Millisecond, cancel)
	var stderr bytes.Buffer
	code := run(ctx, []string{"bench", "data", "-c", f.config, "--repeat", "1000000"}, strings.NewReader(""), &bytes.Buffer{}, &stderr)
	if code != exitSignal {
		t.Errorf("exit code %d, want %d: %s", code, exitSignal, stderr.String())
	}
}

func TestBenchDataBadInput(t *testing.T) {
	f := makeBrowseFixture(t)
	writeFile(t, filepath.Join(f.dir, "bad.list"), "bad<b>.mp4 0\nbad<b>.mp4 1\n")
	for _, tc := range []struct {
		args []string
		code int
		want string
	}{
		{nil, 2, "-c CONFIG"},
		{[]string{"-c", f.config, "--use", "inference"}, 2, "want train, valid or test"},
		{[]string{"-c", f.config, "--workers", "-1"}, 2, "--workers"},
		{[]string{"-c", f.config, "--repeat", "0"}, 2, "begin at 1"},
		{[]string{"-c", f.config, "--need", "-1"}, 2, "--need"},
		{[]string{"-c", f.config, "--need", "Inf"}, 2, "--need"},
		{[]string{"-c", f.config, "--against", "DATASET.train.nonsense=1"}, 1, "nonsense"},
		{[]string{"-c", f.config, "-o", "DATASET.train.file_path=" + filepath.Join(f.dir, "bad.list")}, 1, "none of 2 clips"},
	} {
		code, _, stderr := command(t, "", append([]string{"bench", "data"}, tc.args...)...)
		if code != tc.code || !strings.Contains(stderr, tc.want) {
			t.Errorf("%q: exit code %d, %q: want %d and %q", tc.args, code, stderr, tc.code, tc.want)
		}
	}
}

// A cache that cannot be written is said once and stops nothing.
func TestUnwritableCache(t *testing.T) {
	f := makeBrowseFixture(t)
	t.Setenv("PPTSN_CACHE", writeFile(t, filepath.Join(t.TempDir(), "file"), ""))
	for _, args := range [][]string{
		{"bench", "data", "-c", f.config, "--clips", "1", "--repeat", "1", "--workers", "0", "--against", "DATASET.train.test_mode=False"},
		{"browse", "-c", f.config, "--samples", "1", "--output", filepath.Join(t.TempDir(), "x.html")},
	} {
		code, _, stderr := command(t, "", args...)
		if code != 0 || strings.Count(stderr, "pptsn: nothing can be remembered about videos in ") != 1 {
			t.Errorf("%q: exit code %d: %s", args, code, stderr)
		}
	}
}
