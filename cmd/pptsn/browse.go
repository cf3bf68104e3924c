package main

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pptsn/pptsn/atomicfile"
	"github.com/pptsn/pptsn/config"
	"github.com/pptsn/pptsn/contact"
)

type browseOptions struct {
	config    string
	overrides []string
	use       string
	samples   int
	lines     []int
	epoch     int
	epochs    int
	seed      uint64
	mix       bool
	labels    string
	output    string
	videos    []string
}

// useInference is the section INFERENCE beside the three uses of lists.
const useInference = "inference"

func newBrowse() *cobra.Command {
	o := browseOptions{}
	cmd := &cobra.Command{
		Use:   "browse -c CONFIG [VIDEO...]",
		Short: "Show what the network sees: frames, crops and flips as a contact sheet",
		Long: `Browse draws clips as the network gets them, before they are normalised: the
frames that are sampled, as they are scaled, cropped and mirrored. Training
samples are those that train makes of the same seed, epoch and list. The number
of each frame, counted from 0, stands below its picture. Of ten crops there is a
column for each crop and a row for each frame.

--mix shows training batches after Mixup or Cutmix, as config and seed give them.

Clips are taken from the list of DATASET.<use>, spread evenly over it; --line
names some. With VIDEO arguments (files, folders of videos, lists of paths) those
are shown instead. --use inference is the pipeline of predict.

The sheet is one HTML file, or a PNG in which each pixel is as the network has
it. A clip that cannot be read is a line in red, and the exit code is then 1.`,
		Example: `  pptsn browse -c my.yaml
  pptsn browse -c my.yaml --line 17,204 --epochs 4 --output augmented.png
  pptsn browse -c my.yaml --mix
  pptsn browse -c my.yaml --use test -o DATASET.test.file_path=val.list
  pptsn browse -c my.yaml --use inference clip.mp4`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.videos = args
			return browse(cmd, o)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&o.config, "config", "c", "", "configuration (YAML)")
	f.StringArrayVarP(&o.overrides, "override", "o", nil, "change a key of the configuration, such as DATASET.train.file_path=my.list; repeatable")
	f.StringVar(&o.use, "use", string(config.Train), "pipeline and list: train, valid, test, or inference")
	f.IntVar(&o.samples, "samples", 8, "how many clips of the list")
	f.IntSliceVar(&o.lines, "line", nil, "clips of these lines of the list, counted from 1")
	f.IntVar(&o.epoch, "epoch", 1, "epoch, counted from 1 as train does")
	f.IntVar(&o.epochs, "epochs", 1, "show each clip in this many epochs")
	f.Uint64Var(&o.seed, "seed", 0, "of all random numbers, as train's")
	f.BoolVar(&o.mix, "mix", false, "show training batches, mixed as MIX says")
	f.StringVar(&o.labels, "labels", "", "class names: a file, or kinetics400 or ucf101 (default: by the configuration's data set)")
	f.StringVar(&o.output, "output", "browse.html", "the sheet: a name that ends in .html or .png")
	return cmd
}

// validate reports flags that cannot be carried out.
func (o *browseOptions) validate() error {
	switch {
	case o.config == "":
		return usagef("browse needs -c CONFIG (see pptsn browse --help)")
	case !slices.Contains([]string{string(config.Train), string(config.Valid), string(config.Test), useInference}, o.use):
		return usagef("--use %s: want train, valid, test or inference", o.use)
	case o.samples < 1 || o.epoch < 1 || o.epochs < 1:
		return usagef("--samples, --epoch and --epochs begin at 1")
	case len(o.lines) > 0 && len(o.videos) > 0:
		return usagef("--line names clips of the list: leave it or the videos out")
	case o.mix && (o.use != string(config.Train) || len(o.lines)+len(o.videos) > 0 || o.epochs > 1):
		return usagef("--mix shows batches of one epoch of training: leave out --use, --line, --epochs and videos")
	case !o.png() && !o.html():
		return usagef("--output %s: want a name that ends in .html or .png", o.output)
	}
	return nil
}

func (o *browseOptions) png() bool { return strings.EqualFold(filepath.Ext(o.output), ".png") }

func (o *browseOptions) html() bool {
	ext := strings.ToLower(filepath.Ext(o.output))
	return ext == ".html" || ext == ".htm"
}

func browse(cmd *cobra.Command, o browseOptions) error {
	if err := o.validate(); err != nil {
		return err
	}
	cfg, err := config.Load(o.config, o.overrides)
	if err != nil {
		return err
	}
	b, err := newBrowser(cfg, &o, cmd.InOrStdin(), cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	sheet := &contact.Sheet{Title: b.title(), Note: b.note()}
	if o.mix {
		sheet.Rows, err = b.batches(cmd.Context())
	} else {
		sheet.Rows, err = b.clips(cmd.Context())
	}
	if err != nil {
		return err
	}
	if err := o.write(sheet); errors.Is(err, contact.ErrTooLarge) {
		return fmt.Errorf("%w: %s, or --output sheet.html", err, showFewer)
	} else if err != nil {
		return fmt.Errorf("%s: %w", o.output, err)
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "pptsn: wrote %s\n", o.output)
	if b.failed > 0 {
		return errReported
	}
	return nil
}

func (o *browseOptions) write(s *contact.Sheet) error {
	return atomicfile.Write(o.output, func(w io.Writer) error {
		if o.png() {
			return s.PNG(w)
		}
		return s.HTML(w)
	})
}
