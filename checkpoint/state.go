package checkpoint

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// version of the state file. A reader refuses others.
const version = 1

// maxState bounds a state file, in bytes. A real one has about one thousand.
const maxState = 1 << 20

// A State is what a run must know to go on as if it had never stopped, besides
// tensors. Random numbers need no state: they come from (Seed, epoch, sample),
// (Seed, epoch, batch, rank) and (Seed, iteration, rank).
type State struct {
	Model      string `json:"model"` // model_name of the configuration: "ppTSN"
	Seed       uint64 `json:"seed"`
	Epochs     int    `json:"epochs_finished"`
	Iterations int    `json:"iterations_in_epoch"` // done in the epoch under way; 0 between epochs
	Total      int    `json:"iterations_total"`    // done in the whole run
	Batches    int    `json:"batches_in_epoch"`    // iterations that an epoch has
	World      int    `json:"world,omitempty"`     // processes that learned together; 0 means 1

	Best   Best    `json:"best"`
	Scaler *Scaler `json:"loss_scaler,omitempty"` // nil without float16
	Sums   Sums    `json:"sums"`                  // of the epoch under way
	Run    Run     `json:"run"`

	// Foreign marks a pair that PaddleVideo wrote. Of it Model and Epochs are
	// known.
	Foreign bool `json:"-"`
}

// Best is the best validation so far.
type Best struct {
	Top1  float64 `json:"top1"`  // 0 to 1
	Epoch int     `json:"epoch"` // from 1; 0: none yet
}

// A Scaler is the state of dynamic loss scaling.
type Scaler struct {
	Scale float64 `json:"scale"`
	Good  int     `json:"good_steps"` // in a row without an infinity
}

// files is the state file as a whole.
type files struct {
	Version int `json:"version"`
	State
	pair
	Peers []peer `json:"peers,omitempty"`
}

// A pair is the files of a network.
type pair struct {
	Params digest `json:"pdparams"`
	Optim  digest `json:"pdopt"`
}

// A peer is the files of a network that learns beside that of the run.
type peer struct {
	Name string `json:"name"`
	pair
}

// encode returns the bytes of a state file.
func encode(f files) ([]byte, error) {
	f.Version = version
	b, err := json.MarshalIndent(f, "", "  ")
	if err != nil { // a NaN or an infinity among the numbers
		return nil, err
	}
	return append(b, '\n'), nil
}

// readState reads and checks a state file.
func readState(path string) (files, error) {
	f, err := os.Open(path)
	if err != nil {
		return files{}, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxState+1))
	if err != nil {
		return files{}, err
	}
	state, err := decode(b)
	if err != nil {
		return files{}, fmt.Errorf("%s: %w", path, err)
	}
	return state, nil
}

func decode(b []byte) (files, error) {
	if len(b) > maxState {
		return files{}, fmt.Errorf("more than %d bytes", maxState)
	}
	var head struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(b, &head); err != nil {
		return files{}, err
	}
	if head.Version != version {
		return files{}, fmt.Errorf("version %d: this pptsn reads version %d", head.Version, version)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	var f files
	if err := d.Decode(&f); err != nil {
		return files{}, err
	}
	return f, f.check()
}

// check finds what no state file that was written here has.
func (f *files) check() error {
	if err := f.State.check(); err != nil {
		return err
	}
	names := make([]string, len(f.Peers))
	for i, p := range f.Peers {
		names[i] = p.Name
	}
	return checkPeers(names)
}

// check finds counts that no run can have.
func (s *State) check() error {
	switch {
	case s.Model == "":
		return errors.New("no model")
	case s.Epochs < 0 || s.Iterations < 0 || s.Total < 0 || s.Batches < 0 || s.World < 0:
		return errors.New("a negative count")
	case s.Iterations > s.Batches:
		return fmt.Errorf("%d iterations done in an epoch of %d", s.Iterations, s.Batches)
	}
	return nil
}

// In is the state for going on with another number of processes, whose epochs
// have so many batches and whose updates take so many of them. The order of an
// epoch's clips stays; the place in it is rounded down to a whole update, so
// that clips of less than one are seen twice. An epoch that was done stays done.
// Iterations of the whole run are counted as if all of it had been done so.
func (s State) In(world, batches, update int) State {
	if max(world, 1) == max(s.World, 1) {
		return s
	}
	if s.Iterations == s.Batches {
		s.Iterations = batches
	} else {
		done := s.Iterations * max(s.World, 1) / max(world, 1) // a process's batch is as large as it was
		s.Iterations = min(done, batches) / update * update
	}
	s.World, s.Batches, s.Total = world, batches, s.Epochs*batches+s.Iterations
	return s
}

func (s *State) place() place { return place{s.Epochs, s.Iterations} }
