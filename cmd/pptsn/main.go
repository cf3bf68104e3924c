// Command pptsn prepares PP-TSN and TSN models and says what happens in
// videos: export a Paddle checkpoint, predict, inspect files.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/pptsn/pptsn/train"
)

// The exit codes.
const (
	exitOK     = 0
	exitFailed = 1   // the work, or a part of it, failed
	exitUsage  = 2   // the command line is wrong
	exitSignal = 130 // interrupted
)

func main() {
	calmOpenMP()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, func() { obey(os.Getenv) })
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// obey makes a second Ctrl-C end the program at once. A second SIGTERM does not:
// whoever sends that has SIGKILL, and under Slurm or timeout it comes twice, from
// the system and from a launcher, while a run saves. Workers leave both to theirs.
func obey(getenv func(string) string) {
	if !hasLauncher(getenv) {
		signal.Reset(os.Interrupt)
	}
}

// hasLauncher says whether this process is a worker of pptsn's own launcher.
func hasLauncher(getenv func(string) string) bool { return getenv("PPTSN_LAUNCHED") != "" }

// run is the program without the process around it.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	return exitCode(ctx, root.ExecuteContext(ctx), stderr)
}

// exitCode follows from a command's error, which it shows.
func exitCode(ctx context.Context, err error, stderr io.Writer) int {
	var usage usageError
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errReported):
		return exitFailed
	case errors.As(err, new(unexcusedError)):
		fmt.Fprintf(stderr, "pptsn: %v\n", err)
		return exitFailed
	case ctx.Err() != nil || errors.Is(err, train.ErrInterrupted) || errors.Is(err, context.Canceled): // this process, or another rank
		if !errors.Is(err, context.Canceled) && !errors.Is(err, train.ErrInterrupted) { // as saving on the way out
			fmt.Fprintf(stderr, "pptsn: %v\n", err)
		}
		fmt.Fprintln(stderr, "pptsn: "+farewell(os.Getenv))
		return exitSignal
	case errors.As(err, &usage):
		fmt.Fprintf(stderr, "pptsn: %v\n", err)
		return exitUsage
	default:
		fmt.Fprintf(stderr, "pptsn: %s\n", printable(err.Error()))
		return exitFailed
	}
}

// farewell is the last word of a process that was asked to stop. Only its launcher
// knows whether the run ends with it: it may begin again with more hosts.
func farewell(getenv func(string) string) string {
	if hasLauncher(getenv) {
		return "ended, as asked to"
	}
	return "interrupted"
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "pptsn",
		Short: "Say what happens in a video, with PP-TSN and without Python",
		Example: `  pptsn export -c configs/recognition/pptsn/pptsn_k400_videos.yaml -p ppTSN_best.pdparams -o inference/ppTSN
  pptsn predict -m inference/ppTSN clip.mp4
  pptsn inspect clip.mp4`,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w (see %s --help)", err, cmd.CommandPath())}
	})
	root.AddCommand(newTrain(), newTest(), newCheck(), newExport(), newConvert(), newPredict(), newInspect(), newBrowse(), newBench(), newPrepare(), newQuantize(), newDoctor())
	return root
}

// An unexcusedError is a failure even where the program was asked to stop: it
// ended without saving.
type unexcusedError struct{ error }

func (e unexcusedError) Unwrap() error { return e.error }

// excused is err where it may come of an interruption, or of the command line.
func excused(err error) error {
	if err == nil || errors.Is(err, train.ErrInterrupted) || errors.Is(err, context.Canceled) || errors.As(err, new(usageError)) || errors.Is(err, errReported) {
		return err
	}
	return unexcusedError{err}
}

// A usageError is a command line that cannot be carried out as it stands.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

func (e usageError) Unwrap() error { return e.error }
