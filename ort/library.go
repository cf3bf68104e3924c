package ort

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
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
	Old   []string // libraries that are too old
}

// Error lists the places and says how to get the library.
func (e *NotFoundError) Error() string {
	old := ""
	if len(e.Old) > 0 {
		old = fmt.Sprintf(" (%s is too old)", strings.Join(e.Old, ", "))
	}
	return fmt.Sprintf("no ONNX Runtime: looked for libonnxruntime.so in %s%s; `make setup` in pptsn's source fetches it, or set %s to the file of version %s or newer, as the Python package onnxruntime and the npm package onnxruntime-node have it",
		strings.Join(e.Tried, ", "), old, LibraryVariable, oldest)
}

// The process holds one library, as onnxruntime_go does.
var library struct {
	sync.Mutex
	path string // as loaded; empty if none is
}

// Load loads ONNX Runtime into the process, unless it is there: from the file
// or folder given, else from that in PPTSN_ONNXRUNTIME, else from
// .cache/onnxruntime in the checkout that the program was built in, in the
// program's folder or in the one above, else from LD_LIBRARY_PATH, the system's
// folders of libraries, and where pip, conda and npm put it.
// Compile and Open load it by themselves. It returns where it was found.
func Load(path string) (string, error) { return loadFor(CPU, path) }

// loadFor prefers, of several libraries that a search finds, the first that has
// the provider.
func loadFor(p Provider, path string) (string, error) {
	library.Lock()
	defer library.Unlock()
	if library.path != "" {
		if path != "" && !within(library.path, path) {
			return "", fmt.Errorf("ort: cannot load %s: this process has loaded %s", path, library.path)
		}
		return library.path, nil
	}
	found, err := find(p, path)
	if err != nil {
		return "", fmt.Errorf("ort: %w", err)
	}
	if err := use(found); err != nil {
		return "", fmt.Errorf("ort: %w", err)
	}
	library.path = found
	return found, nil
}

func find(p Provider, path string) (string, error) {
	if path == "" {
		path = os.Getenv(LibraryVariable)
	}
	if path != "" {
		file, err := inFolder(path)
		if errors.Is(err, fs.ErrNotExist) {
			return "", &NotFoundError{Tried: []string{path}}
		}
		return file, err
	}
	return search(p, searchFolders())
}

// search looks through folders.
func search(p Provider, folders []string) (string, error) {
	first := ""
	absent := &NotFoundError{Tried: folders}
	for _, dir := range folders {
		file, err := inFolder(dir)
		switch {
		case err != nil:
		case tooOld(file):
			absent.Old = append(absent.Old, file)
		case p.missingFile(file) == "":
			return file, nil
		case first == "":
			first = file
		}
	}
	if first == "" {
		return "", absent
	}
	return first, nil
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

// tooOld reports a library whose name says that it is; libonnxruntime.so.1 may
// be of any version.
func tooOld(file string) bool {
	if real, err := filepath.EvalSymlinks(file); err == nil {
		file = real
	}
	var major, minor, wantMajor, wantMinor int
	fmt.Sscanf(oldest, "%d.%d", &wantMajor, &wantMinor)
	if n, _ := fmt.Sscanf(filepath.Base(file), "libonnxruntime.so.%d.%d", &major, &minor); n < 2 {
		return false
	}
	return major < wantMajor || major == wantMajor && minor < wantMinor
}

func within(file, path string) bool {
	found, err := inFolder(path)
	return err == nil && found == file
}
