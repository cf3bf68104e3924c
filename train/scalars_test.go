package train

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pptsn/pptsn/checkpoint"
	"github.com/pptsn/pptsn/tensorboard"
)

// writeScalars does the iterations after from of a run with 3 batches an epoch,
// up to that total, with a validation after each epoch.
func writeScalars(t *testing.T, dir string, from checkpoint.State, to int) {
	t.Helper()
	s, err := OpenScalars(dir, from)
	if err != nil {
		t.Fatal(err)
	}
	s.now = func() time.Time { return time.Date(2026, 11, 24, 13, 40, 0, 5e6, time.UTC) }
	sums := checkpoint.Sums{}
	sums.Loss.Add(0.25, 4)
	check := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	for i := from.Total + 1; i <= to; i++ {
		epoch := (i-1)/3 + 1
		check(s.Batch(Report{Split: SplitTrain, Epoch: epoch, Iterations: i, Clips: 4, Loss: 1 / float64(i), LR: 0.01, Took: time.Second / 2}))
		if i%3 == 0 {
			check(s.Epoch(SplitTrain, epoch, i, sums))
			check(s.Epoch(SplitVal, epoch, i, sums))
		}
	}
	check(s.Close())
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestMetricsLine(t *testing.T) {
	dir := t.TempDir()
	writeScalars(t, dir, checkpoint.State{}, 3)
	lines := strings.Split(read(t, filepath.Join(dir, "metrics.jsonl")), "\n")
	for i, want := range map[int]string{
		1: `{"step":2,"epoch":1,"split":"train","loss":0.5,"lr":0.01,"top1":0,"top5":0,"batch_cost":0.5,"reader_cost":0,"ips":8,"time":"2026-11-24T13:40:00.005Z"}`,
		4: `{"step":3,"epoch":1,"split":"val","loss":0.25,"top1":0,"top5":0,"batch_cost":0,"reader_cost":0,"ips":0,"time":"2026-11-24T13:40:00.005Z"}`,
		5: ``,
	} {
		if lines[i] != want {
			t.Errorf("line %d: %s\nwant %s", i, lines[i], want)
		}
	}
}

// A run that was interrupted after more steps than its checkpoint has, and goes
// on, leaves the file of one that was never interrupted.
func TestMetricsReadAsOfOneRun(t *testing.T) {
	whole := t.TempDir()
	writeScalars(t, whole, checkpoint.State{}, 10)
	want := read(t, filepath.Join(whole, "metrics.jsonl"))
	for name, from := range map[string]checkpoint.State{
		"within an epoch":                     {Epochs: 1, Iterations: 2, Total: 5},
		"between epochs":                      {Epochs: 2, Total: 6},
		"at an epoch's end before validation": {Epochs: 1, Iterations: 3, Total: 6},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "metrics.jsonl")
			writeScalars(t, dir, checkpoint.State{}, 8)
			f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprint(f, `{"step":1,"split":"tr`) // killed here
			f.Close()
			if from.Iterations == 3 { // its epoch's means come again
				writeEnd(t, dir, from)
			} else {
				writeScalars(t, dir, from, 10)
			}
			if got := read(t, path); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// writeEnd goes on from the last iteration of an epoch whose means are not taken.
func writeEnd(t *testing.T, dir string, from checkpoint.State) {
	t.Helper()
	path := filepath.Join(dir, "metrics.jsonl")
	if err := rewind(path, from); err != nil {
		t.Fatal(err)
	}
	b := read(t, path)
	if strings.Count(b, `"val"`) != 1 || strings.Count(b, `"train_avg"`) != 1 || strings.Count(b, `"train"`) != 6 {
		t.Fatalf("rewound to\n%s", b)
	}
	writeScalars(t, dir, checkpoint.State{Epochs: 1, Iterations: 2, Total: 5}, 10)
}

func TestAFreshRunPutsOldMetricsAside(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "metrics.jsonl")
	writeScalars(t, dir, checkpoint.State{}, 2)
	old := read(t, path)
	writeScalars(t, dir, checkpoint.State{}, 1)
	if got := read(t, path+".old"); got != old {
		t.Errorf("old file holds\n%s\nwant\n%s", got, old)
	}
	if n := strings.Count(read(t, path), "\n"); n != 1 {
		t.Errorf("%d lines, want 1", n)
	}
}

// The event files hold what metrics.jsonl holds once the later one's START has
// voided what the earlier one has from that step on.
func TestTensorBoardSeesTheSame(t *testing.T) {
	dir := t.TempDir()
	writeScalars(t, dir, checkpoint.State{}, 8)
	writeScalars(t, dir, checkpoint.State{Epochs: 1, Iterations: 2, Total: 5}, 10)
	paths, err := filepath.Glob(filepath.Join(dir, "events.out.tfevents.*")) // sorted by name
	if err != nil || len(paths) != 2 {
		t.Fatalf("%v, %v", paths, err)
	}
	got := map[string]float32{}
	var points []string
	for _, path := range paths {
		events, err := tensorboard.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			if e.Start { // event_accumulator.py: keep steps below
				kept := points[:0]
				for _, p := range points {
					var step int64
					fmt.Sscan(p, &step)
					if step < e.Step {
						kept = append(kept, p)
					} else {
						delete(got, p)
					}
				}
				points = kept
			}
			for _, s := range e.Scalars {
				key := fmt.Sprint(e.Step, " ", s.Tag)
				if _, twice := got[key]; twice {
					t.Errorf("%s twice", key)
				}
				points, got[key] = append(points, key), s.Value
			}
		}
	}
	wanted := 0
	for line := range strings.Lines(read(t, filepath.Join(dir, "metrics.jsonl"))) {
		var m map[string]any
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"loss", "lr", "top1", "top5", "batch_cost", "reader_cost", "ips"} {
			v, ok := m[name].(float64)
			if !ok {
				continue
			}
			wanted++
			key := fmt.Sprint(m["step"], " ", m["split"], "/", name)
			if p, ok := got[key]; !ok || p != float32(v) {
				t.Errorf("%s: %v, %v; want %v", key, p, ok, v)
			}
		}
	}
	if wanted != len(got) || wanted < 100 {
		t.Errorf("%d points, want %d", len(got), wanted)
	}
}

// A run that goes on with more processes counts fewer iterations: lines of the
// epochs before stay.
func TestMetricsOfAnotherWorld(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "metrics.jsonl")
	line := func(step, epoch int, split Split) string {
		return fmt.Sprintf("{\"step\":%d,\"epoch\":%d,\"split\":%q}\n", step, epoch, split)
	}
	before := line(6, 1, SplitTrain) + line(6, 1, "train_avg") + line(6, 1, SplitVal)
	if err := os.WriteFile(path, []byte(before+line(7, 2, SplitTrain)+line(9, 2, SplitTrain)), 0o666); err != nil {
		t.Fatal(err)
	}
	from := checkpoint.State{Epochs: 1, Iterations: 3, Total: 9, Batches: 6}.In(2, 3, 1)
	if err := rewind(path, from); err != nil {
		t.Fatal(err)
	}
	if got := read(t, path); got != before {
		t.Errorf("kept\n%s\nwant\n%s", got, before)
	}
}
