package check

import (
	_ "embed"
	"html/template"
	"io"
	"path/filepath"
)

//go:embed page.html
var pageText string

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"percent": func(part, whole int64) float64 { return 100 * float64(part) / float64(max(whole, 1)) },
	"count":   func(n int64, what string) string { return plural(int(n), what) },
	"base":    filepath.Base,
}).Parse(pageText))

// A pageClass is a class of the contact sheet.
type pageClass struct {
	Title string
	Cells []*cell
}

// A pageList is a list with the number of clips of its largest class.
type pageList struct {
	ListSummary
	Most int64
}

// page writes the summary as an HTML file that needs no other.
func (r *run) page(w io.Writer) error {
	data := struct {
		*Summary
		Lists    []pageList
		Bad      []*cell
		Classes  []pageClass
		Findings []Finding
		More     int64
		BadFile  string
	}{Summary: &r.summary, Bad: r.sheet.bad, Findings: r.shown.all(), More: r.shown.more, BadFile: badFile}
	for _, l := range r.summary.Lists {
		most := int64(0)
		for _, c := range l.Classes {
			most = max(most, c.Clips)
		}
		if len(l.Classes) > maxShownClass {
			l.Classes = l.Classes[:maxShownClass]
		}
		data.Lists = append(data.Lists, pageList{l, most})
	}
	for _, label := range r.sheet.labels() {
		data.Classes = append(data.Classes, pageClass{r.class(label), r.sheet.classes[label]})
	}
	return pageTemplate.Execute(w, data)
}
