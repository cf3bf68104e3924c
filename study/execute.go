package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/pptsn/pptsn/evaluate"
)

// precision is what --amp trains in.
const precision = "bfloat16 (--amp)"

// execute trains and tests one network.
func (o options) execute(ctx context.Context, t task, classes int) (record, error) {
	config, err := o.configure(t, classes)
	if err != nil {
		return record{}, err
	}
	sum := sha256.Sum256(config)
	r := record{
		Variant: t.variant.Name, Seed: t.Seed, Split: t.Split, Rate: t.Rate, Segments: t.Segments, Size: size, Epochs: t.Epochs, Batch: batch, Threads: 1,
		Precision: precision, Config: hex.EncodeToString(sum[:]), Pptsn: revision(o.pptsn),
	}
	if err := r.measureNetwork(filepath.Join(o.work, t.dir()+".yaml"), filepath.Join(o.work, t.dir()+".center.yaml")); err != nil {
		return r, err
	}
	start := time.Now()
	if r.TrainLoss, err = o.train(ctx, t); err != nil {
		return r, err
	}
	r.TrainSeconds = time.Since(start).Seconds()
	start = time.Now()
	if err := o.test(ctx, t, &r); err != nil {
		return r, err
	}
	r.TestSeconds = time.Since(start).Seconds()
	return r, o.tidy(t)
}

// configure writes the two configurations and returns that of training.
func (o options) configure(t task, classes int) ([]byte, error) {
	if err := os.MkdirAll(filepath.Join(o.work, t.Kind), 0o755); err != nil {
		return nil, err
	}
	center, err := t.yaml(classes, false)
	if err != nil {
		return nil, err
	}
	config, err := t.yaml(classes, true)
	if err != nil {
		return nil, err
	}
	return []byte(config), errors.Join(
		os.WriteFile(filepath.Join(o.work, t.dir()+".yaml"), []byte(config), 0o644),
		os.WriteFile(filepath.Join(o.work, t.dir()+".center.yaml"), []byte(center), 0o644))
}

// train leaves the weights of the last epoch, and returns its mean loss. What
// an earlier study finished is kept, what it left half done begins anew.
func (o options) train(ctx context.Context, t task) (loss float64, err error) {
	if !o.has(t.weights()) {
		if err := o.removeRun(t); err != nil {
			return 0, err
		}
		if t.Distill == "kd" {
			if err := o.askTeacher(ctx, t); err != nil {
				return 0, err
			}
		}
		_, err := o.call(ctx, o.log(t), "train", "-c", t.dir()+".yaml", "--seed", fmt.Sprint(t.Seed), "--amp", "--cpu_threads", "1")
		if err != nil {
			return 0, err
		}
	}
	return lastLoss(filepath.Join(o.work, t.dir(), "metrics.jsonl"))
}

// askTeacher keeps the teacher's scores for the clips that t trains on.
func (o options) askTeacher(ctx context.Context, t task) error {
	u := t.teacher()
	if !o.has(u.weights()) {
		return fmt.Errorf("%s learns from the weights of %s, and there are none in %s: remove the teacher's result to have it trained again", t.Name, u.Name, o.work)
	}
	_, err := o.call(ctx, o.log(t), "test", "-c", u.dir()+".center.yaml", "-w", u.weights(), "--json", "--cpu_threads", "1",
		"-o", "DATASET.test.file_path="+u.list("train"), "--dump", t.teacherScores())
	return err
}

// test classifies the held out clips both ways.
func (o options) test(ctx context.Context, t task, r *record) error {
	center, err := o.testOnce(ctx, t, ".center")
	if err != nil {
		return err
	}
	tenCrop, err := o.testOnce(ctx, t, "")
	if err != nil {
		return err
	}
	if len(center) != len(tenCrop) {
		return fmt.Errorf("%s: %d clips in one test, %d in the other", t.Name, len(center), len(tenCrop))
	}
	r.Center, r.TenCrop = summarize(center), summarize(tenCrop)
	for i, c := range center {
		r.Clips = append(r.Clips, shot{File: c.File, Label: c.Label, Center: top(c.Scores), TenCrop: top(tenCrop[i].Scores)})
	}
	return nil
}

func (o options) testOnce(ctx context.Context, t task, which string) ([]evaluate.Row, error) {
	dump := t.dir() + which + ".jsonl"
	_, err := o.call(ctx, o.log(t), "test", "-c", t.dir()+which+".yaml", "-w", t.weights(), "--json", "--cpu_threads", "1", "--dump", dump)
	if err != nil {
		return nil, err
	}
	var rows []evaluate.Row
	for row, err := range evaluate.ReadDumps(filepath.Join(o.work, dump)) {
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func top(scores []float32) int {
	return slices.Index(scores, slices.Max(scores))
}

// tidy removes what is large; the teacher's weights may be wanted again.
func (o options) tidy(t task) error {
	if t.variant.Name == teacher && t.Kind == "runs" {
		return nil
	}
	return o.removeRun(t)
}

func (o options) removeRun(t task) error { return os.RemoveAll(filepath.Join(o.work, t.dir())) }

func (o options) has(name string) bool {
	_, err := os.Stat(filepath.Join(o.work, name))
	return err == nil
}

func (o options) log(t task) string { return filepath.Join(o.work, t.dir()+".log") }

// lastLoss reads the mean loss of the last epoch from metrics.jsonl.
func lastLoss(path string) (float64, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	loss, err := 0.0, fs.ErrNotExist
	for d := json.NewDecoder(f); d.More(); {
		var line struct {
			Split string
			Loss  float64
		}
		if bad := d.Decode(&line); bad != nil {
			return 0, fmt.Errorf("%s: %w", path, bad)
		}
		if line.Split == "train_avg" {
			loss, err = line.Loss, nil
		}
	}
	return loss, err
}
