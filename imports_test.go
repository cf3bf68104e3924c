package pptsn_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
)

const module = "github.com/pptsn/pptsn"

// rows are the layers of ARCHITECTURE.md, upper ones first: a package imports
// only from rows below its own.
var rows = [][]string{
	{"cmd/pptsn"},
	{".", "train", "quantize"},
	{"bundle", "convert", "config", "evaluate", "checkpoint", "optim", "prepare", "check", "launch"},
	{"engine", "window", "distill"},
	{"dataset", "tsn", "onednn", "torch", "ort"},
	{"onnx", "pdmodel", "tensorboard", "fetch", "probe", "contact"},
	{"video", "jpeg", "clip", "graph", "pdparams", "pth", "safetensors"},
	{"frame", "tensor", "labels", "schedule", "pickle"},
	{"configs", "atomicfile", "peak", "internal/osthread", "internal/ordered", "internal/textfile", "internal/turns"},
}

// free packages are for tests alone and may import anything.
var free = map[string]bool{"bench": true, "study": true, "graph/graphtest": true, "internal/parity": true, "internal/testdata": true}

func TestImportsPointDown(t *testing.T) {
	row := map[string]int{}
	for i, packages := range rows {
		for _, p := range packages {
			row[p] = i
		}
	}
	for _, p := range listPackages(t) {
		name := relative(p.ImportPath)
		if free[name] {
			continue
		}
		at, ok := row[name]
		if !ok {
			t.Errorf("package %s is in no row: say in ARCHITECTURE.md where it belongs", name)
			continue
		}
		for _, path := range p.Imports {
			if path != module && !strings.HasPrefix(path, module+"/") {
				continue
			}
			imported := relative(path)
			if free[imported] {
				t.Errorf("%s imports %s, which is for tests", name, imported)
			} else if row[imported] <= at {
				t.Errorf("%s imports %s, which is not below it", name, imported)
			}
		}
	}
}

type goPackage struct {
	ImportPath string
	Imports    []string // of the package itself, not of its tests
}

func listPackages(t *testing.T) []goPackage {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	var list []goPackage
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return list
		} else if err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
}

func relative(path string) string {
	if path == module {
		return "."
	}
	return strings.TrimPrefix(path, module+"/")
}
