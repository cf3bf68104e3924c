package fetch

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"
)

// A download brings one URL to its place.
type download struct {
	source
	path string
	o    Options
}

// A finalError is one that another try would meet again.
type finalError struct{ error }

func (e finalError) Unwrap() error { return e.error }

func newDownload(s source, path string, o Options) *download {
	if o.Client == nil {
		o.Client = http.DefaultClient
	}
	if o.Stall == 0 {
		o.Stall = 30 * time.Second
	}
	if o.Retries == 0 {
		o.Retries = 5
	}
	if o.Backoff == 0 {
		o.Backoff = time.Second
	}
	if o.Progress == nil {
		o.Progress = func(done, total int64) {}
	}
	if o.Retrying == nil {
		o.Retrying = func(err error, wait time.Duration) {}
	}
	return &download{s, path, o}
}

// run tries until the file is whole, and puts it at its place. Only tries that
// bring nothing new count against the limit: a line that breaks every minute
// still gets there.
func (d *download) run(ctx context.Context) error {
	farthest, failed := d.here(), 0
	for {
		err := d.try(ctx)
		if err == nil {
			return d.finish()
		}
		if ctx.Err() != nil {
			return fmt.Errorf("stopped; what has come is kept, and the next time goes on from there: %w", ctx.Err())
		}
		if errors.As(err, new(finalError)) {
			return err
		}
		if now := d.here(); now > farthest {
			farthest, failed = now, 0
		}
		if failed++; failed > d.o.Retries {
			return fmt.Errorf("%w (%d tries; what has come is kept, and the next time goes on from there)", err, failed)
		}
		wait := min(d.o.Backoff<<(failed-1), time.Minute)
		d.o.Retrying(err, wait)
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
}

// here is how many bytes have come.
func (d *download) here() int64 {
	info, err := os.Stat(d.path + partExt)
	if err != nil {
		return 0
	}
	return info.Size()
}

// finish checks the whole part and renames it.
func (d *download) finish() error {
	part := d.path + partExt
	if err := d.check(part); err != nil {
		return errors.Join(err, d.forget())
	}
	if err := os.Rename(part, d.path); err != nil {
		return err
	}
	return os.Remove(d.path + aboutExt)
}

// check looks at the content.
func (d *download) check(part string) error {
	f, err := os.Open(part)
	if err != nil {
		return err
	}
	defer f.Close()
	head := make([]byte, 512)
	n, err := f.Read(head)
	if err != nil {
		return fmt.Errorf("an empty file: %w", err)
	}
	if isPage(http.DetectContentType(head[:n])) {
		return errPage
	}
	if d.sha256 == "" {
		return nil
	}
	sum, err := hashFile(part)
	if err != nil {
		return err
	}
	if sum != d.sha256 {
		return fmt.Errorf("SHA-256 is %s, not %s as asked for: the file was changed or damaged", sum, d.sha256)
	}
	return nil
}
