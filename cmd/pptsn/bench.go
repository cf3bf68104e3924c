package main

import (
	"io"
	"runtime"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/pptsn/pptsn/internal/turns"
)

// benchOptions are what bench and the commands under it share; each has the
// flags that it uses.
type benchOptions struct {
	model     string
	random    bool
	config    string
	overrides []string
	batches   []int
	layers    bool
	turns     int
	seconds   float64
	json      bool
	engine    engineFlags
	videos    []string
	workers   int // videos decoded at the same time
	cores     int
}

// newBenchOptions counts the cores before moreProcs can be called.
func newBenchOptions() benchOptions {
	n := runtime.GOMAXPROCS(0)
	return benchOptions{cores: n, workers: n}
}

func newBench() *cobra.Command {
	o := newBenchOptions()
	cmd := &cobra.Command{
		Use:   "bench [-m MODEL | --random] [VIDEO...]",
		Short: "Measure how fast this machine is",
		Long: `Bench measures all that what it is given allows: the network alone with a model
or with random weights, decoding with videos, and predict with both. The commands
under it measure one thing each. Whatever is compared takes turns, so that what
else the machine does falls on all; figures are medians of the turns.`,
		Example: `  pptsn bench --random
  pptsn bench -m inference/ppTSN videos/`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.videos = args
			return bench(cmd, o)
		},
	}
	f := cmd.Flags()
	o.addNetwork(f)
	o.addWorkers(f)
	o.addTurns(f)
	cmd.AddCommand(newBenchNetwork(), newBenchDecode(), newBenchPredict(), newBenchData())
	return cmd
}

func (o *benchOptions) addModel(f *pflag.FlagSet) {
	f.StringVarP(&o.model, "model", "m", "", "folder of an exported model, or its files' path without extension")
}

func (o *benchOptions) addConfig(f *pflag.FlagSet) {
	f.StringVarP(&o.config, "config", "c", "", "configuration (YAML), instead of -m (default: "+defaultConfig+")")
	f.StringArrayVarP(&o.overrides, "override", "o", nil, "change a key of the configuration; repeatable")
}

func (o *benchOptions) addWorkers(f *pflag.FlagSet) {
	f.IntVar(&o.workers, "workers", o.workers, "videos that are decoded at the same time")
}

func (o *benchOptions) addTurns(f *pflag.FlagSet) {
	f.IntVar(&o.turns, "turns", 15, "turns of all that is measured")
	f.Float64Var(&o.seconds, "seconds", 0.25, "how long each turn lasts, at least")
	f.BoolVar(&o.json, "json", false, "one JSON object a line on standard output")
}

// validate reports flags that cannot be carried out.
func (o *benchOptions) validate() error {
	switch {
	case o.model != "" && (o.random || o.config != "" || len(o.overrides) > 0):
		return usagef("-m names a whole model: leave out --random, -c and -o")
	case o.turns < 1 || o.turns > 1e6:
		return usagef("--turns %d: want at least 1", o.turns)
	case !(o.seconds >= 0 && o.seconds <= 3600):
		return usagef("--seconds %g: want 0 to 3600", o.seconds)
	case o.workers < 1 || o.workers > 1024:
		return usagef("--workers %d: want 1 to 1024", o.workers)
	}
	return nil
}

// atLeast is the time of a turn.
func (o *benchOptions) atLeast() time.Duration {
	return time.Duration(o.seconds * float64(time.Second))
}

// takeTurns lets so many things take turns.
func (o *benchOptions) takeTurns(stderr io.Writer, what string, things int, turn func(i int) error) error {
	m := newMeter(stderr, what, "turns", o.turns*things)
	defer m.close()
	for _, i := range turns.Order(o.turns, things) {
		if err := turn(i); err != nil {
			return err
		}
		m.add(1)
	}
	return nil
}

// bench does what the commands under it do, as far as it was given what they need.
func bench(cmd *cobra.Command, o benchOptions) error {
	network := o.model != "" || o.random
	if !network && len(o.videos) == 0 {
		return usagef("bench needs something to measure: -m MODEL, --random or videos (see pptsn bench --help)")
	}
	if network {
		if err := benchNetwork(cmd, o); err != nil {
			return err
		}
	}
	if len(o.videos) > 0 {
		if err := benchDecode(cmd, o); err != nil {
			return err
		}
	}
	if len(o.videos) > 0 && o.model != "" {
		return benchPredict(cmd, o)
	}
	return nil
}
