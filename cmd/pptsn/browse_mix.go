package main

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/contact"
	"github.com/pptsn/pptsn/dataset"
	"github.com/pptsn/pptsn/frame"
)

// perBatch clips are shown of each batch: one share goes for all of them.
const perBatch = 2

// batches lays out the first clips of each batch of an epoch of training, mixed.
func (b *browser) batches(ctx context.Context) ([]contact.Row, error) {
	loader, err := b.mixer()
	if err != nil {
		return nil, err
	}
	m := newMeter(b.err, "browse", "clips", b.samples)
	defer m.close()
	var rows []contact.Row
	shown := 0
	for batch, err := range loader.Epoch(ctx, b.epoch-1, 0) {
		if err != nil {
			return nil, err
		}
		for _, bad := range batch.Bad {
			b.failed++
			m.say("pptsn: %v", bad.Err)
			rows = append(rows, contact.Row{Title: b.describe(bad.Sample), Error: bad.Err.Error()})
		}
		for i := 0; i < min(perBatch, len(batch.Samples)) && shown < b.samples; i++ {
			row, err := b.mixed(ctx, batch, i)
			if err != nil {
				return nil, err
			}
			rows = append(rows, row)
			shown++
			m.add(1)
		}
		batch.Release()
		if shown == b.samples {
			break
		}
	}
	return rows, nil
}

// mixer loads as train does.
func (b *browser) mixer() (*dataset.Loader, error) {
	training, err := b.cfg.Training()
	if err != nil {
		return nil, err
	}
	if training.Mix == nil {
		return nil, errors.New("--mix: the configuration has no MIX; for example -o MIX.name=Mixup -o MIX.alpha=0.2")
	}
	return dataset.NewLoader(b.set, dataset.LoaderOptions{
		Batch: b.data.Batch, Workers: b.data.Workers, Ahead: 1, Shuffle: true, DropLast: true, Seed: b.seed,
		Mix: (*dataset.Mix)(training.Mix),
	})
}

// mixed is clip i of the batch. Its frames have the numbers of the clip that
// keeps the share Lambda.
func (b *browser) mixed(ctx context.Context, batch *dataset.Batch, i int) (contact.Row, error) {
	sample := batch.Samples[i]
	row := contact.Row{Title: fmt.Sprintf("batch %d: %.2f of %s, %.2f of %s",
		batch.Index+1, batch.Lambda, b.describe(sample), 1-batch.Lambda, b.class(batch.Mixed[i]))}
	c, err := b.set.Load(ctx, sample, dataset.SampleRand(b.seed, b.epoch-1, sample))
	if err != nil {
		return row, err
	}
	h, w := c.Size()
	size := 3 * h * w
	views := batch.Views.Float32s()[i*c.Len()*size:]
	for v := range c.Len() {
		m := denormalize(views[v*size:(v+1)*size], w, h, b.normalization())
		row.Cells = append(row.Cells, contact.Cell{Picture: m, Text: frameText(c.Frames[v%len(c.Frames)])})
	}
	return row, nil
}

// normalization is the last step of every pipeline.
func (b *browser) normalization() *clip.Normalize {
	return b.spec.Steps[len(b.spec.Steps)-1].Normalize
}

// denormalize undoes Normalize for one view [3, H, W].
func denormalize(view []float32, w, h int, n *clip.Normalize) *frame.RGB {
	m := frame.NewRGB(w, h)
	for i, v := range view {
		channel, pixel := i/(w*h), i%(w*h)
		p := math.Round(float64(255 * (v*n.Std[channel] + n.Mean[channel])))
		m.Pix[3*pixel+channel] = byte(min(max(p, 0), 255))
	}
	return m
}
