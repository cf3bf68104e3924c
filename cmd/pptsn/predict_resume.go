package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"reflect"

	"github.com/pptsn/pptsn"
	"github.com/pptsn/pptsn/atomicfile"
	"github.com/pptsn/pptsn/clip"
)

// A runRecord is how the results in an output file come about: all that decides
// what stands in them beside the videos.
type runRecord struct {
	Version    int       `json:"version"` // of this record and of the output's form
	Form       string    `json:"form"`    // json or csv
	Model      string    `json:"model"`   // see pptsn.Model.Fingerprint
	Preprocess clip.Spec `json:"preprocess"`
	Engine     string    `json:"engine"`
	Precision  string    `json:"precision"`
	Batch      int       `json:"batch_size"`
	TopK       int       `json:"top_k"`
}

const runVersion = 1

func newRunRecord(m *pptsn.Model, format predictFormat, batch int) (runRecord, error) {
	r := runRecord{
		Version: runVersion, Form: "json", Preprocess: m.Preprocess(), Batch: batch, TopK: m.TopK(),
		Engine: string(m.Engine().Kind()), Precision: m.Engine().Precision().String(),
	}
	if _, ok := format.(csvFormat); ok {
		r.Form = "csv"
	}
	var err error
	r.Model, err = m.Fingerprint()
	return r, err
}

// differs names what the two runs do not have in common; "" is nothing.
func (r runRecord) differs(before runRecord) string {
	for _, f := range []struct {
		name     string
		now, was any
	}{
		{"version of pptsn", r.Version, before.Version},
		{"form (--json, --csv)", r.Form, before.Form},
		{"model", r.Model, before.Model},
		{"preprocessing", r.Preprocess, before.Preprocess},
		{"engine", r.Engine, before.Engine},
		{"--precision", r.Precision, before.Precision},
		{"--batch_size", r.Batch, before.Batch},
		{"--top_k", r.TopK, before.TopK},
	} {
		if !reflect.DeepEqual(f.now, f.was) {
			return f.name
		}
	}
	return ""
}

// settle writes the record beside a new output, or compares it with the one that
// is there.
func (r runRecord) settle(out *outputFile) error {
	file := out.f.Name()
	path := file + ".run.json"
	if out.fresh {
		return atomicfile.Write(path, func(w io.Writer) error {
			e := json.NewEncoder(w)
			e.SetIndent("", "  ")
			return e.Encode(r)
		})
	}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("--resume: %s lacks its %s, which says how the results came about: begin anew with --overwrite", file, path)
	}
	if err != nil {
		return fmt.Errorf("--resume: %w", err)
	}
	var before runRecord
	if err := json.Unmarshal(data, &before); err != nil {
		return fmt.Errorf("--resume: %s: %w", path, err)
	}
	if what := r.differs(before); what != "" {
		return fmt.Errorf("--resume: the results in %s were made with another %s (see %s): take the same again, or begin anew with --overwrite", file, what, path)
	}
	return nil
}

// A past is what earlier runs left.
type past struct {
	videos, failed int
	end            int64 // of their records
}

// readPast counts the records of an output up to a multiple of batch: so each
// batch holds the videos that it would in one run.
func readPast(out *outputFile, format predictFormat, batch int) (past, error) {
	var all, whole past
	for r, err := range pastRecords(out.f, format) {
		if err != nil {
			return past{}, err
		}
		all.videos++
		all.end = r.end
		if r.failed {
			all.failed++
		}
		if all.videos%batch == 0 {
			whole = all
		}
	}
	return whole, nil
}

// skip takes the videos that the past holds from next, and reports where they are
// others.
func (p past) skip(out *outputFile, format predictFormat, next func() (string, error, bool)) error {
	n := 0
	for r, err := range pastRecords(out.f, format) {
		if err != nil || n == p.videos {
			return err
		}
		n++
		file, _, ok := next()
		if !ok {
			return fmt.Errorf("--resume: %s holds the results of %d videos, the command line names %d", out.f.Name(), p.videos, n-1)
		}
		if r.file != readBack(format, file) {
			return fmt.Errorf("--resume: result %d in %s is of %s, but video %d is now %s: name the same videos in the same order, or begin anew with --overwrite", n, out.f.Name(), r.file, n, file)
		}
	}
	return nil
}

// resume brings an output to where this run goes on, and returns what is in it
// and the files that are left. The caller calls stop.
func (out *outputFile) resume(r runRecord, format predictFormat, files iter.Seq2[string, error]) (p past, rest iter.Seq2[string, error], stop func(), err error) {
	next, stop := iter.Pull2(files)
	rest = func(yield func(string, error) bool) {
		for file, err, ok := next(); ok && yield(file, err); file, err, ok = next() {
		}
	}
	if out.fresh {
		if err = out.start(0); err != nil {
			return p, rest, stop, err
		}
	}
	if err = r.settle(out); err != nil {
		return p, rest, stop, err
	}
	if p, err = readPast(out, format, r.Batch); err != nil {
		return p, rest, stop, err
	}
	if err = p.skip(out, format, next); err != nil {
		return p, rest, stop, err
	}
	return p, rest, stop, out.start(p.end)
}
