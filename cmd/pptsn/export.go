package main

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pptsn/pptsn/bundle"
	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/config"
	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/pdparams"
	"github.com/pptsn/pptsn/tsn"
)

type exportOptions struct {
	config     string
	overrides  []string
	weights    string
	output     string
	name       string
	preprocess string
	labels     string

	model   string // an exported model, instead of config and weights
	onnx    bool
	onnxFor string
}

func newExport() *cobra.Command {
	o := exportOptions{}
	cmd := &cobra.Command{
		Use:   "export -c CONFIG -p WEIGHTS.pdparams -o FOLDER",
		Short: "Turn a Paddle checkpoint into a model that predict runs",
		Long: `Export writes a checkpoint's network and weights as Paddle Inference reads them
(.pdmodel, .pdiparams, .pdiparams.info), and beside them how a video becomes the
network's input and what the classes are called (.pptsn.json). Then it reads the
files back and compares what they compute.

With --onnx it also writes NAME.onnx for other programs: the network with its batch
norms folded in, for any number of clips at once, with preprocessing and labels as
JSON among its metadata. Where ONNX Runtime is there, the file is run and compared.
With -m only that file is written, of a model that was exported before; of a model
that pptsn quantize has made it computes in 8-bit integers. TensorRT wants these in
another form than ONNX Runtime (--onnx_for tensorrt).`,
		Example: `  pptsn export -c configs/recognition/pptsn/pptsn_k400_videos.yaml -p ppTSN_best.pdparams -o inference/ppTSN
  pptsn export -c my.yaml -p best.pdparams -o inference/mine --override MODEL.head.num_classes=8 --labels labels.txt
  pptsn export -c my.yaml -p best.pdparams -o inference/mine --onnx
  pptsn export -m inference/mine_int8 --onnx --onnx_for tensorrt -o tensorrt`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.validate(cmd); err != nil {
				return err
			}
			if o.model != "" {
				return exportModel(cmd, o)
			}
			return export(cmd, o)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&o.config, "config", "c", "", "configuration the checkpoint was trained with (YAML)")
	f.StringArrayVar(&o.overrides, "override", nil, "change a key of the configuration, such as MODEL.head.num_classes=8; repeatable")
	f.StringVarP(&o.weights, "pretrained_params", "p", "", "checkpoint (.pdparams)")
	f.StringVarP(&o.output, "output_path", "o", "inference", "folder to write to; made if absent")
	f.StringVar(&o.name, "save_name", "", "name of the files (default: the configuration's model_name)")
	f.StringVar(&o.preprocess, "preprocess", "inference", "which preprocessing the model carries: inference (INFERENCE) or test (PIPELINE.test)")
	f.StringVar(&o.labels, "labels", "", "class names: a file, or kinetics400 or ucf101 (default: by the configuration's data set)")
	f.StringVarP(&o.model, "model", "m", "", "with --onnx: an exported model to convert, instead of -c and -p; the file goes beside it or to -o")
	f.BoolVar(&o.onnx, "onnx", false, "write the network as ONNX too")
	f.StringVar(&o.onnxFor, "onnx_for", forONNXRuntime, "with --onnx, for quantised models: who reads the file, onnxruntime or tensorrt")
	return cmd
}

func export(cmd *cobra.Command, o exportOptions) error {
	cfg, err := config.Load(o.config, o.overrides)
	if err != nil {
		return err
	}
	manifest, err := newManifest(cfg, o)
	if err != nil {
		return err
	}
	h, w := manifest.Preprocess.Size()
	net, err := tsn.Build(manifest.Network, manifest.Preprocess.Views(), h, w)
	if err != nil {
		return fmt.Errorf("%s: %w", o.config, err)
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "reading %s\n", o.weights)
	weights, err := loadWeights(net, o.weights, cfg.ClassesKey())
	if err != nil {
		return err
	}
	if o.name != "" {
		manifest.Model = o.name
	}
	prefix := filepath.Join(o.output, manifest.Model)
	if err := bundle.Write(prefix, manifest, net, weights); err != nil {
		return err
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "checking what was written\n")
	diff, err := bundle.Verify(cmd.Context(), prefix, net, weights)
	if err != nil {
		return fmt.Errorf("the written model does not compute what the checkpoint does: %w", err)
	}
	if err := reportExport(cmd.OutOrStdout(), prefix, diff); err != nil || !o.onnx {
		return err
	}
	m := onnxModel{graph: net.Graph, weights: weights, name: manifest.Model, manifest: &manifest}
	return onnxExport{cmd, o.onnxFor}.write(m, prefix+".onnx")
}

func reportExport(w io.Writer, prefix string, diff float64) error {
	for _, file := range bundle.Files(prefix) {
		fmt.Fprintln(w, file)
	}
	_, err := fmt.Fprintf(w, "largest difference between checkpoint and exported model: %.3g\n", diff)
	return err
}

// newManifest is what the configuration says about the model.
func newManifest(cfg *config.Config, o exportOptions) (bundle.Manifest, error) {
	m := bundle.Manifest{Model: cfg.Name, Source: o.preprocess}
	model, err := cfg.Model()
	if err != nil {
		return m, err
	}
	m.Network = model.Network
	if m.Preprocess, err = preprocessing(cfg, o.preprocess); err != nil {
		return m, err
	}
	if m.Labels, err = classNames(o.labels, cfg, model.Network.Classes); err != nil {
		return m, err
	}
	return m, nil
}

func preprocessing(cfg *config.Config, source string) (clip.Spec, error) {
	switch source {
	case "inference":
		i, err := cfg.Inference()
		if err != nil {
			err = fmt.Errorf("%w (--preprocess test takes PIPELINE.test instead)", err)
		}
		return i.Clip, err
	case "test":
		return cfg.Clip(config.Test)
	}
	return clip.Spec{}, usagef("--preprocess %q: want inference or test", source)
}

// loadWeights reads a file for a network. The key is what sets its number of
// classes, for messages.
func loadWeights(net *tsn.Network, path, classesKey string) (graph.Weights, error) {
	f, err := pdparams.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	w, err := net.Load(f)
	if err != nil {
		var mismatch *tsn.MismatchError
		if errors.As(err, &mismatch) {
			mismatch.ClassesKey = classesKey
		}
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return w, nil
}

// noArgs names the argument that a command does not take.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return usagef("%s takes no arguments, got %s (see %s --help)", cmd.Name(), strings.Join(args, " "), cmd.CommandPath())
}
