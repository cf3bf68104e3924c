package main

import (
	"fmt"
	"runtime"
	"slices"

	"github.com/spf13/cobra"

	"github.com/pptsn/pptsn/config"
)

type benchDataOptions struct {
	config    string
	overrides []string
	against   []string
	use       string
	clips     int
	workers   []int
	repeat    int
	cold      bool
	need      float64
	json      bool
}

func newBenchData() *cobra.Command {
	o := benchDataOptions{}
	cmd := &cobra.Command{
		Use:   "data -c CONFIG",
		Short: "Measure how many clips a second are read, and which stage limits",
		Long: `Bench data makes batches as train, its validation or test would, throws them away,
and says how many clips a second that gives for each number of workers, with the
lowest and highest of all turns. A worker is a goroutine that decodes, transforms
and puts into the batch; 0 is none besides the caller's. The time of each stage is
that of one clip on one worker, waiting for a core included.

After a turn that does not count, all numbers of workers take turns --repeat
times. The files are then in the system's cache; --cold drops them from it before
each turn, as far as the system does (Linux).

--against measures the same configuration with other values in the same turns:
compacted copies of the clips, for one. The ratio is of turns that followed each
other. --need says how many workers keep up with a network that trains so many
clips a second.`,
		Example: `  pptsn bench data -c my.yaml
  pptsn bench data -c my.yaml --workers 1,2,4,8 --need 120
  pptsn bench data -c my.yaml --against DATASET.train.data_prefix=data/compact`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return benchData(cmd, o) },
	}
	f := cmd.Flags()
	cores := runtime.GOMAXPROCS(0)
	defaults := []int{0, 1, cores, 2 * cores}
	slices.Sort(defaults)
	f.StringVarP(&o.config, "config", "c", "", "configuration (YAML)")
	f.StringArrayVarP(&o.overrides, "override", "o", nil, "change a key of the configuration; repeatable")
	f.StringArrayVar(&o.against, "against", nil, "compare with this KEY=VALUE changed as well; repeatable")
	f.StringVar(&o.use, "use", string(config.Train), "pipeline and list: train, valid or test")
	f.IntVar(&o.clips, "clips", 64, "how many clips of the list, spread over it")
	f.IntSliceVar(&o.workers, "workers", slices.Compact(defaults), "numbers of workers to measure")
	f.IntVar(&o.repeat, "repeat", 5, "turns for each number of workers")
	f.BoolVar(&o.cold, "cold", false, "drop the files from the system's cache before each turn")
	f.Float64Var(&o.need, "need", 0, "clips a second that the network trains")
	f.BoolVar(&o.json, "json", false, "one JSON object a line on standard output")
	return cmd
}

// validate reports flags that cannot be carried out.
func (o *benchDataOptions) validate() error {
	switch {
	case o.config == "":
		return usagef("bench data needs -c CONFIG (see pptsn bench data --help)")
	case !slices.Contains([]string{string(config.Train), string(config.Valid), string(config.Test)}, o.use):
		return usagef("--use %s: want train, valid or test", o.use)
	case o.clips < 1 || o.repeat < 1:
		return usagef("--clips and --repeat begin at 1")
	case len(o.workers) == 0 || slices.Min(o.workers) < 0 || slices.Max(o.workers) > 1024:
		return usagef("--workers: want numbers from 0 to 1024")
	case !(o.need >= 0 && o.need <= 1e9):
		return usagef("--need %g: want 0 to 1e9", o.need)
	}
	slices.Sort(o.workers)
	o.workers = slices.Compact(o.workers)
	return nil
}

func benchData(cmd *cobra.Command, o benchDataOptions) error {
	o.workers = slices.Clone(o.workers)
	if err := o.validate(); err != nil {
		return err
	}
	moreProcs()
	b := &dataBench{benchDataOptions: o, err: cmd.ErrOrStderr(), known: openCache(cmd.ErrOrStderr())}
	if err := b.open("as configured", o.overrides); err != nil {
		return err
	}
	if len(o.against) > 0 {
		if err := b.open("against", slices.Concat(o.overrides, o.against)); err != nil {
			return err
		}
	}
	if err := b.measure(cmd.Context()); err != nil {
		return err
	}
	if err := b.print(cmd.OutOrStdout()); err != nil {
		return err
	}
	if b.bad > 0 {
		fmt.Fprintf(b.err, "pptsn: not counted, since they could not be read: %s\n", countOf(b.bad, "clip"))
		return errReported
	}
	return nil
}
