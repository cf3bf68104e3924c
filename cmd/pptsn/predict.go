package main

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

type predictOptions struct {
	input     []string
	config    string
	overrides []string
	model     string
	program   string
	weights   string
	labels    string
	topK      int
	json, csv bool
	output    outputFlags
	preset    string
	batch     int // videos that go through the network together
	workers   int // videos that are decoded at the same time; 0: one for each core
	engine    engineFlags
	window    windowFlags
	benchmark *pythonBool

	useXPU, useNPU *pythonBool
}

func newPredict() *cobra.Command {
	o := predictOptions{}
	cmd := &cobra.Command{
		Use:   "predict -m MODEL VIDEO...",
		Short: "Say what happens in videos",
		Long: `Predict classifies video files: one, all in a folder, those that a list file
names (.txt, .list, .csv: a path a line, a label behind it is ignored), or a list
on standard input (-). A file that cannot be read is reported and the rest goes
on; the exit code is then 1. Videos are decoded while the network computes.

With --json and --csv there is one line for each video, failed ones too. --output
writes them to a file; if the run ends early the same command line with --resume
goes on with it, to the same file as one run makes (so times are left out).

With --window a long video is classified part by part, in one pass: windows of
that length, one each --stride, each as if it were a file of its own. At the end the last
ones are cut short; they count if half a window is left. Neighbours of one class
become segments, with their times since the first frame; a change of class is found
to within a stride, or a quarter of a window if that is more. With --json there
is a line for each window ("window") as soon as it is known, then for each segment
("segment").

The long flags are those of PaddleVideo's tools/predict.py.`,
		Example: `  pptsn predict -m inference/ppTSN clip.mp4
  pptsn predict -m inference/ppTSN --top_k 5 --json videos/ > scores.jsonl
  pptsn predict -m inference/ppTSN --preset fast --csv --output scores.csv --resume clips.list
  pptsn predict -m inference/ppTSN long.mp4 --window 10s --stride 5s --srt long.srt --annotate labelled.mp4
  pptsn predict --input_file data/example.avi --config configs/recognition/pptsn/pptsn_k400_videos.yaml \
      --model_file inference/ppTSN/ppTSN.pdmodel --params_file inference/ppTSN/ppTSN.pdiparams --use_gpu=False`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.input = append(o.input, args...)
			return predict(cmd, o)
		},
	}
	f := cmd.Flags()
	f.StringArrayVarP(&o.input, "input_file", "i", nil, "video, folder of videos, list file, or - for a list on standard input")
	f.StringVarP(&o.model, "model", "m", "", "folder of an exported model, or its files' path without extension")
	f.StringVar(&o.program, "model_file", "", "program (.pdmodel), instead of -m")
	f.StringVar(&o.weights, "params_file", "", "weights (.pdiparams), instead of -m")
	f.StringVarP(&o.config, "config", "c", "", "configuration (YAML); needed for models that pptsn did not export")
	f.StringArrayVarP(&o.overrides, "override", "o", nil, "change a key of the configuration, such as INFERENCE.num_seg=8; repeatable")
	f.IntVar(&o.topK, "top_k", 0, "how many classes to show (default: INFERENCE.top_k, else 1)")
	f.StringVar(&o.labels, "labels", "", "class names: a file, or kinetics400 or ucf101 (default: the model's own)")
	f.BoolVar(&o.json, "json", false, "one JSON object a line")
	f.BoolVar(&o.csv, "csv", false, "comma-separated values, a row for each video")
	f.StringVar(&o.output.path, "output", "", "write the results to this file; with --json or --csv")
	f.BoolVar(&o.output.resume, "resume", false, "go on with the file of --output where a run ended early")
	f.BoolVar(&o.output.overwrite, "overwrite", false, "replace the file of --output")
	f.StringVar(&o.preset, "preset", "", "how many views: fast (the centre of 8 frames), balanced (the centre of 25) or accurate (ten crops of 25); default: as the model was exported")
	f.IntVarP(&o.batch, "batch_size", "b", 1, "videos that go through the network together")
	f.IntVar(&o.workers, "workers", 0, "videos that are decoded at the same time (default: one for each core)")
	o.benchmark = boolFlag(f, "enable_benchmark", false, "report the time of each stage at the end")
	o.engine.add(f)
	o.window.add(f)
	o.addReferenceFlags(f)
	return cmd
}

// addReferenceFlags accepts what scripts written for the reference pass.
func (o *predictOptions) addReferenceFlags(f *pflag.FlagSet) {
	o.useXPU = boolFlag(f, "use_xpu", false, "not supported")
	o.useNPU = boolFlag(f, "use_npu", false, "not supported")
	boolFlag(f, "enable_mkldnn", true, "no effect: oneDNN is always used")
	boolFlag(f, "ir_optim", true, "no effect: the network is always optimised")
	boolFlag(f, "disable_glog", false, "no effect")
	boolFlag(f, "time_test_file", false, "no effect: a list file is recognised by its name")
	f.Int("gpu_mem", 8000, "no effect")
	for _, name := range []string{"enable_mkldnn", "ir_optim", "disable_glog", "time_test_file", "gpu_mem", "use_xpu", "use_npu"} {
		f.Lookup(name).Hidden = true
	}
}

// validate reports flags that cannot be carried out.
func (o *predictOptions) validate() error {
	switch {
	case len(o.input) == 0:
		return usagef("predict needs a video: pptsn predict -m MODEL clip.mp4 (see pptsn predict --help)")
	case o.model == "" && o.program == "":
		return usagef("predict needs a model: -m FOLDER, or --model_file and --params_file (see pptsn predict --help)")
	case o.model != "" && o.program+o.weights != "":
		return usagef("-m names a whole model: leave out --model_file and --params_file")
	case o.model == "" && o.weights == "":
		return usagef("--model_file needs --params_file")
	case bool(*o.useXPU) || bool(*o.useNPU):
		return usagef("there is no engine for XPU and NPU: leave out --use_xpu and --use_npu, or set them to False")
	case o.batch < 1:
		return usagef("--batch_size %d: want at least 1", o.batch)
	case o.topK < 0 || o.workers < 0:
		return usagef("--top_k and --workers cannot be negative")
	}
	if err := o.validateOutput(); err != nil {
		return err
	}
	if err := o.window.validate(o.json); err != nil {
		return err
	}
	return o.engine.validate()
}

func predict(cmd *cobra.Command, o predictOptions) error {
	if err := o.validate(); err != nil {
		return err
	}
	if o.window.on() {
		return predictWindows(cmd, o)
	}
	return predictFiles(cmd, o)
}
