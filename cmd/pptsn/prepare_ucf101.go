package main

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/pptsn/pptsn/prepare"
)

type prepareUCF101Options struct {
	prepare.UCF101
	listOptions
}

func newPrepareUCF101() *cobra.Command {
	o := prepareUCF101Options{}
	cmd := &cobra.Command{
		Use:   "ucf101 --annotations DIR {--videos DIR | --frames DIR} [-o DIR]",
		Short: "Make the lists of UCF-101 from its official annotations",
		Long: `UCF101 reads classInd.txt, trainlist01.txt, testlist01.txt and so on, and writes
  ucf101_{train,val}_split_{1,2,3}_videos.txt      with --videos
  ucf101_{train,val}_split_{1,2,3}_rawframes.txt   with --frames
  ucf101_labels.txt                                names of the classes
  ucf101_missing.txt, ucf101_extra.txt             what is not there, and what has no annotation

A line is "ApplyEyeMakeup/v_ApplyEyeMakeup_g08_c01 0": relative to the folder of
clips, which is the data_prefix of the configuration, and without the extension,
which is its suffix. So PaddleVideo's tsm_ucf101_videos.yaml (suffix .avi) and ours
read the lists as they are; with PaddleVideo's, which has no data_prefix, take
--absolute, as its own script does. --extension leaves the extension; then set
suffix to "". Videos of several extensions always keep theirs.

With --frames a line is "dir frames label"; img_00001.jpg and so on are counted,
and a folder with a hole in its numbers is reported and left out.

A file is matched by its name without regard to upper and lower case, folder and
extension, if just one fits: the annotations have v_HandStandPushups where some
archives have v_HandstandPushups. What is missing is reported and left out.`,
		Example: `  pptsn prepare ucf101 --annotations ucfTrainTestlist --videos UCF-101 -o data/ucf101
  pptsn prepare ucf101 --annotations ucfTrainTestlist --frames rawframes -o data/ucf101 --absolute`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return prepareUCF101(cmd, o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.Annotations, "annotations", "", "folder of classInd.txt, trainlist01.txt, testlist01.txt, ...")
	f.StringVar(&o.Videos, "videos", "", "folder of the videos")
	f.StringVar(&o.Frames, "frames", "", "folder of the folders of frames")
	f.BoolVar(&o.Absolute, "absolute", false, "write absolute paths")
	f.BoolVar(&o.Extension, "extension", false, "leave the names of videos their extensions")
	f.IntVar(&o.Workers, "num_workers", 0, "folders of frames that are counted side by side (default 4)")
	o.flags(cmd)
	return cmd
}

func prepareUCF101(cmd *cobra.Command, o prepareUCF101Options) error {
	if o.Annotations == "" || (o.Videos == "") == (o.Frames == "") || o.Workers < 0 {
		return usagef("prepare ucf101 needs --annotations and one of --videos and --frames (see pptsn prepare ucf101 --help)")
	}
	var m *meter
	o.Progress = func(_, total int) {
		if m == nil {
			m = newMeter(cmd.ErrOrStderr(), "count frames", "folders", total)
		}
		m.add(1)
	}
	r, files, err := o.Run(cmd.Context())
	if m != nil {
		m.close()
	}
	if err != nil {
		return err
	}
	return o.finish(cmd, files, r,
		func(say remarks) { o.remark(say, r) },
		func(w io.Writer) error { return ucf101Table(w, r) })
}

func ucf101Table(w io.Writer, r *prepare.UCF101Report) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "split\ttrain\tval\ttrain missing\tval missing\t")
	for _, s := range r.Splits {
		fmt.Fprintf(t, "%d\t%d\t%d\t%d\t%d\t\n", s.Split, s.Train, s.Val, s.MissingTrain, s.MissingVal)
	}
	return t.Flush()
}

// remark says what is odd, and how to go on.
func (o *prepareUCF101Options) remark(say remarks, r *prepare.UCF101Report) {
	say.some("clip", fmt.Sprintf("missing of %d", r.Clips), r.Missing, filepath.Join(o.out, "ucf101_missing.txt"))
	say.some("clip", "without annotation", r.Extra, filepath.Join(o.out, "ucf101_extra.txt"))
	var renamed, bad []string
	for _, n := range r.Renamed {
		renamed = append(renamed, n.Annotation+" is "+n.File)
	}
	for _, b := range r.Bad {
		bad = append(bad, b.Err)
	}
	say.some("clip", "under another name or elsewhere than in the annotations", renamed, "")
	say.some("clip", "left out, with several files of which none fits exactly", r.Double, "")
	say.some("clip", "that cannot be used, left out", bad, "")
	say.problems("line", "that should be looked at", r.Odd)
	say.skipped(r.Skipped)
	format, config, prefix := "videos", "configs/recognition/pptsn/pptsn_ucf101_videos.yaml", o.Videos
	if o.Frames != "" {
		format, config, prefix = "rawframes", "configs/recognition/pptsn/pptsn_ucf101_frames.yaml", o.Frames
	}
	if o.Absolute {
		prefix = ""
	}
	split := r.Splits[max(0, slices.IndexFunc(r.Splits, func(s prepare.UCF101Split) bool { return s.Train > 0 }))]
	list := func(use string, clips int) string {
		if clips == 0 {
			return ""
		}
		return filepath.Join(o.out, fmt.Sprintf("ucf101_%s_split_%d_%s.txt", use, split.Split, format))
	}
	var keys []string
	if r.Classes != 101 {
		keys = []string{fmt.Sprintf("MODEL.head.num_classes=%d", r.Classes)}
	}
	say.next(nextStep{
		config: config, keys: keys, lists: [3]string{list("train", split.Train), list("val", split.Val)}, prefix: prefix,
		suffix: r.Suffix, setSuffix: o.Frames == "" && r.Suffix != ".avi",
	})
}
