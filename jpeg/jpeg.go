// Package jpeg decodes and encodes JPEG pictures with libjpeg-turbo. Decoding
// gives the pixels that Pillow gives (Image.open(f).convert("RGB")), which the
// reference reads frame folders with: accurate integer DCT, smooth upsampling of
// chroma, gray and CMYK turned into RGB. Encoding gives Pillow's bytes.
package jpeg

/*
#cgo pkg-config: libjpeg
#include <stdlib.h>
#include "decode.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"unsafe"

	"github.com/pptsn/pptsn/frame"
)

// What a header can make us allocate: 8192 x 8192 pixels, and no more than the
// bytes can hold. Huffman codes take at least a bit for 64 pixels; arithmetic
// coding, which hardly anyone uses, can do with less.
const (
	maxPixels        = 1 << 26
	maxPixelsPerByte = 1 << 12
)

// A FormatError reports data that is not a whole JPEG picture.
type FormatError struct {
	Msg string // libjpeg's words
}

func (e *FormatError) Error() string { return "jpeg: " + e.Msg }

// ErrTooLarge reports a picture of more than 67 million pixels.
var ErrTooLarge = errors.New("jpeg: the picture is too large")

// Decode decodes one picture. A picture of which a part is missing or does not
// decode is a *FormatError.
func Decode(data []byte) (*frame.RGB, error) {
	if len(data) == 0 {
		return nil, &FormatError{"no data"}
	}
	src, size := (*C.uchar)(unsafe.Pointer(unsafe.SliceData(data))), C.size_t(len(data))
	var message [C.JPEG_MESSAGE]C.char
	var w, h C.int
	if C.jpeg_size(src, size, &w, &h, &message[0]) == 0 {
		return nil, &FormatError{C.GoString(&message[0])}
	}
	if int(w)*int(h) > maxPixels {
		return nil, fmt.Errorf("%w: %d x %d pixels", ErrTooLarge, w, h)
	}
	if int(w)*int(h) > maxPixelsPerByte*len(data) {
		return nil, &FormatError{fmt.Sprintf("%d bytes cannot hold %d x %d pixels", len(data), w, h)}
	}
	img := frame.NewRGB(int(w), int(h))
	if C.jpeg_rgb(src, size, (*C.uchar)(unsafe.Pointer(unsafe.SliceData(img.Pix))), w, h, &message[0]) == 0 {
		return nil, &FormatError{C.GoString(&message[0])}
	}
	return img, nil
}
