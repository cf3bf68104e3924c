package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pptsn/pptsn/atomicfile"
	"github.com/pptsn/pptsn/convert"
)

type convertOptions struct {
	output       string
	to           string
	backboneOnly bool
	asJSON       bool
}

func newConvert() *cobra.Command {
	o := convertOptions{}
	cmd := &cobra.Command{
		Use:   "convert INPUT -o OUTPUT",
		Short: "Turn a checkpoint of PyTorch's toolkits into one of pptsn, or back",
		Long: `Convert writes the weights of a checkpoint under the names of another toolkit. It
reads torch.save's files (.pth, both formats), .safetensors and .pdparams, told by
their content, in the names of
  torchvision  resnet18 to resnet152           TSN
  timm         resnet18d to resnet152d         PP-TSN
  mmaction2    TSN with its ResNet             TSN
               TSN with mmpretrain's ResNetV1d PP-TSN
  PaddleClas   ResNet and ResNet_vd            TSN, PP-TSN
and of pptsn itself, which are PaddleVideo's. How deep the network is and how many
classes it has follows from the file. The output's ending says what kind of file it
becomes, --to whose names it has.

A network that pptsn does not build, or builds in part only, is refused. Without a
classifier, or with one that cannot be taken over, --backbone-only converts what is
in front of it: "train -w" and MODEL.backbone.pretrained begin with such a file.

What no file says (where a bottleneck has its stride, the epsilon of batch norms,
how pictures are normalised) is in docs/converting.md.`,
		Example: `  pptsn convert resnet50.pth -o resnet50.pdparams
  pptsn convert resnet50d.safetensors -o resnet50d.pdparams --backbone-only
  pptsn convert tsn_r50_1x1x3_100e_kinetics400_rgb.pth -o tsn.pdparams
  pptsn convert ppTSN_best.pdparams -o resnet50d.safetensors --to timm`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("convert takes one checkpoint, got %d (see pptsn convert --help)", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return runConvert(cmd, args[0], o) },
	}
	f := cmd.Flags()
	f.StringVarP(&o.output, "output", "o", "", "file to write: .pdparams, .pth, .pt, .bin or .safetensors")
	f.StringVar(&o.to, "to", string(convert.PPTSN), "whose names: "+layoutList())
	f.BoolVar(&o.backboneOnly, "backbone-only", false, "without the classifier")
	f.BoolVar(&o.asJSON, "json", false, "report as a line of JSON, with every tensor's two names")
	return cmd
}

func layoutList() string {
	var names []string
	for _, l := range convert.Layouts() {
		names = append(names, string(l))
	}
	return strings.Join(names, ", ")
}

func runConvert(cmd *cobra.Command, input string, o convertOptions) error {
	kind, err := o.validate(input)
	if err != nil {
		return err
	}
	n, err := readNetwork(input, o.backboneOnly)
	if err != nil {
		return err
	}
	tensors, pairs, err := n.Named(convert.Layout(o.to))
	if err != nil {
		return fmt.Errorf("%s: %w", input, err)
	}
	err = atomicfile.Write(o.output, func(w io.Writer) error { return convert.Write(w, kind, tensors, n.Params) })
	if err != nil {
		return fmt.Errorf("%s: %w", o.output, err)
	}
	r := newConversion(input, o, n, pairs)
	r.warn(cmd.ErrOrStderr())
	if o.asJSON {
		return newPrinter(cmd.OutOrStdout(), cmd.ErrOrStderr(), true).line(r)
	}
	_, err = io.WriteString(cmd.OutOrStdout(), printable(r.text()))
	return err
}

// validate finds what is wrong with the flags and the kind of the output.
func (o convertOptions) validate(input string) (convert.Kind, error) {
	if o.output == "" {
		return "", usagef("convert needs -o OUTPUT (see pptsn convert --help)")
	}
	kind, err := convert.KindFor(o.output)
	if err != nil {
		return "", usageError{err}
	}
	if !slices.Contains(convert.Layouts(), convert.Layout(o.to)) {
		return "", usagef("--to %q: want one of %s", o.to, layoutList())
	}
	if kind == convert.Pdparams && o.to != string(convert.PPTSN) {
		return "", usagef("-o %s: Paddle's files have pptsn's names, not those of %s: write .pth or .safetensors", o.output, o.to)
	}
	in, err := os.Stat(input)
	if err != nil {
		return "", err
	}
	switch out, err := os.Stat(o.output); {
	case err != nil: // not there yet, or writing says why
	case out.IsDir():
		return "", usagef("-o %s is a folder, not a file", o.output)
	case os.SameFile(in, out):
		return "", usagef("-o %s is the input", o.output)
	}
	return kind, nil
}

func readNetwork(path string, backboneOnly bool) (*convert.Network, error) {
	f, err := convert.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	n, err := convert.Read(f, backboneOnly)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return n, nil
}
