package main

import (
	"context"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/pptsn/pptsn"
	"github.com/pptsn/pptsn/window"
)

// windowFlags cut long videos into windows.
type windowFlags struct {
	length, stride time.Duration
	minScore       float64
	srt, annotate  string // paths
	flags          *pflag.FlagSet
}

func (w *windowFlags) add(f *pflag.FlagSet) {
	w.flags = f
	f.DurationVar(&w.length, "window", 0, "classify windows of that length, such as 10s, of long videos, and print segments of one class")
	f.DurationVar(&w.stride, "stride", 0, "time from the start of a window to that of the next (default: half a window)")
	f.Float64Var(&w.minScore, "min_score", 0, "with --window: leave out segments with a lower score, 0 to 1")
	f.StringVar(&w.srt, "srt", "", "with --window: also write the segments as subtitles to that file (.srt); -: to standard output, instead of the table")
	f.StringVar(&w.annotate, "annotate", "", "with --window: also write a copy of the video to that file (.mp4) with the segments' labels and scores drawn in, without sound")
}

// on says that the command line asks for windows.
func (w *windowFlags) on() bool { return w.flags.Changed("window") }

// validate reports flags that cannot be carried out, and fills in the stride.
func (w *windowFlags) validate(asJSON bool) error {
	if !w.on() {
		for _, name := range []string{"stride", "min_score", "srt", "annotate"} {
			if w.flags.Changed(name) {
				return usagef("--%s is for windows of a long video: add --window, such as --window 10s", name)
			}
		}
		return nil
	}
	for _, name := range []string{"csv", "output", "resume", "overwrite", "workers", "enable_benchmark"} {
		if w.flags.Changed(name) {
			return usagef("--%s is for whole videos: leave it out, or leave out --window", name)
		}
	}
	if !w.flags.Changed("stride") {
		w.stride = max(w.length/2, window.Shortest)
	}
	switch {
	case w.length < window.Shortest:
		return usagef("--window %v: want at least %v", w.length, window.Shortest)
	case w.stride < window.Shortest:
		return usagef("--stride %v: want at least %v", w.stride, window.Shortest)
	case !(w.minScore >= 0 && w.minScore <= 1):
		return usagef("--min_score %v: want 0 to 1", w.minScore)
	case w.srt == "-" && asJSON:
		return usagef("--srt - and --json both write to standard output: name a file for the subtitles")
	case w.srt != "" && w.srt == w.annotate:
		return usagef("--srt and --annotate name the same file")
	case w.annotate != "" && !strings.EqualFold(filepath.Ext(w.annotate), ".mp4"):
		return usagef("--annotate %s: the copy is an MP4 file: give it the ending .mp4", w.annotate)
	}
	return nil
}

// predictWindows classifies the windows of one video after the other.
func predictWindows(cmd *cobra.Command, o predictOptions) error {
	files := o.files(cmd.Context(), cmd.InOrStdin())
	if o.window.srt != "" || o.window.annotate != "" {
		file, err := o.window.only(files)
		if err != nil {
			return err
		}
		files = func(yield func(string, error) bool) { yield(file, nil) }
	}
	m, err := o.open(cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	defer m.Close()
	if gap := o.window.stride - o.window.length; gap > 0 {
		fmt.Fprintf(cmd.ErrOrStderr(), "pptsn: --stride is longer than --window: %v between two windows are not looked at\n", gap)
	}
	p := newWindowPrinter(cmd.OutOrStdout(), cmd.ErrOrStderr(), o.json)
	for file, err := range files {
		if err == nil {
			err = o.window.predict(cmd.Context(), m, file, o.batch, p)
		}
		if cmd.Context().Err() != nil {
			return cmd.Context().Err()
		}
		if err := p.done(file, err); err != nil {
			return err
		}
	}
	return p.finish()
}

// only is the one video that subtitles or a copy are made of. They must not
// replace it.
func (w *windowFlags) only(files iter.Seq2[string, error]) (string, error) {
	next, stop := iter.Pull2(files)
	defer stop()
	file, err, _ := next()
	if err != nil {
		return "", err
	}
	if _, _, more := next(); more {
		return "", usagef("--srt and --annotate are for one video at a time")
	}
	in, err := os.Stat(file)
	if err != nil {
		return file, nil // opening it says what is wrong
	}
	for _, path := range []string{w.srt, w.annotate} {
		if out, err := os.Stat(path); err == nil && os.SameFile(in, out) {
			return "", usagef("%s would be replaced by what is made of it: choose another name", file)
		}
	}
	return file, nil
}

// A printError is output that could not be written: no other video will fare better.
type printError struct{ error }

func (e printError) Unwrap() error { return e.error }

// predict classifies the windows of one video.
func (w *windowFlags) predict(ctx context.Context, m *pptsn.Model, file string, batch int, p *windowPrinter) error {
	segments, err := m.ClassifyWindows(ctx, file, pptsn.WindowOptions{
		Length: w.length, Stride: w.stride, Batch: batch,
		Each: func(v pptsn.Window) error { return p.window(file, v) },
	})
	p.endMeter()
	if err != nil {
		return err
	}
	strong := segments[:0]
	for _, s := range segments {
		if s.Score >= w.minScore {
			strong = append(strong, s)
		}
	}
	if err := w.print(p, file, strong); err != nil {
		return err
	}
	return w.writeFiles(ctx, file, strong, p)
}

// print shows the segments, unless subtitles take their place.
func (w *windowFlags) print(p *windowPrinter, file string, segments []pptsn.Segment) error {
	if w.srt == "-" {
		return p.wrote(window.WriteSRT(p.out, segmentTexts(segments)))
	}
	return p.segments(file, segments)
}
