package bundle

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/pdmodel"
	"github.com/pptsn/pptsn/tensor"
)

// The extensions of a model's files.
const (
	programExt  = ".pdmodel"
	weightsExt  = ".pdiparams"
	infoExt     = ".pdiparams.info"
	manifestExt = ".pptsn.json" // not .json: Paddle 3 gives that name to its own programs
)

// A Bundle is an exported model in memory.
type Bundle struct {
	Path     string // of the program
	Params   string // path of the weights
	Program  *pdmodel.Program
	Graph    *graph.Graph
	Weights  graph.Weights
	Manifest *Manifest // nil for models that pptsn did not export
}

// Open reads the model in a folder, or the one whose files begin with a path:
// inference/ppTSN/ppTSN for ppTSN.pdmodel and the others beside it. The name
// of one of the files does as well.
func Open(path string) (*Bundle, error) {
	program, err := Find(path)
	if err != nil {
		return nil, err
	}
	return OpenFiles(program, strings.TrimSuffix(program, programExt)+weightsExt)
}

// Find returns the path of the program that Open would read.
func Find(path string) (string, error) {
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return findInFolder(path)
	case err == nil:
		return beside(path), nil
	case !errors.Is(err, fs.ErrNotExist):
		return "", err
	}
	if _, err := os.Stat(path + programExt); err != nil {
		return "", fmt.Errorf("no model at %s: neither a folder nor %s: %w", path, path+programExt, fs.ErrNotExist)
	}
	return path + programExt, nil
}

// beside is the program that belongs to any file of a model.
func beside(path string) string {
	for _, ext := range []string{infoExt, weightsExt, manifestExt} {
		if prefix, ok := strings.CutSuffix(path, ext); ok {
			return prefix + programExt
		}
	}
	return path
}

func findInFolder(dir string) (string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", err
	}
	var found []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), programExt) {
			found = append(found, e.Name())
		}
	}
	switch len(found) {
	case 1:
		return filepath.Join(dir, found[0]), nil
	case 0:
		return "", fmt.Errorf("no model in folder %s: it holds no %s file: %w", dir, programExt, fs.ErrNotExist)
	}
	return "", fmt.Errorf("folder %s holds %d models (%s): name one of them", dir, len(found), strings.Join(found, ", "))
}

// OpenFiles reads a program and its weights, and the manifest beside the
// program if there is one.
func OpenFiles(program, weights string) (*Bundle, error) {
	b := &Bundle{Path: program, Params: weights}
	data, err := os.ReadFile(program)
	if err != nil {
		return nil, err
	}
	if b.Program, err = pdmodel.Parse(data); err != nil {
		return nil, fmt.Errorf("%s: %w", program, err)
	}
	if b.Graph, err = b.Program.Graph(); err != nil {
		return nil, fmt.Errorf("%s: %w", program, err)
	}
	if b.Weights, err = readWeights(weights, b.Program); err != nil {
		return nil, err
	}
	if err := b.Graph.CheckWeights(b.Weights); err != nil {
		return nil, fmt.Errorf("%s: %w", weights, err)
	}
	if b.Manifest, err = ReadManifest(program); err != nil {
		return nil, err
	}
	return b, b.check()
}

func readWeights(path string, p *pdmodel.Program) (graph.Weights, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	params, err := pdmodel.ReadParams(f, info.Size(), p)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return pdmodel.Weights(params)
}

// ReadManifest reads the manifest beside a program; nil if there is none.
func ReadManifest(program string) (*Manifest, error) {
	path := strings.TrimSuffix(program, programExt) + manifestExt
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	m, err := parseManifest(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

// check reports a program that is not a video or picture classifier, or that
// does not belong to its manifest.
func (b *Bundle) check() error {
	in, out := b.Graph.Inputs, b.Graph.Outputs
	if len(in) != 1 || len(out) != 1 {
		return fmt.Errorf("%s: %d inputs and %d outputs: a classifier has one of each", b.Path, len(in), len(out))
	}
	x, y := in[0].Shape, out[0].Shape
	if len(x) != 4 && len(x) != 5 || x[len(x)-3] != 3 || len(y) != 2 || y[1] < 1 {
		return fmt.Errorf("%s: from %s to %s: want a classifier of pictures [N, 3, H, W] or clips [N, T, 3, H, W]",
			b.Path, tensor.ShapeString(x), tensor.ShapeString(y))
	}
	if b.Manifest != nil && b.Manifest.Network.Classes != b.Classes() {
		return fmt.Errorf("%s: the network has %d classes, the manifest beside it says %d: they do not belong together",
			b.Path, b.Classes(), b.Manifest.Network.Classes)
	}
	return b.checkScales()
}

// checkScales reports scales of another network.
func (b *Bundle) checkScales() error {
	if len(b.Scales()) == 0 {
		return nil
	}
	g, _, err := graph.Optimize(b.Graph, b.Weights)
	if err == nil {
		err = b.Scales().Check(g)
	}
	if err != nil {
		return fmt.Errorf("%s: the scales in the manifest beside it do not fit: %w", b.Path, err)
	}
	return nil
}

// Scales are those of a quantised model, else nil.
func (b *Bundle) Scales() graph.Scales {
	if b.Manifest == nil {
		return nil
	}
	return b.Manifest.Scales
}

// Classes is K, the number of scores.
func (b *Bundle) Classes() int { return b.Graph.Outputs[0].Shape[1] }

// PerView says that the network takes single pictures [N, 3, H, W], not clips.
func (b *Bundle) PerView() bool { return len(b.Graph.Inputs[0].Shape) == 4 }

// EndsWithSoftmax says that the network's scores are probabilities already.
func (b *Bundle) EndsWithSoftmax() bool {
	last := b.Graph.Outputs[0]
	for i := len(b.Graph.Nodes) - 1; i >= 0; i-- { // back along the last value
		n := b.Graph.Nodes[i]
		if n.Out != last {
			continue
		}
		switch op := n.Op.(type) {
		case graph.Softmax:
			return true
		case graph.Affine:
			if op.Scale != 1 || op.Shift != 0 {
				return false
			}
			last = n.In[0] // Paddle ends its programs with a scale by 1
		default:
			return false
		}
	}
	return false
}

// Fits reports preprocessing whose result the network cannot take.
func (b *Bundle) Fits(s clip.Spec) error {
	if err := s.Validate(); err != nil {
		return err
	}
	x := b.Graph.Inputs[0].Shape
	h, w := s.Size()
	if h == 0 {
		return errors.New("the preprocessing has no crop, so the size of the network's input would depend on the video")
	}
	if !b.PerView() && x[1] != graph.Unknown && x[1] != s.Views() {
		return fmt.Errorf("the preprocessing gives %d views, the network was exported for %d: export it with this configuration, or use the one that it was exported with", s.Views(), x[1])
	}
	if hh, ww := x[len(x)-2], x[len(x)-1]; hh != graph.Unknown && hh != h || ww != graph.Unknown && ww != w {
		return fmt.Errorf("the preprocessing gives %dx%d pixels, the network was exported for %dx%d", w, h, ww, hh)
	}
	return nil
}
