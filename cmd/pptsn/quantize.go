package main

import (
	"cmp"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pptsn/pptsn"
	"github.com/pptsn/pptsn/bundle"
	"github.com/pptsn/pptsn/config"
	"github.com/pptsn/pptsn/quantize"
)

type quantizeOptions struct {
	model     string
	videos    []string
	check     []string
	output    string
	name      string
	config    string
	overrides []string
	labels    string
	clips     int
	views     int
	method    string
	keep      []string
	agreement float64
	threads   int
	json      bool
}

func newQuantize() *cobra.Command {
	o := quantizeOptions{}
	cmd := &cobra.Command{
		Use:   "quantize -m MODEL --videos LIST -o FOLDER",
		Short: "Make a model compute in 8-bit integers, fitted to real clips",
		Long: `Quantize runs a model on real clips, chooses how its convolutions are computed in
8-bit integers, and writes a copy that says so; program and weights stay as they
are, and the model itself is not changed. predict and test run the copy in int8
unless --precision says otherwise. The first convolution and what follows the
last one stay in float32.

Clips are named as for predict: a list file (a path a line; a label behind it
makes the accuracy known), a folder, or videos. Up to --clips of them, at most
half, choose the scales; the others, or those of --check, are classified in
float32 and in int8. Clips that cannot be read are named and left out.

What is printed: the error of each layer, of its own and with those before it
(as signal to quantisation noise in dB and relative to the values), and on the
clips to check with the share of equal top-1 classes, how far probabilities
move and, where labels are known, the accuracies.

Where too few classes are equal (--min-agreement), the 1, 2, 4 and 8 layers with
the largest error are kept in float32 too. If that does not help, nothing is
written and the exit code is 1.`,
		Example: `  pptsn quantize -m inference/ppTSN --videos train.list --check val.list -o inference/ppTSN_int8
  pptsn quantize -m inference/ppTSN --videos clips/ -o inference/int8 --method entropy --keep res5a_branch1
  pptsn quantize -m downloaded/ppTSN --config configs/recognition/pptsn/pptsn_k400_videos.yaml --videos val.list -o inference/int8 --json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runQuantize(cmd, o) },
	}
	f := cmd.Flags()
	f.StringVarP(&o.model, "model", "m", "", "folder of an exported model, or its files' path without extension")
	f.StringArrayVar(&o.videos, "videos", nil, "clips to choose the scales with: list file, folder, video, or - for a list on standard input; repeatable")
	f.StringArrayVar(&o.check, "check", nil, "clips to compare int8 with float32 on (default: the rest of --videos); repeatable")
	f.StringVarP(&o.output, "output_path", "o", "", "folder to write to; made if absent")
	f.StringVar(&o.name, "save_name", "", "name of the files (default: the model's)")
	f.StringVarP(&o.config, "config", "c", "", "configuration (YAML); needed for models that pptsn did not export")
	f.StringArrayVar(&o.overrides, "override", nil, "change a key of the configuration, such as INFERENCE.num_seg=8; repeatable")
	f.StringVar(&o.labels, "labels", "", "with --config: class names, a file, or kinetics400 or ucf101 (default: by the configuration's data set)")
	f.IntVar(&o.clips, "clips", 64, "the most clips to choose the scales with")
	f.IntVar(&o.views, "views", 4, "how many views of each of these clips to look at, evenly spread")
	f.StringVar(&o.method, "method", "auto", "how a scale is chosen: max, percentile, entropy, mse, or auto, which takes the one with which probabilities move least")
	f.StringArrayVar(&o.keep, "keep", nil, "layer to keep in float32, as it is called in the table of errors; repeatable")
	f.Float64Var(&o.agreement, "min-agreement", 0.95, "share of equal top-1 classes, from 0 to 1, below which no model is written")
	f.IntVar(&o.threads, "cpu_threads", 0, "cores for the network (default: all)")
	f.BoolVar(&o.json, "json", false, "one JSON object a layer and one for the whole")
	return cmd
}

// validate reports flags that cannot be carried out.
func (o *quantizeOptions) validate() error {
	switch {
	case o.model == "" || len(o.videos) == 0 || o.output == "":
		return usagef("quantize needs -m MODEL, --videos LIST and -o FOLDER (see pptsn quantize --help)")
	case o.config == "" && (len(o.overrides) > 0 || o.labels != ""):
		return usagef("--override and --labels go with a configuration: name it with --config")
	case o.clips < 1 || o.views < 1:
		return usagef("--clips and --views: want at least 1")
	case o.threads < 0:
		return usagef("--cpu_threads cannot be negative")
	case !(o.agreement >= 0 && o.agreement <= 1):
		return usagef("--min-agreement %v: want a share from 0 to 1", o.agreement)
	}
	if _, err := quantize.ParseMethod(o.method); err != nil {
		return usagef("--%w", err)
	}
	return nil
}

func runQuantize(cmd *cobra.Command, o quantizeOptions) error {
	if err := o.validate(); err != nil {
		return err
	}
	b, err := bundle.Open(o.model)
	if err != nil {
		return err
	}
	prefix := filepath.Join(o.output, cmp.Or(o.name, strings.TrimSuffix(filepath.Base(b.Path), filepath.Ext(b.Path))))
	if err := b.CheckCopy(prefix); err != nil {
		return err
	}
	manifest, err := o.manifest(b)
	if err != nil {
		return err
	}
	if err := writable(o.output); err != nil { // not after minutes of work
		return err
	}
	result, err := o.quantize(cmd, b, manifest)
	if err != nil {
		return err
	}
	p := quantizePrinter{out: cmd.OutOrStdout(), json: o.json}
	if err := p.layers(result); err != nil {
		return err
	}
	enough := result.Agreement.Top1 >= o.agreement
	if enough {
		if err := writeQuantized(b, prefix, manifest, result); err != nil {
			return err
		}
	}
	if err := p.summary(result, prefix, enough); err != nil {
		return err
	}
	if !enough {
		return fmt.Errorf("%s: in int8 the top-1 class is the same for %.1f %% of %d clips, less than %.1f %%: nothing was written (more --clips, another --method, --keep LAYER or a lower --min-agreement may help)",
			o.model, 100*result.Agreement.Top1, result.Agreement.Clips, 100*o.agreement)
	}
	return nil
}

// manifest is what the model says of itself or, if it says nothing, what the
// configuration does.
func (o *quantizeOptions) manifest(b *bundle.Bundle) (bundle.Manifest, error) {
	if b.Manifest != nil {
		if o.config != "" {
			return bundle.Manifest{}, usagef("%s says itself how videos are prepared: leave out --config", o.model)
		}
		return *b.Manifest, nil
	}
	if o.config == "" {
		return bundle.Manifest{}, fmt.Errorf("%s: %w (--config CONFIG)", o.model, pptsn.ErrNoPreprocess)
	}
	cfg, err := config.Load(o.config, o.overrides)
	if err != nil {
		return bundle.Manifest{}, err
	}
	m, err := newManifest(cfg, exportOptions{preprocess: "inference", labels: o.labels})
	if err == nil && m.Network.Classes != b.Classes() {
		err = fmt.Errorf("%s has %d classes, %s says %d: they do not belong together (--override %s=%d)",
			o.model, b.Classes(), o.config, m.Network.Classes, cfg.ClassesKey(), b.Classes())
	}
	return m, err
}

func (o *quantizeOptions) quantize(cmd *cobra.Command, b *bundle.Bundle, m bundle.Manifest) (*quantize.Result, error) {
	calibrate, check, err := o.samples(cmd.InOrStdin(), b.Classes())
	if err != nil {
		return nil, err
	}
	warn := cmd.ErrOrStderr()
	steps := &stepMeter{w: warn}
	defer steps.close()
	return quantize.Run(cmd.Context(), quantize.Options{
		Bundle: b, Spec: m.Preprocess, Calibrate: calibrate, Check: check,
		Views: o.views, Method: quantize.Method(o.method), Keep: o.keep, MinAgreement: o.agreement,
		Threads: o.threads, Workers: runtime.GOMAXPROCS(0),
		Progress: steps.set,
		Skipped: func(path string, err error) {
			steps.say("pptsn: left out: %s", describeError(outcome{file: path, err: err}))
		},
	})
}

// writeQuantized writes the copy and reads it back.
func writeQuantized(b *bundle.Bundle, prefix string, m bundle.Manifest, r *quantize.Result) error {
	m.Scales = r.Scales
	if err := b.Copy(prefix, m); err != nil {
		return err
	}
	_, err := bundle.Open(prefix + ".pdmodel")
	return err
}
