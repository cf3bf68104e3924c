package checkpoint

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"syscall"

	"github.com/pptsn/pptsn/atomicfile"
	"github.com/pptsn/pptsn/pdparams"
)

// Save writes a checkpoint into a folder that exists. All three files are
// written and synced before the first is put in its place: where that fails,
// for want of space above all, the folder is as it was, with the checkpoint of
// that name if there was one. A kill leaves temporary files; see Sweep.
func Save(dir, name string, c *Checkpoint) error {
	if err := c.State.check(); err != nil {
		return fmt.Errorf("checkpoint: %s: state: %w", name, err)
	}
	if _, err := encode(files{State: c.State}); err != nil {
		return fmt.Errorf("checkpoint: %s: state: %w", name, err)
	}
	var ready []*atomicfile.Pending
	defer func() {
		for _, p := range ready {
			p.Discard()
		}
	}()
	prepare := func(ext string, write func(io.Writer) error) (digest, error) {
		path := filepath.Join(dir, name+ext)
		var s *summer
		p, err := atomicfile.Prepare(path, func(w io.Writer) error {
			s = &summer{w: w}
			return write(s)
		})
		if err != nil {
			return digest{}, saveError(path, err)
		}
		ready = append(ready, p)
		return s.digest(), nil
	}

	f := files{State: c.State}
	var err error
	if f.Params, err = prepare(paramsExt, c.writeParams); err != nil {
		return err
	}
	if f.Optim, err = prepare(optimExt, c.writeOptim); err != nil {
		return err
	}
	_, err = prepare(stateExt, func(w io.Writer) error {
		b, err := encode(f)
		if err == nil {
			_, err = w.Write(b)
		}
		return err
	})
	if err != nil {
		return err
	}
	for _, p := range ready { // the state comes last
		if err := p.Commit(); err != nil {
			return saveError(filepath.Join(dir, name), err)
		}
	}
	return nil
}

func (c *Checkpoint) writeParams(w io.Writer) error {
	return pdparams.Write(w, c.Params, pdparams.WriteOptions{ParameterNames: c.ParamNames})
}

func (c *Checkpoint) writeOptim(w io.Writer) error {
	o := pdparams.WriteOptions{ParameterNames: tableOf(c.Optim)}
	if c.LRScheduler != nil {
		o.Extra = &pdparams.Dict{}
		o.Extra.Set(schedulerKey, c.LRScheduler)
	}
	return pdparams.Write(w, c.Optim, o)
}

// saveError says what to do where a disk is full.
func saveError(path string, err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("checkpoint: %s: %w: earlier checkpoints are untouched; free space there, "+
			"or choose another folder with -o output_dir=DIR", path, err)
	}
	return fmt.Errorf("checkpoint: %s: %w", path, err)
}
