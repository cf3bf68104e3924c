package ort

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
)

// searchFolders are where the library may be, in the order in which they are
// looked through. The working directory is not among them: to load code from
// wherever a user happens to be would be unsafe.
func searchFolders() []string {
	return slices.Concat(cacheFolders(), systemFolders(), packageFolders())
}

// cacheFolders are where scripts/fetch-onnxruntime.sh may have put the library.
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

// systemFolders are where the dynamic loader looks, and where an unpacked
// release usually lies.
func systemFolders() []string {
	var dirs []string
	for _, dir := range filepath.SplitList(os.Getenv("LD_LIBRARY_PATH")) {
		if filepath.IsAbs(dir) {
			dirs = append(dirs, dir)
		}
	}
	triplet := map[string]string{"amd64": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu"}[runtime.GOARCH]
	dirs = append(dirs, "/usr/local/lib", filepath.Join("/usr/lib", triplet), "/usr/lib64", "/usr/lib")
	return append(dirs, existing("/opt/onnxruntime*/lib")...)
}

// packageFolders are where pip, conda and npm put the library.
func packageFolders() []string {
	arch := map[string]string{"amd64": "x64"}[runtime.GOARCH]
	if arch == "" {
		arch = runtime.GOARCH
	}
	var dirs []string
	for _, variable := range []string{"VIRTUAL_ENV", "CONDA_PREFIX"} {
		if root := os.Getenv(variable); filepath.IsAbs(root) {
			dirs = append(dirs, filepath.Join(root, "lib"))
			dirs = append(dirs, existing(filepath.Join(root, "lib/python3*/site-packages/onnxruntime/capi"))...)
		}
	}
	roots := []string{"/usr/local/lib", "/usr/lib"}
	if home, err := os.UserHomeDir(); err == nil && filepath.IsAbs(home) {
		roots = append([]string{filepath.Join(home, ".local/lib")}, roots...)
	}
	for _, root := range roots {
		dirs = append(dirs, existing(filepath.Join(root, "python3*/*-packages/onnxruntime/capi"))...)
		dirs = append(dirs, existing(filepath.Join(root, "node_modules/onnxruntime-node/bin/napi-v*/linux", arch))...)
	}
	return dirs
}

// existing are the folders that a pattern names.
func existing(pattern string) []string {
	found, _ := filepath.Glob(pattern) // fails for malformed patterns only
	return found
}
