package evaluate

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"
)

// Text writes the result for people: the table of classes, the worst videos,
// and at the end the accuracies.
func (r *Result) Text(w io.Writer) error {
	b := &bytes.Buffer{}
	r.classTable(b)
	r.worstTable(b)
	r.summary(b)
	_, err := w.Write(b.Bytes())
	return err
}

// title of a class: its number and, where known, its name.
func (r *Result) title(class int) string {
	if name := r.Classes[class].Name; name != "" {
		return strconv.Itoa(class) + " " + name
	}
	return strconv.Itoa(class)
}

func (r *Result) classTable(b *bytes.Buffer) {
	width := len("class")
	for i := range r.Classes {
		width = max(width, utf8.RuneCountInString(r.title(i)))
	}
	fmt.Fprintf(b, "%-*s  videos  correct  accuracy  most often taken for\n", width, "class")
	for i, c := range r.Classes {
		share, confused := "-", ""
		if c.Videos > 0 {
			share = percent(c.Accuracy)
		}
		if c.Confused > 0 {
			confused = fmt.Sprintf("  %s (%d)", r.title(c.ConfusedClass), c.Confused)
		}
		fmt.Fprintf(b, "%-*s  %6d  %7d  %8s%s\n", width, r.title(i), c.Videos, c.Correct, share, confused)
	}
}

func (r *Result) worstTable(b *bytes.Buffer) {
	if len(r.Worst) == 0 {
		return
	}
	fmt.Fprintf(b, "\nworst videos: loss, probability of the true class\n")
	for _, v := range r.Worst {
		taken := "right"
		if v.Predicted != v.Label {
			taken = "taken for " + r.title(v.Predicted)
		}
		fmt.Fprintf(b, "%8.4f  %8.2g  %s  is %s, %s\n", v.Loss, v.Probability, v.File, r.title(v.Label), taken)
	}
}

func (r *Result) summary(b *bytes.Buffer) {
	fmt.Fprintf(b, "\n%-14s %s\n", "videos", counted(r.Videos, len(r.Failed)))
	if r.Repeated > 0 {
		fmt.Fprintf(b, "%-14s %d, ignored\n", "repeated rows", r.Repeated)
	}
	if r.Incomplete > 0 {
		fmt.Fprintf(b, "%-14s %d, left out: some of their rows are missing\n", "incomplete", r.Incomplete)
	}
	for _, a := range r.Top {
		note := ""
		if a.Used < a.K {
			note = fmt.Sprintf("  (of %d classes: always right)", a.Used)
		}
		fmt.Fprintf(b, "%-14s %7s  %d of %d  95 %% interval %.2f to %.2f %%%s\n", fmt.Sprintf("top-%d", a.K),
			percent(a.Accuracy), a.Correct, r.Videos, 100*a.Low, 100*a.High, note)
	}
	with := 0
	for _, c := range r.Classes {
		with += min(c.Videos, 1)
	}
	fmt.Fprintf(b, "%-14s %7s  top-1 averaged over %d classes\n", "mean class", percent(r.MeanClassAccuracy), with)
	if len(r.Failed) < r.Videos {
		fmt.Fprintf(b, "%-14s %7.4f\n", "mean loss", r.MeanLoss)
	}
}

func percent(share float64) string { return fmt.Sprintf("%.2f %%", 100*share) }

func counted(videos, failed int) string {
	if failed == 0 {
		return strconv.Itoa(videos)
	}
	return fmt.Sprintf("%d, of which %d could not be read and count as wrong", videos, failed)
}
