package launch

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"
)

// What of a worker's output goes into errors.
const (
	tailLines  = 10
	tailLength = 500 // bytes of a line
)

// An output takes what a worker writes: into its file, if there is one, and the
// last lines into memory. It never fails and never keeps a worker waiting for
// longer than a disk does: a full disk must not end a run.
type output struct {
	mu   sync.Mutex
	file *os.File // nil: none, or no longer
	tail tail
	warn func(format string, args ...any)
	path string
}

// openOutput begins the file of a rank anew in round 0, and goes on with it later.
func openOutput(dir string, rank, round int, warn func(string, ...any)) (*output, error) {
	o := &output{warn: warn}
	if dir == "" {
		return o, nil
	}
	o.path = filepath.Join(dir, fmt.Sprintf("worker.%d", rank))
	mode := os.O_TRUNC
	if round > 0 {
		mode = os.O_APPEND
	}
	f, err := os.OpenFile(o.path, os.O_CREATE|os.O_WRONLY|mode, 0o666)
	if err != nil {
		return nil, err
	}
	o.file = f
	if round > 0 {
		o.writeFile(fmt.Appendf(nil, "--- round %d, %s\n", round, time.Now().Format(time.DateTime)))
	}
	return o, nil
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.tail.write(p)
	o.writeFile(p)
	return len(p), nil
}

func (o *output) writeFile(p []byte) {
	if o.file == nil {
		return
	}
	if _, err := o.file.Write(p); err != nil {
		o.warn("log: %v; the rest of this log is lost", err)
		o.file.Close()
		o.file = nil
	}
}

func (o *output) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.file != nil {
		o.file.Close()
		o.file = nil
	}
}

// and is o and another writer, whose errors do not count either.
func (o *output) and(w io.Writer) io.Writer {
	if w == nil {
		return o
	}
	return tee{o, w}
}

type tee struct {
	o *output
	w io.Writer
}

func (t tee) Write(p []byte) (int, error) {
	t.w.Write(p) // a terminal that is gone
	return t.o.Write(p)
}

// crashes are the lines with which Go begins a stack trace. A signal's is for C
// and C++: "SIGABRT: abort".
var crashes = regexp.MustCompile(`^(panic|fatal error|SIG[A-Z]+): `)

// A tail keeps the last lines. A stack trace of Go pushes nothing out: what
// matters is its head.
type tail struct {
	lines []string
	part  []byte // of a line that has not ended
	crash bool
}

func (t *tail) write(p []byte) {
	for {
		line, rest, ended := bytes.Cut(p, []byte("\n"))
		t.part = append(t.part, line[:min(len(line), tailLength-len(t.part))]...)
		if !ended {
			return
		}
		t.end()
		p = rest
	}
}

// end takes the line that was begun.
func (t *tail) end() {
	line := strings.TrimRight(string(t.part), "\r")
	if i := strings.LastIndexByte(line, '\r'); i >= 0 { // progress that was written over
		line = line[i+1:]
	}
	t.part = t.part[:0]
	t.crash = t.crash || crashes.MatchString(line)
	if line == "" || t.crash && len(t.lines) >= 2*tailLines {
		return
	}
	t.lines = append(t.lines, line)
	if !t.crash && len(t.lines) > tailLines {
		t.lines = t.lines[1:]
	}
}

// last ends the line that was begun, if any, and returns all.
func (o *output) last() (lines []string, crash bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.tail.end()
	return o.tail.lines, o.tail.crash
}
