package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/pptsn/pptsn/config"
	"github.com/pptsn/pptsn/torch"
	"github.com/pptsn/pptsn/train"
)

type trainOptions struct {
	config    string
	overrides []string
	validate  bool
	weights   string
	resume    bool
	seed      uint64
	seedGiven bool
	maxIters  int
	saveEvery int
	maxBad    float64
	noCheck   bool
	allowLeak bool
	threads   int

	amp      bool
	ampLevel string
	ampType  string

	ranks    ranksFlags
	syncBN   bool
	scaleLR  bool
	bucketMB float64
}

func newTrain() *cobra.Command {
	o := trainOptions{}
	cmd := &cobra.Command{
		Use:   "train -c CONFIG [--validate] [--amp] [-o KEY=VALUE]...",
		Short: "Train a network on clips, from the start, from weights, or on from a checkpoint",
		Long: `Train carries out a configuration of PaddleVideo: DATASET.train through
PIPELINE.train, OPTIMIZER, MIX and the rest. Checkpoints go to output_dir
(output/MODEL_NAME) under PaddleVideo's names: MODEL_epoch_00001.pdparams, .pdopt
and MODEL_best; what is shown goes to MODEL.log there too, every figure to
metrics.jsonl and to event files of TensorBoard.

A configuration of the framework RecognizerDistillation trains a student that
learns from other networks, too: beside them, from ones that are frozen, or from
the scores that pptsn test --dump has written. -w is the student's. Its files are as
those of any other network; networks that learn beside it are saved as
MODEL_epoch_00001_NAME (docs/distillation.md).

The same seed gives the same run. Ctrl-C and SIGTERM save and end it; --resume
goes on from the newest checkpoint and ends with the weights of a run that was
never interrupted, on the CPU bit for bit.

The lists are looked at first, as by pptsn check --quick: files that are not there
are named, and clips that are in DATASET.valid, too, end it. A clip that cannot be
read is named and left out; past the share --max-bad the run stops. Training needs
libtorch (make torch). It uses a GPU where libtorch has one and use_gpu is not
False, else the CPU.

--gpus 0,1,... or --nproc N train with several processes, --nnodes with several
hosts: batch_size is one process's, and an update sees the clips of all. The
variables of torchrun, Kubeflow (PET_...) and Slurm are understood. The first
process that fails ends the others; with --max_restarts all begin again from the
newest checkpoint. pptsn doctor says why processes do not find each other.

Exit codes: 0 done, 1 failed, 2 wrong command line, 130 interrupted and saved.`,
		Example: `  pptsn train -c configs/recognition/pptsn/pptsn_k400_videos.yaml --validate --amp
  pptsn train -c my.yaml --validate -o DATASET.batch_size=8 -o MODEL.head.num_classes=8 -w ppTSN_k400.pdparams
  pptsn train -c configs/recognition/pptsn/pptsn_k400_frames_8seg_distill.yaml --validate --amp --gpus 0,1,2,3,4,5,6,7
  pptsn train -c my.yaml --validate --resume
  pptsn train -c my.yaml --validate --gpus 0,1,2,3 --log_dir logs --max_restarts 3
  pptsn train -c my.yaml --nnodes 2 --node_rank 0 --master host0:29500 --gpus 0,1,2,3`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			moreProcs()
			o.seedGiven = cmd.Flags().Changed("seed")
			return trainRun(cmd, o)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&o.config, "config", "c", "", "configuration (YAML)")
	f.StringArrayVarP(&o.overrides, "override", "o", nil, "change a key of the configuration, such as OPTIMIZER.learning_rate.cosine_base_lr=0.001, or resume_epoch=3; repeatable")
	f.BoolVar(&o.validate, "validate", false, "measure DATASET.valid after each val_interval epochs and keep the best weights")
	f.StringVarP(&o.weights, "weights", "w", "", "weights to begin with (.pdparams, path or URL); what does not fit is listed and drawn at random")
	f.BoolVar(&o.resume, "resume", false, "go on from the newest checkpoint of output_dir, if there is one")
	f.Uint64Var(&o.seed, "seed", 0, "of all random numbers")
	f.IntVar(&o.maxIters, "max_iters", 0, "use at most so many batches of an epoch")
	f.IntVar(&o.saveEvery, "save_every", 0, "save a checkpoint after so many iterations, within an epoch too")
	f.Float64Var(&o.maxBad, "max-bad", 0.05, "share of the training clips that may be unreadable")
	f.BoolVar(&o.noCheck, "no-check", false, "do not look at the lists first (files that are not there, clips in both)")
	f.BoolVar(&o.allowLeak, "allow-leak", false, "train although clips of DATASET.train are in DATASET.valid, too")
	f.IntVar(&o.threads, "cpu_threads", 0, "cores for the network (default: all, divided among processes)")
	f.BoolVar(&o.amp, "amp", false, "mixed precision")
	f.StringVar(&o.ampLevel, "amp_level", "O1", "O1: convolutions and linear layers in 16 bits; O2: all but batch norms, float32 weights kept beside")
	f.StringVar(&o.ampType, "amp_dtype", "", "bfloat16 or float16 (default: bfloat16; GPUs older than Ampere compute fast in float16 only)")
	o.ranks.add(f)
	f.BoolVar(&o.syncBN, "sync_bn", false, "batch norms take the statistics of all processes' clips (also MODEL.sync_bn)")
	f.BoolVar(&o.scaleLR, "scale_lr", false, "multiply the learning rates by the number of processes; a warm-up begins where it did")
	f.Float64Var(&o.bucketMB, "bucket_mb", 25, "MiB of gradients that processes send as one")
	return cmd
}

// check reports flags that cannot be carried out.
func (o *trainOptions) check() error {
	switch {
	case o.config == "":
		return usagef("train needs -c CONFIG (see pptsn train --help)")
	case o.resume && o.weights != "":
		return usagef("--resume goes on with a checkpoint's weights: leave out -w")
	case o.maxIters < 0 || o.saveEvery < 0 || o.threads < 0:
		return usagef("--max_iters, --save_every and --cpu_threads cannot be negative")
	case !(o.maxBad >= 0 && o.maxBad <= 1):
		return usagef("--max-bad %v: want a share from 0 to 1", o.maxBad)
	case !(o.bucketMB > 0 && o.bucketMB <= 1<<10):
		return usagef("--bucket_mb %v: want MiB above 0, at most 1024", o.bucketMB)
	}
	_, err := o.precision()
	return err
}

// precision is what --amp and its kin say.
func (o *trainOptions) precision() (train.AMP, error) {
	types := map[string]torch.DType{"": torch.BFloat16, "bfloat16": torch.BFloat16, "float16": torch.Float16}
	d, ok := types[o.ampType]
	level := train.Level(o.ampLevel)
	switch {
	case !ok:
		return train.AMP{}, usagef("--amp_dtype %q: want bfloat16 or float16", o.ampType)
	case level != train.O1 && level != train.O2:
		return train.AMP{}, usagef("--amp_level %q: want O1 or O2", o.ampLevel)
	case !o.amp:
		return train.AMP{}, nil
	}
	return train.AMP{Level: level, DType: d}, nil
}

func trainRun(cmd *cobra.Command, o trainOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	part, err := o.ranks.role(os.Getenv)
	if err != nil {
		return err
	}
	cfg, err := config.Load(o.config, o.overrides)
	if err != nil {
		return err
	}
	if part.launch != nil {
		return o.ranks.launch(cmd, *part.launch, cfg.UseGPU)
	}
	r := &trainSetup{trainOptions: o, cfg: cfg, world: part.world, err: cmd.ErrOrStderr()}
	err = excused(r.run(cmd.Context()))
	if err == nil && r.meeting.rank() == 0 {
		fmt.Fprintf(cmd.OutOrStdout(), "%s\n", r.result())
	}
	return err
}

// run carries the job out. Other ranks learn of an error before they meet this
// one.
func (t *trainSetup) run(ctx context.Context) (err error) {
	defer func() {
		err = errors.Join(err, t.close())
		t.meeting.close(ctx, err)
	}()
	job, err := t.job(ctx)
	if err != nil {
		return err
	}
	return job.Train(ctx)
}
