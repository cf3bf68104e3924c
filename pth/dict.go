package pth

import (
	"errors"
	"fmt"
	"strings"

	"github.com/pptsn/pptsn/pickle"
)

// wholeModule says what to do with a file of torch.save(model).
const wholeModule = "a whole module, not its state dict: in Python, torch.save(model.state_dict(), FILE)"

// keys are where training programs put the state dict, first come first:
// mmaction2 and timm, PyTorch's examples, torchvision's.
var keys = []string{"state_dict", "model_state_dict", "model", "net", "network"}

// enter finds the state dict and its tensors.
func (f *File) enter(root any) error {
	d, ok := root.(*pickle.Dict)
	if !ok {
		return &pickle.UnsupportedError{What: fmt.Sprintf("the file holds %s, not a state dict: in Python, torch.save(model.state_dict(), FILE)",
			pickle.Kind(root))}
	}
	for _, key := range keys {
		v, _ := d.Get(key)
		if inner, ok := v.(*pickle.Dict); ok && f.tensors(inner) {
			f.under = key
			return nil
		}
	}
	if f.tensors(d) {
		return nil
	}
	return &pickle.UnsupportedError{What: fmt.Sprintf("no tensors under %s or at the top; the keys are %s",
		strings.Join(keys, ", "), someKeys(d))}
}

// tensors enters the tensors of d and says whether there are any.
func (f *File) tensors(d *pickle.Dict) bool {
	f.names, f.views = nil, map[string]*view{}
	for key, v := range d.All() {
		name, ok := key.(string)
		t, ok2 := v.(*view)
		if ok && ok2 {
			f.names = append(f.names, name)
			f.views[name] = t
		}
	}
	return len(f.names) > 0
}

func someKeys(d *pickle.Dict) string {
	var names []string
	for key := range d.All() {
		if len(names) == 10 {
			names = append(names, "...")
			break
		}
		names = append(names, fmt.Sprintf("%.40q", fmt.Sprint(key)))
	}
	return "[" + strings.Join(names, ", ") + "]"
}

// explain adds to a refused class what to do.
func explain(err error) error {
	if errors.As(err, new(*pickle.ForbiddenError)) {
		return fmt.Errorf("%w; the file holds objects beside tensors: in Python, torch.save(model.state_dict(), FILE)", err)
	}
	return err
}

func trimTorch(name string) string { return strings.TrimPrefix(name, "torch.") }
