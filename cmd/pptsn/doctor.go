package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"

	"github.com/spf13/cobra"

	"github.com/pptsn/pptsn/launch"
)

type doctorOptions struct {
	ranks ranksFlags
	json  bool
}

func newDoctor() *cobra.Command {
	o := doctorOptions{}
	cmd := &cobra.Command{
		Use:   "doctor [--nproc N | --gpus 0,1,...] [--nnodes N --node_rank I --master HOST:PORT]",
		Short: "Say what training can use here, and why processes do not find each other",
		Long: `Doctor prints devices, libtorch and what it can do, network interfaces, the
variables that pptsn train reads and how it reads them, and each problem with what
to do about it. With the flags of pptsn train it starts the same processes, on all
hosts where it is given, and measures between them: differences of their clocks,
time and bandwidth of all-reduce.

Bandwidth is bytes by time; on the bus it is what each process sends, 2(n-1)/n
times as much, which does not depend on the number of processes n.

Exit codes: 0 all there, 1 something needed is missing, 2 wrong command line.`,
		Example: `  pptsn doctor
  pptsn doctor --nproc 2
  pptsn doctor --nnodes 2 --node_rank 0 --master host0:29500 --gpus 0,1,2,3`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return doctor(cmd, o) },
	}
	o.ranks.add(cmd.Flags())
	cmd.Flags().BoolVar(&o.json, "json", false, "the report as one JSON object on standard output")
	return cmd
}

// A diagnosis is what doctor says of this host.
type diagnosis struct {
	Host        string             `json:"host"`
	Cores       int                `json:"cores"`
	Memory      int64              `json:"memory_bytes"` // 0: not known
	Torch       torchFacts         `json:"libtorch"`
	CUDA        int                `json:"cuda_devices"` // that libtorch can use
	GPUs        []string           `json:"gpus"`         // as nvidia-smi lists them
	Interfaces  []networkInterface `json:"interfaces"`   // that are up
	Environment []string           `json:"environment"`  // NAME=value of what is read
	Role        string             `json:"role"`         // how flags and environment are read
	Master      string             `json:"master"`       // what is known of host 0; "" where there is none to find
	Ranks       *ranksFacts        `json:"ranks"`        // between the processes; nil: not measured
	Problems    []problem          `json:"problems"`     // all of them
}

// A problem is what is wrong, and what to do.
type problem struct {
	What   string `json:"what"`
	Do     string `json:"do"`
	Needed bool   `json:"needed"` // it keeps what was asked for from working
}

func (d *diagnosis) add(needed bool, do, format string, args ...any) {
	d.Problems = append(d.Problems, problem{fmt.Sprintf(format, args...), do, needed})
}

// fatal says whether something needed is missing.
func (d *diagnosis) fatal() bool {
	for _, p := range d.Problems {
		if p.Needed {
			return true
		}
	}
	return false
}

func doctor(cmd *cobra.Command, o doctorOptions) error {
	if err := o.ranks.check(); err != nil {
		return err
	}
	part, misread := o.ranks.role(os.Getenv)
	if part.world != nil && part.world.Launched {
		return o.work(cmd, part.world)
	}
	d := examine(&o.ranks, part, misread)
	silent := part.world != nil && part.world.Rank > 0 // rank 0 speaks for all
	out := cmd.OutOrStdout()
	if !o.json && !silent {
		d.textHost(out) // now: ranks may have to be waited for
	}
	if err := o.compare(cmd, part, d); err != nil {
		return err
	}
	switch {
	case silent && !d.fatal():
	case o.json:
		if err := d.writeJSON(out); err != nil {
			return err
		}
	default:
		d.textRest(out)
	}
	if d.fatal() {
		return errReported
	}
	return nil
}

// compare adds what there is between ranks. The error is that of an
// interruption.
func (o *doctorOptions) compare(cmd *cobra.Command, part role, d *diagnosis) (err error) {
	if d.fatal() {
		return nil
	}
	d.Ranks, err = o.between(cmd, part)
	if errors.Is(err, context.Canceled) {
		return err
	}
	if err != nil {
		d.add(true, "see docs/distributed.md, \"When it hangs or is slow\"", "the processes did not come together: %v", err)
	}
	if d.Ranks != nil {
		d.clocks()
	}
	return nil
}

// clocks differ by at most so much where they are set by NTP.
const clocksAgree = 0.5 // seconds

func (d *diagnosis) clocks() {
	for _, r := range d.Ranks.Ranks {
		if math.Abs(r.Clock) > clocksAgree {
			d.add(false, "set the clocks by NTP (chrony): training does not look at them, readers of logs do", "the clock of rank %d (%s) is %+.1f s ahead of rank 0's", r.Rank, r.Host, r.Clock)
		}
	}
}

// between measures between ranks, where there are several.
func (o *doctorOptions) between(cmd *cobra.Command, part role) (*ranksFacts, error) {
	switch {
	case part.launch != nil:
		return o.launch(cmd, *part.launch)
	case part.world != nil:
		return measureRanks(cmd.Context(), &o.ranks, part.world)
	}
	return nil, nil
}

// launch has workers measure. On other hosts than the first nothing comes of it.
func (o *doctorOptions) launch(cmd *cobra.Command, t launch.Topology) (*ranksFacts, error) {
	job, err := o.ranks.job(cmd, t, true)
	if err != nil {
		return nil, err
	}
	var said bytes.Buffer
	job.Stdout = &said
	if err := launched(job.Run(cmd.Context()), t.NodeRank); err != nil || t.NodeRank > 0 {
		return nil, err
	}
	r := &ranksFacts{}
	return r, json.Unmarshal(said.Bytes(), r)
}

// work is what a worker does for launch.
func (o *doctorOptions) work(cmd *cobra.Command, w *launch.World) error {
	r, err := measureRanks(cmd.Context(), &o.ranks, w)
	if err != nil || w.Rank > 0 {
		return err
	}
	return json.NewEncoder(cmd.OutOrStdout()).Encode(r)
}
