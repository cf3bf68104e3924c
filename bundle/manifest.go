// Package bundle is an exported model on disk: a program (.pdmodel), its
// weights (.pdiparams), their names (.pdiparams.info), all as Paddle writes
// them, and a manifest (.pptsn.json) with what Paddle's files have no place for: how
// a video becomes the network's input, and what the classes are called.
package bundle

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/tsn"
)

// The versions of the manifest. The newest that is read is the second; the first
// is written where it says all, so that older programs read it.
const (
	firstFormat  = 1
	scalesFormat = 2 // has scales
)

// A Manifest is what an exported model says about itself.
type Manifest struct {
	Format     int       `json:"format"`
	Model      string    `json:"model"`            // the configuration's model_name
	Network    tsn.Spec  `json:"network"`          // what the program was made from
	Source     string    `json:"source"`           // where Preprocess comes from: "inference" or "test"
	Preprocess clip.Spec `json:"preprocess"`       // from a video to the program's input
	Labels     []string  `json:"labels,omitempty"` // class names in the order of the scores

	Scales graph.Scales `json:"int8,omitempty"` // of a quantised model: of the optimised program, see graph.Optimize
}

// Write encodes the manifest as indented JSON.
func (m Manifest) Write(w io.Writer) error {
	m.Format = firstFormat
	if len(m.Scales) > 0 {
		m.Format = scalesFormat
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(m)
}

// parseManifest reads what Write wrote. Unknown keys are errors: a
// preprocessing step that is overlooked gives wrong scores.
func parseManifest(data []byte) (*Manifest, error) {
	m := &Manifest{}
	var version struct{ Format int }
	if err := json.Unmarshal(data, &version); err != nil {
		return nil, err
	}
	if version.Format < firstFormat || version.Format > scalesFormat {
		return nil, fmt.Errorf("format %d: this version of pptsn reads up to %d", version.Format, scalesFormat)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(m); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one JSON value")
	}
	return m, m.validate()
}

func (m *Manifest) validate() error {
	if err := m.Preprocess.Validate(); err != nil {
		return err
	}
	if n := len(m.Labels); n > 0 && n != m.Network.Classes {
		return fmt.Errorf("%d labels for %d classes", n, m.Network.Classes)
	}
	return nil
}
