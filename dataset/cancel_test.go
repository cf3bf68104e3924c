package dataset_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pptsn/pptsn/dataset"
)

// goroutinesSettle waits until no more goroutines run than before.
func goroutinesSettle(t *testing.T, before int) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			buf := make([]byte, 1<<20)
			t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, buf[:runtime.Stack(buf, true)])
		}
	}
}

func TestCancel(t *testing.T) {
	set := open(t, folders(t, 30))
	for _, workers := range []int{0, 3} {
		l := newLoader(t, set, dataset.LoaderOptions{Batch: 2, Workers: workers, Shuffle: true})
		before := runtime.NumGoroutine()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		batches, last := 0, error(nil)
		for b, err := range l.Epoch(ctx, 0, 0) {
			if last = err; err != nil {
				continue
			}
			if len(b.Bad) > 0 {
				t.Errorf("bad samples of a cancelled epoch: %v", b.Bad)
			}
			if batches++; batches == 2 {
				cancel()
			}
		}
		if batches != 2 || !errors.Is(last, context.Canceled) {
			t.Errorf("%d workers: %d batches, then %v: want 2 and context.Canceled", workers, batches, last)
		}
		goroutinesSettle(t, before)

		for range l.Epoch(t.Context(), 1, 0) {
			break
		}
		goroutinesSettle(t, before)

		clips := 0
		ctx, cancel = context.WithCancel(t.Context())
		defer cancel()
		order := make([]int, 30)
		for range set.Clips(ctx, order, workers, sampleRand) {
			if clips++; clips == 3 {
				cancel()
			}
		}
		if clips != 3 {
			t.Errorf("%d workers: %d clips after being cancelled at 3", workers, clips)
		}
		for range set.Clips(t.Context(), order, workers, sampleRand) {
			break
		}
		goroutinesSettle(t, before)
	}
}

// hang makes the pictures of a sample files that never answer.
func hang(t *testing.T, o dataset.Options, sample int) {
	t.Helper()
	for p := range pictures {
		path := filepath.Join(o.Prefix, fmt.Sprintf("clip %02d", sample), pictureName(p))
		if err := errors.Join(os.Remove(path), syscall.Mkfifo(path, 0o666)); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { // lets go of whoever waits for a writer
			if f, err := os.OpenFile(path, os.O_WRONLY|syscall.O_NONBLOCK, 0); err == nil {
				f.Close()
			}
		})
	}
}

// A file that never answers is a bad sample once its time is over.
func TestTimeoutGoroutines(t *testing.T) {
	t.Parallel()
	o := folders(t, 3)
	o.Timeout = 300 * time.Millisecond
	hang(t, o, 1)
	begin := time.Now()
	all := epoch(t, newLoader(t, open(t, o), dataset.LoaderOptions{Batch: 3, Workers: 1}), 0, 0)
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("the epoch took %v", took)
	}
	b := all[0]
	if len(b.Samples) != 2 || len(b.Bad) != 1 || b.Bad[0].Sample != 1 {
		t.Fatalf("samples %v, bad %v: want 1 bad", b.Samples, b.Bad)
	}
	if err := b.Bad[0].Err; !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "clip 01: not read within 300ms") {
		t.Errorf("error %v", err)
	}
}

// An epoch that is taken up in the middle does not touch what was before.
func TestResumeSkips(t *testing.T) {
	o := folders(t, 4)
	hang(t, o, 0)
	l := newLoader(t, open(t, o), dataset.LoaderOptions{Batch: 2, Workers: 1})
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	for b, err := range l.Epoch(ctx, 0, 1) {
		if err != nil || b.Index != 1 || len(b.Samples) != 2 {
			t.Errorf("batch %+v: %v", b, err)
		}
	}
}

type panicking struct{}

func (panicking) Uint64() uint64 { panic("no numbers today") }

func TestPanicIsAnError(t *testing.T) {
	set := open(t, folders(t, 1))
	if _, err := set.Load(t.Context(), 0, rand.New(panicking{})); err == nil || !strings.Contains(err.Error(), "clip 00: panic: no numbers today") {
		t.Errorf("error %v, want one that names the clip and the panic", err)
	}
}

func TestClips(t *testing.T) {
	o := folders(t, 9)
	spoil(t, o, 1)
	set := open(t, o)
	order := []int{8, 1, 0, 3, 3, 2}
	for _, workers := range []int{0, 1, 3} {
		n := 0
		for l := range set.Clips(t.Context(), order, workers, sampleRand) {
			if l.Sample != order[n] {
				t.Fatalf("%d workers: clip %d is sample %d, want %d", workers, n, l.Sample, order[n])
			}
			if n++; l.Sample == 1 {
				if !errors.Is(l.Err, fs.ErrNotExist) || l.Clip != nil {
					t.Errorf("sample 1: %v", l.Err)
				}
				continue
			}
			if l.Err != nil || l.Took <= 0 {
				t.Fatalf("sample %d: %v in %v", l.Sample, l.Err, l.Took)
			}
			alone, err := set.Load(t.Context(), l.Sample, sampleRand(l.Sample))
			if err != nil {
				t.Fatal(err)
			}
			got, want := l.Clip.Views(nil, 0, l.Clip.Len()), alone.Views(nil, 0, alone.Len())
			for i := range want {
				if got[i] != want[i] {
					t.Fatalf("sample %d: number %d is %v, want %v", l.Sample, i, got[i], want[i])
				}
			}
		}
		if n != len(order) {
			t.Errorf("%d workers: %d clips, want %d", workers, n, len(order))
		}
	}
}
