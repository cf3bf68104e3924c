package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/pptsn/pptsn/checkpoint"
	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/config"
	"github.com/pptsn/pptsn/dataset"
	"github.com/pptsn/pptsn/evaluate"
	"github.com/pptsn/pptsn/launch"
	"github.com/pptsn/pptsn/probe"
	"github.com/pptsn/pptsn/schedule"
	"github.com/pptsn/pptsn/train"
	"github.com/pptsn/pptsn/tsn"
)

// A trainSetup makes a job of a configuration and flags, and cleans up after it.
type trainSetup struct {
	trainOptions
	cfg   *config.Config
	world *launch.World // this rank's place; nil: it is alone
	err   io.Writer

	meeting  *meeting
	known    *probe.Cache
	model    config.Model
	training config.Training
	log      *train.Log
	scalars  *train.Scalars
	release  func() // of the output folder
	named    string // what the names of the run's files begin with
	from     string // checkpoint that the run goes on from; "": none
}

// job finds what is wrong with configuration, lists and device before it touches
// the output folder.
func (t *trainSetup) job(ctx context.Context) (*train.Job, error) {
	t.known = openCache(t.err)
	var err error
	if t.model, err = t.cfg.Model(); err != nil {
		return nil, err
	}
	if t.training, err = t.cfg.Training(); err != nil {
		return nil, err
	}
	j := &train.Job{
		Smoothing: t.model.Head.LabelSmoothing,
		Epochs:    t.training.Epochs, MaxIters: t.maxIters, SaveInterval: t.training.SaveInterval, SaveEvery: t.saveEvery, MaxBad: t.maxBad,
		Dir: t.cfg.OutputDir, Name: t.cfg.Name, Seed: t.seed,
		Distributed: train.Distributed{SyncBN: t.syncBN || t.model.SyncBN, BucketBytes: int(t.bucketMB * (1 << 20))},
	}
	if p := t.training.PreciseBN; p != nil {
		j.PreciseBN = &train.PreciseBN{Interval: p.Interval, Batches: p.Batches}
	}
	for _, step := range t.steps() {
		if err := step(ctx, j); err != nil {
			return nil, err
		}
	}
	return j, nil
}

// steps come in this order. What only one process may do, or need do, is rank
// 0's; the others wait for it when they join.
func (t *trainSetup) steps() []func(context.Context, *train.Job) error {
	if t.world != nil && t.world.Rank > 0 {
		return []func(context.Context, *train.Job) error{t.meet, t.device, t.data, t.validation, t.openScreen, t.weightsToStart, t.learner, t.distillation, t.loader, t.ready}
	}
	return []func(context.Context, *train.Job) error{t.meet, t.device, t.data, t.validation, t.checkLists, t.openOutput, t.resumption,
		t.weightsToStart, t.learner, t.distillation, t.loader, t.ready, t.setAside, t.openScalars}
}

// meet finds the other ranks.
func (t *trainSetup) meet(ctx context.Context, j *train.Job) (err error) {
	if t.meeting, err = meet(ctx, t.world, t.ranks.timeout); t.meeting == nil || err != nil {
		return err
	}
	j.Join = t.meeting.join
	if t.meeting.rank() > 0 {
		return nil
	}
	return t.meeting.begin()
}

// device takes a GPU where there is one and the configuration allows it.
func (t *trainSetup) device(_ context.Context, j *train.Job) (err error) {
	j.Session.Threads = cmp.Or(t.threads, threadsOf(t.world))
	j.Session.Device, err = t.ranks.deviceOf(t.world, t.cfg.UseGPU)
	return err
}

// data opens the list and builds the network for its clips.
func (t *trainSetup) data(_ context.Context, j *train.Job) error {
	spec, err := t.cfg.Clip(config.Train)
	if err != nil {
		return err
	}
	set, data, err := openData(t.cfg, config.Train, spec, t.model.Network.Classes, t.known)
	if err != nil {
		return err
	}
	j.Data = set
	h, w := spec.Size()
	if j.Network, err = tsn.Build(t.model.Network, spec.Views(), h, w); err != nil {
		return fmt.Errorf("%s: %w", t.config, err)
	}
	if j.Run.List, err = checkpoint.HashFile(data.List); err != nil {
		return err
	}
	j.Run.Network = fmt.Sprintf("%s, %d classes, %d views of %dx%d", networkName(t.model.Network), t.model.Network.Classes, spec.Views(), w, h)
	j.Run.Batch = data.Batch
	if j.Run.Settings, err = t.settings(spec); err != nil {
		return err
	}
	j.Accumulate, err = t.accumulate(data.Batch)
	return err
}

// accumulate is how many batches of each process make an update.
func (t *trainSetup) accumulate(batch int) (int, error) {
	global, together := t.training.GlobalBatch, batch*t.meeting.size()
	if global%together != 0 {
		return 0, fmt.Errorf("GRADIENT_ACCUMULATION.global_batch_size, %d, is no multiple of %d, a batch of %d in %s", global, together, batch, countOf(t.meeting.size(), "process"))
	}
	return max(1, global/together), nil
}

// settings are all that shapes an update, besides what checkpoint.Run has by
// itself.
func (t *trainSetup) settings(spec clip.Spec) (map[string]string, error) {
	amp, err := t.precision()
	if err != nil {
		return nil, err
	}
	settings := map[string]string{}
	for name, value := range map[string]any{
		"OPTIMIZER":             t.training.Optimizer,
		"GRADIENT_ACCUMULATION": t.training.GlobalBatch,
		"MIX":                   t.training.Mix,
		"PRECISEBN":             t.training.PreciseBN,
		"MODEL.head":            t.model.Head,
		"drop_ratio":            t.model.Network.Dropout,
		"lr_mult_list":          t.model.LRFactors,
		"PIPELINE.train":        spec,
		"--amp":                 amp,
	} {
		text, err := json.Marshal(value)
		if err != nil {
			return nil, err
		}
		settings[name] = string(text)
	}
	for name, on := range map[string]bool{"--scale_lr": t.scaleLR, "sync_bn": t.syncBN || t.model.SyncBN} {
		if on { // else there is no key, as in checkpoints from before there was one
			settings[name] = "true"
		}
	}
	return settings, nil
}

// validation readies DATASET.valid for --validate.
func (t *trainSetup) validation(_ context.Context, j *train.Job) error {
	if !t.validate {
		return nil
	}
	spec, err := t.cfg.Clip(config.Valid)
	if err != nil {
		return err
	}
	set, data, err := openData(t.cfg, config.Valid, spec, t.model.Network.Classes, t.known)
	if err != nil {
		return err
	}
	h, w := spec.Size()
	net, err := tsn.Build(t.model.Network, spec.Views(), h, w)
	if err != nil {
		return fmt.Errorf("%s: %w", t.config, err)
	}
	j.Validation = &train.Validation{
		Interval: t.training.ValInterval,
		Network:  net,
		Set:      set,
		Options: evaluate.Options{
			Metric: evaluate.Metric{Classes: t.model.Network.Classes, TopK: []int{1, 5}},
			Batch:  data.Batch, Workers: data.Workers,
		},
	}
	return nil
}

// openOutput takes the output folder and opens the log.
func (t *trainSetup) openOutput(_ context.Context, j *train.Job) error {
	var err error
	if t.release, err = checkpoint.Lock(j.Dir); err != nil {
		return err
	}
	if err := checkpoint.Sweep(j.Dir, j.Name+"_", "metrics.jsonl"); err != nil {
		return err
	}
	path := filepath.Join(j.Dir, j.Name+".log")
	if t.log, err = train.OpenLog(path, t.err, t.cfg.LogInterval); err != nil {
		return err
	}
	j.Log, t.named = t.log, filepath.Join(j.Dir, j.Name)
	t.head(j)
	return nil
}

// openScreen is openOutput for ranks that leave the folder alone.
func (t *trainSetup) openScreen(_ context.Context, j *train.Job) error {
	t.log = train.NewLog(t.err, t.cfg.LogInterval)
	j.Log = t.log
	t.head(j)
	return nil
}

// head begins a log.
func (t *trainSetup) head(j *train.Job) {
	place := ""
	if t.world != nil {
		place = fmt.Sprintf(", rank %d of world %d, round %d", t.world.Rank, t.world.Size, t.world.Round)
	}
	if t.world != nil && t.world.Why != "" {
		place += " (" + t.world.Why + ")"
	}
	j.Log.Printf("pptsn train, config %s%s, seed %d, on %s with %s%s", t.config, prefixed(" -o ", t.overrides), t.seed, j.Session.Device, countOf(j.Session.Threads, "thread"), place)
	if unused := t.cfg.Unused; len(unused) > 0 {
		j.Log.Printf("Without effect here: %s", strings.Join(unused, ", "))
	}
}

func prefixed(prefix string, items []string) string {
	if len(items) == 0 {
		return ""
	}
	return prefix + strings.Join(items, prefix)
}

// loader comes late: it needs the seed, which a checkpoint may give.
func (t *trainSetup) loader(_ context.Context, j *train.Job) error {
	data, err := t.cfg.Data(config.Train)
	if err != nil {
		return err
	}
	j.Loader, err = dataset.NewLoader(j.Data, dataset.LoaderOptions{
		Batch: data.Batch, Workers: data.Workers, Shuffle: true, DropLast: true, Seed: j.Seed,
		Mix:  (*dataset.Mix)(t.training.Mix),
		Rank: t.meeting.rank(), Size: t.meeting.size(),
	})
	if err != nil {
		return err
	}
	// As in the reference --max_iters makes a rate that advances every iteration
	// no faster, and one that advances every epoch does so after the shorter ones.
	batches := j.Loader.Batches()
	if !t.training.Optimizer.LearningRate.Iterates() {
		batches = j.Batches()
	}
	rate := t.training.Optimizer.LearningRate
	if t.scaleLR {
		rate = rate.Times(float64(t.meeting.size()))
	}
	j.Rate, err = schedule.New(rate, batches)
	return err
}

// openScalars drops what an earlier run wrote after the checkpoint.
func (t *trainSetup) openScalars(_ context.Context, j *train.Job) (err error) {
	t.scalars, err = train.OpenScalars(j.Dir, j.Position())
	j.Scalars = t.scalars
	return err
}

// result says where the run's files are.
func (t *trainSetup) result() string {
	best := t.named + "_best.pdparams"
	if _, err := os.Stat(best); t.validate && err == nil {
		return best
	}
	return filepath.Join(filepath.Dir(t.named), checkpoint.EpochName(t.cfg.Name, t.training.Epochs)) + ".pdparams"
}

// close may be called twice.
func (t *trainSetup) close() error {
	var errs []error
	if t.scalars != nil {
		errs = append(errs, t.scalars.Close())
	}
	if t.log != nil {
		errs = append(errs, t.log.Close())
	}
	if t.release != nil {
		t.release()
	}
	t.scalars, t.log, t.release = nil, nil, nil
	return errors.Join(errs...)
}
