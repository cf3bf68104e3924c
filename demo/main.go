// Command demo makes the checkpoint of `make demo`: a PP-TSN whose backbone is
// random and whose classifier is fitted to a few clips.
//
// Random convolutions are poor features, but enough to tell apart what looks
// very different, and a linear classifier on them has a closed form. So the
// demo needs neither a download nor training. Usage:
//
//	demo CONFIG LIST CHECKPOINT
//
// where LIST has a line "path label" for each clip.
package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/pptsn/pptsn/atomicfile"
	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/config"
	"github.com/pptsn/pptsn/onednn"
	"github.com/pptsn/pptsn/pdparams"
	"github.com/pptsn/pptsn/tensor"
	"github.com/pptsn/pptsn/tsn"
	"github.com/pptsn/pptsn/video"
)

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: demo CONFIG LIST CHECKPOINT")
		os.Exit(2)
	}
	if err := run(context.Background(), os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, configFile, list, checkpoint string) error {
	cfg, err := config.Load(configFile, nil)
	if err != nil {
		return err
	}
	model, err := cfg.Model()
	if err != nil {
		return err
	}
	inference, err := cfg.Inference()
	if err != nil {
		return err
	}
	clips, err := readList(list)
	if err != nil {
		return err
	}
	backbone := randomBackbone(model.Network, 1)
	features, err := extract(ctx, model.Network, inference.Clip, backbone, clips)
	if err != nil {
		return err
	}
	w, bias := fit(features, clips, model.Network.Classes)
	return write(checkpoint, model.Network, backbone, w, bias)
}

// A labelled is one line of the list.
type labelled struct {
	path  string
	class int
}

func readList(path string) ([]labelled, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var clips []labelled
	for s := bufio.NewScanner(f); s.Scan(); {
		i := strings.LastIndexByte(s.Text(), ' ')
		class, err := strconv.Atoi(s.Text()[i+1:])
		if i < 0 || err != nil {
			return nil, fmt.Errorf("%s: line %q: want a path and a label", path, s.Text())
		}
		clips = append(clips, labelled{s.Text()[:i], class})
	}
	return clips, nil
}

// extract returns what the network's classifier sees of each clip: C numbers.
// A classifier that is the identity lets them through.
func extract(ctx context.Context, s tsn.Spec, spec clip.Spec, weights map[string]*tensor.Dense, clips []labelled) ([][]float32, error) {
	s.Classes = s.FeatureChannels()
	h, w := spec.Size()
	net, err := tsn.Build(s, spec.Views(), h, w)
	if err != nil {
		return nil, err
	}
	all := map[string]*tensor.Dense{"head.fc.weight": identity(s.Classes), "head.fc.bias": tensor.New(tensor.Float32, s.Classes)}
	for name, t := range weights {
		all[name] = t
	}
	engine, err := onednn.Compile(net.Graph, all, onednn.Options{})
	if err != nil {
		return nil, err
	}
	defer engine.Close()
	var features [][]float32
	for i, c := range clips {
		fmt.Fprintf(os.Stderr, "looking at clip %d of %d: %s\n", i+1, len(clips), c.path)
		f, err := look(ctx, engine, spec, c.path)
		if err != nil {
			return nil, err
		}
		features = append(features, f)
	}
	return features, nil
}

func look(ctx context.Context, engine *onednn.Engine, spec clip.Spec, path string) ([]float32, error) {
	f, err := video.Open(ctx, path, video.Options{})
	if err != nil {
		return nil, err
	}
	defer f.Close()
	c, err := clip.Load(ctx, f, spec, clip.Options{})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	h, w := c.Size()
	x := tensor.FromFloat32(c.Views(nil, 0, c.Len()), 1, c.Len(), 3, h, w)
	out, err := engine.Run(ctx, x)
	if err != nil {
		return nil, err
	}
	return out[0].Float32s(), nil
}

func write(path string, s tsn.Spec, backbone map[string]*tensor.Dense, w, bias *tensor.Dense) error {
	net, err := tsn.Build(s, 1, 32, 32) // for the names and their order
	if err != nil {
		return err
	}
	names, entries := map[string]string{}, []pdparams.Entry(nil)
	for _, p := range net.Params {
		t := backbone[p.Name]
		switch p.Name {
		case "head.fc.weight":
			t = w
		case "head.fc.bias":
			t = bias
		}
		entries = append(entries, pdparams.Entry{Name: p.Name, Tensor: t})
		names[p.Name] = p.Paddle
	}
	return atomicfile.Write(path, func(to io.Writer) error {
		return pdparams.Write(to, entries, pdparams.WriteOptions{ParameterNames: names})
	})
}
