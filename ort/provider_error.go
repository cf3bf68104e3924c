package ort

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// A ProviderError reports a provider that cannot be loaded, because a file is
// missing.
type ProviderError struct {
	Provider Provider
	Library  string // ONNX Runtime's own, as loaded
	Missing  string // name of the file
	NeededBy string // name of the file that needs it; "" if it is the provider's own
}

// Error names the missing file and says how to get it.
func (e *ProviderError) Error() string {
	if e.NeededBy != "" {
		return fmt.Sprintf("ort: provider %s: %s needs %s, which this machine does not have where it looks for libraries: install %s, and name the folder in LD_LIBRARY_PATH",
			e.Provider, e.NeededBy, e.Missing, e.product())
	}
	return fmt.Sprintf("ort: provider %s: there is no %s beside %s: get %s, and set %s to the folder that holds both files",
		e.Provider, e.Missing, e.Library, e.product(), LibraryVariable)
}

// products are what files belong to, by how their names begin. CUDA 12 and
// TensorRT 10 are what ONNX Runtime's builds are for at this time.
var products = []struct{ begin, name string }{
	{"libonnxruntime_providers_openvino", "ONNX Runtime's OpenVINO build (Python package onnxruntime-openvino, folder onnxruntime/capi)"},
	{"libcudnn", "cuDNN 9"},
	{"libnvinfer", "TensorRT 10"},
	{"libnvonnxparser", "TensorRT 10"},
	{"libcuda.so", "the NVIDIA driver"},
	{"libcu", "the CUDA toolkit 12"},
	{"libnvrtc", "the CUDA toolkit 12"},
	{"libopenvino", "OpenVINO"},
	{"libtbb", "oneTBB"},
}

func (e *ProviderError) product() string {
	for _, p := range products {
		if strings.HasPrefix(e.Missing, p.begin) {
			return p.name
		}
	}
	switch {
	case e.NeededBy != "":
		return "what it belongs to"
	case e.Provider == OpenVINO:
		return products[0].name
	}
	return "ONNX Runtime's GPU build (its release for Linux named gpu, or the Python package onnxruntime-gpu, folder onnxruntime/capi)"
}

// providerFiles are what ONNX Runtime loads of a provider, from its own folder.
func (p Provider) files() []string {
	const shared = "libonnxruntime_providers_shared.so"
	switch p {
	case CUDA:
		return []string{"libonnxruntime_providers_cuda.so", shared}
	case TensorRT:
		return []string{"libonnxruntime_providers_tensorrt.so", "libonnxruntime_providers_cuda.so", shared}
	case OpenVINO:
		return []string{"libonnxruntime_providers_openvino.so", shared}
	}
	return nil
}

// missingFile is the first of a provider's files that is not beside the library;
// "" if all are.
func (p Provider) missingFile(library string) string {
	for _, name := range p.files() {
		if _, err := os.Stat(filepath.Join(filepath.Dir(library), name)); err != nil {
			return name
		}
	}
	return ""
}

// check reports a provider that the loaded library does not have.
func (p Provider) check(library string) error {
	if missing := p.missingFile(library); missing != "" {
		return &ProviderError{Provider: p, Library: library, Missing: missing}
	}
	return nil
}

// notLoaded is what ONNX Runtime passes on of the dynamic loader's complaints:
// the file that it was to load, and the one that is missing.
var notLoaded = regexp.MustCompile(`Failed to load library (\S+) with error: (\S+\.so[.\d]*): cannot open shared object file`)

// explain makes a ProviderError of a message about a missing file.
func (p Provider) explain(library string, err error) error {
	if err == nil {
		return nil
	}
	m := notLoaded.FindStringSubmatch(err.Error())
	if m == nil {
		return fmt.Errorf("provider %s: %w", p, err)
	}
	e := &ProviderError{Provider: p, Library: library, Missing: filepath.Base(m[2])}
	if by := filepath.Base(m[1]); by != e.Missing {
		e.NeededBy = by
	}
	return e
}

// Available reports why a provider cannot be used, as far as files tell: no
// library, or one without the provider. The library is loaded (see Load).
func Available(p Provider) error {
	_, err := Options{Provider: p}.load()
	return err
}
