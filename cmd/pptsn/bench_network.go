package main

import (
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// defaultConfig is the network that is measured without a model.
const defaultConfig = "configs/recognition/pptsn/pptsn_k400_videos.yaml"

func newBenchNetwork() *cobra.Command {
	o := newBenchOptions()
	cmd := &cobra.Command{
		Use:   "network -m MODEL | --random [-c CONFIG]",
		Short: "Measure the network alone, with every engine and precision",
		Long: `Bench network computes the same views of noise with every engine and precision
that this machine has: milliseconds for a view, billions of operations a second (a
multiplication and an addition are two), and what share that is of the most that the
cores can do with the instruction meant for that precision, which is measured after each
turn. ± is half of what lies between the quartiles, in percent. The last
column compares with ONNX Runtime in fp32 on the CPU, turn by turn.

With --random the network is that of a configuration, with one view a video; its
int8 has scales from noise. A model has its own views, and int8 only if it is
quantised. --engine and --precision choose some of them. What an engine cannot do is
said on standard error.

Nothing else should run meanwhile. Of processors with AMX the peak of bf16 and int8 is
not known.

--layers shows the layers of oneDNN's engine instead: which take the time, and
which fall behind.`,
		Example: `  pptsn bench network --random
  pptsn bench network --random -c configs/recognition/tsn/tsn_k400_videos.yaml --batch 1,8,32
  pptsn bench network -m inference/ppTSN --engine onednn --precision bf16 --layers
  pptsn bench network --random --use_gpu --json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return benchNetwork(cmd, o) },
	}
	f := cmd.Flags()
	o.addNetwork(f)
	o.addTurns(f)
	return cmd
}

func (o *benchOptions) addNetwork(f *pflag.FlagSet) {
	o.addModel(f)
	f.BoolVar(&o.random, "random", false, "random weights instead of a model's")
	o.addConfig(f)
	o.addBatch(f)
	f.BoolVar(&o.layers, "layers", false, "show each layer's share of the time (oneDNN)")
	o.engine.add(f)
}

func (o *benchOptions) addBatch(f *pflag.FlagSet) {
	f.IntSliceVar(&o.batches, "batch", []int{1, 8}, "numbers of videos that are computed at once")
}

func (o *benchOptions) validateNetwork() error {
	if err := o.validate(); err != nil {
		return err
	}
	if o.model == "" && !o.random {
		return usagef("bench network needs -m MODEL, or --random (see pptsn bench network --help)")
	}
	if len(o.batches) == 0 || slices.Min(o.batches) < 1 || slices.Max(o.batches) > 4096 {
		return usagef("--batch: want numbers from 1 to 4096")
	}
	return o.engine.validate()
}

func benchNetwork(cmd *cobra.Command, o benchOptions) error {
	if err := o.validateNetwork(); err != nil {
		return err
	}
	ctx := cmd.Context()
	s, err := o.subject(ctx)
	if err != nil {
		return err
	}
	if o.layers {
		return benchLayers(cmd, o, s)
	}
	if s.views > 1 && !cmd.Flags().Changed("batch") {
		o.batches = []int{1}
	}
	rows, err := measureNetwork(ctx, o, s, cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	if o.json {
		return printRows(cmd.OutOrStdout(), rows)
	}
	return printNetwork(cmd.OutOrStdout(), s, rows)
}
