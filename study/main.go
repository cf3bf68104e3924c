package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

const usage = "usage: study rates|run|table [flags]   (study run -h lists them)"

// options are the flags, the same for all three.
type options struct {
	pptsn string // the command
	data  string // a folder of clips for each class
	group string // expression that finds the footage in a clip's name
	work  string // lists, pictures, weights: may be thrown away
	docs  string // accuracy.md, and the results in accuracy/
	jobs  int    // runs at a time, with one thread each
	seeds int    // of seedCount
	only  string // variants, separated by commas
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "study:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errors.New(usage)
	}
	o, err := parse(args[0], args[1:])
	if err != nil {
		return err
	}
	switch args[0] {
	case "rates":
		return o.carryOut(ctx, rateTasks())
	case "run":
		tasks, err := o.tasks()
		if err != nil {
			return err
		}
		return o.carryOut(ctx, tasks)
	case "table":
		return o.writeTables()
	}
	return fmt.Errorf("%q: %s", args[0], usage)
}

func parse(name string, args []string) (options, error) {
	var o options
	f := flag.NewFlagSet("study "+name, flag.ContinueOnError)
	f.StringVar(&o.pptsn, "pptsn", "bin/pptsn", "the command that trains and tests")
	f.StringVar(&o.data, "data", "../shared/data/actions", "folder with a folder of clips for each class")
	f.StringVar(&o.group, "group-by", `_g\d+_`, "expression that finds the footage in a clip's name; clips of one footage stay together")
	f.StringVar(&o.work, "work", filepath.Join(os.TempDir(), "pptsn-study"), "folder for pictures, lists and weights")
	f.StringVar(&o.docs, "docs", "docs", "folder of accuracy.md; results go to accuracy/ in it")
	f.IntVar(&o.jobs, "jobs", 2, "runs at a time, with one thread each")
	f.IntVar(&o.seeds, "seeds", seedCount, "how many of the seeds, from 0")
	f.StringVar(&o.only, "only", "", "these variants alone: tsn,pptsn,...")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if f.NArg() > 0 {
		return o, fmt.Errorf("%q: only flags come after %s", f.Arg(0), name)
	}
	if o.jobs < 1 || o.seeds < 1 || o.seeds > seedCount {
		return o, fmt.Errorf("-jobs %d -seeds %d: want at least 1, and at most %d seeds", o.jobs, o.seeds, seedCount)
	}
	return o, nil
}
