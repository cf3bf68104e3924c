package check

import (
	"bufio"
	"container/heap"
	"errors"
	"io"
	"iter"
	"os"
	"slices"
)

// A sorter sorts any number of records: it sorts as many as fit in memory,
// writes them to a file, and merges the files in the end.
type sorter struct {
	dir  string
	most int // records in memory; 0: 128 Ki, 9 MiB
	held []record
	runs []string // files of sorted records
	n    int64
}

func (s *sorter) add(r record) error {
	s.held = append(s.held, r)
	s.n++
	if most := 128 << 10; len(s.held) >= most || s.most > 0 && len(s.held) >= s.most {
		return s.spill()
	}
	return nil
}

// spill writes what is held to a file.
func (s *sorter) spill() error {
	s.sort()
	f, err := os.CreateTemp(s.dir, "run")
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	var b []byte
	for i := range s.held {
		b = s.held[i].append(b[:0])
		if _, err := w.Write(b); err != nil {
			return errors.Join(err, f.Close())
		}
	}
	s.held = s.held[:0]
	s.runs = append(s.runs, f.Name())
	return errors.Join(w.Flush(), f.Close())
}

func (s *sorter) sort() {
	slices.SortFunc(s.held, func(a, b record) int { return a.compare(&b) })
}

// sorted yields all records in order. It may be called again; nothing is added
// after the first time.
func (s *sorter) sorted() iter.Seq2[record, error] {
	if len(s.runs) == 0 {
		s.sort()
		return func(yield func(record, error) bool) {
			for _, r := range s.held {
				if !yield(r, nil) {
					return
				}
			}
		}
	}
	return func(yield func(record, error) bool) {
		if err := s.merge(yield); err != nil {
			yield(record{}, err)
		}
	}
}

func (s *sorter) merge(yield func(record, error) bool) error {
	if len(s.held) > 0 {
		if err := s.spill(); err != nil {
			return err
		}
		s.held = nil
	}
	var h sources
	defer func() {
		for _, src := range h {
			src.f.Close()
		}
	}()
	for _, name := range s.runs {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		src := &source{f: f, r: bufio.NewReaderSize(f, 64<<10)}
		h = append(h, src)
		if err := src.read(); err != nil {
			return err
		}
	}
	heap.Init(&h)
	for len(h) > 0 {
		if !yield(h[0].next, nil) {
			return nil
		}
		switch err := h[0].read(); {
		case err == io.EOF:
			heap.Pop(&h).(*source).f.Close()
		case err != nil:
			return err
		default:
			heap.Fix(&h, 0)
		}
	}
	return nil
}

// A source is one of the files that are merged.
type source struct {
	f    *os.File
	r    *bufio.Reader
	next record
}

func (s *source) read() error {
	var b [recordSize]byte
	if _, err := io.ReadFull(s.r, b[:]); err != nil {
		return err
	}
	s.next = readRecord(b[:])
	return nil
}

// sources are a heap, the least record first.
type sources []*source

func (h sources) Len() int           { return len(h) }
func (h sources) Less(i, j int) bool { return h[i].next.compare(&h[j].next) < 0 }
func (h sources) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *sources) Push(x any)        { *h = append(*h, x.(*source)) }
func (h *sources) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}
