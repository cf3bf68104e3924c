package engine

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/pptsn/pptsn/ort"
	"github.com/pptsn/pptsn/torch"
)

// A machine says what there is to run on.
type machine struct {
	torch func() (devices int, err error)   // CUDA devices of libtorch; an error if there are none for it
	ort   func(provider string) (err error) // why ONNX Runtime has no such provider
	gpus  func() int                        // NVIDIA's devices, whichever library can use them
}

// thisMachine looks only where it is asked: to load a library takes time.
var thisMachine = machine{torch: torchDevices, ort: ortProvider, gpus: nvidiaDevices}

func torchDevices() (int, error) {
	n, err := torch.CUDADevices()
	if err == nil && n == 0 {
		version, _ := torch.Version()
		err = fmt.Errorf("libtorch %s sees no CUDA device: it needs one, its driver, and a libtorch built with CUDA, which `LIBTORCH=folder make torch` binds", version)
	}
	return n, err
}

// ortProvider looks for the file in which ONNX Runtime has a provider.
func ortProvider(name string) error {
	library, err := ort.Load("")
	if err != nil {
		return err
	}
	if real, err := filepath.EvalSymlinks(library); err == nil {
		library = real
	}
	file := filepath.Join(filepath.Dir(library), "libonnxruntime_providers_"+name+".so")
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is missing: take a build of ONNX Runtime that has it, and set %s to its folder", file, ort.LibraryVariable)
	} else if err != nil {
		return err
	}
	return nil
}

// nvidiaDevices counts the devices that NVIDIA's driver has made.
func nvidiaDevices() int {
	files, err := filepath.Glob("/dev/nvidia[0-9]*")
	if err != nil {
		return 0
	}
	return len(files)
}
