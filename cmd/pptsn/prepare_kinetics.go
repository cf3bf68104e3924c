package main

import (
	"fmt"
	"io"
	"path/filepath"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/pptsn/pptsn/prepare"
)

type prepareKineticsOptions struct {
	prepare.Kinetics
	listOptions
}

func newPrepareKinetics() *cobra.Command {
	o := prepareKineticsOptions{}
	cmd := &cobra.Command{
		Use:   "kinetics --csv FILE... --videos DIR [--labels LIST] [-o DIR]",
		Short: "Make the lists of Kinetics-400, 600 or 700 from the official CSV files",
		Long: `Kinetics joins the rows of the official CSV files (label, youtube_id, time_start,
time_end, split) with the videos below a folder, and writes, for Kinetics-400,
  kinetics400_train_videos.list, kinetics400_val_videos.list   "path label" a line
  kinetics400_labels.txt                                       names of the classes
  kinetics400_missing.txt    split, label and clip of each row without a file
  kinetics400_extra.txt      videos that no row names

A video is known by its name, ID_000010_000020 or ID, with any extension and in any
folder: class/ID_000010_000020.mp4, all in one folder, or tar parts as unpacked.
The label is the CSV file's, also where the folder is named after another class.

Labels are numbered as in --labels: kinetics400 has the order of PaddleVideo and of
the published weights; from-csv sorts the labels of the CSV files, as is usual for
Kinetics-600 and 700; else a file of names. By default it is kinetics400 if that
has all labels of the CSV files. Spaces, underscores, brackets and apostrophes make
no difference between names.

Paths are relative to --videos, which is the data_prefix of a configuration.`,
		Example: `  pptsn prepare kinetics --csv train.csv --csv val.csv --videos data/k400/videos -o data/k400
  pptsn prepare kinetics --csv k700_train.csv --csv k700_val.csv --videos clips --labels from-csv -o data/k700`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return prepareKinetics(cmd, o) },
	}
	f := cmd.Flags()
	f.StringArrayVar(&o.CSV, "csv", nil, "CSV file with a header; repeatable")
	f.StringVar(&o.Videos, "videos", "", "folder of the clips")
	f.StringVar(&o.Labels, "labels", "", "kinetics400, from-csv or a file: the order of the classes (default: kinetics400 if it fits, else from-csv)")
	f.BoolVar(&o.Absolute, "absolute", false, "write absolute paths")
	o.flags(cmd)
	return cmd
}

func prepareKinetics(cmd *cobra.Command, o prepareKineticsOptions) error {
	if len(o.CSV) == 0 || o.Videos == "" {
		return usagef("prepare kinetics needs --csv and --videos (see pptsn prepare kinetics --help)")
	}
	r, files, err := o.Run(cmd.Context())
	if err != nil {
		return err
	}
	return o.finish(cmd, files, r,
		func(say remarks) { o.remark(say, r, files) },
		func(w io.Writer) error { return kineticsTable(w, r) })
}

func kineticsTable(w io.Writer, r *prepare.KineticsReport) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "split\tclips\tfound\tmissing\tmissing %\twithout label\t")
	for _, s := range r.Splits {
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%.1f\t%d\t\n", s.Split, s.Rows, s.Found, s.Missing, 100*float64(s.Missing)/float64(s.Rows), s.Unlabeled)
	}
	return t.Flush()
}

// remark says what is odd, and how to go on.
func (o *prepareKineticsOptions) remark(say remarks, r *prepare.KineticsReport, files []prepare.File) {
	say.say("%s, numbered as in %s", countOf(r.Classes, "class"), r.Labels)
	say.problems("row", "that cannot be used", r.Bad)
	say.problems("row", "of a clip that came before", r.Double)
	say.problems("row", "whose file may be another clip's, left out", r.Unclear)
	say.some("name", "that cannot stand in a list, left out", r.Unnamed, "")
	say.some("clip", "missing", r.Missing, filepath.Join(o.out, r.Name+"_missing.txt"))
	say.some("video", "without a row", r.Extra, filepath.Join(o.out, r.Name+"_extra.txt"))
	var several, folders []string
	for _, s := range r.Several {
		several = append(several, fmt.Sprintf("%s, not %s", s.Taken, s.Left[0]))
	}
	for _, m := range r.Folders {
		folders = append(folders, fmt.Sprintf("%s is %q", m.File, m.Label))
	}
	say.some("clip", "with more than one file", several, "")
	say.some("file", "in another class's folder than by its row", folders, "")
	say.skipped(r.Skipped)
	step := nextStep{config: "configs/recognition/pptsn/pptsn_k400_videos.yaml", prefix: o.Videos}
	if o.Absolute {
		step.prefix = ""
	}
	if r.Classes != 400 {
		step.keys = []string{fmt.Sprintf("MODEL.head.num_classes=%d", r.Classes)}
	}
	for _, f := range files {
		for side, word := range []string{"train", "val", "test"} {
			if f.Name == r.Name+"_"+word+"_videos.list" {
				step.lists[side] = filepath.Join(o.out, f.Name)
			}
		}
	}
	say.next(step)
}
