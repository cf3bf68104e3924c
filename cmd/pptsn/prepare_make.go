package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/pptsn/pptsn/dataset"
	"github.com/pptsn/pptsn/prepare"
	"github.com/pptsn/pptsn/video"
)

// makeOptions are those that prepare frames and prepare compact share.
type makeOptions struct {
	lists          []string
	prefix, suffix string
	run            prepare.RunOptions
	json           bool
}

func (o *makeOptions) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringArrayVar(&o.lists, "list", nil, `list of videos, "path label" a line; repeatable`)
	f.StringVar(&o.prefix, "prefix", "", "folder before the paths in the lists (data_prefix)")
	f.StringVar(&o.suffix, "suffix", "", "what is added to the paths in the lists, such as .avi")
	f.StringVarP(&o.run.Out, "output", "o", "", "folder for what is made")
	f.StringVar(&o.run.Lists, "lists", "", "folder for the new lists (default: that of -o)")
	f.IntVar(&o.run.Workers, "num_workers", 0, "videos at a time (default: one a core)")
	f.BoolVar(&o.run.Force, "force", false, "make again what was made with other settings")
	f.BoolVar(&o.json, "json", false, "print a JSON object")
}

// plan reads the lists, or finds the videos of the folder that args name.
func (o *makeOptions) plan(ctx context.Context, args []string) (*prepare.Plan, error) {
	switch {
	case o.run.Out == "":
		return nil, usagef("where to? give a folder with -o")
	case len(o.lists) == 0 && len(args) == 0:
		return nil, usagef("of what? give lists with --list, or a folder of videos")
	case len(o.lists) > 0 && len(args) > 0:
		return nil, usagef("%s: give lists with --list or a folder of videos, not both", args[0])
	case len(args) > 1:
		return nil, usagef("%s: one folder of videos at a time", args[1])
	case len(args) == 1 && (o.prefix != "" || o.suffix != "" || o.run.Lists != ""):
		return nil, usagef("--prefix, --suffix and --lists go with --list")
	case o.run.Workers < 0:
		return nil, usagef("--num_workers %d: want 1 and up", o.run.Workers)
	case len(args) == 1:
		return prepare.PlanFolder(ctx, args[0], o.run.Out)
	}
	return prepare.PlanLists(o.lists, dataset.Options{Prefix: o.prefix, Suffix: o.suffix})
}

// make plans, makes and says how it went. What is "frames" or "compact".
func (o *makeOptions) make(cmd *cobra.Command, what string, args []string, run func(context.Context, *prepare.Plan, prepare.RunOptions) (prepare.Summary, error)) error {
	plan, err := o.plan(cmd.Context(), args)
	if err != nil {
		return err
	}
	m := newMeter(cmd.ErrOrStderr(), what, "videos", len(plan.Sources))
	o.run.Warn = func(text string) { m.say("pptsn: warning: %s", text) }
	o.run.Done = func(d prepare.Made) {
		sayMade(m, d)
		m.add(1)
	}
	sum, err := run(cmd.Context(), plan, o.run)
	m.close()
	if err != nil {
		return err
	}
	if err := o.print(cmd.OutOrStdout(), what, sum); err != nil {
		return err
	}
	if sum.Failed > 0 {
		return errReported
	}
	return nil
}

// sayMade names the videos of which there is something to say.
func sayMade(m *meter, d prepare.Made) {
	resized := d.Faults.Resized
	d.Faults.Resized = 0
	if resized > 0 {
		m.say("pptsn: %s: frames of another size than the first were scaled to that: %d of %d", d.Source.Path, resized, d.Pictures)
	}
	switch {
	case d.Err != nil:
		m.say("pptsn: %s", printable(d.Err.Error()))
	case d.Faults != (video.Faults{}):
		m.say("pptsn: %s: damaged: made of what decodes, %s", d.Source.Path, countOf(d.Pictures, "frame"))
	}
}

func (o *makeOptions) print(w io.Writer, what string, s prepare.Summary) error {
	if o.json {
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false)
		return e.Encode(s)
	}
	fmt.Fprintf(w, "%s: %d made, %d there already, %d failed; %s, %.1f MB written to %s\n",
		countOf(s.Videos, "video"), s.Made, s.Kept, s.Failed, countOf(s.Pictures, "picture"), float64(s.Bytes)/1e6, o.run.Out)
	for _, list := range s.Lists {
		fmt.Fprintf(w, "list: %s\n", list)
	}
	if len(s.Lists) > 0 {
		fmt.Fprintf(w, "their paths are below %s: %s\n", o.run.Out, useIn(what, o.run.Out))
	}
	return nil
}

// useIn says how a configuration reads the new lists.
func useIn(what, out string) string {
	if what == "frames" {
		return fmt.Sprintf("format FrameDataset, data_prefix %s, suffix img_{:05}.jpg", out)
	}
	return fmt.Sprintf("format VideoDataset, data_prefix %s, no suffix", out)
}
