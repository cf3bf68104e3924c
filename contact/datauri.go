package contact

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"html/template"
	"image/jpeg"

	"github.com/pptsn/pptsn/frame"
)

// quality of the JPEGs, where nothing of the coding shows at normal size.
const quality = 88

// DataURI is a picture as a URL that holds it (RFC 2397), a JPEG, for the src of
// an img. Its longer side is scaled down to longSide pixels; 0 leaves it as it
// is.
func DataURI(img *frame.RGB, longSide int) (template.URL, error) {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, rgba(within(img, longSide)), &jpeg.Options{Quality: quality}); err != nil {
		return "", fmt.Errorf("contact: a picture of %dx%d: %w", img.W, img.H, err)
	}
	return template.URL("data:image/jpeg;base64," + base64.StdEncoding.EncodeToString(b.Bytes())), nil
}

// within scales a picture down so that no side is longer.
func within(img *frame.RGB, longSide int) *frame.RGB {
	long := max(img.W, img.H)
	if longSide <= 0 || long <= longSide {
		return img
	}
	side := func(n int) int { return max(1, (n*longSide+long/2)/long) }
	small := frame.NewRGB(side(img.W), side(img.H))
	frame.ResizePillow(small, img)
	return small
}
