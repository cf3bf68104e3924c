package video_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/pptsn/pptsn/frame"
	"github.com/pptsn/pptsn/video"
)

// scene is a smooth picture in strong colours in which something moves.
func scene(w, h, n int) *frame.RGB {
	img := frame.NewRGB(w, h)
	for y := range h {
		for x := range w {
			p := img.Pix[3*(y*w+x):]
			p[0], p[1], p[2] = byte(255*x/w), byte(255*y/h), byte(128+100*math.Sin(float64(x+4*n)/15))
		}
	}
	return img
}

// write makes a video of n pictures at the given times and returns its path.
func write(t *testing.T, o video.WriterOptions, times []time.Duration) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "made.mp4")
	w, err := video.Create(path, o)
	if err != nil {
		t.Fatal(err)
	}
	for n, at := range times {
		if err := w.Write(scene(o.Width, o.Height, n), at); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), w.Close()); err != nil {
		t.Fatal(err)
	}
	w.Abort()
	if entries, _ := os.ReadDir(filepath.Dir(path)); len(entries) != 1 {
		t.Fatalf("%d files, want the video alone", len(entries))
	}
	return path
}

func at(rate float64, n int) []time.Duration {
	out := make([]time.Duration, n)
	for i := range out {
		out[i] = time.Duration(float64(i) / rate * 1e9)
	}
	return out
}

func psnr(a, b []byte) float64 {
	sum := 0.0
	for i := range a {
		d := float64(a[i]) - float64(b[i])
		sum += d * d
	}
	return 10 * math.Log10(255*255*float64(len(a))/sum)
}

// probe asks ffprobe.
func probe(t *testing.T, path string, args ...string) string {
	t.Helper()
	out, err := exec.Command("ffprobe", append(append([]string{"-v", "error", "-select_streams", "v:0", "-of", "csv=p=0"}, args...), path)...).Output()
	if err != nil {
		t.Skip("no ffprobe: ", err)
	}
	return strings.TrimSpace(string(out))
}

func TestWriterColoursAndKind(t *testing.T) {
	for _, tc := range []struct {
		w, h    int
		codec   string
		colours string // range, matrix, transfer, primaries
	}{
		{320, 240, "", "tv,smpte170m,smpte170m,smpte170m"},
		{1280, 720, "", "tv,bt709,bt709,bt709"},
		{96, 64, "mpeg4", ""},
		{2, 2, "", "tv,smpte170m,smpte170m,smpte170m"},
	} {
		t.Run(fmt.Sprint(tc.w, "x", tc.h, tc.codec), func(t *testing.T) {
			path := write(t, video.WithCodec(video.WriterOptions{Width: tc.w, Height: tc.h, CRF: 12}, tc.codec), at(25, 5))
			if got := probe(t, path, "-show_entries", "stream=color_range,color_space,color_transfer,color_primaries"); tc.colours != "" && got != tc.colours {
				t.Errorf("colours %q, want %q", got, tc.colours)
			}
			f := open(t, path)
			w := decoded(t, path)
			if f.Len() != 5 || len(w.frames) != 5 {
				t.Fatalf("%d frames here, %d in ffmpeg, want 5", f.Len(), len(w.frames))
			}
			compare(t, f, w, upTo(5)) // so what follows holds for ffmpeg too
			for n, img := range frames(t, f, upTo(5)) {
				if p := psnr(img.Pix, scene(tc.w, tc.h, n).Pix); tc.w > 2 && p < 37 {
					t.Errorf("frame %d: PSNR %.1f dB", n, p)
				}
			}
			data, _ := os.ReadFile(path)
			if m, d := bytes.Index(data, []byte("moov")), bytes.Index(data, []byte("mdat")); m < 0 || m > d {
				t.Errorf("moov at %d, mdat at %d: it does not start fast", m, d)
			}
			if bytes.Contains(data, []byte("Lavf")) || bytes.Contains(data, []byte("Lavc")) {
				t.Error("the version of FFmpeg is in the file")
			}
		})
	}
}

func TestWriterTimes(t *testing.T) {
	odd := []time.Duration{0, 40 * time.Millisecond, 41 * time.Millisecond, 2 * time.Second, 2100 * time.Millisecond}
	late := []time.Duration{5 * time.Second, 6 * time.Second}
	for _, tc := range []struct {
		name     string
		times    []time.Duration
		want     string // the frames' times, in ticks of 1/120000 s
		duration string
	}{
		{"odd", odd, "0 4800 4920 240000 252000", "2.200000"},
		{"NTSC", at(30000./1001, 4), "0 4004 8008 12012", "0.133467"},
		{"film", at(24000./1001, 4), "0 5005 10010 15015", "0.166833"},
		{"one", at(25, 1), "0", "0.033333"},
		{"from the first on", late, "0 120000", "2.000000"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			path := write(t, video.WriterOptions{Width: 64, Height: 48}, tc.times)
			got := strings.ReplaceAll(probe(t, path, "-show_entries", "frame=pts"), ",", "")
			if got = strings.Join(strings.Fields(got), " "); got != tc.want {
				t.Errorf("times %s, want %s", got, tc.want)
			}
			if got := probe(t, path, "-show_entries", "stream=duration"); got != tc.duration {
				t.Errorf("duration %s s, want %s", got, tc.duration)
			}
		})
	}
}

func TestWriterGivesTheSameBytes(t *testing.T) {
	o := video.WriterOptions{Width: 160, Height: 120, GOP: 8}
	a, _ := os.ReadFile(write(t, o, at(25, 30)))
	path := write(t, o, at(25, 30))
	if b, _ := os.ReadFile(path); !bytes.Equal(a, b) || len(a) == 0 {
		t.Error("the same pictures gave other bytes")
	}
	// What mbtree breaks shows in one file of a thousand; x264 writes its settings down.
	if bytes.Contains(a, []byte("x264")) && !bytes.Contains(a, []byte("mbtree=0")) {
		t.Error("x264 uses mbtree, which does not always give the same bytes")
	}
	keys := strings.Fields(strings.ReplaceAll(probe(t, path, "-show_entries", "frame=key_frame"), ",", " "))
	for n, key := range keys {
		if want := n%8 == 0; want != (key == "1") {
			t.Errorf("frame %d: key %s", n, key)
		}
	}
}

func TestWriterRefuses(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "made.mp4")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	good := video.WriterOptions{Width: 64, Height: 48}
	for _, tc := range []struct {
		name string
		o    video.WriterOptions
		use  func(w *video.Writer) error
		want string
	}{
		{"odd", video.WriterOptions{Width: 63, Height: 48}, nil, "63 x 48 pixels: want even sides"},
		{"huge", video.WriterOptions{Width: 1 << 20, Height: 1 << 20}, nil, "want even sides"},
		{"CRF", video.WriterOptions{Width: 64, Height: 48, CRF: 52}, nil, "CRF 52"},
		{"codec", video.WithCodec(good, "nosuch"), nil, "Encoder not found"},
		{"preset", video.WriterOptions{Width: 64, Height: 48, Preset: "nosuch"}, nil, `preset "nosuch": want one of [ultrafast`},
		{"nothing", good, func(w *video.Writer) error { return nil }, "no picture was written"},
		{"backwards", good, func(w *video.Writer) error {
			return errors.Join(w.Write(scene(64, 48, 0), 0), w.Write(scene(64, 48, 1), 0))
		}, "picture 1 is shown at 0s, not after"},
		{"short picture", good, func(w *video.Writer) error {
			return w.Write(&frame.RGB{W: 64, H: 48, Pix: make([]byte, 10)}, 0)
		}, "10 bytes"},
		{"aborted", good, func(w *video.Writer) error {
			w.Write(scene(64, 48, 0), 0)
			w.Abort()
			return errors.Join(w.Write(scene(64, 48, 0), time.Second), w.Close())
		}, "already closed"},
	} {
		w, err := video.Create(path, tc.o)
		if err == nil {
			used := tc.use(w)
			err = errors.Join(used, w.Close(), w.Close())
		}
		if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: error %v, want %q", tc.name, err, tc.want)
		}
		if got, _ := os.ReadFile(path); string(got) != "old" {
			t.Errorf("%s: the old file is gone", tc.name)
		}
		if entries, _ := os.ReadDir(dir); len(entries) != 1 {
			t.Fatalf("%s: %d files left", tc.name, len(entries))
		}
	}
	if _, err := video.Create(filepath.Join(dir, "none", "made.mp4"), good); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
}

func TestWriterScales(t *testing.T) {
	path := filepath.Join(t.TempDir(), "made.mp4")
	w, err := video.Create(path, video.WriterOptions{Width: 100, Height: 80, CRF: 10})
	if err != nil {
		t.Fatal(err)
	}
	for n, s := range [][2]int{{200, 160}, {100, 80}, {51, 41}, {200, 160}} {
		if err := w.Write(scene(s[0], s[1], 0), time.Duration(n)*time.Second); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	all := frames(t, open(t, path), upTo(4))
	if p := psnr(all[0].Pix, all[3].Pix); p < 40 || size(all[0]) != "100x80" {
		t.Errorf("%s, PSNR %.1f dB", size(all[0]), p)
	}
}

func TestWriterFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("none", dir, "tmpfs", 0, "size=256k"); err != nil {
		t.Skip("needs the right to mount a small tmpfs:", err)
	}
	defer syscall.Unmount(dir, 0)
	w, err := video.Create(filepath.Join(dir, "made.mp4"), video.WriterOptions{Width: 320, Height: 240, CRF: 1, GOP: 1})
	if err != nil {
		t.Fatal(err)
	}
	for n := 0; n < 200 && err == nil; n++ {
		img := scene(320, 240, n)
		for i := range img.Pix {
			img.Pix[i] ^= byte(i * 7 * (n + 1) >> 3)
		}
		err = w.Write(img, time.Duration(n)*time.Second)
	}
	if err = w.Close(); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("error %v, want ENOSPC", err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 0 {
		t.Errorf("%d files left", len(entries))
	}
}

func TestNote(t *testing.T) {
	path := filepath.Join(t.TempDir(), "made.mp4")
	text := []byte(`{"frames": 3, "of": "clip"}`)
	w, err := video.Create(path, video.WriterOptions{Width: 64, Height: 48})
	if err != nil {
		t.Fatal(err)
	}
	for n := range 3 {
		w.Write(scene(64, 48, n), time.Duration(n)*time.Second)
	}
	w.Note(text)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if got, err := video.ReadNote(path); err != nil || !bytes.Equal(got, text) {
		t.Errorf("%q, %v", got, err)
	}
	if n := len(decoded(t, path).frames); n != 3 {
		t.Errorf("ffmpeg decodes %d frames beside the note", n)
	}
	if f := open(t, path); f.Len() != 3 {
		t.Errorf("Len is %d", f.Len())
	}
	data, _ := os.ReadFile(path)
	for cut := 1; cut < 80; cut++ {
		os.WriteFile(path, data[:len(data)-cut], 0o600)
		if _, err := video.ReadNote(path); !errors.Is(err, video.ErrNoNote) {
			t.Fatalf("%d bytes cut off: %v", cut, err)
		}
	}
}

func FuzzNote(f *testing.F) {
	box := []byte("\x00\x00\x00\x1euuidpptsn note\x8f\x1d\x5a\xc3\x72\x06{}\x00\x00\x00\x1e")
	f.Add(box)
	f.Add(box[1:])
	f.Add([]byte{})
	path := filepath.Join(f.TempDir(), "file")
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		text, err := video.ReadNote(path)
		if err == nil && !bytes.Contains(data, text) || err != nil && !errors.Is(err, video.ErrNoNote) {
			t.Errorf("%q, %v", text, err)
		}
	})
}

func TestForgottenWriterIsReported(t *testing.T) {
	var log lockedBuffer
	old := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	defer slog.SetDefault(old)
	path := filepath.Join(t.TempDir(), "forgotten.mp4")
	if _, err := video.Create(path, video.WriterOptions{Width: 64, Height: 48}); err != nil {
		t.Fatal(err)
	}
	for range 200 {
		runtime.GC()
		if strings.Contains(log.String(), "forgotten.mp4") {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("not a word about it: %q", log.String())
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// Many files are written at a time, each with its own encoder.
func TestConcurrentWriters(t *testing.T) {
	dir := t.TempDir()
	results := make(chan error)
	for k := range 4 {
		go func() {
			w, err := video.Create(filepath.Join(dir, fmt.Sprint(k)), video.WriterOptions{Width: 64, Height: 48})
			for n := 0; n < 10 && err == nil; n++ {
				err = w.Write(scene(64, 48, n), time.Duration(n)*time.Second)
			}
			if err == nil {
				err = w.Close()
			}
			results <- err
		}()
	}
	for range 4 {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	first, _ := os.ReadFile(filepath.Join(dir, "0"))
	for k := range 4 {
		if b, _ := os.ReadFile(filepath.Join(dir, fmt.Sprint(k))); !bytes.Equal(b, first) {
			t.Errorf("video %d has other bytes", k)
		}
	}
}
