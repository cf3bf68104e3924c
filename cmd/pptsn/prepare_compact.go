package main

import (
	"github.com/spf13/cobra"

	"github.com/pptsn/pptsn/prepare"
)

func newPrepareCompact() *cobra.Command {
	o, c := makeOptions{}, prepare.Compact{}
	cmd := &cobra.Command{
		Use:   "compact (--list LIST | VIDEOS_DIR) -o OUT",
		Short: "Make copies of videos that are quick to train from",
		Long: `Compact encodes each video once more, as OUT/NAME.mp4: H.264, scaled down,
upright, without sound, with key frames so close to each other that a few frames
from anywhere cost little. The frames are all there, in their order and at their
times. The lists are written again as OUT/LIST_compact.list.

A run that was interrupted, or killed, goes on with the same command: what is
finished is kept. A video that changed is done again; with other settings all
is, which needs --force.

A video of which nothing decodes is named on standard error and left out of the
lists; the exit code is then 1.`,
		Example: `  pptsn prepare compact --list train.list --list val.list --prefix videos -o compact
  pptsn prepare compact videos -o compact --short-side 340 --gop 4 --crf 18`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if c.ShortSide < 0 || c.ShortSide == 1 || c.GOP < 1 || c.GOP > 1<<16 || c.CRF < 1 || c.CRF > 51 {
				return usagef("--short-side %d --gop %d --crf %d: want 0 or 2 and up, 1 to 65536, 1 to 51", c.ShortSide, c.GOP, c.CRF)
			}
			return o.make(cmd, "compact", args, c.Run)
		},
	}
	o.flags(cmd)
	cmd.Flags().IntVar(&c.ShortSide, "short-side", 256, "scale pictures down so that the shorter side has that many pixels; 0: leave them")
	cmd.Flags().IntVar(&c.GOP, "gop", 8, "frames from one key frame to the next")
	cmd.Flags().IntVar(&c.CRF, "crf", 20, "quality of H.264, 1 to 51: more is smaller and worse")
	return cmd
}
