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
// tensors. Random numbers need no state: they come from (Seed, epoch, sample).
type State struct {
	Model      string `json:"model"` // model_name of the configuration: "ppTSN"
	Seed       uint64 `json:"seed"`
	Epochs     int    `json:"epochs_finished"`
	Iterations int    `json:"iterations_in_epoch"` // done in the epoch under way; 0 between epochs
	Total      int    `json:"iterations_total"`    // done in the whole run
	Batches    int    `json:"batches_in_epoch"`    // iterations that an epoch has

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
	Params digest `json:"pdparams"`
	Optim  digest `json:"pdopt"`
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

// check finds counts that no run can have.
func (s *State) check() error {
	switch {
	case s.Model == "":
		return errors.New("no model")
	case s.Epochs < 0 || s.Iterations < 0 || s.Total < 0 || s.Batches < 0:
		return errors.New("a negative count")
	case s.Iterations > s.Batches:
		return fmt.Errorf("%d iterations done in an epoch of %d", s.Iterations, s.Batches)
	}
	return nil
}

func (s *State) place() place { return place{s.Epochs, s.Iterations} }
