package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
)

// print writes the figures as a table or as JSON.
func (b *dataBench) print(w io.Writer) error {
	out := &bytes.Buffer{}
	if b.json {
		b.printJSON(out)
	} else {
		b.printText(out)
	}
	_, err := w.Write(out.Bytes())
	return err
}

func (b *dataBench) printJSON(w io.Writer) {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	for _, v := range b.variants {
		e.Encode(v.filesRow())
		rates := b.rateRows(v)
		for _, r := range rates {
			e.Encode(r)
		}
		if b.need > 0 {
			e.Encode(b.needRow(v, rates))
		}
	}
	for i := range b.workers {
		if len(b.variants) > 1 {
			e.Encode(b.ratioRow(i))
		}
	}
}

func (b *dataBench) rateRows(v *benchVariant) []rateRow {
	var rows []rateRow
	for _, s := range v.series {
		rows = append(rows, b.rateRow(v, s))
	}
	return rows
}

func (b *dataBench) printText(w io.Writer) {
	cache := "files in the system's cache"
	if b.cold {
		cache = "files dropped from the system's cache before each turn"
	}
	fmt.Fprintf(w, "PIPELINE.%s, %s, %s each, %s\n", b.use, cache, countOf(b.repeat, "turn"), countOf(runtime.GOMAXPROCS(0), "core"))
	for _, v := range b.variants {
		b.printVariant(w, v)
	}
	if len(b.variants) > 1 {
		b.printRatios(w)
	}
}

func (b *dataBench) printVariant(w io.Writer, v *benchVariant) {
	fmt.Fprintf(w, "\n%s: %d of %d clips of %s in batches of %d, %.4g MiB on disk\n", v.name, v.clips.Len(), v.of, v.list, v.batch, mebibytes(v.bytes))
	fmt.Fprintf(w, "workers  clips/s  low to high      decode          transform       batch           ms a clip of one worker\n")
	rates := b.rateRows(v)
	for _, r := range rates {
		fmt.Fprintf(w, "%7d  %7.1f  %-15s", r.Workers, r.Rate.Median, fmt.Sprintf("%.1f to %.1f", r.Rate.Low, r.Rate.High))
		for _, f := range r.PerClip {
			fmt.Fprintf(w, "  %7.2f %4.0f %%", f.Ms, 100*f.Share)
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintln(w, v.limits(fastest(rates), rates[len(rates)-1].Workers))
	if b.need > 0 {
		fmt.Fprintln(w, b.needRow(v, rates))
	}
}

// fastest is the first row that is within 3 % of the best: more workers than
// that only wait for cores.
func fastest(rates []rateRow) rateRow {
	most := 0.0
	for _, r := range rates {
		most = max(most, r.Rate.Median)
	}
	for _, r := range rates {
		if r.Rate.Median >= 0.97*most {
			return r
		}
	}
	return rates[0]
}

// limits says which stage limits and what may help. most workers were measured.
func (v *benchVariant) limits(r rateRow, most int) string {
	enough := "more than " + workersText(r.Workers) + " brought little"
	if r.Workers == most {
		enough = "fastest with " + workersText(most) + ", the most that were measured"
	}
	for _, f := range r.PerClip {
		if f.Stage == r.Limit {
			return fmt.Sprintf("%s; %s limits (%.0f %%): %s", enough, f.Stage, 100*f.Share, v.advice(f.Stage))
		}
	}
	return ""
}

// advice is what may make a stage faster; only a measurement tells.
func (v *benchVariant) advice(stage string) string {
	switch {
	case stage == "batch":
		return "fewer segments or smaller crops would help"
	case v.frames:
		return "where pictures are larger than Scale makes them, smaller ones help (pptsn prepare frames --short-side)"
	case stage == "decode":
		return "where videos are large or have few key frames, copies made by pptsn prepare compact decode faster; --against compares"
	}
	return "where videos are larger than Scale makes them, smaller copies help (pptsn prepare compact)"
}

func (r needRow) String() string {
	if r.Workers == nil {
		return fmt.Sprintf("%g clips/s: no number of workers that was measured suffices; it takes about %d cores", r.Need, r.Cores)
	}
	return fmt.Sprintf("%g clips/s: enough with %s", r.Need, workersText(*r.Workers))
}

func workersText(n int) string {
	switch n {
	case 0:
		return "no worker besides the caller"
	case 1:
		return "1 worker"
	}
	return fmt.Sprintf("%d workers", n)
}

func (b *dataBench) printRatios(w io.Writer) {
	base, other := b.variants[0], b.variants[1]
	fmt.Fprintf(w, "\nagainst, compared with as configured\n")
	if base.bytes > 0 {
		fmt.Fprintf(w, "  on disk  %.3g times: %.4g MiB instead of %.4g MiB\n", float64(other.bytes)/float64(base.bytes), mebibytes(other.bytes), mebibytes(base.bytes))
	}
	if a, b := base.clips.Len(), other.clips.Len(); a != b {
		fmt.Fprintf(w, "  the lists differ: %d and %d clips were measured\n", a, b)
	}
	for i, n := range b.workers {
		r := b.ratioRow(i).Ratio
		fmt.Fprintf(w, "  clips/s  %.3g times (%.3g to %.3g) with %s\n", r.Median, r.Low, r.High, workersText(n))
	}
}

func mebibytes(n int64) float64 { return float64(n) / (1 << 20) }
