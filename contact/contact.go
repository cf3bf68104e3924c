// Package contact draws contact sheets: pictures in a grid with text, as PNG or
// as one HTML file that needs no other.
package contact

import (
	"image"
	"image/color"
	"strings"

	"github.com/pptsn/pptsn/frame"
)

// A Sheet is pictures in rows.
type Sheet struct {
	Title string
	Note  string // below the title; may have several lines
	Rows  []Row
}

// A Row is pictures side by side. Rows without a Title belong to the one above.
type Row struct {
	Title string
	Name  string // short, to the left of the pictures
	Cells []Cell
	Error string // why pictures are missing, in red
}

// A Cell is a picture and what is said below it.
type Cell struct {
	Picture *frame.RGB // nil: an empty place
	Text    string     // may have several lines
	Alert   bool       // a red frame around it
}

func lines(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(strings.ToValidUTF8(text, "\ufffd"), "\n")
}

// rgba copies a picture.
func rgba(m *frame.RGB) *image.RGBA {
	out := image.NewRGBA(image.Rect(0, 0, m.W, m.H))
	for i := range m.W * m.H {
		c := m.Pix[3*i : 3*i+3]
		out.SetRGBA(i%m.W, i/m.W, color.RGBA{c[0], c[1], c[2], 255})
	}
	return out
}
