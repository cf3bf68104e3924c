package convert

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/pptsn/pptsn/pdparams"
	"github.com/pptsn/pptsn/pickle"
	"github.com/pptsn/pptsn/pth"
	"github.com/pptsn/pptsn/safetensors"
	"github.com/pptsn/pptsn/tensor"
	"github.com/pptsn/pptsn/tsn"
)

// A File is an open checkpoint of any kind: a *pdparams.File, *pth.File or
// *safetensors.File, and the file that it reads.
type File struct {
	tsn.Checkpoint
	file *os.File
}

// Close closes the file.
func (f *File) Close() error { return f.file.Close() }

// A Kind is a file format.
type Kind string

// The kinds, called as their files end.
const (
	Pdparams    Kind = ".pdparams"
	Pth         Kind = ".pth"
	Safetensors Kind = ".safetensors"
)

// Open opens a checkpoint, whose kind its first bytes tell. The caller closes it.
func Open(path string) (*File, error) {
	file, err := open(path)
	if err != nil {
		return nil, err
	}
	c, err := read(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, errors.Join(err, file.Close()))
	}
	return &File{c, file}, nil
}

func read(file *os.File) (tsn.Checkpoint, error) {
	kind, size, err := look(file)
	if err != nil {
		return nil, err
	}
	switch kind {
	case Pth:
		return pth.Read(file, size)
	case Safetensors:
		return safetensors.Read(file, size)
	}
	c, err := pdparams.Read(file, size) // which says best what a file is not
	if err != nil {
		return nil, called(err, kind, file.Name())
	}
	return c, nil
}

// called says, in place of the reader's name in front of err, what the file is
// that was read as Paddle's: the file's name may say something else.
func called(err error, kind Kind, path string) error {
	reason := errors.Unwrap(err)
	switch ending := filepath.Ext(path); {
	case reason == nil, ending == ".pdparams", ending == ".pdopt":
		return err
	case isTorch(reason):
		return fmt.Errorf("a pickle that torch.save did not make: in Python, torch.save(model.state_dict(), FILE): %w", reason)
	case kind == Pdparams:
		return fmt.Errorf("a pickle that torch.save did not make, read as Paddle's: %w", reason)
	}
	return fmt.Errorf("no checkpoint (%s, %s or %s): %w", Pdparams, Pth, Safetensors, reason)
}

// isTorch says whether a pickle was refused because it asks for a part of PyTorch.
func isTorch(err error) bool {
	var forbidden *pickle.ForbiddenError
	return errors.As(err, &forbidden) && strings.HasPrefix(forbidden.Global, "torch.")
}

// KindOf tells a file's kind by its first bytes; "" for one of no kind.
func KindOf(path string) (Kind, error) {
	file, err := open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	kind, _, err := look(file)
	return kind, err
}

// open opens a regular file. Opening a pipe would wait for one who writes.
func open(path string) (*os.File, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, fmt.Errorf("%s: is a folder, not a file", path)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s: is not a regular file", path)
	}
	return os.Open(path)
}

// look tells kind and size of a file.
func look(file *os.File) (Kind, int64, error) {
	info, err := file.Stat()
	if err != nil {
		return "", 0, err
	}
	head := make([]byte, min(64, info.Size()))
	if _, err := file.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) {
		return "", 0, err
	}
	return kindOf(head), info.Size(), nil
}

func kindOf(head []byte) Kind {
	switch {
	case pth.IsZip(head), pth.IsLegacy(head):
		return Pth
	case safetensors.Is(head): // before a pickle: its length may begin as one does
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
