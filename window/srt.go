package window

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"time"
)

// A Caption is a text that is shown for a part of a video.
type Caption struct {
	Start, End time.Duration // half open
	Text       string        // one line
}

// WriteSRT writes captions as SubRip subtitles, which players show beside a
// video: UTF-8, numbered from 1, times to the millisecond.
func WriteSRT(w io.Writer, captions []Caption) error {
	b := bufio.NewWriter(w)
	for i, c := range captions {
		// An empty line would end the caption.
		text := strings.Join(strings.FieldsFunc(c.Text, func(r rune) bool { return r == '\n' || r == '\r' }), " ")
		fmt.Fprintf(b, "%d\n%s --> %s\n%s\n\n", i+1, srtTime(c.Start), srtTime(c.End), text)
	}
	return b.Flush()
}

func srtTime(t time.Duration) string {
	ms := t.Round(time.Millisecond).Milliseconds()
	return fmt.Sprintf("%02d:%02d:%02d,%03d", ms/3600000, ms/60000%60, ms/1000%60, ms%1000)
}
