package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/pptsn/pptsn"
	"github.com/pptsn/pptsn/bundle"
	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/config"
	"github.com/pptsn/pptsn/internal/ordered"
)

// maxBenchVideos are read in each turn at most.
const maxBenchVideos = 10000

// A benchReel is the videos that are read in each turn.
type benchReel struct {
	spec  clip.Spec
	files []string
	bad   int // others, which cannot be read
}

// reel reads the videos once, which brings them into the system's cache. Those
// that cannot be read are reported and left out.
func (o *benchOptions) reel(cmd *cobra.Command) (*benchReel, error) {
	spec, err := o.clipSpec()
	if err != nil {
		return nil, err
	}
	files, err := o.files(cmd.InOrStdin())
	if err != nil {
		return nil, err
	}
	ctx, r := cmd.Context(), &benchReel{spec: spec}
	for d := range decodeAll(ctx, files, spec, o.workers) {
		if d.err != nil {
			r.bad++
			fmt.Fprintf(cmd.ErrOrStderr(), "pptsn: %s\n", describeError(outcome{file: d.file, err: d.err}))
			continue
		}
		r.files = append(r.files, d.file)
	}
	if ctx.Err() == nil && len(r.files) == 0 {
		return nil, errors.New("none of the videos can be read")
	}
	return r, ctx.Err()
}

// finish is the error of videos that were left out.
func (r *benchReel) finish(stderr io.Writer) error {
	if r.bad == 0 {
		return nil
	}
	fmt.Fprintf(stderr, "pptsn: %s could not be read\n", countOf(r.bad, "video"))
	return errReported
}

func (o *benchOptions) files(stdin io.Reader) ([]string, error) {
	var files []string
	for _, input := range o.videos {
		for file, err := range expand(input, stdin) {
			if err != nil {
				return nil, fmt.Errorf("%s: %w", file, err)
			}
			if files = append(files, file); len(files) > maxBenchVideos {
				return nil, fmt.Errorf("more than %d videos: every turn reads all, so name fewer", maxBenchVideos)
			}
		}
	}
	return files, nil
}

// clipSpec says what is decoded: what the model looks at, or a configuration's
// inference.
func (o *benchOptions) clipSpec() (clip.Spec, error) {
	if o.model == "" {
		cfg, err := config.Load(cmp.Or(o.config, defaultConfig), o.overrides)
		if err != nil {
			return clip.Spec{}, err
		}
		inference, err := cfg.Inference()
		return inference.Clip, err
	}
	program, err := bundle.Find(o.model)
	if err != nil {
		return clip.Spec{}, err
	}
	m, err := bundle.ReadManifest(program)
	if err == nil && m == nil {
		err = fmt.Errorf("%s: %w", program, pptsn.ErrNoPreprocess)
	}
	if err != nil {
		return clip.Spec{}, err
	}
	return m.Preprocess, nil
}

// A decoded is a video that was read and thrown away, or why it was not.
type decoded struct {
	file string
	took time.Duration
	err  error
}

// decodeAll reads videos, so many at a time. It ends early when ctx does.
func decodeAll(ctx context.Context, files []string, spec clip.Spec, workers int) iter.Seq[decoded] {
	return ordered.Map(ctx, slices.Values(files), workers, 1, func(ctx context.Context, file string) decoded {
		begin := time.Now()
		_, err := loadVideo(ctx, file, spec, clip.Options{})
		return decoded{file, time.Since(begin), err}
	})
}
