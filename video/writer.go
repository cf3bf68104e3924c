package video

/*
#include <stdlib.h>
#include "encode.h"
*/
import "C"

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"syscall"
	"time"
	"unsafe"

	"github.com/pptsn/pptsn/atomicfile"
	"github.com/pptsn/pptsn/frame"
)

// A Writer writes a video: H.264 in an MP4 file that plays before it is loaded
// whole (MPEG-4 where FFmpeg comes without libx264), 8-bit 4:2:0, colours tagged
// (BT.601, from 720 rows on BT.709). The same pictures give the same bytes, with the
// same version of FFmpeg's libraries. Not for concurrent use.
type Writer struct {
	path    string
	pending *atomicfile.Pending
	leak    runtime.Cleanup
	c       *C.writer // nil once closed
	note    []byte
	n       int           // pictures
	first   time.Duration // of the first picture
	ticks   C.int64_t     // time of the last picture
	err     error         // the first one: nothing can be written after it
}

// Create begins a video at path. Until Close it has a temporary name in the same
// folder; a file already at path is replaced then. The caller calls Close, or
// Abort, or both.
func Create(path string, o WriterOptions) (*Writer, error) {
	if err := o.check(); err != nil {
		return nil, fmt.Errorf("video: create %s: %w", path, err)
	}
	pending, err := atomicfile.Named(path)
	if err != nil {
		return nil, fmt.Errorf("video: create: %w", err)
	}
	w := &Writer{path: path, pending: pending}
	if w.c = C.writer_new(); w.c == nil {
		w.err = errors.New("no memory")
	} else {
		w.err = w.open(o)
	}
	if w.err != nil {
		w.Abort()
		return nil, fmt.Errorf("video: create %s: %w", path, w.err)
	}
	w.leak = runtime.AddCleanup(w, reportUnfinished, path)
	return w, nil
}

func reportUnfinished(path string) { slog.Warn("video: writer was never closed", "path", path) }

func (w *Writer) open(o WriterOptions) error {
	url := C.CString("file:" + w.pending.Name())
	defer C.free(unsafe.Pointer(url))
	preset := C.CString(cmp.Or(o.Preset, "fast"))
	defer C.free(unsafe.Pointer(preset))
	var codec *C.char
	if o.codec != "" {
		codec = C.CString(o.codec)
		defer C.free(unsafe.Pointer(codec))
	}
	co := C.writer_options{
		codec: codec, preset: preset, width: C.int(o.Width), height: C.int(o.Height),
		gop: C.int(cmp.Or(o.GOP, 12)), crf: C.int(cmp.Or(o.CRF, 20)), threads: C.int(max(o.Threads, 1)),
	}
	if o.FastDecode {
		co.fast_decode = 1
	}
	var f C.failure
	if C.writer_open(w.c, url, &co, &f) < 0 {
		return writeFailed(&f)
	}
	return nil
}

// writeFailed keeps the system's error where it was one, such as a full disk.
func writeFailed(f *C.failure) error {
	if f.code < 0 && f.code > -4096 {
		return fmt.Errorf("%s (%w)", C.GoString(&f.text[0]), syscall.Errno(-f.code))
	}
	return failed(f)
}

// Write appends a picture that is shown from the time at on, scaled to the
// video's size. Times must grow, by more than 9 µs; they count from the first
// one's. The last picture is shown as long as the one before it.
func (w *Writer) Write(img *frame.RGB, at time.Duration) error {
	switch {
	case w.err != nil:
		return w.err
	case w.c == nil:
		return fmt.Errorf("video: write %s: %w", w.path, os.ErrClosed)
	case img.W < 1 || img.H < 1 || len(img.Pix) != 3*img.W*img.H:
		return w.fail(fmt.Errorf("%d bytes for a picture of %d x %d pixels", len(img.Pix), img.W, img.H))
	}
	if w.n == 0 {
		w.first = at
	}
	ticks := scaled(at-w.first, C.writer_rate(w.c))
	if w.n > 0 && ticks <= w.ticks {
		return w.fail(fmt.Errorf("picture %d is shown at %v, not after the one before it", w.n, at))
	}
	w.n, w.ticks = w.n+1, ticks
	var f C.failure
	src := (*C.uint8_t)(unsafe.SliceData(img.Pix))
	if C.writer_write(w.c, src, C.int(img.W), C.int(img.H), ticks, &f) < 0 {
		return w.fail(writeFailed(&f))
	}
	return nil
}

// scaled is d in ticks, rounded to the nearest.
func scaled(d time.Duration, rate C.int64_t) C.int64_t {
	whole, rest := int64(d/time.Second), int64(d%time.Second)
	half := int64(time.Second / 2)
	if rest < 0 {
		half = -half
	}
	return C.int64_t(whole*int64(rate) + (rest*int64(rate)+half)/int64(time.Second))
}

func (w *Writer) fail(err error) error {
	w.err = fmt.Errorf("video: write %s: %w", w.path, err)
	return w.err
}

// Close finishes the file and puts it at its place. After an error, of Write too,
// nothing is left of it and what was at the place is still there. It may be
// called twice, and after Abort.
func (w *Writer) Close() error {
	if w.c == nil {
		return w.err
	}
	defer w.Abort()
	if w.err == nil {
		if err := w.finish(); err != nil {
			w.fail(err)
		}
	}
	return w.err
}

func (w *Writer) finish() error {
	if w.n == 0 {
		return errors.New("no picture was written")
	}
	var f C.failure
	if C.writer_finish(w.c, &f) < 0 {
		return writeFailed(&f)
	}
	if w.note != nil {
		if err := appendNote(w.pending.Name(), w.note); err != nil {
			return err
		}
	}
	if err := w.pending.Sync(); err != nil {
		return err
	}
	return w.pending.Commit()
}

// Abort gives the file up and removes what was written. After Close it does
// nothing.
func (w *Writer) Abort() {
	w.leak.Stop()
	if w.c != nil {
		C.writer_free(w.c)
		w.c = nil
	}
	w.pending.Discard()
}
