package main

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/pptsn/pptsn/config"
	"github.com/pptsn/pptsn/evaluate"
	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/launch"
)

type testOptions struct {
	config    string
	overrides []string
	weights   string
	from      []string
	dump      string
	output    string
	labels    string
	worst     int
	workers   int // -1: the configuration's
	engine    engineFlags
	json      bool
	ranks     ranksFlags
}

func newTest() *cobra.Command {
	o := testOptions{}
	cmd := &cobra.Command{
		Use:   "test -c CONFIG -w WEIGHTS.pdparams",
		Short: "Measure how well a checkpoint classifies a list of videos",
		Long: `Test classifies all videos of DATASET.test as PIPELINE.test says and counts as
METRIC says: top-1 and top-5 with their 95 % confidence intervals, the accuracy
of each class, what it is taken for, and the videos with the largest loss.

A video that cannot be read counts as wrong and is named on standard error; the
report is printed all the same and the exit code is then 1.

With --dump the scores of each video go to a file, a JSON object a line. --from
counts them again without network and videos; -c is then needed only for a
METRIC other than top-1 and top-5 of single clips. Several --from are an
ensemble: their probabilities are averaged. A test that is interrupted keeps its
scores in FILE.partial, which --from reads as well.

With --gpus, --nproc and --nnodes several processes share the list, as in pptsn
train; the report is that of one process.`,
		Example: `  pptsn test -c configs/recognition/pptsn/pptsn_k400_videos.yaml -w ppTSN_best.pdparams
  pptsn test -c my.yaml -w best.pdparams -o DATASET.test.file_path=val.list --dump scores.jsonl --output report
  pptsn test -c my.yaml -w best.pdparams --gpus 0,1,2,3
  pptsn test --from rgb.jsonl --from flow.jsonl --labels kinetics400`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !cmd.Flags().Changed("num_workers") {
				o.workers = -1
			}
			return test(cmd, o)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&o.config, "config", "c", "", "configuration the checkpoint was trained with (YAML)")
	f.StringArrayVarP(&o.overrides, "override", "o", nil, "change a key of the configuration, such as DATASET.test_batch_size=4; repeatable")
	f.StringVarP(&o.weights, "weights", "w", "", "checkpoint (.pdparams)")
	f.StringArrayVar(&o.from, "from", nil, "count the scores of a dump instead of running the network; repeatable")
	f.StringVar(&o.dump, "dump", "", "write the scores of each video to this file (JSON lines)")
	f.StringVar(&o.output, "output", "", "folder for report.json, classes.csv, worst.csv, confusion.json and confusion.png; made if absent")
	f.StringVar(&o.labels, "labels", "", "class names: a file, or kinetics400 or ucf101 (default: by the configuration's data set)")
	f.IntVar(&o.worst, "top-worst", 20, "how many of the videos with the largest loss to name")
	f.IntVar(&o.workers, "num_workers", 0, "goroutines that decode ahead of the network (default: DATASET.test_num_workers)")
	o.engine.add(f)
	o.ranks.add(f)
	f.BoolVar(&o.json, "json", false, "the report as one JSON object on standard output; the other lines go to standard error")
	return cmd
}

// validate reports flags that cannot be carried out.
func (o *testOptions) validate() error {
	switch {
	case len(o.from) > 0 && o.weights+o.dump != "":
		return usagef("--from counts scores that are there: leave out -w and --dump")
	case len(o.from) > 0 && o.config == "" && len(o.overrides) > 0:
		return usagef("--override changes a configuration: name it with --config")
	case len(o.from) == 0 && (o.config == "" || o.weights == ""):
		return usagef("test needs -c CONFIG and -w WEIGHTS.pdparams, or --from SCORES (see pptsn test --help)")
	case len(o.from) > 0 && o.ranks.given():
		return usagef("--from counts scores that are there: leave out --gpus, --nproc, --nnodes and the like")
	case o.ranks.procs > 0 && bool(*o.engine.useGPU):
		return usagef("--nproc is for CPUs: leave out --use_gpu, or say --gpus 0,1,... instead")
	case o.worst < 0 || o.workers < -1:
		return usagef("--num_workers and --top-worst cannot be negative")
	case o.engine.precision == graph.INT8.String():
		return usagef("--precision int8: a checkpoint has no scales for it: pptsn export it, then pptsn quantize -m MODEL, which measures what int8 costs")
	}
	return o.engine.validate()
}

func test(cmd *cobra.Command, o testOptions) error {
	if o.ranks.gpus != "" && o.ranks.procs == 0 { // both: see ranksFlags.check
		*o.engine.useGPU = true
	}
	if err := o.validate(); err != nil {
		return err
	}
	if len(o.from) > 0 {
		return o.count(cmd)
	}
	part, err := o.ranks.role(os.Getenv)
	if err != nil {
		return err
	}
	cfg, err := config.Load(o.config, o.overrides)
	if err != nil {
		return err
	}
	metric, err := o.metric(cfg)
	if err != nil {
		return err
	}
	if part.launch != nil {
		return o.ranks.launch(cmd, *part.launch, bool(*o.engine.useGPU))
	}
	return excused(o.score(cmd, cfg, metric, part.world))
}

// count counts scores that are there.
func (o *testOptions) count(cmd *cobra.Command) error {
	var cfg *config.Config
	if o.config != "" {
		var err error
		if cfg, err = config.Load(o.config, o.overrides); err != nil {
			return err
		}
	}
	metric, err := o.metric(cfg)
	if err != nil {
		return err
	}
	result, err := evaluate.Count(evaluate.ReadDumps(o.from...), metric)
	if err != nil {
		return err
	}
	return o.report(newTestPrinter(cmd.OutOrStdout(), cmd.ErrOrStderr(), o.json), result, metric)
}

// score runs the network as the rank of world, or alone. Rank 0 reports.
func (o *testOptions) score(cmd *cobra.Command, cfg *config.Config, metric evaluate.Metric, world *launch.World) (err error) {
	p := newTestPrinter(cmd.OutOrStdout(), cmd.ErrOrStderr(), o.json)
	m, err := meet(cmd.Context(), world, o.ranks.timeout)
	if err != nil {
		return err
	}
	defer func() { m.close(cmd.Context(), err) }()
	if m.rank() > 0 {
		p = newTestPrinter(io.Discard, io.Discard, false)
		o.dump, o.output = "", ""
	}
	result, err := o.run(cmd.Context(), cfg, metric, p, m)
	if err != nil || m.rank() > 0 {
		return err
	}
	return m.report(o.report(p, result, metric))
}

// report prints the result and writes its files. Failed videos make it an error.
func (o *testOptions) report(p *testPrinter, r *evaluate.Result, m evaluate.Metric) error {
	if err := p.result(r, m); err != nil {
		return err
	}
	if o.output != "" {
		files, err := r.WriteFiles(o.output)
		for _, file := range files {
			fmt.Fprintf(p.err, "pptsn: wrote %s\n", file)
		}
		if err != nil {
			return err
		}
	}
	return p.failures(r)
}
