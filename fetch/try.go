package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"syscall"
	"time"
)

var errPage = errors.New("the answer is a web page, not weights: open the URL in a browser to see what it says")

func isPage(contentType string) bool {
	kind, _, _ := mime.ParseMediaType(contentType)
	return kind == "text/html" || kind == "application/xhtml+xml"
}

// errStall is the cause of a try's end when nothing comes.
var errStall = errors.New("nothing came")

// try makes one request and appends what it brings to the part. nil: the part
// is whole.
func (d *download) try(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stall := time.AfterFunc(d.o.Stall, func() { cancel(fmt.Errorf("%w for %v", errStall, d.o.Stall)) })
	defer stall.Stop()

	known := readAbout(d.path + aboutExt)
	from := d.here()
	if known.validator() == "" {
		from = 0
	}
	if from > 0 && from == known.Size {
		return nil
	}
	answer, err := d.request(ctx, from, known.validator())
	if err != nil {
		return because(ctx, err)
	}
	defer answer.Body.Close()

	switch answer.StatusCode {
	case http.StatusOK: // from the start, as asked or because the file changed
		from, known = 0, aboutOf(answer)
	case http.StatusPartialContent:
		if err := continues(answer, from, known.Size); err != nil {
			return errors.Join(err, d.forget())
		}
	case http.StatusRequestedRangeNotSatisfiable:
		return errors.Join(errors.New("the server's file is shorter than what has come: starting anew"), d.forget())
	default:
		return statusError(answer)
	}
	if isPage(answer.Header.Get("Content-Type")) {
		return finalError{errPage}
	}
	return because(ctx, d.receive(answer.Body, from, known, func() { stall.Reset(d.o.Stall) }))
}

// because prefers the reason for which ctx ended to the error that followed.
func because(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

func (d *download) request(ctx context.Context, from int64, validator string) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, d.url, nil)
	if err != nil {
		return nil, finalError{err}
	}
	r.Header.Set("Accept-Encoding", "identity") // else lengths are not those of the file
	r.Header.Set("User-Agent", "pptsn")
	if from > 0 {
		r.Header.Set("Range", fmt.Sprintf("bytes=%d-", from))
		r.Header.Set("If-Range", validator)
	}
	return d.o.Client.Do(r)
}

// continues checks that a partial answer is the rest of the part.
func continues(answer *http.Response, from, size int64) error {
	var first, last, total int64
	text := answer.Header.Get("Content-Range")
	if _, err := fmt.Sscanf(text, "bytes %d-%d/%d", &first, &last, &total); err != nil {
		total = -1 // "*": the server does not know
		if _, err := fmt.Sscanf(text, "bytes %d-%d/*", &first, &last); err != nil {
			return fmt.Errorf("Content-Range %q: not understood", text)
		}
	}
	if first != from || total >= 0 && size >= 0 && total != size {
		return fmt.Errorf("Content-Range %q: asked for byte %d and on, of %d", text, from, size)
	}
	return nil
}

func statusError(answer *http.Response) error {
	err := fmt.Errorf("the server says %s", answer.Status)
	switch code := answer.StatusCode; {
	case code == http.StatusRequestTimeout, code == http.StatusTooManyRequests, code >= 500:
		return err
	}
	return finalError{err}
}

// diskError ends the download: what has come stays, and another try would meet
// the same.
func diskError(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		err = fmt.Errorf("%w: free space there, or set PPTSN_CACHE to another folder; what has come is kept", err)
	}
	return finalError{err}
}

// receive appends body to the part from that byte on.
func (d *download) receive(body io.Reader, from int64, a about, alive func()) error {
	f, err := os.OpenFile(d.path+partExt, os.O_WRONLY|os.O_CREATE, 0o666)
	if err != nil {
		return diskError(err)
	}
	defer f.Close()
	if err := f.Truncate(from); err != nil { // before the new about: they must never disagree
		return diskError(err)
	}
	if from == 0 {
		if err := a.write(d.path + aboutExt); err != nil {
			return diskError(err)
		}
	}
	if _, err := f.Seek(from, io.SeekStart); err != nil {
		return diskError(err)
	}
	d.o.Progress(from, a.Size)
	n, err := d.copy(f, body, from, a.Size, alive)
	if err != nil {
		return err
	}
	if a.Size >= 0 && n != a.Size {
		return fmt.Errorf("%d bytes came, not %d as the server said", n, a.Size)
	}
	if err := f.Sync(); err != nil {
		return diskError(err)
	}
	return nil
}

// copy returns how long the file is afterwards.
func (d *download) copy(f *os.File, body io.Reader, at, total int64, alive func()) (int64, error) {
	buf := make([]byte, 1<<17)
	for {
		n, err := body.Read(buf)
		if n > 0 {
			alive()
			if _, err := f.Write(buf[:n]); err != nil {
				return at, diskError(err)
			}
			at += int64(n)
			d.o.Progress(at, total)
		}
		if err == io.EOF {
			return at, nil
		} else if err != nil {
			return at, err
		}
	}
}

// forget drops the part.
func (d *download) forget() error {
	if err := os.Remove(d.path + aboutExt); err != nil {
		return err
	}
	return os.Remove(d.path + partExt)
}
