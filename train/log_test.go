package train

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pptsn/pptsn/checkpoint"
)

// openLog opens a log at a known time, on a screen that is no terminal.
func openLog(t *testing.T, path string, screen io.Writer) *Log {
	t.Helper()
	l, err := OpenLog(path, screen, 2)
	if err != nil {
		t.Fatal(err)
	}
	l.now = func() time.Time { return time.Date(2026, 11, 24, 13, 40, 0, 0, time.UTC) }
	return l
}

func epoch(l *Log, batches int) {
	var sums checkpoint.Sums
	for i := range batches {
		r := Report{Split: SplitTrain, Epoch: 1, Epochs: 3, Batch: i, Batches: batches, Iterations: i + 1, Clips: 4, Loss: float64(i), Took: time.Second}
		r.AddTo(&sums)
		l.Batch(r, sums)
	}
	l.Epoch(SplitTrain, 1, sums)
	l.Best(0.70049)
}

func TestLogWritesAtOnceAndAppends(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ppTSN.log")
	var screen bytes.Buffer
	l := openLog(t, path, &screen)
	l.Printf("Training in %s mode.", "fp32")
	epoch(l, 5)
	b, err := os.ReadFile(path) // before Close
	if err != nil {
		t.Fatal(err)
	}
	if screen.String() != string(b) {
		t.Errorf("the screen has\n%s\nthe file\n%s", screen.String(), b)
	}
	lines := strings.Split(string(b), "\n")
	for i, want := range []string{ // batches 0, 2, 4
		"[11/24 13:40:00] Training in fp32 mode.",
		"[11/24 13:40:00] epoch:[  1/3  ] train step:0    loss: 0.00000 ",
		"[11/24 13:40:00] epoch:[  1/3  ] train step:2    loss: 2.00000 ",
		"[11/24 13:40:00] epoch:[  1/3  ] train step:4    loss: 4.00000 ",
		"[11/24 13:40:00] END epoch:1   train loss_avg: 2.00000 ",
		"[11/24 13:40:00] Already save the best model (top1 acc)0.7004",
		"",
	} {
		if i >= len(lines) || !strings.HasPrefix(lines[i], want) {
			t.Fatalf("line %d of\n%s\nwant %q", i, b, want)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l = openLog(t, path, nil)
	l.Printf("Resume from checkpoint: %s", "a")
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if after, _ := os.ReadFile(path); string(after) != string(b)+"[11/24 13:40:00] Resume from checkpoint: a\n" {
		t.Errorf("after a resume:\n%s", after)
	}
}

// On a terminal the bar must not tear lines, and the file stays plain.
func TestLogOnATerminal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ppTSN.log")
	var screen bytes.Buffer
	l := openLog(t, path, &screen)
	l.bar, l.colored = &bar{screen: &screen}, true
	epoch(l, 5)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	shown := screen.String()
	for _, want := range []string{"\033[31mEND epoch:1  \033[0m", "\033[35mepoch:[  1/3  ]\033[0m", "train epoch 1/3", "(1/5)"} {
		if !strings.Contains(shown, want) {
			t.Errorf("screen lacks %q:\n%q", want, shown)
		}
	}
	for line := range strings.Lines(shown) { // what stands before a line was a bar, and is wiped
		before, _, ok := strings.Cut(line, "[11/24 13:40:00]")
		if !ok || strings.TrimRight(before[strings.LastIndexByte(before, '\r')+1:], " ") != "" {
			if strings.HasSuffix(line, "\n") {
				t.Errorf("line begins with a rest of the bar: %q", line)
			}
		}
	}
	if b, _ := os.ReadFile(path); strings.ContainsAny(string(b), "\033\r") {
		t.Errorf("file is not plain: %q", b)
	}
}

// Loader goroutines may warn while batches are told of.
func TestLogFromManyGoroutines(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ppTSN.log")
	var screen bytes.Buffer
	l := openLog(t, path, &screen)
	l.bar = &bar{screen: &screen}
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() { l.Printf("clip %d cannot be read", i) })
	}
	epoch(l, 20)
	all.Wait()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 4 {
		if want := fmt.Sprintf("[11/24 13:40:00] clip %d cannot be read\n", i); !strings.Contains(string(b), want) {
			t.Errorf("no line %q", want)
		}
	}
}

func TestLogReportsAFailedWriteAtTheEnd(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("no /dev/full on this system:", err)
	}
	l := openLog(t, "/dev/full", nil)
	l.Printf("lost")
	if err := l.Close(); err == nil || !strings.Contains(err.Error(), "no space") {
		t.Errorf("error %v, want one about space", err)
	}
}
