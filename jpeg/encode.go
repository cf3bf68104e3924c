package jpeg

/*
#include "encode.h"
*/
import "C"

import (
	"fmt"
	"slices"
	"unsafe"

	"github.com/pptsn/pptsn/frame"
)

// Encode appends img as a JPEG picture to dst and returns the longer slice, or
// dst as it was and an error. Quality goes from 1 to 100; chroma is halved both
// ways (4:2:0). The bytes are those of Pillow's save(quality=quality,
// subsampling=2) on the same libjpeg-turbo.
func Encode(dst []byte, img *frame.RGB, quality int) ([]byte, error) {
	switch {
	case quality < 1 || quality > 100:
		return dst, fmt.Errorf("jpeg: quality %d: want 1 to 100", quality)
	case img.W < 1 || img.H < 1 || len(img.Pix) != 3*img.W*img.H:
		return dst, fmt.Errorf("jpeg: %d bytes for a picture of %d x %d pixels", len(img.Pix), img.W, img.H)
	case img.W > maxSide || img.H > maxSide:
		return dst, fmt.Errorf("%w: %d x %d pixels, JPEG has sides of up to %d", ErrTooLarge, img.W, img.H, maxSide)
	}
	var message [C.JPEG_MESSAGE]C.char
	src := (*C.uchar)(unsafe.SliceData(img.Pix))
	for room := len(img.Pix)/2 + 2048; ; room *= 2 { // noise at quality 100 needs more
		dst = slices.Grow(dst, room)
		size := C.size_t(cap(dst) - len(dst))
		to := (*C.uchar)(unsafe.SliceData(dst[len(dst):cap(dst)]))
		switch C.jpeg_encode(to, &size, src, C.int(img.W), C.int(img.H), C.int(quality), &message[0]) {
		case 1:
			return dst[:len(dst)+int(size)], nil
		case 0:
			return dst, fmt.Errorf("jpeg: %s", C.GoString(&message[0]))
		}
	}
}

// maxSide is JPEG_MAX_DIMENSION of libjpeg, in pixels.
const maxSide = 65500
