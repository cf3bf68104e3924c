package torch

// #cgo LDFLAGS: -ldl
// #include "call.h"
import "C"

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"unsafe"
)

// ShimVariable is the environment variable that names the shim's file, or the
// folder that holds it.
const ShimVariable = "PPTSN_TORCH"

// shimFile is the shim's name, as scripts/torch.sh builds it.
const shimFile = "libpptsn_torch.so"

// A NotFoundError says where the shim was looked for in vain.
type NotFoundError struct {
	Tried []string
}

// Error lists the places and says how to get it.
func (e *NotFoundError) Error() string {
	return fmt.Sprintf("torch: libtorch is needed, and no %s, which binds it, is in %s: `make torch` in a checkout of pptsn installs libtorch and builds it (LIBTORCH=folder takes a libtorch of your own); or set %s to the file",
		shimFile, strings.Join(e.Tried, ", "), ShimVariable)
}

// A LoadError is a shim that is there and cannot be used.
type LoadError struct {
	File   string
	Reason string
}

// Error says what to do.
func (e *LoadError) Error() string {
	return fmt.Sprintf("torch: %s cannot be used: %s: build it anew with `make torch` (LIBTORCH=folder takes a libtorch of your own)", e.File, e.Reason)
}

// A library is a loaded shim. It stays loaded for the life of the process.
type library struct {
	table *C.pt_table
	file  string

	mu  sync.Mutex
	ops map[string]C.pt_operator
}

var loaded struct {
	sync.Mutex
	lib *library
}

// load loads the shim into the process, unless it is there: the file or folder
// in PPTSN_TORCH, else .cache/torch in the checkout that the program was built
// in, the program's folder, .cache/torch beside it or in the folder above, or
// the system's folders of libraries.
func load() (*library, error) {
	loaded.Lock()
	defer loaded.Unlock()
	if loaded.lib != nil {
		return loaded.lib, nil
	}
	file, err := findShim()
	if err != nil {
		return nil, err
	}
	lib, err := open(file)
	if err != nil {
		return nil, err
	}
	loaded.lib = lib
	return lib, nil
}

func findShim() (string, error) {
	if path := os.Getenv(ShimVariable); path != "" {
		file, err := shimAt(path)
		if errors.Is(err, fs.ErrNotExist) {
			return "", &NotFoundError{Tried: []string{path}}
		}
		return file, err
	}
	dirs := shimFolders()
	for _, dir := range dirs {
		if file, err := shimAt(dir); err == nil {
			return file, nil
		}
	}
	return "", &NotFoundError{Tried: dirs}
}

// shimAt is path itself if it is a file, else the shim in that folder.
func shimAt(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("torch: %w", err)
	}
	if !info.IsDir() {
		return path, nil
	}
	file := filepath.Join(path, shimFile)
	if _, err := os.Stat(file); err != nil {
		return "", fmt.Errorf("torch: %w", err)
	}
	return file, nil
}

// shimFolders leaves out the working directory: to load code from wherever a
// user happens to be would be unsafe.
func shimFolders() []string {
	var dirs []string
	if _, source, _, ok := runtime.Caller(0); ok && filepath.IsAbs(source) { // relative if built with -trimpath
		dirs = append(dirs, filepath.Join(filepath.Dir(filepath.Dir(source)), ".cache", "torch"))
	}
	if exe, err := os.Executable(); err == nil {
		if real, err := filepath.EvalSymlinks(exe); err == nil {
			exe = real
		}
		dir := filepath.Dir(exe)
		dirs = append(dirs, dir, filepath.Join(dir, ".cache", "torch"), filepath.Join(filepath.Dir(dir), ".cache", "torch"))
	}
	return append(dirs, "/usr/local/lib", "/usr/lib")
}

func open(file string) (*library, error) {
	path, entry := C.CString(file), C.CString(C.PT_ENTRY)
	defer C.free(unsafe.Pointer(path))
	defer C.free(unsafe.Pointer(entry))
	runtime.LockOSThread() // dlerror is the thread's
	defer runtime.UnlockOSThread()
	so := C.dlopen(path, C.RTLD_NOW|C.RTLD_LOCAL)
	if so == nil {
		return nil, &LoadError{File: file, Reason: C.GoString(C.dlerror())}
	}
	f := C.dlsym(so, entry)
	if f == nil {
		return nil, &LoadError{File: file, Reason: C.GoString(C.dlerror())}
	}
	table := C.pt_enter(f)
	if table._interface != C.PT_INTERFACE {
		return nil, &LoadError{File: file, Reason: fmt.Sprintf("it was built for another version of pptsn (interface %d, want %d)", table._interface, C.PT_INTERFACE)}
	}
	return &library{table: table, file: file, ops: map[string]C.pt_operator{}}, nil
}

// operator finds "aten::relu_" or, with an overload, "aten::add.Tensor".
func (l *library) operator(name string) (C.pt_operator, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if op, ok := l.ops[name]; ok {
		return op, nil
	}
	base, overload, _ := strings.Cut(name, ".")
	cname, coverload := C.CString(base), C.CString(overload)
	defer C.free(unsafe.Pointer(cname))
	defer C.free(unsafe.Pointer(coverload))
	var op C.pt_operator
	if err := takeError(C.pt_find(l.table, cname, coverload, &op)); err != nil {
		return nil, err
	}
	l.ops[name] = op
	return op, nil
}

// takeError turns a message of the shim into an error and frees it.
func takeError(msg *C.char) error {
	if msg == nil {
		return nil
	}
	defer C.free(unsafe.Pointer(msg))
	text := strings.TrimSpace(C.GoString(msg))
	text, _, _ = strings.Cut(text, "\nException raised from") // a backtrace says nothing to a user,
	text, _, _ = strings.Cut(text, "\n\n")                    // nor do all kernels that exist
	return errors.New(text)
}

// Version is libtorch's version, such as "1.13.0". It loads libtorch.
func Version() (string, error) {
	lib, err := load()
	if err != nil {
		return "", err
	}
	return C.GoString(lib.table.version), nil
}

// Available says why libtorch cannot use a device; nil if it can. It loads
// libtorch.
func Available(d Device) error {
	lib, err := load()
	if err != nil {
		return err
	}
	return lib.has(d)
}

// CUDADevices is how many CUDA devices libtorch can use; 0 where it was built
// without CUDA. It loads libtorch.
func CUDADevices() (int, error) {
	lib, err := load()
	if err != nil {
		return 0, err
	}
	return int(C.pt_devices(lib.table, C.PT_CUDA)), nil
}
