package tensorboard

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// prefix begins the names by which TensorBoard knows event files.
const prefix = "events.out.tfevents."

// A Writer appends events to a file. It is for one goroutine.
type Writer struct {
	f      *os.File
	closed bool
	buf    *bufio.Writer
	now    func() time.Time
	data   []byte // of the last event, kept for its memory
}

// Create makes the next event file of a folder, which it makes too if need be:
// events.out.tfevents.SECONDS.HOST.PID, where SECONDS is the time, but more than
// that of every file there, so that the order of names is the order of writing.
func Create(dir string) (*Writer, error) {
	w, err := create(dir, time.Now)
	if err != nil {
		return nil, fmt.Errorf("tensorboard: %w", err)
	}
	return w, nil
}

func create(dir string, now func() time.Time) (*Writer, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	newest, err := newest(dir)
	if err != nil {
		return nil, err
	}
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	name := fmt.Sprintf("%s%010d.%s.%d", prefix, max(now().Unix(), newest+1), host, os.Getpid())
	f, err := os.OpenFile(filepath.Join(dir, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return nil, err
	}
	w := &Writer{f: f, buf: bufio.NewWriter(f), now: now}
	err = w.write(Event{FileVersion: version})
	if err == nil {
		err = w.buf.Flush()
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return w, nil
}

// newest is the largest time in the names of a folder's event files, 0 without one.
func newest(dir string) (int64, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return 0, err
	}
	var at int64
	for _, e := range entries {
		if rest, ok := strings.CutPrefix(e.Name(), prefix); ok {
			seconds, _, _ := strings.Cut(rest, ".")
			if n, err := strconv.ParseInt(seconds, 10, 64); err == nil {
				at = max(at, n)
			}
		}
	}
	return at, nil
}

// Path is where the file is.
func (w *Writer) Path() string { return w.f.Name() }

// Restart says that the run goes on with this step: TensorBoard forgets what
// older files of the folder say of it and of later ones. Call it before the
// first Scalar; a run that begins anew says the first step of all.
func (w *Writer) Restart(step int64) error {
	return w.report(w.write(Event{Step: step, Start: true}))
}

// Scalar adds a point to the curve named tag, such as "train/loss". It reaches
// the file with the next Flush or earlier.
func (w *Writer) Scalar(tag string, step int64, v float64) error {
	return w.report(w.write(Event{Step: step, Scalars: []Scalar{{tag, float32(v)}}}))
}

func (w *Writer) write(e Event) error {
	e.WallTime = float64(w.now().UnixMicro()) / 1e6
	w.data = appendEvent(w.data[:0], e)
	_, err := w.buf.Write(appendRecord(nil, w.data))
	return err
}

// Flush hands all events to the operating system, and so to TensorBoard.
func (w *Writer) Flush() error { return w.report(w.buf.Flush()) }

// Close flushes and closes the file. It may be called twice.
func (w *Writer) Close() error {
	if w.closed {
		return nil
	}
	w.closed = true
	return w.report(errors.Join(w.buf.Flush(), w.f.Close()))
}

func (w *Writer) report(err error) error {
	if err != nil {
		return fmt.Errorf("tensorboard: %w", err)
	}
	return nil
}
