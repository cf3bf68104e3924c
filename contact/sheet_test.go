package contact_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image"
	"image/color"
	"image/png"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/contact"
	"github.com/pptsn/pptsn/frame"
)

// numbered is a picture whose pixels all differ from their neighbours.
func numbered(w, h, seed int) *frame.RGB {
	m := frame.NewRGB(w, h)
	for i := range m.Pix {
		m.Pix[i] = byte(7*i + i/w*13 + 31*seed)
	}
	return m
}

func drawPNG(t *testing.T, s *contact.Sheet) image.Image {
	t.Helper()
	var b bytes.Buffer
	if err := s.PNG(&b); err != nil {
		t.Fatal(err)
	}
	m, err := png.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// find looks for a picture in another, pixel for pixel, and returns its corner.
func find(m image.Image, want *frame.RGB) (image.Point, bool) {
	at := func(p image.Point) [3]byte {
		r, g, b, _ := m.At(p.X, p.Y).RGBA()
		return [3]byte{byte(r >> 8), byte(g >> 8), byte(b >> 8)}
	}
	matches := func(corner image.Point) bool {
		for i := range want.W * want.H {
			if at(corner.Add(image.Pt(i%want.W, i/want.W))) != [3]byte(want.Pix[3*i:]) {
				return false
			}
		}
		return true
	}
	size := m.Bounds().Size()
	for y := range size.Y - want.H + 1 {
		for x := range size.X - want.W + 1 {
			if matches(image.Pt(x, y)) {
				return image.Pt(x, y), true
			}
		}
	}
	return image.Point{}, false
}

// Two rows of two pictures: all of them are in the sheet as they were, columns
// and rows line up, and nothing overlaps.
func TestPNGGeometry(t *testing.T) {
	pics := [4]*frame.RGB{numbered(40, 30, 0), numbered(40, 30, 1), numbered(40, 30, 2), numbered(36, 30, 3)}
	s := &contact.Sheet{Title: "sheet", Note: "a\nb", Rows: []contact.Row{
		{Title: "first", Name: "epoch 0", Cells: []contact.Cell{{Picture: pics[0], Text: "frame 3"}, {Picture: pics[1], Alert: true}}},
		{Name: "epoch 1", Cells: []contact.Cell{{Picture: pics[2]}, {Picture: pics[3], Text: "frame 12\nmirrored"}}},
	}}
	m := drawPNG(t, s)
	var at [4]image.Point
	for i, p := range pics {
		var ok bool
		if at[i], ok = find(m, p); !ok {
			t.Fatalf("picture %d is not in the sheet", i)
		}
	}
	if at[0].Y != at[1].Y || at[2].Y != at[3].Y || at[0].X != at[2].X || at[1].X != at[3].X {
		t.Errorf("corners %v: want two rows and two columns", at)
	}
	if at[1].X < at[0].X+40 || at[2].Y < at[0].Y+30 {
		t.Errorf("corners %v: pictures of 40x30 overlap", at)
	}
	red := func(p image.Point) bool {
		r, g, b, _ := m.At(p.X, p.Y).RGBA()
		return r > 2*g && r > 2*b
	}
	for i, want := range []bool{false, true, false, false} {
		if red(at[i].Sub(image.Pt(2, 2))) != want {
			t.Errorf("picture %d: red frame: want %v", i, want)
		}
	}
}

// inked counts the dark pixels of a title.
func inked(t *testing.T, title string) int { return dark(t, &contact.Sheet{Title: title}) }

func dark(t *testing.T, s *contact.Sheet) int {
	t.Helper()
	m, n := drawPNG(t, s), 0
	for y := range m.Bounds().Dy() {
		for x := range m.Bounds().Dx() {
			if color.GrayModel.Convert(m.At(x, y)).(color.Gray).Y < 128 {
				n++
			}
		}
	}
	return n
}

// Letters that the font has are drawn, others are boxes, and a text of any
// length and kind stays inside.
func TestPNGText(t *testing.T) {
	if a, b := inked(t, "Ärger Ωμέγα Щука"), inked(t, "          "); a < 500 || b != 0 {
		t.Errorf("letters have %d dark pixels and blanks %d", a, b)
	}
	if inked(t, "猫") != inked(t, "犬") || inked(t, "猫") == 0 {
		t.Error("letters that the font lacks are not drawn as one box")
	}
	note := func(words int) int { return dark(t, &contact.Sheet{Note: strings.Repeat("word ", words)}) }
	if one, all := note(1), note(300); all < 280*one || all > 320*one {
		t.Errorf("a note of 300 words has %d dark pixels, one of one word %d: some are lost", all, one)
	}
	long := drawPNG(t, &contact.Sheet{Title: strings.Repeat("long ", 1000), Note: "\xff\xfe\x00\t"})
	if w := long.Bounds().Dx(); w > 1000 {
		t.Errorf("a long title makes the sheet %d pixels wide", w)
	}
}

// A row that is too wide goes on below; what stays too large is an error.
func TestPNGLimits(t *testing.T) {
	cells := slices.Repeat([]contact.Cell{{Picture: numbered(224, 224, 0)}}, 100)
	m := drawPNG(t, &contact.Sheet{Rows: []contact.Row{{Cells: cells}}})
	if size := m.Bounds().Size(); size.X > 4200 || size.Y < 6*224 {
		t.Errorf("100 pictures in a row make a sheet of %v", size)
	}
	rows := slices.Repeat([]contact.Row{{Cells: cells}}, 100)
	if err := (&contact.Sheet{Rows: rows}).PNG(io.Discard); !errors.Is(err, contact.ErrTooLarge) {
		t.Errorf("10000 pictures: error %v, want ErrTooLarge", err)
	}
	drawPNG(t, &contact.Sheet{})
	drawPNG(t, &contact.Sheet{Rows: []contact.Row{{Error: "x.mp4: no video\nat all"}, {Cells: []contact.Cell{{}}}}})
}

// parse reads the page as a browser would: the elements and the texts.
func parse(t *testing.T, page string) (elements []xml.StartElement, text string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(page))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	open := 0
	for {
		token, err := d.Token()
		if err == io.EOF {
			if open != 0 {
				t.Errorf("%d elements are not closed", open)
			}
			return elements, text
		} else if err != nil {
			t.Fatal(err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			elements, open = append(elements, token.Copy()), open+1
		case xml.EndElement:
			open--
		case xml.CharData:
			text += string(token)
		}
	}
}

func attribute(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

func TestHTML(t *testing.T) {
	hostile := []string{`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `';}</style>`, `{{.Title}} & Söhne`, "\"` onload=x"}
	s := &contact.Sheet{Title: hostile[0], Note: "note\n" + hostile[1], Rows: []contact.Row{
		{Title: hostile[2], Name: hostile[3], Cells: []contact.Cell{
			{Picture: plain(40, 30, color.RGBA{10, 200, 10, 255}), Text: "frame 3\n" + hostile[4], Alert: true},
			{Text: "no picture"},
		}},
		{Error: hostile[0]},
	}}
	var b bytes.Buffer
	if err := s.HTML(&b); err != nil {
		t.Fatal(err)
	}
	elements, text := parse(t, b.String())
	for _, want := range append(hostile, "frame 3", "no picture") {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not show %q", want)
		}
	}
	var images, alerts int
	for _, e := range elements {
		switch {
		case e.Name.Local == "script", attribute(e, "onerror") != "", attribute(e, "onload") != "":
			t.Errorf("the page has a %v", e)
		case e.Name.Local == "img":
			images++
			m := decodeURI(t, attribute(e, "src"))
			if m.Bounds().Size() != image.Pt(40, 30) || attribute(e, "width") != "40" || attribute(e, "height") != "30" {
				t.Errorf("a picture of 40x30 is %v", m.Bounds())
			}
		case e.Name.Local == "link", attribute(e, "href") != "":
			t.Errorf("the page refers to others: %v", e)
		case attribute(e, "class") == "alert":
			alerts++
		}
	}
	if images != 1 || alerts != 1 {
		t.Errorf("%d pictures and %d red frames, want 1 and 1", images, alerts)
	}
}

// A page is written as it is made, so an error of the disk ends it.
func TestHTMLError(t *testing.T) {
	s := &contact.Sheet{Rows: []contact.Row{{Cells: []contact.Cell{{Picture: numbered(8, 8, 0)}}}}}
	if err := s.HTML(full{}); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("error %v, want the writer's", err)
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, io.ErrShortWrite }
