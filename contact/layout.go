package contact

import (
	"image"
	"image/color"

	"github.com/pptsn/pptsn/frame"
)

// Sizes in pixels.
const (
	margin    = 24
	gap       = 8    // between pictures
	leading   = 1    // between lines of text
	nameGap   = 12   // between a row's name and its pictures
	maxName   = 160  // of a row's name; longer ones are cut off
	maxAcross = 4096 // of the pictures of a row; more go below
	minAcross = 720  // of texts that stand alone
	maxText   = 220  // of a text below a picture that is narrower
	frameSide = 3    // of a red frame, outside the picture
	noPicture = 112  // side of an empty place
)

// A layout is where everything of a sheet stands.
type layout struct {
	writers
	size  image.Point
	boxes []box
	left  int // where pictures begin
	cell  int // width of a column
	wide  int // columns
	y     int // where the next line begins
}

// A box is a text, a picture or a patch of one colour.
type box struct {
	image.Rectangle
	writer  *Writer // with text
	text    string
	picture *frame.RGB
	color   color.RGBA
}

func (s *Sheet) layOut() (*layout, error) {
	w, err := newWriters()
	if err != nil {
		return nil, err
	}
	l := &layout{writers: w, y: margin}
	l.columns(s.Rows)
	across := max(l.left-margin+l.wide*(l.cell+gap)-gap, minAcross)
	l.size.X = across + 2*margin
	l.write(l.title, margin, across, s.Title, ink)
	l.paragraph(margin, across, s.Note, quiet)
	for _, r := range s.Rows {
		l.row(r, across)
	}
	l.size.Y = l.y + margin
	return l, nil
}

// columns finds the width of all columns and of the names before them.
func (l *layout) columns(rows []Row) {
	names, most := 0, 0
	for _, r := range rows {
		names = max(names, min(l.small.Width(r.Name), maxName))
		most = max(most, len(r.Cells))
		for _, c := range r.Cells {
			l.cell = max(l.cell, c.size().X)
			for _, line := range lines(c.Text) {
				l.cell = max(l.cell, min(l.small.Width(line), maxText))
			}
		}
	}
	l.left = margin
	if names > 0 {
		l.left += names + nameGap
	}
	if l.cell > 0 {
		l.wide = min(most, max(1, maxAcross/(l.cell+gap)))
	}
}

func (c Cell) size() image.Point {
	if c.Picture == nil {
		return image.Pt(noPicture, noPicture)
	}
	return image.Pt(c.Picture.W, c.Picture.H)
}

func (l *layout) row(r Row, across int) {
	if r.Title != "" {
		l.y += gap
		l.boxes = append(l.boxes, box{Rectangle: image.Rect(margin, l.y, margin+across, l.y+1), color: rule})
		l.y += gap
		l.write(l.heading, margin, across, r.Title, ink)
	}
	l.y += gap
	top := l.y
	l.paragraph(l.left, across-(l.left-margin), r.Error, alert)
	for i := 0; i < len(r.Cells); i += l.wide {
		l.line(r.Cells[i:min(i+l.wide, len(r.Cells))])
	}
	if r.Name != "" {
		bottom := l.y
		l.y = top
		l.write(l.small, margin, maxName, r.Name, quiet)
		l.y = max(l.y, bottom)
	}
}

// line places pictures with their texts; the texts begin below the highest one.
func (l *layout) line(cells []Cell) {
	top, high := l.y, 0
	for i, c := range cells {
		size := c.size()
		high = max(high, size.Y)
		at := image.Rectangle{Max: size}.Add(image.Pt(l.left+i*(l.cell+gap), top))
		edge := box{Rectangle: at.Inset(-1), color: rule} // white pictures have an end too
		if c.Alert {
			edge = box{Rectangle: at.Inset(-frameSide), color: alert}
		}
		l.boxes = append(l.boxes, edge, box{Rectangle: at, picture: c.Picture, color: empty})
	}
	bottom := top + high
	for i, c := range cells {
		l.y = top + high + frameSide
		for _, text := range lines(c.Text) {
			l.write(l.small, l.left+i*(l.cell+gap), l.cell, text, quiet)
		}
		bottom = max(bottom, l.y)
	}
	l.y = bottom + gap
}

// paragraph writes all of a text.
func (l *layout) paragraph(x, width int, text string, c color.RGBA) {
	for _, part := range lines(text) {
		for _, line := range l.text.wrap(part, width) {
			l.write(l.text, x, width, line, c)
		}
	}
}

// write puts a line of text below what is there.
func (l *layout) write(w *Writer, x, width int, text string, c color.RGBA) {
	if text == "" {
		return
	}
	at := image.Rect(x, l.y, x+width, l.y+w.Height+leading)
	l.boxes = append(l.boxes, box{Rectangle: at, writer: w, text: w.fit(text, width), color: c})
	l.y = at.Max.Y
}
