package train

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/pptsn/pptsn/checkpoint"
	"github.com/pptsn/pptsn/tensorboard"
)

// metricsName is the file of scalars in the output folder.
const metricsName = "metrics.jsonl"

// Scalars writes every scalar of a run to two places in its output folder:
// metrics.jsonl, one object a line, and event files of TensorBoard. Both are
// complete after each call. It is for one goroutine. A nil one writes nothing.
type Scalars struct {
	file  *os.File
	board *tensorboard.Writer
	now   func() time.Time
}

// A metric is a line of metrics.jsonl. Splits are "train" (a batch), "train_avg"
// (the means of an epoch) and "val" (likewise).
type metric struct {
	Step   int      `json:"step"`  // iterations done in the whole run, with this one
	Epoch  int      `json:"epoch"` // from 1
	Split  string   `json:"split"`
	Loss   float64  `json:"loss"`
	LR     *float64 `json:"lr,omitempty"` // split train only
	Top1   float64  `json:"top1"`
	Top5   float64  `json:"top5"`
	Batch  float64  `json:"batch_cost"`  // seconds
	Reader float64  `json:"reader_cost"` // seconds
	IPS    float64  `json:"ips"`         // clips a second
	Time   string   `json:"time"`        // RFC 3339
}

// OpenScalars opens the files for a run that goes on from a checkpoint: lines
// that an interrupted run wrote after it are dropped from metrics.jsonl, and
// TensorBoard is told to forget them. A run that begins anew, from the zero
// state, keeps the lines of an earlier one in metrics.jsonl.old.
func OpenScalars(dir string, from checkpoint.State) (*Scalars, error) {
	path := filepath.Join(dir, metricsName)
	if err := rewind(path, from); err != nil {
		return nil, fmt.Errorf("train: %s: %w", path, err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o666)
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	board, err := tensorboard.Create(dir)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	s := &Scalars{file: f, board: board, now: time.Now}
	if err := errors.Join(board.Restart(int64(from.Total)+1), board.Flush()); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Batch writes the figures of a training batch.
func (s *Scalars) Batch(r Report) error {
	seconds := r.Took.Seconds()
	return s.write(metric{
		Step: r.Iterations, Epoch: r.Epoch, Split: string(r.Split),
		Loss: r.Loss, LR: &r.LR, Top1: r.Top1, Top5: r.Top5,
		Batch: seconds, Reader: r.Waited.Seconds(), IPS: perSecond(r.Clips, seconds),
	})
}

// Epoch writes the means of an epoch, from 1, after so many iterations of the
// whole run.
func (s *Scalars) Epoch(split Split, epoch, iterations int, sums checkpoint.Sums) error {
	name := string(split)
	if split == SplitTrain {
		name += "_avg"
	}
	return s.write(metric{
		Step: iterations, Epoch: epoch, Split: name,
		Loss: sums.Loss.Mean(), Top1: sums.Top1.Mean(), Top5: sums.Top5.Mean(),
		Batch: sums.Batch.Mean(), Reader: sums.Reader.Mean(), IPS: perSecond(sums.Clips, sums.Batch.Total),
	})
}

func (s *Scalars) write(m metric) error {
	if s == nil {
		return nil
	}
	m.Time = s.now().Format("2006-01-02T15:04:05.000Z07:00")
	b, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("train: metrics: %w", err)
	}
	if _, err := s.file.Write(append(b, '\n')); err != nil {
		return fmt.Errorf("train: metrics: %w", err)
	}
	for _, c := range m.curves() {
		if err := s.board.Scalar(m.Split+"/"+c.name, int64(m.Step), c.value); err != nil {
			return err
		}
	}
	return s.board.Flush()
}

type curve struct {
	name  string
	value float64
}

func (m metric) curves() []curve {
	list := []curve{{"loss", m.Loss}, {"top1", m.Top1}, {"top5", m.Top5},
		{"batch_cost", m.Batch}, {"reader_cost", m.Reader}, {"ips", m.IPS}}
	if m.LR != nil {
		list = append(list, curve{"lr", *m.LR})
	}
	return list
}

// Close closes the files.
func (s *Scalars) Close() error {
	if s == nil {
		return nil
	}
	return errors.Join(s.file.Close(), s.board.Close())
}
