package probe_test

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/pptsn/pptsn/internal/testdata"
	"github.com/pptsn/pptsn/probe"
)

// short is a file that is decoded fast, of more than 32 KiB, the ends that its
// identity is made of.
func short(t *testing.T) string {
	return clone(t, filepath.Join(testdata.Shared(t), "data", "odd-videos", "one-frame-msmpeg4.avi"))
}

// A change that cannot be seen proves that nothing was read.
func TestKnownFilesAreNotRead(t *testing.T) {
	path := short(t)
	c := cache(t)
	first, known := facts(t, c, path)
	if known {
		t.Error("known before it was looked at")
	}
	change(t, path, 25000)
	again, known := facts(t, c, path)
	if !known || !reflect.DeepEqual(first, again) {
		t.Errorf("known %t, %+v, want the facts of before: %+v", known, again, first)
	}
	moved := filepath.Join(t.TempDir(), "moved.avi")
	if err := os.Rename(path, moved); err != nil {
		t.Fatal(err)
	}
	if _, known := facts(t, c, moved); !known {
		t.Error("a file that was moved is not known")
	}
}

func TestChangedFilesAreSeen(t *testing.T) {
	for name, alter := range map[string]func(t *testing.T, path string){
		"head": func(t *testing.T, path string) { change(t, path, 100) },
		"tail": func(t *testing.T, path string) { change(t, path, 52000) },
		"time": func(t *testing.T, path string) {
			now := time.Now().Add(time.Second)
			if err := os.Chtimes(path, now, now); err != nil {
				t.Fatal(err)
			}
		},
		"size": func(t *testing.T, path string) {
			info, _ := os.Stat(path)
			if err := os.Truncate(path, info.Size()-1); err != nil {
				t.Fatal(err)
			}
			if err := os.Chtimes(path, info.ModTime(), info.ModTime()); err != nil {
				t.Fatal(err)
			}
		},
	} {
		path := short(t)
		c := cache(t)
		first, _ := facts(t, c, path)
		alter(t, path)
		again, known := facts(t, c, path)
		if known || (name != "time" && first.SHA256 == again.SHA256) {
			t.Errorf("%s changed: known %t", name, known)
		}
	}
}

// entries lists a cache's files.
func entries(t *testing.T, dir string) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(dir, "??", "*"))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestTornEntriesCountAsAbsent(t *testing.T) {
	dir := t.TempDir()
	c, err := probe.OpenCache(dir)
	if err != nil {
		t.Fatal(err)
	}
	path := short(t)
	first, _ := facts(t, c, path)
	if n := len(entries(t, dir)); n != 2 {
		t.Fatalf("%d entries, want facts and an index", n)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for name, harm := range map[string]func(b []byte) []byte{
		"empty":     func([]byte) []byte { return nil },
		"half":      func(b []byte) []byte { return b[:len(b)/2] },
		"zeros":     func(b []byte) []byte { return make([]byte, len(b)) },
		"one bit":   func(b []byte) []byte { b[rng.IntN(len(b))] ^= 1; return b },
		"longer":    func(b []byte) []byte { return append(b, 0) },
		"nonsense":  func(b []byte) []byte { return probe.Seal([]byte(`{"Frames": -1, "Err": null}`)) },
		"no JSON":   func(b []byte) []byte { return probe.Seal([]byte("text")) },
		"too large": func(b []byte) []byte { return append(b, make([]byte, 17<<20)...) },
	} {
		for _, entry := range entries(t, dir) {
			b, err := os.ReadFile(entry)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(entry, harm(b), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		again, known := facts(t, c, path)
		if known || !reflect.DeepEqual(first, again) {
			t.Errorf("%s: known %t, %+v, want %+v", name, known, again, first)
		}
		if _, known := facts(t, c, path); !known {
			t.Errorf("%s: not known after it was looked at again", name)
		}
	}
	if err := c.Err(); err != nil {
		t.Error(err)
	}
}

// Two caches in one folder stand for two processes.
func TestConcurrentFacts(t *testing.T) {
	dir := t.TempDir()
	paths := []string{short(t), short(t), short(t)}
	want, _ := facts(t, nil, paths[0])
	var wait sync.WaitGroup
	for range 2 {
		c, err := probe.OpenCache(dir)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			wait.Go(func() {
				for _, path := range append(paths, paths...) {
					got, _, err := c.Facts(context.Background(), path, probe.Options{Thumb: probe.MaxThumb})
					if err != nil || !reflect.DeepEqual(got, want) {
						t.Errorf("%+v, %v, want %+v", got, err, want)
					}
				}
				c.Trim()
				if c.Err() != nil {
					t.Error(c.Err())
				}
			})
		}
	}
	wait.Wait()
	for _, entry := range entries(t, dir) {
		if name := filepath.Base(entry); len(name) != 64+len("-facts") {
			t.Errorf("%s was left", name)
		}
	}
}

// A folder that cannot be written (here a file takes its name) costs nothing
// but the remembering.
func TestFolderThatCannotBeWritten(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "taken")
	if err := os.WriteFile(dir, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	c, err := probe.OpenCache(dir)
	if err != nil {
		t.Fatal(err)
	}
	if c.Err() != nil {
		t.Error("an error before anything was written: ", c.Err())
	}
	path := short(t)
	for range 2 {
		if f, known := facts(t, c, path); known || f.Frames != 1 {
			t.Errorf("known %t, %d frames, want one", known, f.Frames)
		}
		if c.Err() == nil {
			t.Error("nothing says that nothing is remembered")
		}
	}
}

func TestUnusedEntriesAreRemoved(t *testing.T) {
	dir := t.TempDir()
	c, err := probe.OpenCache(dir)
	if err != nil {
		t.Fatal(err)
	}
	old, used := short(t), files(t, "odd-videos/one-frame-mpeg4.mp4")[0]
	age := func(days int) {
		for _, e := range entries(t, dir) {
			then := time.Now().Add(-time.Duration(days) * 24 * time.Hour)
			if err := os.Chtimes(e, then, then); err != nil {
				t.Fatal(err)
			}
		}
	}
	facts(t, c, old)
	facts(t, c, used)
	if err := os.WriteFile(filepath.Join(filepath.Dir(entries(t, dir)[0]), "mine"), nil, 0o644); err != nil {
		t.Fatal(err) // of somebody who keeps files there
	}
	age(91)
	if _, known := facts(t, c, used); !known { // renews the time of its facts
		t.Error("an old entry is not used")
	}
	os.Remove(filepath.Join(dir, "trimmed")) // of OpenCache, if that was slow
	c.Trim()
	if n := len(entries(t, dir)); n != 2 {
		t.Errorf("%d files left, want the facts that were used and what is not ours", n)
	}
	age(91)
	c.Trim()
	if n := len(entries(t, dir)); n != 2 {
		t.Errorf("%d files left: trimmed twice a day", n)
	}
}

func TestMemoryDoesNotGrowWithFiles(t *testing.T) {
	path := files(t, "odd-videos/one-frame-mpeg4.mp4")[0]
	c := cache(t)
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	name := clone(t, path)
	facts(t, c, name)
	before := heap()
	for i := range 200 {
		then := time.Unix(int64(i), 0)
		if err := os.Chtimes(name, then, then); err != nil {
			t.Fatal(err)
		}
		if _, known := facts(t, c, name); known {
			t.Fatal("a file of another time is known")
		}
	}
	if after := heap(); after > before+200<<10 {
		t.Errorf("%d bytes more after 200 files", after-before)
	}
}

func TestCacheFolder(t *testing.T) {
	home := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", home) // os.UserCacheDir on Unix
	t.Setenv("PPTSN_CACHE", "")
	path := short(t)
	for _, want := range []string{filepath.Join(home, "pptsn", "videos"), filepath.Join(home, "mine", "videos")} {
		c, err := probe.OpenCache("")
		if err != nil {
			t.Fatal(err)
		}
		facts(t, c, path)
		if len(entries(t, want)) == 0 {
			t.Errorf("nothing in %s", want)
		}
		t.Setenv("PPTSN_CACHE", filepath.Join(home, "mine"))
	}
}

func FuzzEntry(f *testing.F) {
	f.Add(probe.Seal([]byte(`{"Size": 3, "Frames": 2, "Thumb": "/9j/"}`)))
	f.Add(probe.Seal([]byte("pptsn index 1\n")))
	f.Fuzz(func(t *testing.T, b []byte) {
		probe.Recall(b)
		probe.Recall(probe.Seal(b))
	})
}
