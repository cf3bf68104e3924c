package main

import "github.com/spf13/cobra"

func newPrepare() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "prepare",
		Short: "Make lists, frames and small copies of videos for training",
		Long: `Prepare turns downloaded archives and folders of clips into what train, test
and check read: lists of clips with their labels, names of the classes, and, where
that is wanted, folders of frames or copies that decode faster. docs/data.md goes
the whole way for Kinetics-400, UCF-101 and clips of your own.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newPrepareFrames(), newPrepareCompact(), newPrepareUCF101(), newPrepareKinetics(), newPrepareFolder())
	return cmd
}
