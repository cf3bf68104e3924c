package evaluate

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"math"
	"strconv"
)

const (
	// MaxDrawn classes fit a picture; each needs at least one pixel.
	MaxDrawn = 4096
	// maxNamed classes are few enough to write names and counts.
	maxNamed = 40
)

// Sizes in pixels.
const (
	mapSide = 1000 // of the matrix, where pixels can be shared out evenly
	margin  = 16
	nameGap = 6
)

var (
	paper = color.RGBA{255, 255, 255, 255}
	ink   = color.RGBA{33, 37, 41, 255}
	rule  = color.RGBA{206, 212, 218, 255}
	empty = color.RGBA{241, 243, 245, 255} // row of a class without videos
	right = color.RGBA{8, 81, 156, 255}    // all videos of a class on the diagonal
	wrong = color.RGBA{179, 21, 29, 255}   // all of them elsewhere
)

// Draw draws the confusion matrix: a row for each true class, a column for
// each that it was taken for. The darker, the larger the share of the row; blue
// is right and red is wrong. Up to 40 classes are named and their videos
// counted, above that it is a map of colours with numbers at its edges.
func (r *Result) Draw() (image.Image, error) {
	k := len(r.Classes)
	if k > MaxDrawn {
		return nil, fmt.Errorf("evaluate: a matrix of %d classes cannot be drawn: at most %d", k, MaxDrawn)
	}
	p, err := r.layOut()
	if err != nil {
		return nil, err
	}
	draw.Draw(p.img, p.img.Rect, image.NewUniform(paper), image.Point{}, draw.Src)
	for i, row := range r.Confusion {
		p.drawRow(i, row)
	}
	p.grid()
	p.captions()
	return p.img, nil
}

// A picture is a matrix while it is drawn.
type picture struct {
	img    *image.RGBA
	origin image.Point // upper left corner of the matrix
	k      int         // classes
	cell   int         // side in pixels
	ticks  []tick      // what is written at the edges
	text   *writer
	counts *writer // nil: no counts in the cells
}

// A tick names a row and a column.
type tick struct {
	at   int
	name string
}

func (r *Result) layOut() (*picture, error) {
	k := len(r.Classes)
	p := &picture{k: k, cell: max(1, mapSide/k)}
	var err error
	if p.text, err = newWriter(14); err != nil {
		return nil, err
	}
	if k <= maxNamed {
		p.cell = min(max(24, mapSide/k), 72)
		if p.counts, err = newWriter(min(16, float64(p.cell)*0.45)); err != nil {
			return nil, err
		}
	}
	p.ticks = r.ticks(p.text)
	wide := 0
	for _, t := range p.ticks {
		wide = max(wide, p.text.Width(t.name))
	}
	edge := margin + p.text.Height + nameGap + wide + nameGap // caption, names
	p.origin = image.Pt(edge, edge)
	side := max(edge+p.cell*k+margin, 2*margin+p.text.Width(legend))
	p.img = image.NewRGBA(image.Rect(0, 0, side, edge+p.cell*k+nameGap+p.text.Height+margin))
	return p, nil
}

// ticks are all classes, or every so many.
func (r *Result) ticks(w *writer) []tick {
	k, step := len(r.Classes), 1
	for i := 0; k > maxNamed && step*maxNamed/2 < k; i++ {
		step = []int{5, 10, 20, 50, 100, 200, 500}[i]
	}
	var ticks []tick
	for i := 0; i < k; i += step {
		name := strconv.Itoa(i)
		if k <= maxNamed && w.Has(r.Classes[i].Name) {
			name = shorten(r.title(i))
		}
		ticks = append(ticks, tick{i, name})
	}
	return ticks
}

// shorten keeps a name that would push the matrix off the picture in bounds.
func shorten(name string) string {
	const limit = 32
	if runes := []rune(name); len(runes) > limit {
		return string(runes[:limit-1]) + "…"
	}
	return name
}

func (p *picture) drawRow(i int, row []int) {
	total := 0
	for _, n := range row {
		total += n
	}
	for j, n := range row {
		box := image.Rect(0, 0, p.cell, p.cell).Add(p.origin).Add(image.Pt(j*p.cell, i*p.cell))
		c := shade(i == j, n, total)
		draw.Draw(p.img, box, image.NewUniform(c), image.Point{}, draw.Src)
		if p.counts != nil && n > 0 {
			p.counts.centre(p.img, box, strconv.Itoa(n), onto(c))
		}
	}
}

// shade goes with the root of the share, so that rare mistakes show.
func shade(diagonal bool, n, total int) color.RGBA {
	if total == 0 {
		return empty
	}
	full := wrong
	if diagonal {
		full = right
	}
	t := math.Sqrt(float64(n) / float64(total))
	mix := func(a, b uint8) uint8 { return uint8(math.Round(float64(a) + t*(float64(b)-float64(a)))) }
	return color.RGBA{mix(paper.R, full.R), mix(paper.G, full.G), mix(paper.B, full.B), 255}
}

// onto is the colour of text that reads well on c.
func onto(c color.RGBA) color.RGBA {
	if 299*int(c.R)+587*int(c.G)+114*int(c.B) < 140*1000 {
		return paper
	}
	return ink
}

// grid frames the matrix on its outside and separates cells that are large
// enough.
func (p *picture) grid() {
	step := 1
	if p.counts == nil {
		step = p.k
	}
	side := p.cell * p.k
	for i := 0; i <= p.k; i += step {
		at := i * p.cell
		if i == 0 {
			at = -1
		}
		for _, line := range []image.Rectangle{image.Rect(-1, at, side+1, at+1), image.Rect(at, -1, at+1, side+1)} {
			draw.Draw(p.img, line.Add(p.origin), image.NewUniform(rule), image.Point{}, draw.Src)
		}
	}
}

const legend = "blue: right, red: wrong, grey: no videos; darker: larger share of the row"

func (p *picture) captions() {
	side := p.cell * p.k
	for _, t := range p.ticks {
		centre := t.at*p.cell + p.cell/2
		p.text.leftOf(p.img, p.origin.Add(image.Pt(-nameGap, centre)), t.name, ink)
		p.text.upFrom(p.img, p.origin.Add(image.Pt(centre, -nameGap)), t.name, ink)
	}
	p.text.At(p.img, image.Pt(p.origin.X, margin), "taken for", ink)
	p.text.upFrom(p.img, image.Pt(margin+p.text.Height/2, p.origin.Y+p.text.Width("true class")), "true class", ink)
	p.text.At(p.img, image.Pt(margin, p.origin.Y+side+nameGap), legend, ink)
}
