package evaluate

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"github.com/pptsn/pptsn/atomicfile"
)

// WriteFiles writes a result to a folder, which is made if absent:
// report.json (all but the confusion matrix), classes.csv, worst.csv,
// confusion.json and, up to MaxDrawn classes, confusion.png. It returns what
// it wrote.
func (r *Result) WriteFiles(dir string) ([]string, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, fmt.Errorf("evaluate: %w", err)
	}
	var written []string
	for _, f := range []struct {
		name string
		fill func(io.Writer) error
	}{
		{"report.json", r.writeJSON},
		{"classes.csv", r.writeClasses},
		{"worst.csv", r.writeWorst},
		{"confusion.json", r.writeConfusion},
		{"confusion.png", r.writePNG},
	} {
		if f.name == "confusion.png" && len(r.Classes) > MaxDrawn {
			continue
		}
		path := filepath.Join(dir, f.name)
		if err := atomicfile.Write(path, f.fill); err != nil {
			return written, fmt.Errorf("evaluate: %s: %w", path, err)
		}
		written = append(written, path)
	}
	return written, nil
}

func (r *Result) writeJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// writeConfusion names the classes and gives a line to each row of the matrix.
func (r *Result) writeConfusion(w io.Writer) error {
	names := make([]string, len(r.Classes))
	for i, c := range r.Classes {
		names[i] = c.Name
	}
	head, err := json.Marshal(names)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "{\n\"classes\": %s,\n\"counts_true_by_predicted\": [\n", head)
	for i, row := range r.Confusion {
		line, err := json.Marshal(row)
		if err != nil {
			return err
		}
		end := ",\n"
		if i == len(r.Confusion)-1 {
			end = "\n"
		}
		if _, err := fmt.Fprintf(w, "%s%s", line, end); err != nil {
			return err
		}
	}
	_, err = io.WriteString(w, "]\n}\n")
	return err
}

func (r *Result) writeClasses(w io.Writer) error {
	lines := [][]string{{"class", "name", "videos", "correct", "accuracy", "most_often_taken_for", "times"}}
	for _, c := range r.Classes {
		line := []string{strconv.Itoa(c.Class), c.Name, strconv.Itoa(c.Videos), strconv.Itoa(c.Correct), "", "", ""}
		if c.Videos > 0 {
			line[4] = decimal(c.Accuracy)
		}
		if c.Confused > 0 {
			line[5], line[6] = r.title(c.ConfusedClass), strconv.Itoa(c.Confused)
		}
		lines = append(lines, line)
	}
	return csv.NewWriter(w).WriteAll(lines)
}

func (r *Result) writeWorst(w io.Writer) error {
	lines := [][]string{{"file", "line", "label", "predicted", "probability", "loss"}}
	for _, v := range r.Worst {
		lines = append(lines, []string{v.File, strconv.Itoa(v.Line), strconv.Itoa(v.Label), strconv.Itoa(v.Predicted), decimal(v.Probability), decimal(v.Loss)})
	}
	return csv.NewWriter(w).WriteAll(lines)
}

func (r *Result) writePNG(w io.Writer) error {
	m, err := r.Draw()
	if err != nil {
		return err
	}
	return png.Encode(w, m)
}

func decimal(v float64) string { return strconv.FormatFloat(v, 'g', 6, 64) }
