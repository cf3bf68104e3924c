package contact

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
)

//go:embed sheet.html
var page string

var sheetPage = template.Must(template.New("sheet").Parse(page))

// HTML writes the sheet as one page that needs no other file and runs nothing;
// what texts hold is shown as it is. Pictures keep their size and become JPEGs,
// one after another: memory for all of them is not needed.
func (s *Sheet) HTML(w io.Writer) error {
	if err := sheetPage.Execute(w, s); err != nil {
		return fmt.Errorf("contact: %w", err)
	}
	return nil
}

// Wide is how many pictures the row shows side by side where there is room.
func (r Row) Wide() int { return max(1, min(len(r.Cells), 12)) }

// URI is the picture for an img.
func (c Cell) URI() (template.URL, error) { return DataURI(c.Picture, 0) }

// Lines are the lines of the text.
func (c Cell) Lines() []string { return lines(c.Text) }

// NoteLines are the lines of the note.
func (s *Sheet) NoteLines() []string { return lines(s.Note) }
