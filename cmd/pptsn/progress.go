package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// A meter shows how far long work has come: a bar on a terminal, else a line
// now and then. Not for concurrent use.
type meter struct {
	w     io.Writer
	what  string // what is done to the items, such as "check"
	items string // what is counted, such as "clips"
	total int
	done  int
	begun time.Time
	said  time.Time
	bar   *progressbar.ProgressBar // nil where w is no terminal
}

// quiet is the time between two lines where there is no terminal.
const quiet = 10 * time.Second

func newMeter(w io.Writer, what, items string, total int) *meter {
	m := &meter{w: w, what: what, items: items, total: total, begun: time.Now(), said: time.Now()}
	if isTerminal(w) {
		m.bar = progressbar.NewOptions(total, progressbar.OptionSetWriter(w), progressbar.OptionSetDescription(what),
			progressbar.OptionShowIts(), progressbar.OptionShowCount(), progressbar.OptionSetItsString(items),
			progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())
	}
	return m
}

// add says that n more items are done.
func (m *meter) add(n int) {
	m.done += n
	switch {
	case m.bar != nil:
		m.bar.Add(n)
	case time.Since(m.said) >= quiet:
		m.said = time.Now()
		fmt.Fprintf(m.w, "pptsn: %s: %s\n", m.what, m.state(time.Since(m.begun)))
	}
}

// state is the line without a bar.
func (m *meter) state(spent time.Duration) string {
	rate := float64(m.done) / spent.Seconds()
	left := "?"
	if rate > 0 {
		left = time.Duration(float64(m.total-m.done) / rate * float64(time.Second)).Round(time.Second).String()
	}
	return fmt.Sprintf("%d of %d %s, %.3g a second, %s left", m.done, m.total, m.items, rate, left)
}

// say writes a line above the bar.
func (m *meter) say(format string, args ...any) {
	if m.bar != nil {
		m.bar.Clear()
	}
	fmt.Fprintf(m.w, format+"\n", args...)
}

// close takes the bar away.
func (m *meter) close() {
	if m.bar != nil {
		m.bar.Finish()
	}
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
