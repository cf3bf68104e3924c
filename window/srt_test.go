package window_test

import (
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pptsn/pptsn/atomicfile"
	"github.com/pptsn/pptsn/window"
)

func TestWriteSRT(t *testing.T) {
	captions := []window.Caption{
		{0, 5 * s, "Basketball 0.97"},
		{5 * s, 3723*s + 4*ms + 600*time.Microsecond, "von Hand\n\ngemalt 0.50"},
	}
	var b strings.Builder
	if err := window.WriteSRT(&b, captions); err != nil {
		t.Fatal(err)
	}
	want := "1\n00:00:00,000 --> 00:00:05,000\nBasketball 0.97\n\n2\n00:00:05,000 --> 01:02:03,005\nvon Hand gemalt 0.50\n\n"
	if b.String() != want {
		t.Errorf("wrote %q, want %q", b.String(), want)
	}
}

// FFmpeg reads back what was written.
func TestSRTIsRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.srt")
	captions := []window.Caption{{0, 1500 * ms, "one"}, {2 * s, 4 * s, "two"}}
	if err := atomicfile.Write(path, func(w io.Writer) error { return window.WriteSRT(w, captions) }); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("ffprobe", "-v", "error", "-show_entries", "packet=pts_time,duration_time", "-of", "csv=p=0", path).Output()
	if err != nil {
		t.Skip("no ffprobe: ", err)
	}
	if want := "0.000000,1.500000\n2.000000,2.000000\n"; string(out) != want {
		t.Errorf("ffprobe reads %q, want %q", out, want)
	}
}
