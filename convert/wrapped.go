package convert

import (
	"strings"

	"github.com/pptsn/pptsn/tensor"
	"github.com/pptsn/pptsn/tsn"
)

// wrappers begin every name where a program wrapped the network before it saved:
// DataParallel, torch.compile, Lightning.
var wrappers = []string{"module.", "_orig_mod.", "model."}

// An unwrapped is a checkpoint without what begins all of its names.
type unwrapped struct {
	tsn.Checkpoint
	prefix string
}

func unwrap(c tsn.Checkpoint) tsn.Checkpoint {
	u := unwrapped{Checkpoint: c}
	for again := true; again; {
		again = false
		for _, w := range wrappers {
			if allBegin(c.Names(), u.prefix+w) {
				u.prefix += w
				again = true
			}
		}
	}
	return u
}

func allBegin(names []string, prefix string) bool {
	for _, name := range names {
		if !strings.HasPrefix(name, prefix) {
			return false
		}
	}
	return len(names) > 0
}

func (u unwrapped) Names() []string {
	names := u.Checkpoint.Names()
	for i := range names {
		names[i] = strings.TrimPrefix(names[i], u.prefix)
	}
	return names
}

func (u unwrapped) Info(name string) ([]int, tensor.Type, bool) {
	return u.Checkpoint.Info(u.prefix + name)
}

func (u unwrapped) Tensor(name string) (*tensor.Dense, error) {
	return u.Checkpoint.Tensor(u.prefix + name)
}
