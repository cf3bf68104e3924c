package main

import (
	"context"
	"fmt"
	"io"
	"runtime"

	"github.com/pptsn/pptsn"
	"github.com/pptsn/pptsn/atomicfile"
	"github.com/pptsn/pptsn/video"
	"github.com/pptsn/pptsn/window"
)

// segmentTexts are the segments as texts.
func segmentTexts(segments []pptsn.Segment) []window.Caption {
	out := make([]window.Caption, len(segments))
	for i, s := range segments {
		out[i] = window.Caption{Start: s.Start, End: s.End, Text: fmt.Sprintf("%s %.2f", classLabel(s.Class), s.Score)}
	}
	return out
}

// writeFiles makes what --srt and --annotate ask for.
func (w *windowFlags) writeFiles(ctx context.Context, file string, segments []pptsn.Segment, p *windowPrinter) error {
	texts := segmentTexts(segments)
	if w.srt != "" && w.srt != "-" {
		if err := atomicfile.Write(w.srt, func(to io.Writer) error { return window.WriteSRT(to, texts) }); err != nil {
			return err
		}
	}
	if w.annotate == "" {
		return nil
	}
	return annotate(ctx, file, w.annotate, texts, p.err)
}

// annotate makes the copy with texts in it.
func annotate(ctx context.Context, file, out string, texts []window.Caption, progress io.Writer) error {
	f, err := video.Open(ctx, file, video.Options{})
	if err != nil {
		return err
	}
	defer f.Close()
	m := newMeter(progress, "annotate", "frames", f.Len())
	err = window.Annotate(ctx, f, out, texts, runtime.NumCPU(), func() { m.add(1) })
	m.close()
	if err != nil {
		return err
	}
	fmt.Fprintf(progress, "pptsn: %s: %s, without sound\n", out, countOf(m.done, "frame"))
	return nil
}
