package main

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/pptsn/pptsn/prepare"
)

// listOptions are those of the commands that make lists.
type listOptions struct {
	out   string
	force bool
	json  bool
}

func (o *listOptions) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVarP(&o.out, "output", "o", ".", "folder for the lists")
	f.BoolVar(&o.force, "force", false, "replace lists that are there and differ")
	f.BoolVar(&o.json, "json", false, "the report as JSON on standard output")
}

// finish writes the lists, says what is odd and how to go on, and prints the
// report.
func (o *listOptions) finish(cmd *cobra.Command, files []prepare.File, report any, remark func(remarks), table func(io.Writer) error) error {
	if err := prepare.Write(o.out, files, o.force); err != nil {
		return err
	}
	remark(remarks{cmd.ErrOrStderr()})
	if o.json {
		return printJSON(cmd.OutOrStdout(), report)
	}
	return table(cmd.OutOrStdout())
}
