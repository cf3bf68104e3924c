package bundle

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/pptsn/pptsn/atomicfile"
	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/pdmodel"
	"github.com/pptsn/pptsn/tsn"
)

// Files are the paths of a model's files: weights, names, manifest, program.
func Files(prefix string) []string {
	return []string{prefix + weightsExt, prefix + infoExt, prefix + manifestExt, prefix + programExt}
}

// Write writes a model's files, prefix with their extensions. Folders are made
// as needed. Each file appears whole or not at all, the program, by which a
// model is found, last.
func Write(prefix string, m Manifest, net *tsn.Network, w graph.Weights) error {
	if err := m.validate(); err != nil {
		return fmt.Errorf("%s: %w", prefix, err)
	}
	if err := os.MkdirAll(filepath.Dir(prefix), 0o755); err != nil {
		return err
	}
	var program, info bytes.Buffer
	weights := func(to io.Writer) error { return pdmodel.Write(&program, to, &info, net.Graph, w, meta(net)) }
	for _, file := range []struct {
		ext  string
		fill func(io.Writer) error
	}{
		{weightsExt, weights}, // fills program and info too
		{infoExt, func(to io.Writer) error { _, err := to.Write(info.Bytes()); return err }},
		{manifestExt, m.Write},
		{programExt, func(to io.Writer) error { _, err := to.Write(program.Bytes()); return err }},
	} {
		if err := atomicfile.Write(prefix+file.ext, file.fill); err != nil {
			return fmt.Errorf("%s: %w", prefix+file.ext, err)
		}
	}
	return nil
}

// meta is what Paddle calls the network's parameters.
func meta(net *tsn.Network) pdmodel.Meta {
	m := pdmodel.Meta{Vars: map[string]string{}, Frozen: map[string]bool{}}
	for _, p := range net.Params {
		m.Vars[p.Name] = p.Paddle
		m.Frozen[p.Name] = !p.Trainable
	}
	return m
}
