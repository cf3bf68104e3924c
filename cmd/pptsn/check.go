package main

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/pptsn/pptsn/check"
)

type checkOptions struct {
	config    string
	overrides []string
	use       []string
	lists     []string // without a use
	train     []string
	valid     []string
	test      []string
	frames    bool
	prefix    string
	suffix    string
	pattern   string
	classes   int
	labels    string

	output    string
	json      bool
	quick     bool
	strict    bool
	allow     []string
	minFrames int
	minClips  int
	timeout   time.Duration
	workers   int
	noCache   bool
}

func newCheck() *cobra.Command {
	o := checkOptions{}
	cmd := &cobra.Command{
		Use:   "check {-c CONFIG | LIST...}",
		Short: "Find out whether the clips of lists are good to train with",
		Long: `Check decodes every clip of the lists of a configuration, or of lists by
themselves, and says whether training should start. Of several lists the first is
for training, the second for validation, others for test.

Errors: lines that cannot be read, files that are missing, that hold no video or
are cut off, labels out of range, the same clip in training and in validation or
test, the same clip with two labels. Warnings: damaged clips, clips with fewer
frames than segments, duplicates, labels that do not fit folder or file name,
classes with few clips or none, content that changed since the last check. Notes:
what other programs trip over, such as variable frame rates or headers that lie.

Into the folder --output go bad.jsonl (all findings), NAME.clean.list for each
list (without errors and second copies), clips.jsonl (what each clip holds, for the
next check), summary.json and index.html. What decoding has shown is remembered:
the next check reads only what is new.

Exit codes: 0 training may start, 1 it should not, 2 wrong command line,
130 interrupted; then bad.jsonl.partial has what was found.`,
		Example: `  pptsn check -c configs/recognition/pptsn/pptsn_k400_videos.yaml
  pptsn check --prefix videos --num_classes 8 train.list val.list
  pptsn check --train train.list --test test.list --labels names.txt --allow truncated
  pptsn check --frames --prefix frames --quick --json train_frames.list`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.lists = args
			return runCheck(cmd, o)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&o.config, "config", "c", "", "configuration (YAML): its lists, pipelines and number of classes")
	f.StringArrayVarP(&o.overrides, "override", "o", nil, "change a key of the configuration, such as DATASET.train.file_path=my.list; repeatable")
	f.StringSliceVar(&o.use, "use", nil, "which lists of the configuration: train, valid, test (default: all that are there)")
	f.StringArrayVar(&o.train, "train", nil, "a list for training; repeatable")
	f.StringArrayVar(&o.valid, "valid", nil, "a list for validation; repeatable")
	f.StringArrayVar(&o.test, "test", nil, "a list for a test; repeatable")
	f.BoolVar(&o.frames, "frames", false, `lines are "dir frames label", else "path label"`)
	f.StringVar(&o.prefix, "prefix", "", "folder before each path of the lists")
	f.StringVar(&o.suffix, "suffix", "", "added to the path of each video, such as .avi")
	f.StringVar(&o.pattern, "pattern", "img_{:05}.jpg", "names of a folder's pictures, with --frames")
	f.IntVar(&o.classes, "num_classes", 0, "labels must be below (default: the configuration's, else as many as --labels has)")
	f.StringVar(&o.labels, "labels", "", "class names: a file, or kinetics400 or ucf101 (default: by the configuration's data set)")
	f.StringVar(&o.output, "output", "output/check", "folder for the results; made if absent")
	f.BoolVar(&o.json, "json", false, "summary.json's content on standard output")
	f.BoolVar(&o.quick, "quick", false, "open no file: lines, labels and what is missing alone")
	f.BoolVar(&o.strict, "strict", false, "warnings, too, say that training should not start")
	f.StringSliceVar(&o.allow, "allow", nil, "a kind of finding that is no error but a warning, such as missing; repeatable")
	f.IntVar(&o.minFrames, "min-frames", 0, "clips with fewer frames are errors")
	f.IntVar(&o.minClips, "min-clips", 2, "classes with fewer clips for training are reported")
	f.DurationVar(&o.timeout, "timeout", time.Minute, "for decoding one file")
	f.IntVar(&o.workers, "num_workers", 0, "files that are decoded at a time (default: the number of cores)")
	f.BoolVar(&o.noCache, "no-cache", false, "decode all files and remember nothing")
	return cmd
}

// validate reports flags that cannot be carried out.
func (o *checkOptions) validate() error {
	named := len(o.lists) + len(o.train) + len(o.valid) + len(o.test)
	switch {
	case o.config == "" && named == 0:
		return usagef("check needs -c CONFIG or lists (see pptsn check --help)")
	case o.config != "" && named > 0:
		return usagef("check takes -c CONFIG or lists, not both: -o DATASET.train.file_path=LIST sets a list of the configuration")
	case o.config == "" && len(o.overrides)+len(o.use) > 0:
		return usagef("--override and --use speak of a configuration: name it with --config")
	case o.config != "" && (o.frames || o.prefix+o.suffix != ""):
		return usagef("--frames, --prefix and --suffix are for lists by themselves: the configuration has its own")
	case o.classes < 0 || o.minFrames < 0 || o.minClips < 0 || o.workers < 0 || o.timeout <= 0:
		return usagef("--num_classes, --min-frames, --min-clips, --num_workers and --timeout cannot be negative")
	case o.output == "":
		return usagef("--output is empty: want a folder")
	}
	return nil
}

func runCheck(cmd *cobra.Command, o checkOptions) error {
	if err := o.validate(); err != nil {
		return err
	}
	moreProcs()
	c, err := o.options()
	if err != nil {
		return err
	}
	if !o.noCache && !o.quick {
		c.Cache = openCache(cmd.ErrOrStderr())
	}
	p := checkPrinter{out: cmd.OutOrStdout(), err: cmd.ErrOrStderr(), json: o.json, dir: o.output}
	c.Progress = p.progress
	summary, err := check.Run(cmd.Context(), c)
	p.close()
	if err != nil {
		p.interrupted()
		return err
	}
	if err := p.print(summary); err != nil {
		return err
	}
	if !summary.Start {
		return errReported
	}
	return nil
}
