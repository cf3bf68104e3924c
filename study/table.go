package main

import (
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/pptsn/pptsn/atomicfile"
)

// results are the finished runs of each variant, in the order of their seeds.
type results map[string][]*record

func (o options) results() (results, error) {
	tasks, err := o.tasks()
	all := results{}
	for _, t := range tasks {
		r, err := readRecord(o.recordPath(t))
		if err != nil {
			return nil, err
		}
		if r != nil {
			all[t.variant.Name] = append(all[t.variant.Name], r)
		}
	}
	return all, err
}

// writeTables puts the tables between the marks of docs/accuracy.md.
func (o options) writeTables() error {
	runs, err := o.results()
	if err != nil {
		return err
	}
	tried, err := o.triedRates()
	if err != nil {
		return err
	}
	path := filepath.Join(o.docs, "accuracy.md")
	page, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	text, err := spliceAll(string(page), map[string]string{"variants": runs.variantTable(), "comparisons": runs.comparisonTable(), "rates": tried})
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return atomicfile.Write(path, func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	})
}

func spliceAll(page string, tables map[string]string) (string, error) {
	for name, table := range tables {
		var err error
		if page, err = splice(page, name, table); err != nil {
			return "", err
		}
	}
	return page, nil
}

// splice replaces what is between the comments "name: begin" and "name: end".
func splice(page, name, table string) (string, error) {
	begin, end := fmt.Sprintf("<!-- %s: written by go run ./study table -->\n", name), fmt.Sprintf("<!-- %s: end -->\n", name)
	before, rest, found := strings.Cut(page, begin)
	_, after, ended := strings.Cut(rest, end)
	if !found || !ended {
		return "", fmt.Errorf("no lines %q and %q to write between", strings.TrimSpace(begin), strings.TrimSpace(end))
	}
	return before + begin + table + end + after, nil
}

func (rs results) variantTable() string {
	var b strings.Builder
	b.WriteString("| variant | parameters, millions | GFLOPs a clip | seeds | centre crop, % | ten crops, % | ten crops against TSN, points | clips won : lost | p |\n|---|---|---|---|---|---|---|---|---|\n")
	for _, v := range variants() {
		if runs := rs[v.Name]; len(runs) > 0 {
			fmt.Fprintf(&b, "| %s | %.2f | %.2f | %d | %s | %s | %s |\n", v.Title, float64(runs[0].Parameters)/1e6, runs[0].GFLOPs, len(runs),
				spread(accuracies(runs, byCenter)), spread(accuracies(runs, byTenCrop)), rs.against(v.Name, "tsn", byTenCrop))
		}
	}
	return b.String()
}

// against is three cells: difference, clips, probability.
func (rs results) against(a, b string, w way) string {
	if a == b || len(rs[b]) == 0 {
		return "| |"
	}
	c := compare(rs[a], w, rs[b], w)
	return fmt.Sprintf("%s | %d : %d | %.2g", interval(c.Differences), c.Won, c.Lost, signTest(c.Won, c.Lost))
}

// comparisons are the questions that the table of variants leaves open.
var comparisons = []struct{ a, b string }{
	{"pptsn", "tsn"},
	{"pptsn-evenhead", "tsn"},
	{"pptsn-evenhead", "pptsn"},
	{"pptsn-dml", "pptsn"},
	{"pptsn-kd", "pptsn"},
	{"tsn-8seg", "tsn"},
	{"pptsn-8seg", "pptsn"},
	{"pptsn-8seg", "tsn-8seg"},
	{"tsn-long", "tsn"},
	{"pptsn-long", "pptsn"},
	{"pptsn-long", "tsn-long"},
}

func (rs results) comparisonTable() string {
	var b strings.Builder
	b.WriteString("| | against | centre crop, points | won : lost | p | ten crops, points | won : lost | p |\n|---|---|---|---|---|---|---|---|\n")
	for _, pair := range comparisons {
		if len(rs[pair.a]) > 0 && len(rs[pair.b]) > 0 {
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", variantOf(pair.a).Title, variantOf(pair.b).Title,
				rs.against(pair.a, pair.b, byCenter), rs.against(pair.a, pair.b, byTenCrop))
		}
	}
	if ways := compareWays(rs.all()); len(ways.Differences) > 0 {
		fmt.Fprintf(&b, "| ten crops of 25 segments, all variants | one crop | %s | %d : %d | | | | |\n", interval(ways.Differences), ways.Won, ways.Lost)
	}
	return b.String()
}

func (rs results) all() []*record {
	var all []*record
	for _, v := range variants() {
		all = append(all, rs[v.Name]...)
	}
	return all
}

// compareWays sets ten crops beside one, over all variants: each seed's
// difference is the mean over its runs, for these share their clips; for the
// same reason there is no test of the clips won and lost.
func compareWays(runs []*record) comparison {
	var c comparison
	for s := range seedCount {
		var differences []float64
		for _, r := range runs {
			if r.Seed == s {
				differences = append(differences, accuracy(r, byTenCrop)-accuracy(r, byCenter))
				c.count(r, byTenCrop, r, byCenter)
			}
		}
		if differences != nil {
			c.Differences = append(c.Differences, mean(differences))
		}
	}
	return c
}

// triedRates is a row for each recipe and rate.
func (o options) triedRates() (string, error) {
	var b strings.Builder
	b.WriteString("| recipe | peak rate | top-1, ten crops, % | cross entropy | training loss at the end |\n|---|---|---|---|---|\n")
	for _, t := range rateTasks() {
		r, err := readRecord(o.recordPath(t))
		if err != nil {
			return "", err
		}
		if r != nil {
			fmt.Fprintf(&b, "| %s | %g | %.1f | %.2f | %.2f |\n", t.Title, t.Rate, accuracy(r, byTenCrop), r.TenCrop.Loss, r.TrainLoss)
		}
	}
	return b.String(), nil
}

func spread(x []float64) string {
	if len(x) < 2 {
		return fmt.Sprintf("%.1f", mean(x))
	}
	return fmt.Sprintf("%.1f ± %.1f", mean(x), deviation(x))
}

func interval(x []float64) string {
	h := halfWidth(x)
	if math.IsInf(h, 1) {
		return fmt.Sprintf("%+.1f", mean(x))
	}
	return fmt.Sprintf("%+.1f [%+.1f, %+.1f]", mean(x), mean(x)-h, mean(x)+h)
}
