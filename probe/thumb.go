package probe

import (
	"bytes"
	"image"
	stdjpeg "image/jpeg"

	"github.com/pptsn/pptsn/frame"
	"github.com/pptsn/pptsn/jpeg"
)

// MaxThumb is the largest Options.Thumb, and the size that is remembered: some
// 5 kB a video.
const MaxThumb = 160

// scaled makes a picture with that long side, if it has a longer one.
func scaled(img *frame.RGB, long int) *frame.RGB {
	had := max(img.W, img.H)
	if had <= long {
		return img
	}
	out := frame.NewRGB(max(img.W*long/had, 1), max(img.H*long/had, 1))
	frame.ResizePillow(out, img)
	return out
}

// encode is the thumbnail of img as JPEG.
func encode(img *frame.RGB) ([]byte, error) {
	img = scaled(img, MaxThumb)
	rgba := image.NewRGBA(image.Rect(0, 0, img.W, img.H))
	for i := range img.W * img.H {
		copy(rgba.Pix[4*i:], img.Pix[3*i:3*i+3])
		rgba.Pix[4*i+3] = 255
	}
	var b bytes.Buffer
	err := stdjpeg.Encode(&b, rgba, &stdjpeg.Options{Quality: 85})
	return b.Bytes(), err
}

// thumb decodes what encode made; nil for anything else.
func thumb(data []byte, long int) *frame.RGB {
	if long <= 0 || len(data) == 0 {
		return nil
	}
	img, err := jpeg.Decode(data)
	if err != nil || max(img.W, img.H) > MaxThumb {
		return nil
	}
	return scaled(img, long)
}
