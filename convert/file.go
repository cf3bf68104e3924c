package convert

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/pptsn/pptsn/pdparams"
	"github.com/pptsn/pptsn/pickle"
	"github.com/pptsn/pptsn/pth"
	"github.com/pptsn/pptsn/safetensors"
	"github.com/pptsn/pptsn/tensor"
	"github.com/pptsn/pptsn/tsn"
)

// A File is an open checkpoint of any kind.
type File interface {
	tsn.Checkpoint
	io.Closer
}

// A Kind is a file format.
type Kind string

// The kinds, called as their files end.
const (
	Pdparams    Kind = ".pdparams"
	Pth         Kind = ".pth"
	Safetensors Kind = ".safetensors"
)

// Open opens a checkpoint, whose kind its first bytes tell. The caller closes it.
func Open(path string) (File, Kind, error) {
	kind, err := KindOf(path)
	if err != nil {
		return nil, "", err
	}
	var f File
	switch kind {
	case Pth:
		f, err = pth.Open(path)
	case Safetensors:
		f, err = safetensors.Open(path)
	default:
		f, err = pdparams.Open(path) // which says best what a file is not
	}
	if err != nil {
		return nil, "", err
	}
	return f, kind, nil
}

// KindOf tells a file's kind by its first bytes; "" for one of no kind.
func KindOf(path string) (Kind, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return "", err
	}
	head := make([]byte, 64)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return "", err
	}
	return kindOf(head[:n], info.Size()), nil
}

func kindOf(head []byte, size int64) Kind {
	switch {
	case pth.IsZip(head), pth.IsLegacy(head):
		return Pth
	case safetensors.Is(head, size): // before a pickle: its length may begin as one does
		return Safetensors
	case len(head) > 1 && head[0] == pickle.Proto && head[1] >= 2 && head[1] <= 5:
		return Pdparams
	}
	return ""
}

// KindFor tells by its ending what kind of file is to be written.
func KindFor(path string) (Kind, error) {
	for ending, kind := range map[string]Kind{".pdparams": Pdparams, ".pth": Pth, ".pt": Pth, ".bin": Pth, ".safetensors": Safetensors} {
		if strings.HasSuffix(path, ending) {
			return kind, nil
		}
	}
	return "", fmt.Errorf("%s: want a name that ends in .pdparams, .pth, .pt, .bin or .safetensors", path)
}

// Write writes tensors as a file of a kind. A .pdparams file has the names that
// Paddle's programs use beside those of the parameters.
func Write(w io.Writer, kind Kind, tensors []tensor.Named, params []tsn.Param) error {
	switch kind {
	case Pth:
		return pth.Write(w, tensors)
	case Safetensors:
		return safetensors.Write(w, tensors)
	}
	names := map[string]string{}
	for _, p := range params {
		names[p.Name] = p.Paddle
	}
	return pdparams.Write(w, tensors, pdparams.WriteOptions{ParameterNames: names})
}
