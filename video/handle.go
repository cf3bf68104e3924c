package video

/*
#cgo pkg-config: libavformat libavcodec libavutil libswscale
#cgo LDFLAGS: -lm
#include <stdlib.h>
#include "video.h"
*/
import "C"

import (
	"context"
	"errors"
	"unsafe"

	"github.com/pptsn/pptsn/frame"
)

// A handle is one C video: an open file, its video stream's decoder and the
// picture that came out last. Not for concurrent use.
type handle struct{ c *C.video }

// A failure is what one C call said.
type failure struct {
	code int
	text string
}

func (f *failure) Error() string { return f.text }

func failed(f *C.failure) error { return &failure{int(f.code), C.GoString(&f.text[0])} }

// noTime stands for a time stamp that is absent.
const noTime = int64(C.VIDEO_NO_TIME)

func newHandle() (*handle, error) {
	c := C.video_new()
	if c == nil {
		return nil, errors.New("no memory")
	}
	return &handle{c}, nil
}

func (h *handle) close() {
	if h.c != nil {
		C.video_close(h.c)
		h.c = nil
	}
}

// watch makes reading fail as soon as ctx is done. release ends that.
func (h *handle) watch(ctx context.Context) (release func()) {
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		C.video_interrupt(h.c, 1)
		close(done)
	})
	return func() {
		if !stop() {
			<-done
			C.video_interrupt(h.c, 0)
		}
	}
}

// open opens the file at path, or opens it again from its beginning.
func (h *handle) open(path string, o Options) (stream, error) {
	url := C.CString("file:" + path) // so that no name is taken for a protocol or an option
	defer C.free(unsafe.Pointer(url))
	var info C.stream_info
	var f C.failure
	if C.video_open(h.c, url, maxPixels, C.int64_t(o.stall().Microseconds()), &info, &f) < 0 {
		return stream{}, failed(&f)
	}
	return stream{
		container: C.GoString(&info.container[0]),
		codec:     C.GoString(&info.codec[0]),
		width:     int(info.width), height: int(info.height),
		rotation:   int(info.rotation),
		known:      info.known != 0,
		interlaced: info.interlaced != 0,
		timed:      info.timed != 0,
		intraOnly:  info.intra_only != 0,
		delay:      int(info.delay),
		claimed:    int(info.claimed),
		duration:   int64(info.duration),
		rate:       ratio(info.rate_num, info.rate_den),
		tick:       ratio(info.tick_num, info.tick_den),
		extra:      C.GoBytes(unsafe.Pointer(info.extra), info.extra_size),
	}, nil
}

func ratio(num, den C.int) float64 {
	if num <= 0 || den <= 0 {
		return 0
	}
	return float64(num) / float64(den)
}

// read goes to the next packet of the video stream; ok is false after the last.
// The packet's bytes are valid until the next call.
func (h *handle) read() (p packet, data []byte, ok bool, err error) {
	var info C.packet_info
	var f C.failure
	switch rc := C.video_read(h.c, &info, &f); {
	case rc < 0:
		return p, nil, false, failed(&f)
	case rc == C.VIDEO_NONE:
		return p, nil, false, nil
	}
	p = packet{
		pts: int64(info.pts), dts: int64(info.dts), pos: int64(info.pos), duration: int64(info.duration),
		size: int32(info.size), discard: info.discard != 0, corrupt: info.corrupt != 0, side: info.side != 0,
	}
	return p, unsafe.Slice((*byte)(info.data), info.size), true, nil
}

// seek goes to a key frame at or before the time ts, as the demuxer understands it.
func (h *handle) seek(ts int64) error {
	var f C.failure
	if C.video_seek(h.c, C.int64_t(ts), &f) < 0 {
		return failed(&f)
	}
	return nil
}

// begin makes a fresh decoder.
func (h *handle) begin(threads int) error {
	var f C.failure
	if C.video_begin(h.c, C.int(threads), &f) < 0 {
		return failed(&f)
	}
	return nil
}

// send decodes the packet read last. With skip it is only looked at, if its
// picture serves no other as a reference.
func (h *handle) send(skip bool) error {
	var f C.failure
	n := C.int(0)
	if skip {
		n = 1
	}
	if C.video_send(h.c, n, &f) < 0 {
		return failed(&f)
	}
	return nil
}

// drain says that no more packets follow, so that held-back pictures come out.
func (h *handle) drain() error {
	var f C.failure
	if C.video_drain(h.c, &f) < 0 {
		return failed(&f)
	}
	return nil
}

// complained reports whether the decoder found any fault since begin.
func (h *handle) complained() bool { return h.complaints() > 0 }

// complaints counts the faults.
func (h *handle) complaints() int { return int(C.video_complaints(h.c)) }

// flush makes the decoder forget all pictures.
func (h *handle) flush() { C.video_flush(h.c) }

// A picture describes the frame that receive took from the decoder.
type picture struct {
	pts     int64
	damaged bool // marked, or the decoder complained before
	marked  bool // by the decoder, as damaged or repaired
	usual   bool // of the size, pixel format and rotation that the container states
}

// receive takes the next picture; ok is false if there is none yet, or no more.
func (h *handle) receive() (p picture, ok bool, err error) {
	var info C.frame_info
	var f C.failure
	switch rc := C.video_receive(h.c, &info, &f); {
	case rc < 0:
		return p, false, failed(&f)
	case rc == C.VIDEO_NONE:
		return p, false, nil
	}
	return picture{int64(info.pts), info.damaged != 0, info.marked != 0, info.usual != 0}, true, nil
}

// size is that of the picture received last, upright.
func (h *handle) size() (width, height int) {
	var cw, ch C.int
	C.video_size(h.c, &cw, &ch)
	return int(cw), int(ch)
}

// rgb converts the picture received last, upright and scaled to the given size.
func (h *handle) rgb(width, height int) (*frame.RGB, error) {
	out := frame.NewRGB(width, height)
	var f C.failure
	if C.video_rgb(h.c, (*C.uint8_t)(unsafe.SliceData(out.Pix)), C.int(width), C.int(height), &f) < 0 {
		return nil, failed(&f)
	}
	return out, nil
}

// sum is a hash of the picture received last, as the decoder made it.
func (h *handle) sum() (sum [16]byte) {
	C.video_sum(h.c, (*C.uint8_t)(&sum[0]))
	return sum
}

func (f *failure) interrupted() bool { return f.code == int(C.VIDEO_INTERRUPTED) }
func (f *failure) noStream() bool    { return f.code == int(C.VIDEO_NO_STREAM) }
func (f *failure) isText() bool      { return f.code == int(C.VIDEO_TEXT) }
