package video_test

import (
	"path/filepath"
	"syscall"
	"testing"

	"github.com/pptsn/pptsn/frame"
	"github.com/pptsn/pptsn/video"
)

// Behind the last byte of the picture lies a page that nobody may read.
func TestWriterReadsThePictureAlone(t *testing.T) {
	page := syscall.Getpagesize()
	for _, size := range [][2]int{{1, 1}, {17, 16}, {64, 48}, {341, 256}} {
		w, h := size[0], size[1]
		room := (3*w*h + page - 1) / page * page
		mem, err := syscall.Mmap(-1, 0, room+page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
		if err != nil {
			t.Fatal(err)
		}
		defer syscall.Munmap(mem)
		if err := syscall.Mprotect(mem[room:], syscall.PROT_NONE); err != nil {
			t.Fatal(err)
		}
		out, err := video.Create(filepath.Join(t.TempDir(), "made.mp4"), video.WriterOptions{Width: 64, Height: 48})
		if err != nil {
			t.Fatal(err)
		}
		if err := out.Write(&frame.RGB{W: w, H: h, Pix: mem[room-3*w*h : room]}, 0); err != nil {
			t.Error(err)
		}
		out.Abort()
	}
}
