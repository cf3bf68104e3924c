package main

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"strings"
)

// longestLine bounds a record of an output file, in bytes: one with the scores of
// all of ten thousand classes takes 1 MB.
const longestLine = 8 << 20

// A pastRecord is one that an earlier run wrote to its output.
type pastRecord struct {
	file   string
	failed bool
	end    int64 // where the next one begins
}

// pastRecords reads an output file. A last record that was cut off, as by a power
// failure, ends the sequence; one that is damaged before others is an error.
func pastRecords(f *os.File, format predictFormat) iter.Seq2[pastRecord, error] {
	return func(yield func(pastRecord, error) bool) {
		info, err := f.Stat()
		if err != nil {
			yield(pastRecord{}, err)
			return
		}
		p := pastFile{io.NewSectionReader(f, 0, info.Size()), info.Size()}
		if c, ok := format.(csvFormat); ok {
			err = p.rows(c, yield)
		} else {
			err = p.lines(yield)
		}
		if err != nil {
			yield(pastRecord{}, fmt.Errorf("%s: %w", f.Name(), err))
		}
	}
}

type pastFile struct {
	*io.SectionReader
	size int64
}

// damaged is the error of a record that is not the last, and so was not cut off.
func (p pastFile) damaged(from, to int64) error {
	if to >= p.size {
		return nil
	}
	return fmt.Errorf("what stands at byte %d was not written by pptsn predict with these flags: begin anew with --overwrite", from)
}

// lines reads JSON lines.
func (p pastFile) lines(yield func(pastRecord, error) bool) error {
	r, at := bufio.NewReaderSize(p, longestLine), int64(0)
	for at < p.size {
		line, err := r.ReadSlice('\n')
		if err != nil && err != io.EOF && err != bufio.ErrBufferFull {
			return err
		}
		var v struct {
			File  *string
			Error *struct{}
		}
		end := at + int64(len(line))
		if !bytes.HasSuffix(line, []byte("\n")) || json.Unmarshal(line, &v) != nil || v.File == nil {
			return p.damaged(at, end)
		}
		at = end
		if !yield(pastRecord{*v.File, v.Error != nil, at}, nil) {
			return nil
		}
	}
	return nil
}

// rows reads CSV.
func (p pastFile) rows(format csvFormat, yield func(pastRecord, error) bool) error {
	whole, err := p.endsLine()
	if err != nil {
		return err
	}
	r, at := csv.NewReader(p), int64(0)
	r.FieldsPerRecord = len(format.columns())
	for first := true; at < p.size; first = false {
		row, err := r.Read()
		end := r.InputOffset()
		cutOff := end == p.size && !whole
		if err != nil || cutOff || first && !slices.Equal(row, format.columns()) {
			return p.damaged(at, end)
		}
		at = end
		if !first && !yield(pastRecord{row[0], row[len(row)-1] != "", at}, nil) {
			return nil
		}
	}
	return nil
}

// endsLine says that the file's last byte ends a line.
func (p pastFile) endsLine() (bool, error) {
	if p.size == 0 {
		return false, nil
	}
	last := make([]byte, 1)
	_, err := p.ReadAt(last, p.size-1)
	return last[0] == '\n', err
}

// readBack is what a record says of a file of that name once it was written and
// read: bytes that are no UTF-8 do not survive JSON, nor does CR LF CSV.
func readBack(format predictFormat, file string) string {
	if _, ok := format.(csvFormat); ok {
		return strings.ReplaceAll(file, "\r\n", "\n")
	}
	return string([]rune(file)) // each such byte becomes U+FFFD
}
