package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/pptsn/pptsn/atomicfile"
)

// A record is one finished run, as in docs/accuracy/runs.
type record struct {
	Variant string  `json:"variant"`
	Seed    int     `json:"seed"`
	Split   string  `json:"split"` // the lists
	Rate    float64 `json:"peak_rate"`

	Segments  int    `json:"segments"`
	Size      int    `json:"size"` // pixels of a view's side
	Epochs    int    `json:"epochs"`
	Batch     int    `json:"batch"`
	Threads   int    `json:"threads"`
	Precision string `json:"precision"` // of training; tests are in fp32
	Config    string `json:"config_sha256"`
	Pptsn     string `json:"pptsn"` // revision of the command

	Parameters int64   `json:"parameters"` // of one network, batch norms' running statistics among them
	GFLOPs     float64 `json:"gflops"`     // a clip of that many segments, one crop; a multiply-add as two
	TestGFLOPs float64 `json:"gflops_tencrop"`

	TrainLoss    float64 `json:"train_loss"` // of the last epoch, with its smoothed, mixed labels
	TrainSeconds float64 `json:"train_seconds"`
	TestSeconds  float64 `json:"test_seconds"`

	Center  result `json:"center"`  // one crop of as many segments as were trained
	TenCrop result `json:"tencrop"` // ten crops of 25 segments
	Clips   []shot `json:"clips"`
}

// A result is a whole test.
type result struct {
	Correct int     `json:"correct"`
	Videos  int     `json:"videos"`
	Top1    float64 `json:"top1"`
	Loss    float64 `json:"loss"` // cross entropy
}

// A shot is what both tests took a clip for.
type shot struct {
	File    string `json:"file"`
	Label   int    `json:"label"`
	Center  int    `json:"center"`
	TenCrop int    `json:"tencrop"`
}

func (o options) recordPath(t task) string {
	return filepath.Join(o.docs, "accuracy", t.Kind, t.Name+".json")
}

func writeRecord(path string, r record) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return atomicfile.Write(path, func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", " ")
		return e.Encode(r)
	})
}

// readRecord returns nil if there is no such run yet.
func readRecord(path string) (*record, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	r := new(record)
	if err := json.Unmarshal(b, r); err != nil {
		return nil, fmt.Errorf("%s: %w: remove it to have the run done again", path, err)
	}
	return r, nil
}
