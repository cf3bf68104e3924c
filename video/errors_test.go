package video_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/pptsn/pptsn/internal/testdata"
	"github.com/pptsn/pptsn/video"
)

// refused opens a file that cannot be opened and returns the error.
func refused(t *testing.T, path string) error {
	t.Helper()
	f, err := video.Open(context.Background(), path, video.Options{})
	if err == nil {
		f.Close()
		t.Fatalf("%s was opened", path)
	}
	if !strings.Contains(err.Error(), path) {
		t.Errorf("the error does not name %s: %v", path, err)
	}
	return err
}

func TestOpenErrors(t *testing.T) {
	dir := filepath.Join(testdata.Shared(t), "data", "odd-videos")
	for _, tc := range []struct {
		name string
		is   error
	}{
		{"audio-only.mp4", video.ErrNoVideoStream},
		{"gen-audio-with-cover.m4a", video.ErrNoVideoStream},
		{"zero-byte.webm", video.ErrEmpty},
		{"gen-zero-byte.mp4", video.ErrEmpty},
		{"gen-0-frames.avi", video.ErrNoFrames},
		{"init-segment-only.mp4", video.ErrNoFrames},
		{"bad-timescale.mp4", video.ErrNoFrames},
		{"claims-14315-frames.mp4", video.ErrNoFrames},
	} {
		if err := refused(t, filepath.Join(dir, tc.name)); !errors.Is(err, tc.is) {
			t.Errorf("%s: %v, want %v", tc.name, err, tc.is)
		}
	}
	for _, tc := range []struct{ name, msg, hint string }{
		{"missing-moov.mp4", "moov atom not found", "truncated or still being written"},
		{"gen-missing-moov.mp4", "moov atom not found", "truncated or still being written"},
		{"gen-text-named.mp4", "moov atom not found", "not a video file but text"},
		{"chunk-out-of-range.mp4", "STSC and STCO", ""},
	} {
		wantOpenError(t, filepath.Join(dir, tc.name), tc.msg, tc.hint)
	}
}

func wantOpenError(t *testing.T, path, msg, hint string) {
	t.Helper()
	var err *video.OpenError
	if e := refused(t, path); !errors.As(e, &err) {
		t.Errorf("%s: %v, want an OpenError", path, e)
		return
	}
	if err.Path != path || !strings.Contains(err.Msg, msg) || !strings.Contains(err.Hint, hint) || (hint == "") != (err.Hint == "") {
		t.Errorf("%s: %q, hint %q; want %q, hint %q", path, err.Msg, err.Hint, msg, hint)
	}
}

func TestPathErrors(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		path string
		is   error
	}{
		{filepath.Join(dir, "missing.mp4"), fs.ErrNotExist},
		{dir, syscall.EISDIR},
		{"http://localhost/clip.mp4", fs.ErrNotExist},
	} {
		if err := refused(t, tc.path); !errors.Is(err, tc.is) {
			t.Errorf("%s: %v, want %v", tc.path, err, tc.is)
		}
	}
	if err := refused(t, pipe); !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("a pipe: %v", err)
	}
	if _, err := video.Open(context.Background(), "clip\x00.mp4", video.Options{}); err == nil {
		t.Error("a path with a zero byte was opened")
	}
}

func TestNoPermission(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret.mp4")
	if err := os.WriteFile(path, []byte("x"), 0); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 { // root may read everything, but this thread need not be root
		const nobody = 65534
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		syscall.RawSyscall(syscall.SYS_SETFSUID, nobody, 0, 0)
		defer syscall.RawSyscall(syscall.SYS_SETFSUID, 0, 0, 0)
	}
	if err := refused(t, path); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("%v, want %v", err, fs.ErrPermission)
	}
}

func TestTextIsNotAVideo(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"pointer.mp4":  "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 12345\n",
		"list.txt":     "clip.mp4 3\nother clip.mp4 5\n",
		"page.mp4":     "<!DOCTYPE html><html><body>404 Not Found: Überall</body></html>",
		"letters.nfo":  "\x1b[31mred\x1b[0m\n",
		"playlist.m3u": "#EXTM3U\nclip.mp4\n",
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		hint := "text"
		if name == "pointer.mp4" {
			hint = "git lfs pull"
		}
		wantOpenError(t, path, "", hint)
	}
	noise := filepath.Join(dir, "noise.mp4")
	if err := os.WriteFile(noise, bytes.Repeat([]byte{0x91, 3, 0xfe, 0}, 1000), 0o644); err != nil {
		t.Fatal(err)
	}
	wantOpenError(t, noise, "", "")
}

// TestNoOtherFileIsOpened: playlists next to a good clip must not lead to it.
func TestNoOtherFileIsOpened(t *testing.T) {
	clip := made(t, "clip.mp4", src+" -t 0.2 -c:v mpeg4")
	stream := made(t, "clip.ts", src+" -t 0.2 -c:v mpeg2video")
	dir := t.TempDir()
	for name, text := range map[string]string{
		"list.ffconcat": "ffconcat version 1.0\nfile " + filepath.Base(clip) + "\n",
		"list.m3u8":     "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n" + stream + "\n#EXT-X-ENDLIST\n",
		"list.mpd": `<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT1S">` +
			`<Period><AdaptationSet contentType="video"><Representation id="1" bandwidth="1"><BaseURL>` + clip +
			`</BaseURL></Representation></AdaptationSet></Period></MPD>`,
	} {
		copyFile(t, clip, filepath.Join(dir, filepath.Base(clip)))
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		refused(t, path)
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, data, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestNames: no file name is taken for an option, a protocol or a pattern.
func TestNames(t *testing.T) {
	clip := made(t, "clip.mp4", src+" -t 0.2 -c:v mpeg4")
	t.Chdir(t.TempDir())
	for _, name := range []string{
		"-x.mp4", "-", "a:b.mp4", "concat:a|b.mp4", "http:x.mp4", "file:x.mp4", "pipe:0", "data:,x.mp4", "%03d.mp4", "img*.jpg",
		"q?.mp4", "a#b&c.mp4", "new\nline.mp4", "\xff\xfe.mp4", "夏.mp4", " ", "no-extension",
	} {
		copyFile(t, clip, name)
		if n := open(t, name).Len(); n != 5 {
			t.Errorf("%q: %d frames, want 5", name, n)
		}
	}
}

func TestIndexErrors(t *testing.T) {
	f := open(t, made(t, "clip.mp4", src+" -t 0.2 -c:v mpeg4"))
	for _, i := range []int{-1, 5, 1 << 40} {
		var err *video.IndexError
		if _, e := f.Frames(context.Background(), []int{0, i}); !errors.As(e, &err) || err.Index != i || err.Len != 5 {
			t.Errorf("frame %d: %v", i, e)
		}
	}
	if p, err := f.Frames(context.Background(), nil); len(p) != 0 || err != nil {
		t.Errorf("no frames: %d, %v", len(p), err)
	}
	for range 2 {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := f.Frames(context.Background(), []int{0}); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	if _, err := f.Count(context.Background()); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}
