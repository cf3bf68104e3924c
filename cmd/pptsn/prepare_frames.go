package main

import (
	"github.com/spf13/cobra"

	"github.com/pptsn/pptsn/prepare"
)

func newPrepareFrames() *cobra.Command {
	o, f := makeOptions{}, prepare.Frames{}
	cmd := &cobra.Command{
		Use:   "frames (--list LIST | VIDEOS_DIR) -o OUT",
		Short: "Turn videos into folders of JPEG pictures",
		Long: `Frames makes a folder of pictures of each video: OUT/NAME/img_00001.jpg and so
on, numbered without holes, every frame that decodes or every n-th of them. The
lists are written again with the true number of pictures, "dir frames label" a
line, as OUT/LIST_frames.list. Of a folder all videos are taken, at any depth.

A folder has its name once it is whole. So a run that was interrupted, or
killed, goes on with the same command: what is finished is kept. A video that
changed is done again; with other settings all is, which needs --force.

A video of which nothing decodes is named on standard error and left out of the
lists; the exit code is then 1.`,
		Example: `  pptsn prepare frames --list train.list --list val.list --prefix videos -o rawframes --short-side 256
  pptsn prepare frames videos -o rawframes --every 2 --quality 90`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.ShortSide < 0 || f.Quality < 1 || f.Quality > 100 || f.Every < 1 {
				return usagef("--short-side %d --quality %d --every %d: want 0 and up, 1 to 100, 1 and up", f.ShortSide, f.Quality, f.Every)
			}
			return o.make(cmd, "frames", args, f.Run)
		},
	}
	o.flags(cmd)
	cmd.Flags().IntVar(&f.ShortSide, "short-side", 0, "scale pictures down so that the shorter side has that many pixels (default: as they are)")
	cmd.Flags().IntVar(&f.Quality, "quality", 95, "of JPEG, 1 to 100")
	cmd.Flags().IntVar(&f.Every, "every", 1, "take every n-th frame, from the first on")
	return cmd
}
