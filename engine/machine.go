package engine

import (
	"path/filepath"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/ort"
	"github.com/pptsn/pptsn/torch"
)

// A machine says what there is to run on.
type machine struct {
	torch func() (devices int, err error) // CUDA devices of libtorch; an error if there are none for it
	ort   func(p graph.Precision) error   // why ONNX Runtime does not compute so on a GPU
	gpus  func() int                      // NVIDIA's devices, whichever library can use them
}

// thisMachine looks only where it is asked: to load a library takes time.
var thisMachine = machine{torch: torchDevices, ort: ortCUDA, gpus: nvidiaDevices}

func torchDevices() (int, error) {
	n, err := torch.CUDADevices()
	if err == nil && n == 0 {
		err = torch.Available(torch.CUDA(0))
	}
	return n, err
}

func ortCUDA(p graph.Precision) error {
	if err := ort.CUDA.Supports(p); err != nil {
		return err
	}
	return ort.Available(ort.CUDA)
}

// nvidiaDevices counts the devices that NVIDIA's driver has made.
func nvidiaDevices() int {
	files, err := filepath.Glob("/dev/nvidia[0-9]*")
	if err != nil {
		return 0
	}
	return len(files)
}
