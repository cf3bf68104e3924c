package dataset

import (
	"context"
	"time"

	"github.com/pptsn/pptsn/tensor"
)

// A Batch is some clips and their labels, ready for a network.
type Batch struct {
	Index    int           // in the epoch, from 0
	Views    *tensor.Dense // float32 [N, T, 3, H, W], normalised and mixed; nil if N is 0
	Samples  []int         // [N] indices into the Set
	Labels   []int         // [N]
	Mixed    []int         // [N] the partner's label; nil where nothing is mixed
	Partners []int         // [N] the partner's index into the Set; likewise
	Lambda   float32       // share of Labels, the rest is of Mixed; 1 where nothing is mixed
	Bad      []Bad         // samples that could not be read: left out, so N may be smaller

	loader *Loader
	memory []float32 // that of a whole batch; nil once released
	slots  []slot    // while the batch is made
	epoch  int
}

// Bad is a sample that could not be read.
type Bad struct {
	Sample int
	Err    error
}

type slot struct {
	sample int
	err    error
}

// Release gives the memory of Views back for a later batch; Views is nil from
// then on. Without it the memory is garbage in the end, at the price of new one
// for each batch. It may be called twice.
func (b *Batch) Release() {
	if b.memory == nil {
		return
	}
	b.loader.give(b.memory)
	b.memory, b.Views = nil, nil
}

// load fills slot i.
func (b *Batch) load(ctx context.Context, i int) {
	l := b.loader
	sample := b.slots[i].sample
	r := l.set.load(ctx, sample, SampleRand(l.o.Seed, b.epoch, sample))
	l.decode.Add(int64(r.decode))
	l.transform.Add(int64(r.transform))
	if b.slots[i].err = r.err; r.err != nil {
		return
	}
	begin := time.Now()
	r.clip.Views(b.clip(i), 0, r.clip.Len())
	l.collate.Add(int64(time.Since(begin)))
}

// clip is the memory of clip i, [T, 3, H, W].
func (b *Batch) clip(i int) []float32 {
	size := b.loader.clipSize()
	return b.memory[i*size : (i+1)*size]
}

// finish moves the clips together where bad ones leave gaps, and mixes them.
func (b *Batch) finish() {
	begin := time.Now()
	n := 0
	for i, s := range b.slots {
		if s.err != nil {
			b.Bad = append(b.Bad, Bad{s.sample, s.err})
			continue
		}
		if n != i {
			copy(b.clip(n), b.clip(i))
		}
		b.Samples = append(b.Samples, s.sample)
		b.Labels = append(b.Labels, int(b.loader.set.entries[s.sample].label))
		n++
	}
	b.slots = nil
	if n == 0 {
		b.Release()
		return
	}
	shape := b.loader.shape
	views := b.memory[:n*b.loader.clipSize()]
	b.Views = tensor.FromFloat32(views, n, shape[0], shape[1], shape[2], shape[3])
	if mix := b.loader.o.Mix; mix != nil {
		rng := stream(forMixing, b.loader.o.Seed, b.epoch, b.Index|b.loader.o.Rank<<32)
		lambda, perm := mix.apply(views, n, shape[0]*shape[1], shape[2], shape[3], rng)
		b.Lambda, b.Mixed, b.Partners = lambda, make([]int, n), make([]int, n)
		for i, partner := range perm {
			b.Mixed[i], b.Partners[i] = b.Labels[partner], b.Samples[partner]
		}
	}
	b.loader.collate.Add(int64(time.Since(begin)))
}
