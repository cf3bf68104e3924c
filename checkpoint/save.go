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

// Save writes a checkpoint into a folder that exists. All files are
// written and synced before the first is put in its place: where that fails,
// for want of space above all, the folder is as it was, with the checkpoint of
// that name if there was one. A kill leaves temporary files; see Sweep.
func Save(dir, name string, c *Checkpoint) error {
	f := files{State: c.State}
	for _, p := range c.Peers {
		f.Peers = append(f.Peers, peer{Name: p.Name})
	}
	if err := f.check(); err != nil {
		return fmt.Errorf("checkpoint: %s: state: %w", name, err)
	}
	if _, err := encode(f); err != nil {
		return fmt.Errorf("checkpoint: %s: state: %w", name, err)
	}
	s := saving{path: filepath.Join(dir, name)}
	defer s.discard()
	if err := s.prepare(&f, c); err != nil {
		return err
	}
	for _, p := range s.ready { // the state comes last
		if err := p.Commit(); err != nil {
			return saveError(s.path, err)
		}
	}
	return nil
}

// saving is a checkpoint whose files are not yet in their places.
type saving struct {
	path  string
	ready []*atomicfile.Pending
}

// prepare writes all files, and into the state the digests of the others.
func (s *saving) prepare(f *files, c *Checkpoint) (err error) {
	if f.pair, err = s.pair(s.path, c.Network, c.LRScheduler); err != nil {
		return err
	}
	for i, p := range c.Peers {
		if f.Peers[i].pair, err = s.pair(peerPath(s.path, p.Name), p.Network, c.LRScheduler); err != nil {
			return err
		}
	}
	_, err = s.file(s.path+stateExt, func(w io.Writer) error {
		b, err := encode(*f)
		if err == nil {
			_, err = w.Write(b)
		}
		return err
	})
	return err
}

func (s *saving) pair(path string, n Network, scheduler *pdparams.Dict) (p pair, err error) {
	p.Params, err = s.file(path+paramsExt, func(w io.Writer) error {
		return pdparams.Write(w, n.Params, pdparams.WriteOptions{ParameterNames: n.ParamNames})
	})
	if err == nil {
		p.Optim, err = s.file(path+optimExt, func(w io.Writer) error { return n.writeOptim(w, scheduler) })
	}
	return p, err
}

// file writes a file beside its place.
func (s *saving) file(path string, write func(io.Writer) error) (digest, error) {
	var sum *summer
	p, err := atomicfile.Prepare(path, func(w io.Writer) error {
		sum = &summer{w: w}
		return write(sum)
	})
	if err != nil {
		return digest{}, saveError(path, err)
	}
	s.ready = append(s.ready, p)
	return sum.digest(), nil
}

func (s *saving) discard() {
	for _, p := range s.ready {
		p.Discard()
	}
}

func (n *Network) writeOptim(w io.Writer, scheduler *pdparams.Dict) error {
	o := pdparams.WriteOptions{ParameterNames: tableOf(n.Optim)}
	if scheduler != nil {
		o.Extra = &pdparams.Dict{}
		o.Extra.Set(schedulerKey, scheduler)
	}
	return pdparams.Write(w, n.Optim, o)
}

// saveError says what to do where a disk is full.
func saveError(path string, err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("checkpoint: %s: %w: earlier checkpoints are untouched; free space there, "+
			"or choose another folder with -o output_dir=DIR", path, err)
	}
	return fmt.Errorf("checkpoint: %s: %w", path, err)
}
