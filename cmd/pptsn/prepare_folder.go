package main

import (
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/pptsn/pptsn/prepare"
)

type prepareFolderOptions struct {
	prepare.Folder
	groupBy string
	listOptions
}

func newPrepareFolder() *cobra.Command {
	o := prepareFolderOptions{}
	cmd := &cobra.Command{
		Use:   "folder DIR [--val 0.2] [--test 0] [--group-by REGEX] [--csv FILE] [-o DIR]",
		Short: "Make lists of your own clips: one folder for each class, or a CSV file",
		Long: `Folder takes the folders in DIR for classes and all videos below them for their
clips, and writes train.list, val.list, with --test also test.list, and labels.txt.
Classes are numbered in the order of their names, 2 before 10, or as in --labels.

The split is even over classes and depends on --seed and the names of the clips
alone. With --group-by clips of one group, which is what the first pair of brackets
in the expression (or all of it) matches in the clip's path, come on one side: clips
of one recording on both sides make a score look better than it is.

--csv FILE names the clips instead: a header with path and label and, as you like,
split (train, val, test; empty rows are dealt) and group. Paths are below DIR or
beside the CSV file; labels are names or numbers.`,
		Example: `  pptsn prepare folder clips -o data/own
  pptsn prepare folder UCF-101 --group-by 'v_[A-Za-z]+_g[0-9]+' --val 0.25 -o data/own
  pptsn prepare folder clips --csv clips.csv --labels names.txt -o data/own`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("prepare folder needs one folder (see pptsn prepare folder --help)")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Dir = args[0]
			return prepareFolder(cmd, o)
		},
	}
	f := cmd.Flags()
	f.Float64Var(&o.Val, "val", 0.2, "share of the clips for val.list")
	f.Float64Var(&o.Test, "test", 0, "share of the clips for test.list")
	f.Uint64Var(&o.Seed, "seed", 0, "of the split")
	f.StringVar(&o.groupBy, "group-by", "", "regular expression (RE2) that finds a clip's group in its path")
	f.StringVar(&o.CSV, "csv", "", "CSV file with a header: path,label[,split][,group]")
	f.StringVar(&o.Labels, "labels", "", "names of the classes in their order: kinetics400, ucf101 or a file")
	f.BoolVar(&o.Absolute, "absolute", false, "write absolute paths")
	o.flags(cmd)
	return cmd
}

func prepareFolder(cmd *cobra.Command, o prepareFolderOptions) error {
	if !(o.Val >= 0 && o.Test >= 0 && o.Val+o.Test < 1) {
		return usagef("--val %v and --test %v: want shares from 0, below 1 together", o.Val, o.Test)
	}
	if o.groupBy != "" {
		re, err := regexp.Compile(o.groupBy)
		if err != nil {
			return usagef("--group-by: %w", err)
		}
		o.GroupBy = re
	}
	r, files, err := o.Run(cmd.Context())
	if err != nil {
		return err
	}
	return o.finish(cmd, files, r,
		func(say remarks) { o.remark(say, r) },
		func(w io.Writer) error { return folderTable(w, r) })
}

// folderTable has a line for each class, and the sides that are used.
func folderTable(w io.Writer, r *prepare.FolderReport) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	line := func(label, name string, clips any, split []string) {
		fmt.Fprintf(t, "%s\t%v\t", label, clips)
		for side, n := range split {
			if side < prepare.Test || r.Split[side] > 0 {
				fmt.Fprintf(t, "%s\t", n)
			}
		}
		fmt.Fprintf(t, "  %s\n", name) // behind the last tab: aligned to the left
	}
	line("label", "class", "clips", r.Sides)
	for i, c := range r.Classes {
		line(fmt.Sprint(i), c.Name, c.Clips, words(c.Split))
	}
	line("", "all", r.Clips, words(r.Split))
	return t.Flush()
}

func words(numbers []int) (out []string) {
	for _, n := range numbers {
		out = append(out, fmt.Sprint(n))
	}
	return out
}

// remark says what is odd, and how to go on.
func (o *prepareFolderOptions) remark(say remarks, r *prepare.FolderReport) {
	say.problems("row", "that cannot be used", r.Bad)
	say.some("clip", "missing and left out", r.Missing, "")
	say.some("video", "in no class's folder and left out", r.Stray, "")
	say.some("name", "that cannot stand in a list, left out", r.Unnamed, "")
	say.some("clip", "not matched by --group-by, each a group of its own", r.Ungrouped, "")
	say.some("group", "on several sides by the CSV file itself", r.Torn, "")
	say.skipped(r.Skipped)
	if r.Wanted != nil {
		say.say("%s", shares(r))
	}
	say.some("class", "with too few clips", r.Thin, "")
	step := nextStep{
		config: "configs/recognition/pptsn/pptsn_k400_videos.yaml", prefix: o.Dir,
		keys: []string{fmt.Sprintf("MODEL.head.num_classes=%d", len(r.Classes))},
	}
	for side, name := range r.Sides {
		if r.Split[side] > 0 {
			step.lists[side] = filepath.Join(o.out, name+".list")
		}
	}
	say.next(step)
}

// shares says how the split came out.
func shares(r *prepare.FolderReport) string {
	var parts []string
	for side, name := range r.Sides {
		if r.Wanted[side] > 0 || r.Split[side] > 0 {
			parts = append(parts, fmt.Sprintf("%s %.1f %% (wanted %.1f)", name, 100*r.Shares[side], 100*r.Wanted[side]))
		}
	}
	text := strings.Join(parts, ", ")
	if r.Groups > 0 {
		text = countOf(r.Groups, "group") + ": " + text
	}
	if f := r.Furthest; f != nil {
		text += fmt.Sprintf("; furthest off is %s with %.1f %% in %s", f.Class, 100*f.Share, f.Side)
	}
	return text
}
