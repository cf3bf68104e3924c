package evaluate

import (
	"bytes"
	"context"
	"encoding/gob"
	"errors"
	"fmt"

	"github.com/pptsn/pptsn/dataset"
)

// together is how many batches of each process make a round, after which rows
// are exchanged: enough that a slow clip does not keep the others waiting, few
// enough that none is long without a word of the others.
const together = 8

// A share is this process's part of a list that several score: of the whole
// list's batches each Size-th. So batches are those of one process, and a clip's
// scores the same bits.
type share struct {
	set        *dataset.Set
	rank, size int
	batch      int // rows
	gather     func(context.Context, []byte) ([][]byte, error)

	mine []Row // of the round
	next int   // the round's first row in the list
	told bool  // no other process waits for this one any more
}

func newShare(set *dataset.Set, o Options) (*share, error) {
	s := &share{set: set, rank: o.Rank, size: max(o.Size, 1), batch: max(o.Batch, 1), gather: o.Gather}
	switch {
	case s.rank < 0 || s.rank >= s.size:
		return nil, fmt.Errorf("evaluate: rank %d of %d: ranks count from 0", s.rank, s.size)
	case s.size > 1 && s.gather == nil:
		return nil, errors.New("evaluate: several processes share a list, but cannot exchange rows")
	}
	return s, nil
}

// owner is the rank that scores a row.
func (s *share) owner(row int) int { return row / s.batch % s.size }

// order are the rows that this process scores.
func (s *share) order() []int {
	var order []int
	for i := range s.set.Len() {
		if s.owner(i) == s.rank {
			order = append(order, i)
		}
	}
	return order
}

// add takes a batch of this process's rows. It returns the rows of all that are
// complete with it, the next ones of the list.
func (s *share) add(ctx context.Context, rows []Row) ([]Row, error) {
	if s.size == 1 {
		return rows, nil
	}
	s.mine = append(s.mine, rows...)
	if len(s.mine) < together*s.batch {
		return nil, nil
	}
	return s.round(ctx)
}

// rest ends the last round where this process's part of it is a smaller one.
func (s *share) rest(ctx context.Context) ([]Row, error) {
	if s.size == 1 || s.next == s.set.Len() {
		return nil, nil
	}
	return s.round(ctx)
}

// end tells the others, if they wait, of an error that ends this process.
func (s *share) end(ctx context.Context, err error) error {
	if s.size > 1 && !s.told && s.next < s.set.Len() {
		s.exchange(ctx, part{Err: err.Error(), Interrupted: ctx.Err() != nil}) // its own error says less than err
	}
	return err
}

// A part is what one process has to say in a round.
type part struct {
	Rows        []Row
	Of, Batch   int    // rows in the list, and in a batch
	Err         string // why it ends
	Interrupted bool
}

// round exchanges rows and returns those of all, in the list's order.
func (s *share) round(ctx context.Context) ([]Row, error) {
	parts, err := s.exchange(ctx, part{Rows: s.mine, Of: s.set.Len(), Batch: s.batch})
	s.mine = s.mine[:0]
	if err != nil {
		return nil, err
	}
	first := s.next
	s.next = min(first+s.size*s.batch*together, s.set.Len())
	var rows []Row
	for i := first; i < s.next; i++ {
		p := &parts[s.owner(i)]
		if len(p.Rows) == 0 || !same(p.Rows[0], rowOf(s.set, i)) {
			return nil, fmt.Errorf("evaluate: rank %d has another list than rank %d: %s differs", s.owner(i), s.rank, s.set.Sample(i).Name)
		}
		rows, p.Rows = append(rows, p.Rows[0]), p.Rows[1:]
	}
	return rows, nil
}

// same compares where rows are in the list, not what became of them.
func same(a, b Row) bool {
	return a.Row == b.Row && a.Line == b.Line && a.File == b.File && a.Label == b.Label
}

// exchange gives each process's part to all. It is an error if one of them ends.
func (s *share) exchange(ctx context.Context, mine part) ([]part, error) {
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(mine); err != nil {
		return nil, fmt.Errorf("evaluate: %w", err)
	}
	// Interrupted or not, this process comes: the others would wait.
	all, err := s.gather(context.WithoutCancel(ctx), b.Bytes())
	if err == nil && len(all) != s.size {
		err = fmt.Errorf("evaluate: rows of %d processes, want %d", len(all), s.size)
	}
	if err != nil {
		s.told = true
		return nil, err
	}
	parts := make([]part, len(all))
	for rank, b := range all {
		if err := gob.NewDecoder(bytes.NewReader(b)).Decode(&parts[rank]); err != nil {
			return nil, fmt.Errorf("evaluate: rows of rank %d: %w", rank, err)
		}
	}
	for rank, p := range parts {
		switch {
		case p.Interrupted:
			s.told = true
			return nil, fmt.Errorf("evaluate: rank %d was interrupted: %w", rank, context.Canceled)
		case p.Err != "":
			s.told = true
			return nil, fmt.Errorf("evaluate: rank %d: %s", rank, p.Err)
		case mine.Err == "" && (p.Of != mine.Of || p.Batch != mine.Batch):
			s.told = true // it sees the same
			return nil, fmt.Errorf("evaluate: rank %d has %d rows in batches of %d, rank %d %d in batches of %d: give all the same list and flags",
				rank, p.Of, p.Batch, s.rank, mine.Of, mine.Batch)
		}
	}
	return parts, nil
}
