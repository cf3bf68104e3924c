package check

import (
	"bufio"
	"cmp"
	"container/heap"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
)

// A sorter sorts any number of records: it sorts as many as fit in memory,
// writes them to a temporary file, one run after another, and merges the runs in
// the end.
type sorter struct {
	dir  string
	most int // records in memory; 0: 128 Ki, 8 MiB
	held []record
	f    *os.File
	ends []int64 // of the runs in f, in bytes
}

func (s *sorter) add(r record) error {
	s.held = append(s.held, r)
	if len(s.held) >= cmp.Or(s.most, 128<<10) {
		return s.spill()
	}
	return nil
}

// spill writes what is held to the file.
func (s *sorter) spill() (err error) {
	if s.f == nil {
		if s.f, err = temporary(s.dir); err != nil {
			return err
		}
	}
	s.sort()
	w := bufio.NewWriterSize(s.f, 1<<20)
	var b []byte
	for i := range s.held {
		b = s.held[i].append(b[:0])
		if _, err := w.Write(b); err != nil {
			return err
		}
	}
	s.ends = append(s.ends, s.start(len(s.ends))+recordSize*int64(len(s.held)))
	s.held = s.held[:0]
	return w.Flush()
}

// start is where a run begins in the file.
func (s *sorter) start(run int) int64 {
	if run == 0 {
		return 0
	}
	return s.ends[run-1]
}

// close may be called for none.
func (s *sorter) close() {
	if s != nil && s.f != nil {
		s.f.Close()
	}
}

func (s *sorter) sort() {
	slices.SortFunc(s.held, func(a, b record) int { return a.compare(&b) })
}

// sorted yields all records in order. It may be called again; nothing is added
// after the first time.
func (s *sorter) sorted() iter.Seq2[record, error] {
	if len(s.ends) == 0 {
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
	for i, end := range s.ends {
		src := &source{r: bufio.NewReaderSize(io.NewSectionReader(s.f, s.start(i), end-s.start(i)), 64<<10)}
		if err := src.read(); err != nil {
			return fmt.Errorf("%s: %w", s.f.Name(), err)
		}
		h = append(h, src)
	}
	heap.Init(&h)
	for len(h) > 0 {
		if !yield(h[0].next, nil) {
			return nil
		}
		switch err := h[0].read(); {
		case err == io.EOF:
			heap.Pop(&h)
		case err != nil:
			return fmt.Errorf("%s: %w", s.f.Name(), err)
		default:
			heap.Fix(&h, 0)
		}
	}
	return nil
}

// A source is one of the runs that are merged.
type source struct {
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
