package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/pptsn/pptsn/bundle"
	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/tensor"
	"github.com/pptsn/pptsn/tsn"
)

// colourModel exports a network that tells red, green and blue apart: the mean of
// each channel over four frames, times 20.
func colourModel(t *testing.T, dir string) string {
	t.Helper()
	spec := clip.Spec{
		Sampling: clip.Sampling{Mode: clip.SelectLeft, Segments: 4},
		Steps: []clip.Step{
			{Scale: &clip.Scale{ShortSide: 24, Backend: clip.OpenCV}},
			{CenterCrop: &clip.CenterCrop{Size: 16}},
			{Normalize: &clip.Normalize{Std: [3]float32{1, 1, 1}}},
		},
	}
	g := graph.New("colours")
	x := g.Input("x", graph.Unknown, 4, 3, 16, 16)
	mean := g.Must("mean", graph.Mean{Axes: []int{1, 3, 4}}, x) // [N, 3]
	g.Output(g.Must("head", graph.Linear{}, mean, g.Param("head.w", 3, 3)))
	w := graph.Weights{"head.w": tensor.FromFloat32([]float32{20, 0, 0, 0, 20, 0, 0, 0, 20}, 3, 3)}
	m := bundle.Manifest{Model: "colours", Network: tsn.Spec{Family: tsn.TSN, Layers: 50, Classes: 3}, Source: "test", Preprocess: spec, Labels: []string{"red", "green", "blue"}}
	if err := bundle.Write(filepath.Join(dir, "colours"), m, &tsn.Network{Spec: m.Network, Graph: g}, w); err != nil {
		t.Fatal(err)
	}
	return dir
}

// A joinedVideo is three clips of one colour each, with sound, joined by ffmpeg.
type joinedVideo struct {
	model, path string
	joins       []float64 // seconds
}

var joinedMade sync.Once

func makeJoined(t *testing.T) joinedVideo {
	t.Helper()
	dir, err := fixtureOnce()
	if err != nil {
		t.Fatal(err)
	}
	v := joinedVideo{filepath.Join(dir, "colours"), filepath.Join(dir, "joined.mp4"), []float64{0, 4.4, 7.8, 11.6}}
	joinedMade.Do(func() {
		colourModel(t, v.model)
		args := []string{}
		for i, colour := range []string{"0xc83030", "0x30c830", "0x3030c8"} {
			args = append(args, "-f", "lavfi", "-i", fmt.Sprintf("color=%s:s=160x120:r=25:d=%g", colour, v.joins[i+1]-v.joins[i]))
		}
		ffmpeg(t, append(args, "-f", "lavfi", "-i", "sine=d=11.6", "-filter_complex", "[0:v][1:v][2:v]concat=n=3[v]", "-map", "[v]", "-map", "3:a",
			"-c:v", "libx264", "-pix_fmt", "yuv420p", v.path)...)
	})
	if _, err := os.Stat(v.path); err != nil {
		t.Skip("the ffmpeg tool, which makes the test clips, is absent")
	}
	return v
}

func (v joinedVideo) args(more ...string) []string {
	return append([]string{"predict", "-m", v.model, "--cpu_threads", "1", v.path}, more...)
}

// check says that the segments are red, green and blue, to within a stride.
func (v joinedVideo) check(t *testing.T, what string, labels []string, times [][2]float64, stride float64) {
	t.Helper()
	if !slices.Equal(labels, []string{"red", "green", "blue"}) {
		t.Fatalf("%s: labels %v", what, labels)
	}
	for i, at := range times {
		if math.Abs(at[0]-v.joins[i]) > stride || math.Abs(at[1]-v.joins[i+1]) > stride {
			t.Errorf("%s: %s from %v to %v s, want %v to %v", what, labels[i], at[0], at[1], v.joins[i], v.joins[i+1])
		}
	}
}

var segmentRow = regexp.MustCompile(`^ +(\d+):(\d\d):(\d\d\.\d{3}) +(\d+):(\d\d):(\d\d\.\d{3})  ([01]\.\d{3})  (.*)$`)

func clockSeconds(parts []string) float64 {
	total := 0.0
	for _, p := range parts {
		f, _ := strconv.ParseFloat(p, 64)
		total = 60*total + f
	}
	return total
}

func TestWindowTableFindsTheJoins(t *testing.T) {
	v := makeJoined(t)
	for _, tc := range []struct {
		args   []string
		stride float64
	}{
		{[]string{"--window", "2s", "--stride", "1s"}, 1},
		{[]string{"--window", "1s"}, 0.5},
		{[]string{"--window", "2s", "--stride", "2s", "-b", "3"}, 2},
	} {
		code, stdout, stderr := command(t, "", v.args(tc.args...)...)
		if code != 0 {
			t.Fatalf("%v: exit code %d: %s", tc.args, code, stderr)
		}
		lines := strings.Split(strings.TrimSuffix(stdout, "\n"), "\n")
		if lines[0] != v.path || strings.Join(strings.Fields(lines[1]), " ") != "start end score label" {
			t.Errorf("%v: printed %q", tc.args, stdout)
		}
		var names []string
		var times [][2]float64
		for _, line := range lines[2:] {
			m := segmentRow.FindStringSubmatch(line)
			if m == nil {
				t.Fatalf("row %q", line)
			}
			names = append(names, m[8])
			times = append(times, [2]float64{clockSeconds(m[1:4]), clockSeconds(m[4:7])})
		}
		v.check(t, strings.Join(tc.args, " "), names, times, tc.stride)
	}
}

type windowJSON struct {
	File            string
	Window, Segment *int
	Start, End      *float64
	Top             []struct {
		Class int
		Name  string
		Score float64
	}
	Frames []int
	Class  *int
	Name   string
	Score  *float64
	Error  *struct{ Kind string }
}

func windowLines(t *testing.T, stdout string) (windows, segments []windowJSON) {
	t.Helper()
	for text := range strings.Lines(stdout) {
		var l windowJSON
		d := json.NewDecoder(strings.NewReader(text))
		d.DisallowUnknownFields()
		if err := d.Decode(&l); err != nil {
			t.Fatalf("line %q: %v", text, err)
		}
		switch {
		case l.Window != nil && len(l.Top) > 0 && l.Start != nil && l.End != nil && *l.Window == len(windows) && len(segments) == 0:
			windows = append(windows, l)
		case l.Segment != nil && l.Class != nil && l.Score != nil && l.Start != nil && l.End != nil && *l.Segment == len(segments):
			segments = append(segments, l)
		default:
			t.Fatalf("line %q", text)
		}
	}
	return windows, segments
}

// A window's scores are those of the file that ffmpeg cuts out without loss.
func TestWindowJSON(t *testing.T) {
	v := makeJoined(t)
	code, stdout, stderr := command(t, "", v.args("--window", "3s", "--stride", "1500ms", "--json", "--top_k", "3")...)
	if code != 0 {
		t.Fatal(stderr)
	}
	windows, segments := windowLines(t, stdout)
	// 11.6 s: those from 0, 1.5, ... 7.5 s are whole, that from 9 s has 2.6 s.
	if len(windows) != 7 || *windows[6].Start != 9 || *windows[6].End != 11.6 {
		t.Fatalf("windows %s", stdout)
	}
	var names []string
	var times [][2]float64
	for _, s := range segments {
		names, times = append(names, s.Name), append(times, [2]float64{*s.Start, *s.End})
	}
	v.check(t, "JSON", names, times, 1.5)
	w := windows[2] // from 3 s on: red and green
	cut := filepath.Join(t.TempDir(), "cut.mkv")
	ffmpeg(t, "-i", v.path, "-an", "-vf", "select='between(n,75,149)'", "-fps_mode", "passthrough", "-c:v", "ffv1", cut)
	code, stdout, stderr = command(t, "", "predict", "-m", v.model, "--cpu_threads", "1", "--json", "--top_k", "3", cut)
	if code != 0 {
		t.Fatal(stderr)
	}
	want := parseLines(t, stdout)[0]
	for i, c := range want.Top {
		if g := w.Top[i]; g.Class != *c.Class || g.Score != c.Score || g.Name != c.Name {
			t.Errorf("class %d: %+v, the cut-out file has %+v", i, g, c)
		}
	}
	for i, n := range want.Frames {
		if w.Frames[i] != 75+n {
			t.Errorf("frames %v, want %v from 75 on", w.Frames, want.Frames)
		}
	}
}

// Subtitles and the annotated copy, and what is left out of them.
func TestWindowFiles(t *testing.T) {
	v := makeJoined(t)
	dir := t.TempDir()
	srt, out := filepath.Join(dir, "a.srt"), filepath.Join(dir, "out.mp4")
	code, stdout, stderr := command(t, "", v.args("--window", "2s", "--stride", "1s", "--srt", srt, "--annotate", out)...)
	if code != 0 || !strings.Contains(stdout, "green") || !strings.Contains(stderr, "without sound") {
		t.Fatalf("exit code %d: %s%s", code, stdout, stderr)
	}
	text, err := os.ReadFile(srt)
	if err != nil {
		t.Fatal(err)
	}
	subtitles := regexp.MustCompile(`(?m)^(\d)\n(\d\d):(\d\d):(\d\d),(\d{3}) --> (\d\d):(\d\d):(\d\d),(\d{3})\n(\w+) [01]\.\d\d\n\n`).FindAllStringSubmatch(string(text), -1)
	var names []string
	var times [][2]float64
	for i, m := range subtitles {
		if m[1] != strconv.Itoa(i+1) {
			t.Errorf("subtitle %d has number %s", i+1, m[1])
		}
		names = append(names, m[10])
		times = append(times, [2]float64{clockSeconds([]string{m[2], m[3], m[4] + "." + m[5]}), clockSeconds([]string{m[6], m[7], m[8] + "." + m[9]})})
	}
	v.check(t, "subtitles", names, times, 1)
	code, stdout, _ = command(t, "", v.args("--window", "2s", "--stride", "1s", "--srt", "-")...)
	if code != 0 || stdout != string(text) {
		t.Errorf("exit code %d, --srt - printed %q, the file has %q", code, stdout, text)
	}
	if got, want := lengthOf(t, out), lengthOf(t, v.path); math.Abs(got[0]-want[0]) > 0.04 || got[1] != want[1] {
		t.Errorf("the copy has %v s and frames, want %v", got, want)
	}
	code, stdout, _ = command(t, "", v.args("--window", "2s", "--min_score", "1")...)
	if code != 0 || strings.Contains(stdout, "green") {
		t.Errorf("exit code %d, with a minimum of 1 it printed %q", code, stdout)
	}
}

// lengthOf is a video's duration in seconds and its number of frames by ffprobe.
func lengthOf(t *testing.T, path string) [2]float64 {
	t.Helper()
	out, err := exec.Command("ffprobe", "-v", "error", "-select_streams", "v", "-count_frames", "-show_entries", "stream=duration,nb_read_frames", "-of", "csv=p=0", path).Output()
	if err != nil {
		t.Skip("no ffprobe: ", err)
	}
	var got [2]float64
	if _, err := fmt.Sscanf(string(out), "%g,%g", &got[0], &got[1]); err != nil {
		t.Fatalf("ffprobe says %q", out)
	}
	return got
}

// Several videos: what cannot be read is reported, the rest goes on.
func TestWindowManyVideos(t *testing.T) {
	v := makeJoined(t)
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "b.mp4"), "this is no video")
	ffmpeg(t, "-f", "lavfi", "-i", "color=0x3030c8:s=160x120:r=25:d=0.2", filepath.Join(dir, "c.mp4"))
	code, stdout, stderr := command(t, "", v.args("--window", "2s", dir)...)
	if code != 1 || !strings.Contains(stderr, "b.mp4") || !strings.Contains(stderr, "2 videos classified, 1 failed") ||
		!strings.Contains(stdout, v.path+"\n") || !strings.Contains(stdout, filepath.Join(dir, "c.mp4")+"\n") {
		t.Errorf("exit code %d: %s%s", code, stdout, stderr)
	}
	code, stdout, _ = command(t, "", "predict", "-m", v.model, "--window", "2s", "--json", dir)
	lines := strings.Split(strings.TrimSpace(stdout), "\n")
	if code != 1 || len(lines) != 3 || !strings.Contains(lines[0], `"kind":"not_a_video"`) ||
		!strings.Contains(lines[1], `"window":0,"start":0,"end":0.2`) || !strings.Contains(lines[2], `"segment":0,"start":0,"end":0.2,"class":2,"name":"blue"`) {
		t.Errorf("exit code %d: %s", code, stdout)
	}
}

func TestWindowFlagsThatContradict(t *testing.T) {
	v := makeJoined(t)
	for _, tc := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"--stride", "5s"}, 2, "--window"},
		{[]string{"--annotate", "x.mp4"}, 2, "--window"},
		{[]string{"--min_score", "0.5"}, 2, "--window"},
		{[]string{"--window", "0s"}, 2, "--window 0s: want at least"},
		{[]string{"--window", "-2s"}, 2, "--window -2s: want at least"},
		{[]string{"--window", "10s", "--stride", "0s"}, 2, "--stride 0s: want at least"},
		{[]string{"--window", "10"}, 2, "10"},
		{[]string{"--window", "10s", "--min_score", "1.5"}, 2, "0 to 1"},
		{[]string{"--window", "10s", "--min_score", "NaN"}, 2, "0 to 1"},
		{[]string{"--window", "10s", "--srt", "-", "--json"}, 2, "standard output"},
		{[]string{"--window", "10s", "--annotate", "x.avi"}, 2, ".mp4"},
		{[]string{"--window", "10s", "--annotate", "x.mp4", "--srt", "x.mp4"}, 2, "same file"},
		{[]string{"--window", "10s", "--annotate", "x.mp4", v.path}, 2, "one video"},
		{[]string{"--window", "10s", "--annotate", v.path}, 2, "replaced"},
		{[]string{"--window", "10s", "--srt", v.path}, 2, "replaced"},
		{[]string{"--window", "10s", "--enable_benchmark", "True"}, 2, "whole videos"},
		{[]string{"--window", "10s", "--annotate", filepath.Join(t.TempDir(), "none", "x.mp4")}, 1, "none"},
	} {
		code, _, stderr := command(t, "", v.args(tc.args...)...)
		if code != tc.code || !strings.Contains(stderr, tc.want) {
			t.Errorf("%v: exit code %d, want %d: %q lacks %q", tc.args, code, tc.code, stderr, tc.want)
		}
	}
	code, _, stderr := command(t, "", v.args("--window", "1s", "--stride", "4s")...)
	if code != 0 || !strings.Contains(stderr, "3s between two windows are not looked at") {
		t.Errorf("gaps: exit code %d: %s", code, stderr)
	}
}

// cancelAt is a writer that ends the run when it sees a text.
type cancelAt struct {
	bytes.Buffer
	text   string
	cancel func()
}

func (c *cancelAt) Write(b []byte) (int, error) {
	if bytes.Contains(b, []byte(c.text)) {
		c.cancel()
	}
	return c.Buffer.Write(b)
}

// Ctrl-C leaves no part of a file.
func TestWindowCancelled(t *testing.T) {
	v := makeJoined(t)
	for _, at := range []string{`"window":2,`, `"segment":2,`} { // while classifying, while annotating
		dir := t.TempDir()
		ctx, cancel := context.WithCancel(t.Context())
		out := &cancelAt{text: at, cancel: cancel}
		var errs bytes.Buffer
		args := v.args("--window", "2s", "--stride", "1s", "--json", "--annotate", filepath.Join(dir, "out.mp4"))
		code := run(ctx, args, strings.NewReader(""), out, &errs)
		if code != 130 || strings.Count(errs.String(), "\n") != 1 {
			t.Errorf("%s: exit code %d, %q", at, code, errs.String())
		}
		if list, err := os.ReadDir(dir); err != nil || len(list) > 0 {
			t.Errorf("%s: it left %v, %v", at, list, err)
		}
	}
}
