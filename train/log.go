package train

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/pptsn/pptsn/checkpoint"
)

// A Log writes the lines of a run to a file, plain, and to the screen; each at
// once, so that a killed run has all of them. A nil Log writes nothing. A screen that is a terminal gets
// colours and a bar of the epoch. PaddleVideo appends to .log.txt in the working
// folder; here each run has its own file. Its methods may be called by several
// goroutines.
type Log struct {
	mu       sync.Mutex
	file     *os.File  // nil: none
	screen   io.Writer // nil: none
	bar      *bar      // nil where the screen is no terminal
	colored  bool
	interval int
	now      func() time.Time
	err      error // the first of writing the file
}

// OpenLog appends to the file at path and writes to the screen, nil for none.
// Of the batches every interval-th gets a line, beginning with the first
// (log_interval; 0 means 10). On a terminal NO_COLOR, or an empty COLORING as in
// PaddleVideo, turns colours off.
func OpenLog(path string, screen io.Writer, interval int) (*Log, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o666)
	if err != nil {
		return nil, fmt.Errorf("train: log: %w", err)
	}
	l := NewLog(screen, interval)
	l.file = f
	return l, nil
}

// NewLog is OpenLog without a file, for ranks that leave the run's folder alone.
func NewLog(screen io.Writer, interval int) *Log {
	l := &Log{screen: screen, interval: cmp.Or(interval, 10), now: time.Now}
	if t, ok := screen.(*os.File); ok && term.IsTerminal(int(t.Fd())) {
		coloring, set := os.LookupEnv("COLORING")
		l.colored = os.Getenv("NO_COLOR") == "" && (!set || coloring != "")
		l.bar = &bar{screen: screen}
	}
	return l
}

// Printf writes a line of its own, such as "Training in fp32 mode.".
func (l *Log) Printf(format string, args ...any) {
	l.write(line{{noColor, fmt.Sprintf(format, args...)}})
}

// Batch tells of a batch; sums are those of its epoch, with it.
func (l *Log) Batch(r Report, sums checkpoint.Sums) {
	if l == nil {
		return
	}
	if r.Batch%l.interval == 0 {
		l.write(batchLine(r, sums))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.bar != nil {
		l.bar.set(r)
	}
}

// Epoch ends an epoch, from 1, of a split.
func (l *Log) Epoch(split Split, epoch int, sums checkpoint.Sums) {
	l.write(epochLine(split, epoch, sums))
}

// Best says that the best score so far was saved. top1 is 0 to 1.
func (l *Log) Best(top1 float64) { l.write(bestLine(top1)) }

// Waits tells where the time of an epoch, from 1, went.
func (l *Log) Waits(epoch, epochs int, w Waits) {
	l.Printf("epoch:[%3d/%-3d] train %s", epoch, epochs, w)
}

// write puts the time before a line, as in PaddleVideo: [11/24 13:40:00].
func (l *Log) write(text line) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	stamp := l.now().Format("[01/02 15:04:05] ")
	if l.file != nil {
		if _, err := io.WriteString(l.file, stamp+text.plain()+"\n"); err != nil && l.err == nil {
			l.err = err
		}
	}
	if l.screen == nil {
		return
	}
	if l.bar != nil {
		l.bar.clear()
	}
	shown := text.plain()
	if l.colored {
		shown = text.colored()
	}
	io.WriteString(l.screen, stamp+shown+"\n") // a closed terminal must not end a run
}

// Close ends the bar and closes the file. The error may be one of an earlier
// write: a full disk does not stop a run until it saves.
func (l *Log) Close() error {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.bar != nil {
		l.bar.clear()
	}
	if l.file == nil {
		return nil
	}
	if err := errors.Join(l.err, l.file.Close()); err != nil {
		return fmt.Errorf("train: log: %w", err)
	}
	return nil
}
