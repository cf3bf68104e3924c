package fetch

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// content begins as a pickle does and is not the same anywhere.
var content = func() []byte {
	b := []byte{0x80, 4}
	for i := range 300_000 {
		b = append(b, byte(i), byte(i>>8), byte(i*i>>5))
	}
	return b
}()

// A server gives content under any path and counts.
type server struct {
	*httptest.Server
	requests atomic.Int64
	ranges   atomic.Int64                                   // requests with Range
	handle   func(n int64, w http.ResponseWriter) (ok bool) // nth request, from 1; false: it has answered
	etag     string
}

func serve(t *testing.T) *server {
	t.Helper()
	s := &server{etag: `"v1"`}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := s.requests.Add(1)
		if r.Header.Get("Range") != "" {
			s.ranges.Add(1)
		}
		if s.etag != "" {
			w.Header().Set("ETag", s.etag)
		}
		if s.handle != nil && !s.handle(n, w) {
			return
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
	}))
	t.Cleanup(s.Close)
	return s
}

// cut answers with the beginning of the content and breaks the connection.
func cut(w http.ResponseWriter, at int) {
	w.Header().Set("Content-Length", fmt.Sprint(len(content)))
	w.Write(content[:at])
	w.(http.Flusher).Flush()
	panic(http.ErrAbortHandler)
}

func quick(t *testing.T) Options {
	return Options{Dir: t.TempDir(), Backoff: time.Millisecond, Stall: 5 * time.Second, Retries: 2}
}

func want(t *testing.T, path string, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, content) {
		t.Errorf("%d bytes that differ from the server's %d", len(got), len(content))
	}
}

// onlyWhole checks that nothing but the file and locks is in the cache.
func onlyWhole(t *testing.T, path string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() != filepath.Base(path) && filepath.Ext(e.Name()) != lockExt {
			t.Errorf("%s left in the cache", e.Name())
		}
	}
}

func TestDownloadsOnce(t *testing.T) {
	s, o := serve(t), quick(t)
	var last [2]int64
	o.Progress = func(done, total int64) { last = [2]int64{done, total} }
	path, err := Weights(t.Context(), s.URL+"/a/ResNet50_vd.pdparams?x=1", o)
	want(t, path, err)
	onlyWhole(t, path)
	if name := filepath.Base(path); !strings.HasPrefix(name, "ResNet50_vd-") || !strings.HasSuffix(name, ".pdparams") {
		t.Errorf("name %s", name)
	}
	if n := int64(len(content)); last != [2]int64{n, n} {
		t.Errorf("last progress %v, want all of %d", last, n)
	}
	again, err := Weights(t.Context(), s.URL+"/a/ResNet50_vd.pdparams?x=1", o)
	want(t, again, err)
	if s.requests.Load() != 1 {
		t.Errorf("%d requests, want 1", s.requests.Load())
	}
	other, err := Weights(t.Context(), s.URL+"/b/ResNet50_vd.pdparams", o)
	want(t, other, err)
	if other == path {
		t.Error("two URLs share a file")
	}
}

func TestGoesOnWhereItBroke(t *testing.T) {
	for _, tc := range []struct {
		name, etag string
		ranges     int64
	}{
		{"strong ETag", `"v1"`, 1},
		{"weak ETag", `W/"v1"`, 0}, // equal in meaning is not equal in bytes
		{"nothing to compare", "", 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, o := serve(t), quick(t)
			s.etag = tc.etag
			s.handle = func(n int64, w http.ResponseWriter) bool {
				if n == 1 {
					cut(w, 200_001)
				}
				return true
			}
			path, err := Weights(t.Context(), s.URL+"/w.pdparams", o)
			want(t, path, err)
			onlyWhole(t, path)
			if s.requests.Load() != 2 || s.ranges.Load() != tc.ranges {
				t.Errorf("%d requests, %d of them with Range; want 2 and %d", s.requests.Load(), s.ranges.Load(), tc.ranges)
			}
		})
	}
}

func TestStartsAnewWhenTheFileChanged(t *testing.T) {
	s, o := serve(t), quick(t)
	s.handle = func(n int64, w http.ResponseWriter) bool {
		if n == 1 {
			w.Header().Set("ETag", `"v0"`)
			w.Header().Set("Content-Length", "500000")
			w.Write(make([]byte, 100_000))
			panic(http.ErrAbortHandler)
		}
		return true
	}
	path, err := Weights(t.Context(), s.URL+"/w.pdparams", o)
	want(t, path, err)
	if s.ranges.Load() != 1 {
		t.Errorf("%d requests with Range, want 1", s.ranges.Load())
	}
}

// A server that gives a little each time gets there: only tries without
// progress count.
func TestManyBreaksWithProgress(t *testing.T) {
	s, o := serve(t), quick(t)
	s.handle = func(n int64, w http.ResponseWriter) bool {
		if n > 8 {
			return true
		}
		at := int(n-1) * 50_000
		if n > 1 {
			w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", at, len(content)-1, len(content)))
			w.Header().Set("Content-Length", fmt.Sprint(len(content)-at))
			w.WriteHeader(http.StatusPartialContent)
		} else {
			w.Header().Set("Content-Length", fmt.Sprint(len(content)))
		}
		w.Write(content[at : at+50_000])
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
	path, err := Weights(t.Context(), s.URL+"/w.pdparams", o)
	want(t, path, err)
}

func TestCancelKeepsThePart(t *testing.T) {
	s, o := serve(t), quick(t)
	ctx, cancel := context.WithCancel(t.Context())
	o.Progress = func(done, total int64) {
		if done > 0 {
			cancel()
		}
	}
	s.handle = func(n int64, w http.ResponseWriter) bool {
		if n == 1 {
			w.Header().Set("Content-Length", fmt.Sprint(len(content)))
			w.Write(content[:100_000])
			w.(http.Flusher).Flush()
			<-ctx.Done()
			panic(http.ErrAbortHandler)
		}
		return true
	}
	_, err := Weights(ctx, s.URL+"/w.pdparams", o)
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "kept") {
		t.Fatalf("error %v, want one of the cancel", err)
	}
	o.Progress = nil
	path, err := Weights(t.Context(), s.URL+"/w.pdparams", o)
	want(t, path, err)
	if s.ranges.Load() != 1 {
		t.Errorf("%d requests with Range, want 1", s.ranges.Load())
	}
}

func TestStallEndsATry(t *testing.T) {
	s, o := serve(t), quick(t)
	o.Stall, o.Retries = 50*time.Millisecond, -1
	hold := make(chan struct{})
	t.Cleanup(func() { close(hold) })
	s.handle = func(n int64, w http.ResponseWriter) bool {
		w.Header().Set("Content-Length", fmt.Sprint(len(content)))
		w.Write(content[:1000])
		w.(http.Flusher).Flush()
		<-hold
		return false
	}
	_, err := Weights(t.Context(), s.URL+"/w.pdparams", o)
	if !errors.Is(err, errStall) {
		t.Errorf("error %v, want %v", err, errStall)
	}
}

func TestRetries(t *testing.T) {
	for _, tc := range []struct {
		status   int
		requests int64
	}{
		{http.StatusServiceUnavailable, 3}, {http.StatusTooManyRequests, 3},
		{http.StatusNotFound, 1}, {http.StatusForbidden, 1},
	} {
		s, o := serve(t), quick(t)
		s.handle = func(n int64, w http.ResponseWriter) bool { w.WriteHeader(tc.status); return false }
		told := int64(0)
		o.Retrying = func(err error, wait time.Duration) { told++ }
		_, err := Weights(t.Context(), s.URL+"/w.pdparams", o)
		if err == nil || !strings.Contains(err.Error(), fmt.Sprint(tc.status)) || !strings.Contains(err.Error(), s.URL) {
			t.Errorf("%d: error %v", tc.status, err)
		}
		if s.requests.Load() != tc.requests || told != tc.requests-1 {
			t.Errorf("%d: %d requests, %d retries told; want %d requests", tc.status, s.requests.Load(), told, tc.requests)
		}
	}
}

func TestRefusesWebPages(t *testing.T) {
	for _, kind := range []string{"text/html; charset=utf-8", "application/octet-stream"} {
		s, o := serve(t), quick(t)
		s.handle = func(n int64, w http.ResponseWriter) bool {
			w.Header().Set("Content-Type", kind)
			fmt.Fprint(w, "<!DOCTYPE html><title>Log in</title>")
			return false
		}
		_, err := Weights(t.Context(), s.URL+"/w.pdparams", o)
		if !errors.Is(err, errPage) {
			t.Errorf("%s: error %v, want %v", kind, err, errPage)
		}
		entries, _ := os.ReadDir(o.Dir)
		if len(entries) != 1 {
			t.Errorf("%s: %d files in the cache, want the lock alone", kind, len(entries))
		}
	}
}

func TestChecksum(t *testing.T) {
	s, o := serve(t), quick(t)
	sum := sha256.Sum256(content)
	good := s.URL + "/w.pdparams#sha256=" + strings.ToUpper(hex.EncodeToString(sum[:]))
	path, err := Weights(t.Context(), good, o)
	want(t, path, err)
	// A damaged file in the cache is seen and replaced.
	if err := os.WriteFile(path, content[:1000], 0o600); err != nil {
		t.Fatal(err)
	}
	path, err = Weights(t.Context(), good, o)
	want(t, path, err)
	bad := s.URL + "/v.pdparams#sha256=" + strings.Repeat("0", 64)
	if _, err := Weights(t.Context(), bad, o); err == nil || !strings.Contains(err.Error(), hex.EncodeToString(sum[:])) {
		t.Errorf("error %v, want one with the true sum", err)
	}
	onlyWhole(t, path)
}

func TestConcurrentCallsDownloadOnce(t *testing.T) {
	s, o := serve(t), quick(t)
	s.handle = func(n int64, w http.ResponseWriter) bool { time.Sleep(50 * time.Millisecond); return true }
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if _, err := Weights(t.Context(), s.URL+"/w.pdparams", o); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if s.requests.Load() != 1 {
		t.Errorf("%d requests, want 1", s.requests.Load())
	}
}

func TestCancelWhileAnotherDownloads(t *testing.T) {
	s, o := serve(t), quick(t)
	u, _ := url.Parse(s.URL + "/w.pdparams")
	unlock, err := lock(t.Context(), filepath.Join(o.Dir, cacheName(u)+lockExt), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	ctx, cancel := context.WithTimeout(t.Context(), 250*time.Millisecond) // two looks at the lock
	defer cancel()
	waits := 0
	o.Waiting = func() { waits++ }
	if _, err := Weights(ctx, u.String(), o); !errors.Is(err, context.DeadlineExceeded) || s.requests.Load() != 0 || waits != 1 {
		t.Errorf("error %v after %d requests, told %d times", err, s.requests.Load(), waits)
	}
}

func TestPaths(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "w.pdparams")
	_, err := Weights(t.Context(), path, Options{})
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), SSLD) || !strings.Contains(err.Error(), path) {
		t.Errorf("absent: error %v", err)
	}
	if _, err := Weights(t.Context(), dir, Options{}); err == nil {
		t.Error("a folder: no error")
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := Weights(t.Context(), path, Options{}); got != path || err != nil {
		t.Errorf("%s, %v", got, err)
	}
}

func TestRefusedReferences(t *testing.T) {
	for _, ref := range []string{
		"ftp://host/w.pdparams", "file:///etc/passwd", "https:///w.pdparams", "http://host/w#md5=12",
		"http://host/w#sha256=12", "http://[::1/w", "://x",
	} {
		if _, err := Weights(t.Context(), ref, Options{Dir: t.TempDir(), Retries: -1}); err == nil || !strings.HasPrefix(err.Error(), "fetch: ") {
			t.Errorf("%s: error %v", ref, err)
		}
	}
}

func TestCacheFolder(t *testing.T) {
	t.Setenv("PPTSN_CACHE", "/a/b")
	if dir, err := cacheDir(""); dir != "/a/b" || err != nil {
		t.Errorf("PPTSN_CACHE: %s, %v", dir, err)
	}
	t.Setenv("PPTSN_CACHE", "")
	t.Setenv("XDG_CACHE_HOME", "/home/u/.cache") // os.UserCacheDir on Unix
	if dir, err := cacheDir(""); dir != "/home/u/.cache/pptsn/weights" || err != nil {
		t.Errorf("%s, %v", dir, err)
	}
}

// Whatever the URL, the file is one in the cache folder, not hidden.
func FuzzParse(f *testing.F) {
	f.Add("https://host/a/ResNet50_vd.pdparams?x=%2f..#sha256=00")
	f.Add("http://h/..")
	f.Add("http://h/.%2e%2f%00")
	f.Fuzz(func(t *testing.T, ref string) {
		s, err := parse(ref)
		if err != nil {
			return
		}
		if filepath.Base(s.file) != s.file || strings.HasPrefix(s.file, ".") || len(s.file) > 200 {
			t.Errorf("%q: file %q", ref, s.file)
		}
	})
}

// A full disk ends the download at once, says what to do and keeps what came.
func TestFullDisk(t *testing.T) {
	s, o := serve(t), quick(t)
	if err := syscall.Mount("none", o.Dir, "tmpfs", 0, "size=256k"); err != nil {
		t.Skip("needs the right to mount a small tmpfs:", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(o.Dir, 0); err != nil {
			t.Error("unmount:", err)
		}
	})
	_, err := Weights(t.Context(), s.URL+"/w.pdparams", o)
	if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "PPTSN_CACHE") || !strings.Contains(err.Error(), o.Dir) {
		t.Errorf("error %v, want one about space in %s", err, o.Dir)
	}
	if parts, _ := filepath.Glob(filepath.Join(o.Dir, "*.part")); s.requests.Load() != 1 || len(parts) != 1 {
		t.Errorf("%d requests, parts %v; want one of each", s.requests.Load(), parts)
	}
}
