package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"

	"github.com/pptsn/pptsn"
)

// outputFlags name a file for the results.
type outputFlags struct {
	path              string
	resume, overwrite bool
}

// validateOutput reports flags that cannot be carried out.
func (o *predictOptions) validateOutput() error {
	f := o.output
	switch {
	case o.json && o.csv:
		return usagef("--json and --csv are two forms of the results: choose one")
	case f.path == "" && (f.resume || f.overwrite):
		return usagef("--resume and --overwrite are for the file of --output FILE")
	case f.path != "" && !o.json && !o.csv:
		return usagef("--output: say in which form: --json or --csv")
	case f.resume && f.overwrite:
		return usagef("--resume goes on with a file, --overwrite begins it anew: choose one")
	case o.window.on() && (f.path != "" || o.csv):
		return usagef("--output and --csv are for whole videos: leave out --window")
	}
	switch pptsn.Preset(o.preset) {
	case "", pptsn.Fast, pptsn.Balanced, pptsn.Accurate:
		return nil
	}
	return usagef("--preset %q: want fast, balanced or accurate", o.preset)
}

// syncEvery is how much work a power failure may cost.
const syncEvery = time.Second

// An outputFile is where results go with --output. Each record is written whole
// by one call, so what a killed run leaves is records, the last of which may be
// torn where the disk was full or the power failed. FILE.run.json beside it says
// how they came about; a run goes on only where that is the same.
type outputFile struct {
	f      *os.File
	fresh  bool // nothing is in it
	made   bool // it was not there
	synced time.Time
}

// open takes the file for this process and refuses one that holds results of
// another run, unless flags say what to do with them. It is called before the
// model is read, so that this is known at once.
func (o outputFlags) open() (*outputFile, error) {
	_, err := os.Stat(o.path)
	out := &outputFile{made: errors.Is(err, fs.ErrNotExist), synced: time.Now()}
	if out.f, err = os.OpenFile(o.path, os.O_RDWR|os.O_CREATE, 0o666); err != nil {
		return nil, fmt.Errorf("--output: %w", err)
	}
	if err := out.claim(o); err != nil {
		out.f.Close()
		return nil, err
	}
	return out, nil
}

func (out *outputFile) claim(o outputFlags) error {
	info, err := out.f.Stat()
	switch {
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return usagef("--output %s: want the name of a file: without --output results go to standard output", o.path)
	}
	if err := syscall.Flock(int(out.f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); errors.Is(err, syscall.EWOULDBLOCK) {
		return fmt.Errorf("--output %s: another run is writing to it", o.path)
	} else if err != nil {
		return fmt.Errorf("--output: lock %s: %w", o.path, err)
	}
	out.fresh = info.Size() == 0
	if !out.fresh && !o.resume && !o.overwrite {
		return fmt.Errorf("--output %s: the file exists: go on with it with --resume, or begin anew with --overwrite", o.path)
	}
	out.fresh = out.fresh || o.overwrite // emptied when the run begins, not before it is sure that it can
	return nil
}

// start makes the file ready for records: it is new, or goes on after end.
func (out *outputFile) start(end int64) error {
	if err := out.f.Truncate(end); err != nil {
		return err
	}
	_, err := out.f.Seek(end, io.SeekStart)
	return err
}

// Write adds whole records.
func (out *outputFile) Write(b []byte) (int, error) {
	n, err := out.f.Write(b)
	if err == nil && time.Since(out.synced) >= syncEvery {
		err, out.synced = out.f.Sync(), time.Now()
	}
	return n, err
}

// Close brings the records to the disk. A new file in which there are none, as
// where the model could not be read, is taken away.
func (out *outputFile) Close() error {
	if info, err := out.f.Stat(); err == nil && info.Size() == 0 && out.made {
		os.Remove(out.f.Name())
	}
	return errors.Join(out.f.Sync(), out.f.Close())
}
