package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/engine"
	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/onednn"
	"github.com/pptsn/pptsn/peak"
)

// handSeries is a network of 2 GFLOP a view, 3 views a video, in three turns.
func handSeries() []*networkSeries {
	place := func(k engine.Kind) benchPlace { return benchPlace{options: engine.Options{Kind: k}, device: "cpu"} }
	return []*networkSeries{
		{
			engine: &benchEngine{place: place(engine.OneDNN), precision: graph.BF16}, clips: make([]*clip.Clip, 2), threads: 4,
			instruction: peak.Instruction{Name: "vdpbf16ps zmm"},
			seconds:     []float64{0.12, 0.06, 0.24}, // of 6 views
			peaks:       []float64{2e11, 4e11, 1e11}, // the clock moved
		},
		{
			engine: &benchEngine{place: place(engine.ORT), precision: graph.FP32}, clips: make([]*clip.Clip, 2), threads: 4,
			seconds: []float64{0.24, 0.24, 0.24},
		},
		{
			engine: &benchEngine{place: place(engine.ORT), precision: graph.FP32}, clips: make([]*clip.Clip, 1),
			seconds: []float64{0.3, 0.3, 0.3},
		},
	}
}

func TestNetworkRows(t *testing.T) {
	var got []string
	for _, s := range handSeries() {
		r := s.row(2e9, 3)
		if p := peerOf(s, handSeries()); p == nil || len(p.clips) != len(s.clips) {
			t.Errorf("%s %s: no peer", r.Engine, r.Precision)
		}
		got = append(got, fmt.Sprintf("%s %s %s batch %d: %.4g ms, %.4g GFLOP/s, peak %s, share %s, ±%.4g",
			r.Engine, r.Device, r.Precision, r.Batch, r.MsPerFrame, r.GFLOPs, figureOf(r.PeakGFLOPs, 1, "%.4g"), figureOf(r.PeakShare, 1, "%.4g"), r.Spread))
	}
	want := []string{
		// 0.12 s / 6; half of the quartiles' distance, (0.18 - 0.09) / 2, of 0.12; 12 GFLOP in each turn's time to its peak: 1/2, 1/2, 1/2
		"onednn cpu bf16 batch 2: 20 ms, 100 GFLOP/s, peak 200, share 0.5, ±37.5",
		"ort cpu fp32 batch 2: 40 ms, 50 GFLOP/s, peak -, share -, ±0",
		"ort cpu fp32 batch 1: 100 ms, 20 GFLOP/s, peak -, share -, ±0",
	}
	if !slices.Equal(got, want) {
		t.Errorf("rows\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestNetworkPrint(t *testing.T) {
	b := &networkBench{subject: &benchSubject{name: "net", graph: twoViews(), views: 3, h: 4, w: 4}}
	rows, err := b.rows(handSeries())
	if err != nil {
		t.Fatal(err)
	}
	if r := rows[0].Ratio; r == nil || *r != 2 { // of the turns: 2, 4 and 1
		t.Errorf("ratio to ONNX Runtime %v, want 2", r)
	}
	if r := rows[2].Ratio; r == nil || *r != 1 {
		t.Errorf("ratio of ONNX Runtime to itself %v, want 1", r)
	}
	rows[0].GFLOPs, rows[0].PeakShare = 187.4, scaled(93.75, 0.01)
	out := &bytes.Buffer{}
	if err := printNetwork(out, b.subject, rows[:1]); err != nil {
		t.Fatal(err)
	}
	want := `net, 3 views a video of 4x4 pixels, 3 turns each
engine  device    precision  batch  threads  ms/frame  GFLOP/s     peak  share      ±  to ort fp32
onednn  cpu       bf16           2        4    20.000      187      200   94 %  37.5 %         2.00
the peak of bf16 is that of vdpbf16ps zmm with 4 threads
`
	if out.String() != want {
		t.Errorf("printed\n%swant\n%s", out, want)
	}
}

// twoViews is any network for clips of three views of 4x4 pixels.
func twoViews() *graph.Graph {
	g := graph.New("net")
	g.Output(g.Must("y", graph.Mean{Axes: []int{1, 3, 4}}, g.Input("x", graph.Unknown, 3, 3, 4, 4)))
	return g
}

func TestLayerRows(t *testing.T) {
	table := layersTable{precision: graph.INT8, batch: 8, frames: 4, peak: 1e12, layers: []onednn.LayerTime{
		{Layer: "a [4, 8] = conv 3x3/1 (x, w)  3 GFLOP", Kernel: "brgconv:avx512_core_vnni", FLOPs: 3e9, Time: 4 * time.Millisecond},
		{Layer: "a [4, 8]", Kernel: "jit:uni", Time: time.Millisecond},
	}}
	rows := table.rows("net")
	if got := fmt.Sprintf("%.4g ms, %.4g of the time, %.4g GFLOP/s, %.4g of the peak, %.4g ms lost", rows[0].MsPerFrame, rows[0].TimeShare,
		*rows[0].GFLOPs, *rows[0].PeakShare, *rows[0].LostMs); got != "1 ms, 0.8 of the time, 750 GFLOP/s, 0.75 of the peak, 0.25 ms lost" {
		t.Error(got)
	}
	if r := rows[1]; r.GFLOPs != nil || r.PeakShare != nil || *r.LostMs != 0.25 {
		t.Errorf("a change of layout: %+v", r)
	}
	out := &bytes.Buffer{}
	if err := (&benchOptions{}).printLayers(out, &benchSubject{name: "net"}, table); err != nil {
		t.Fatal(err)
	}
	want := `net in int8, batch 8, 4 views at once: 1.250 ms/frame
ms/frame   time  GFLOP/s  of peak  lost ms  layer
   1.000   80 %      750     75 %    0.250  a [4, 8] = conv 3x3/1 [brgconv:avx512_core_vnni]
   0.250   20 %        -        -    0.250  a [4, 8] laid out anew [jit:uni]
at the peak of 1000 GFLOP/s it would take 0.500 ms/frame less

`
	if out.String() != want {
		t.Errorf("printed\n%swant\n%s", out, want)
	}
}

// A reason is said once for all engines that have it.
func TestAbsences(t *testing.T) {
	var a absences
	cuda := benchPlace{options: engine.Options{Kind: engine.Torch, GPU: true}, device: "cuda"}
	cpu := benchPlace{options: engine.Options{Kind: engine.ORT}, device: "cpu"}
	a.add(&benchEngine{place: cuda, precision: graph.FP32}, errors.New("no GPU"))
	a.add(&benchEngine{place: cpu, precision: graph.FP32}, errors.New("no library"))
	a.add(&benchEngine{place: cuda, precision: graph.FP16}, errors.New("no GPU"))
	out := &bytes.Buffer{}
	a.say(out)
	if want := "pptsn: not measured: torch cuda fp32, torch cuda fp16: no GPU\npptsn: not measured: ort cpu fp32: no library\n"; out.String() != want {
		t.Errorf("said %q, want %q", out, want)
	}
	if err := a.err().Error(); !strings.Contains(err, "torch cuda fp16: no GPU") || !strings.Contains(err, "ort cpu fp32: no library") {
		t.Error(err)
	}
}

// benchAsJSON are the rows of a run with --json, by what they are of.
func benchAsJSON(t *testing.T, args ...string) map[string][]map[string]any {
	t.Helper()
	code, stdout, stderr := command(t, "", append([]string{"bench"}, append(args, "--json", "--cpu_threads", "1", "--turns", "1", "--seconds", "0")...)...)
	if code != 0 {
		t.Fatalf("bench %v: exit code %d: %s", args, code, stderr)
	}
	rows := map[string][]map[string]any{}
	for line := range strings.Lines(stdout) {
		row := map[string]any{}
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		kind, _ := row["row"].(string)
		rows[kind] = append(rows[kind], row)
	}
	return rows
}

// hasKeys fails unless all rows have these keys, and numbers above 0 where they
// are of times.
func hasKeys(t *testing.T, rows []map[string]any, keys, positive string) {
	t.Helper()
	for _, r := range rows {
		for _, key := range strings.Fields(keys) {
			if _, ok := r[key]; !ok {
				t.Errorf("no %s in %v", key, slices.Sorted(maps.Keys(r)))
			}
		}
		for _, key := range strings.Fields(positive) {
			if v, ok := r[key].(float64); !ok || v <= 0 {
				t.Errorf("%s is %v, want a number above 0", key, r[key])
			}
		}
	}
}

func TestBenchNetwork(t *testing.T) {
	f := makeFixture(t)
	rows := benchAsJSON(t, "network", "--random", "-c", f.config, "--engine", "onednn", "--precision", "int8", "--force", "--batch", "1,3")["network"]
	if len(rows) != 2 || rows[0]["batch"] != 1.0 || rows[1]["batch"] != 3.0 {
		t.Fatalf("%d rows: %v", len(rows), rows)
	}
	hasKeys(t, rows, "engine device precision network views batch threads turns peak_gflops peak_share spread ratio_to_ort_fp32", "ms_per_frame gflops")
	for _, r := range rows {
		if r["engine"] != "onednn" || r["device"] != "cpu" || r["precision"] != "int8" || r["network"] != "pptsn18" || r["views"] != 1.0 || r["threads"] != 1.0 || r["ratio_to_ort_fp32"] != nil {
			t.Errorf("row %v", r)
		}
		ms, gflops := r["ms_per_frame"].(float64), r["gflops"].(float64)
		if flops := ms * gflops / 1e3; flops < 0.15 || flops > 0.30 { // 18 layers do 4.2 GFLOP at 224x224, by area 0.19 at 48x48
			t.Errorf("%g ms at %g GFLOP/s are %g GFLOP", ms, gflops, flops)
		}
	}
}

func TestBenchLayers(t *testing.T) {
	f := makeFixture(t)
	rows := benchAsJSON(t, "network", "--random", "-c", f.config, "--layers", "--precision", "fp32", "--batch", "1")["layer"]
	if len(rows) < 20 { // convolutions alone
		t.Fatalf("%d rows: %v", len(rows), rows)
	}
	hasKeys(t, rows, "engine precision network batch layer gflops peak_gflops peak_share lost_ms_per_frame", "ms_per_frame time_share")
	sum := 0.0
	for _, r := range rows {
		sum += r["time_share"].(float64)
	}
	if sum < 0.999 || sum > 1.001 {
		t.Errorf("shares of the time sum to %g", sum)
	}
}

// A model and a video are all that bench needs to measure everything.
func TestBenchAll(t *testing.T) {
	f := makeFixture(t)
	rows := benchAsJSON(t, "-m", f.model, "--engine", "onednn", "--precision", "fp32", "--batch", "2", f.clip)
	if len(rows["network"]) != 1 || len(rows["decode"]) == 0 || len(rows["predict"]) != 1 {
		t.Fatalf("%d, %d and %d rows of the network, decoding and predict", len(rows["network"]), len(rows["decode"]), len(rows["predict"]))
	}
	hasKeys(t, rows["network"], "", "ms_per_frame gflops")
	hasKeys(t, rows["decode"], "videos bad frames workers turns spread", "clips_per_second ms_per_clip")
	hasKeys(t, rows["predict"], "engine precision batch videos bad views workers turns spread", "videos_per_second ms_frames ms_network")
	if r := rows["network"][0]; r["views"] != 20.0 || r["batch"] != 2.0 { // 2 segments, ten crops
		t.Errorf("the model's row: %v", r)
	}
	if r := rows["predict"][0]; r["views"] != 20.0 || r["videos"] != 1.0 || r["engine"] != "onednn" || r["precision"] != "fp32" {
		t.Errorf("row of predict: %v", r)
	}
}

// Videos that cannot be read are named and not counted.
func TestBenchDecodeBadVideo(t *testing.T) {
	f := makeFixture(t)
	bad := writeFile(t, filepath.Join(t.TempDir(), "bad.mp4"), "no video")
	args := []string{"bench", "decode", "-c", f.config, "--turns", "1", "--seconds", "0", f.clip, bad}
	code, stdout, stderr := command(t, "", args...)
	if code != 1 || strings.Count(stderr, "bad.mp4") != 1 || !strings.Contains(stderr, "1 video could not be read") || !strings.Contains(stdout, "decode: 1 video, 2 frames each, 1 turn\n") {
		t.Errorf("exit code %d, printed %q, %q", code, stdout, stderr)
	}
	if code, _, stderr := command(t, "", append(args[:len(args)-2:len(args)-2], bad)...); code != 1 || !strings.Contains(stderr, "none of the videos") {
		t.Errorf("exit code %d, %q", code, stderr)
	}
}

func TestBenchWrongCommandLine(t *testing.T) {
	f := makeFixture(t)
	for _, tc := range []struct {
		args string
		code int
		want string
	}{
		{"", 2, "needs something to measure"},
		{"network", 2, "--random"},
		{"network --random -m x", 2, "leave out --random"},
		{"network --random --batch 0", 2, "--batch"},
		{"network --random --turns 0", 2, "--turns"},
		{"network --random --seconds NaN", 2, "--seconds"},
		{"network --random --engine tpu", 2, "tpu"},
		{"network --random --layers --engine ort", 2, "--layers"},
		{"network --random clip.mp4", 2, "clip.mp4"},
		{"network -m " + f.model + " --precision int8", 1, "quantize"},
		{"network -m nowhere", 1, "nowhere"},
		{"network --random -c nowhere.yaml", 1, "nowhere.yaml"},
		{"network --random --engine onednn --precision fp16 -c " + f.config, 1, "fp16"}, // asked for by name: not left out in silence
		{"decode", 2, "needs a video"},
		{"decode --workers 0 x.mp4", 2, "--workers"},
		{"decode nowhere.mp4", 1, "nowhere.mp4"},
		{"predict x.mp4", 2, "-m MODEL"},
		{"predict -m " + f.model, 2, "needs a video"},
	} {
		code, stdout, stderr := command(t, "", append([]string{"bench"}, strings.Fields(tc.args)...)...)
		if code != tc.code || !strings.Contains(stderr, tc.want) || stdout != "" {
			t.Errorf("bench %s: exit code %d, want %d; printed %q; %q lacks %q", tc.args, code, tc.code, stdout, stderr, tc.want)
		}
	}
}

// Ctrl-C ends a turn's rest, or the work.
func TestBenchCancel(t *testing.T) {
	f := makeFixture(t)
	for _, args := range [][]string{
		{"network", "--random", "-c", f.config, "--engine", "onednn", "--precision", "fp32", "--turns", "10000"},
		{"-m", f.model, "--engine", "onednn", "--precision", "fp32", "--turns", "10000"},
		{"decode", "--turns", "10000", f.clip},
		{"predict", "-m", f.model, "--turns", "10000", f.clip},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 600*time.Millisecond)
		var out, errs bytes.Buffer
		code := run(ctx, append([]string{"bench"}, args...), strings.NewReader(""), &out, &errs)
		cancel()
		if code != exitSignal || out.Len() > 0 || !strings.HasSuffix(errs.String(), "pptsn: interrupted\n") {
			t.Errorf("%v: exit code %d, printed %q, %q", args, code, out.String(), errs.String())
		}
	}
}
