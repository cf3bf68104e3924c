package probe

import (
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
func encode(img *frame.RGB) ([]byte, error) { return jpeg.Encode(nil, scaled(img, MaxThumb), 85) }

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
