package ort

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	onnxruntime "github.com/yalue/onnxruntime_go"
)

// LibraryVariable is the environment variable that names the library's file,
// or the folder that holds it.
const LibraryVariable = "PPTSN_ONNXRUNTIME"

const oldest = "1.24" // version of the library whose C API onnxruntime_go asks for

// A NotFoundError says where the library was looked for in vain.
type NotFoundError struct {
	Tried []string
}

// Error lists the places and says how to get the library.
func (e *NotFoundError) Error() string {
	return fmt.Sprintf("no ONNX Runtime: looked for libonnxruntime.so in %s; `make setup` fetches it, or set %s to the file of version %s or newer",
		strings.Join(e.Tried, ", "), LibraryVariable, oldest)
}

// The process holds one library, as onnxruntime_go does.
var library struct {
	sync.Mutex
	path string // as loaded; empty if none is
}

// Load loads ONNX Runtime into the process, unless it is there: from the file
// or folder given, else from that in PPTSN_ONNXRUNTIME, else from
// .cache/onnxruntime in the checkout that the program was built in, in the
// program's folder or in the one above, else from LD_LIBRARY_PATH and the
// system's folders of libraries.
// Compile and Open load it by themselves. It returns where it was found.
func Load(path string) (string, error) {
	library.Lock()
	defer library.Unlock()
	if library.path != "" {
		if path != "" && !within(library.path, path) {
			return "", fmt.Errorf("ort: cannot load %s: this process has loaded %s", path, library.path)
		}
		return library.path, nil
	}
	found, err := load(path)
	if err != nil {
		return "", fmt.Errorf("ort: %w", err)
	}
	library.path = found
	return found, nil
}

func load(path string) (string, error) {
	if path == "" {
		path = os.Getenv(LibraryVariable)
	}
	if path != "" {
		file, err := inFolder(path)
		if errors.Is(err, fs.ErrNotExist) {
			return "", &NotFoundError{Tried: []string{path}}
		} else if err != nil {
			return "", err
		}
		return file, use(file)
	}
	folders := slices.Concat(cacheFolders(), systemFolders())
	for _, dir := range folders {
		if file, err := inFolder(dir); err == nil {
			return file, use(file)
		}
	}
	return "", &NotFoundError{Tried: folders}
}

// use makes a library the process's.
func use(file string) error {
	onnxruntime.SetSharedLibraryPath(file)
	err := onnxruntime.InitializeEnvironment(onnxruntime.WithLogLevelError())
	if err != nil {
		return fmt.Errorf("load %s (want ONNX Runtime %s or newer): %w", file, oldest, err)
	}
	return nil
}

// inFolder is path itself if it is a file, else the library in that folder.
func inFolder(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if !info.IsDir() {
		return path, nil
	}
	files, err := filepath.Glob(filepath.Join(path, "libonnxruntime.so*"))
	if err == nil && len(files) == 0 {
		err = fs.ErrNotExist
	}
	if err != nil {
		return "", err
	}
	return files[0], nil
}

func within(file, path string) bool {
	found, err := inFolder(path)
	return err == nil && found == file
}

// cacheFolders are where scripts/fetch-onnxruntime.sh may have put the library.
// The working directory is not among them: to load code from wherever a user
// happens to be would be unsafe.
func cacheFolders() []string {
	var roots []string
	if _, source, _, ok := runtime.Caller(0); ok && filepath.IsAbs(source) { // relative if built with -trimpath
		roots = append(roots, filepath.Dir(filepath.Dir(source)))
	}
	if exe, err := os.Executable(); err == nil {
		if real, err := filepath.EvalSymlinks(exe); err == nil {
			exe = real
		}
		roots = append(roots, filepath.Dir(exe), filepath.Dir(filepath.Dir(exe)))
	}
	for i := range roots {
		roots[i] = filepath.Join(roots[i], ".cache", "onnxruntime")
	}
	return roots
}

func systemFolders() []string {
	var dirs []string
	for _, dir := range filepath.SplitList(os.Getenv("LD_LIBRARY_PATH")) {
		if filepath.IsAbs(dir) {
			dirs = append(dirs, dir)
		}
	}
	triplet := map[string]string{"amd64": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu"}[runtime.GOARCH]
	return append(dirs, "/usr/local/lib", filepath.Join("/usr/lib", triplet), "/usr/lib64", "/usr/lib")
}
