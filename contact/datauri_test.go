package contact_test

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/color"
	"image/jpeg"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/contact"
	"github.com/pptsn/pptsn/frame"
)

// plain is a picture of one colour.
func plain(w, h int, c color.RGBA) *frame.RGB {
	return &frame.RGB{W: w, H: h, Pix: bytes.Repeat([]byte{c.R, c.G, c.B}, w*h)}
}

func decodeURI(t *testing.T, uri string) image.Image {
	t.Helper()
	data, ok := strings.CutPrefix(uri, "data:image/jpeg;base64,")
	if !ok {
		t.Fatalf("not a data URI of a JPEG: %.40q", uri)
	}
	b, err := base64.StdEncoding.DecodeString(data)
	if err != nil {
		t.Fatal(err)
	}
	m, err := jpeg.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestDataURI(t *testing.T) {
	c := color.RGBA{200, 60, 30, 255}
	for _, tc := range []struct {
		w, h, longSide int
		want           image.Point
	}{
		{320, 240, 0, image.Pt(320, 240)},
		{320, 240, 160, image.Pt(160, 120)},
		{240, 320, 160, image.Pt(120, 160)},
		{320, 240, 400, image.Pt(320, 240)}, // never larger
		{1000, 1, 100, image.Pt(100, 1)},    // never nothing
	} {
		uri, err := contact.DataURI(plain(tc.w, tc.h, c), tc.longSide)
		if err != nil {
			t.Fatal(err)
		}
		m := decodeURI(t, string(uri))
		if m.Bounds().Size() != tc.want {
			t.Errorf("%dx%d within %d is %v, want %v", tc.w, tc.h, tc.longSide, m.Bounds().Size(), tc.want)
		}
		r, g, b, _ := m.At(tc.want.X/2, tc.want.Y/2).RGBA()
		if d := distance(color.RGBA{uint8(r >> 8), uint8(g >> 8), uint8(b >> 8), 255}, c); d > 4 {
			t.Errorf("%dx%d within %d: a colour is off by %d", tc.w, tc.h, tc.longSide, d)
		}
	}
}

// distance is the largest difference of a channel.
func distance(a, b color.RGBA) int {
	d := func(x, y uint8) int { return max(int(x)-int(y), int(y)-int(x)) }
	return max(d(a.R, b.R), d(a.G, b.G), d(a.B, b.B))
}
