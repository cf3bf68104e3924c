package checkpoint

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/pptsn/pptsn/pdparams"
)

// ErrNoState reports a checkpoint of which only the files that Paddle has are
// there.
var ErrNoState = errors.New("its " + stateExt + " is missing: the run was stopped while writing it, or PaddleVideo wrote it")

// Open reads the checkpoint whose files begin with path: output/ppTSN/ppTSN_best.
// The name of one of the files does as well. Files that are not as they were
// written are an error.
//
// A pair without .pptsn.json, as PaddleVideo writes it, is read if its name ends
// with _epoch_NNNNN; its State is marked Foreign.
func Open(path string) (*Checkpoint, error) {
	path, _, _ = stem(path)
	f, err := verify(path)
	switch {
	case errors.Is(err, ErrNoState):
		return openForeign(path)
	case err != nil:
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	c := &Checkpoint{State: f.State}
	if err := c.read(path); err != nil {
		return nil, err
	}
	for _, p := range f.Peers {
		n, _, err := readNetwork(peerPath(path, p.Name))
		if err != nil {
			return nil, err
		}
		c.Peers = append(c.Peers, Peer{p.Name, n})
	}
	return c, nil
}

// verify reads the state of a checkpoint and compares the other files with it.
func verify(path string) (files, error) {
	f, err := readState(path + stateExt)
	if errors.Is(err, fs.ErrNotExist) {
		return f, fmt.Errorf("%s: %w", path, ErrNoState)
	} else if err != nil {
		return f, err
	}
	if err := f.pair.verify(path); err != nil {
		return f, err
	}
	for _, p := range f.Peers {
		if err := p.verify(peerPath(path, p.Name)); err != nil {
			return f, err
		}
	}
	return f, nil
}

func (p pair) verify(path string) error {
	if err := p.Params.verify(path + paramsExt); err != nil {
		return err
	}
	return p.Optim.verify(path + optimExt)
}

// openForeign reads a pair without a state.
func openForeign(path string) (*Checkpoint, error) {
	model, at, ok := parseName(filepath.Base(path))
	if !ok || at.iterations > 0 {
		return nil, fmt.Errorf("checkpoint: %s: %w; only MODEL_epoch_NNNNN can be read without it", path, ErrNoState)
	}
	c := &Checkpoint{State: State{Model: model, Epochs: at.epochs, Foreign: true}}
	if err := c.read(path); err != nil {
		return nil, err
	}
	return c, nil
}

// read reads the two files of Paddle.
func (c *Checkpoint) read(path string) (err error) {
	var scheduler any
	c.Network, scheduler, err = readNetwork(path)
	c.LRScheduler, _ = scheduler.(*pdparams.Dict)
	return err
}

// readNetwork reads a network's two files. scheduler is what is under
// LR_Scheduler.
func readNetwork(path string) (n Network, scheduler any, err error) {
	if err := n.readParams(path + paramsExt); err != nil {
		return n, nil, fmt.Errorf("checkpoint: %w", err)
	}
	optim, err := pdparams.Open(path + optimExt)
	if err != nil {
		return n, nil, fmt.Errorf("checkpoint: %w", err)
	}
	defer optim.Close()
	if n.Optim, err = entries(optim); err != nil {
		return n, nil, fmt.Errorf("checkpoint: %s: %w", path+optimExt, err)
	}
	scheduler, _ = optim.Values().Get(schedulerKey)
	return n, scheduler, nil
}

func (n *Network) readParams(path string) error {
	params, err := pdparams.Open(path)
	if err != nil {
		return err
	}
	defer params.Close()
	if n.Params, err = entries(params); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	n.ParamNames = map[string]string{}
	for _, e := range n.Params {
		if name, ok := params.ParameterName(e.Name); ok {
			n.ParamNames[e.Name] = name
		}
	}
	return nil
}

func entries(f *pdparams.File) ([]pdparams.Entry, error) {
	var list []pdparams.Entry
	for _, name := range f.Names() {
		t, err := f.Tensor(name)
		if err != nil {
			return nil, err
		}
		list = append(list, pdparams.Entry{Name: name, Tensor: t})
	}
	return list, nil
}
