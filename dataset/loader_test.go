package dataset_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/dataset"
)

func TestConcurrentWorkersChangeNothing(t *testing.T) {
	o := folders(t, 11)
	spoil(t, o, 3)
	set := open(t, o)
	for _, mix := range []*dataset.Mix{nil, {MixupAlpha: 0.2}, {CutmixShare: 1, CutmixAlpha: 1}, {CutmixShare: 0.5, MixupAlpha: 0.2, CutmixAlpha: 1}} {
		lo := dataset.LoaderOptions{Batch: 4, Shuffle: true, Seed: 5, Mix: mix}
		want := epoch(t, newLoader(t, set, lo), 1, 0)
		if len(want) != 3 {
			t.Fatalf("%d batches, want 3", len(want))
		}
		for _, workers := range []int{1, 3} {
			for _, from := range []int{0, 1, 2, 3} {
				lo.Workers, lo.Ahead = workers, 1+from%2
				got := epoch(t, newLoader(t, set, lo), 1, from)
				if err := same(got, want[from:]); err != nil {
					t.Errorf("%d workers from batch %d, mixed by %+v: %v", workers, from, mix, err)
				}
			}
		}
	}
}

// same compares batches with all that is in them; errors by their text.
func same(got, want []dataset.Batch) error {
	if len(got) != len(want) {
		return fmt.Errorf("%d batches, want %d", len(got), len(want))
	}
	for i := range got {
		g, w := got[i], want[i]
		if g.Views.String() != w.Views.String() || !bytes.Equal(g.Views.Data, w.Views.Data) {
			return fmt.Errorf("batch %d has other views: %v, want %v", w.Index, g.Views, w.Views)
		}
		g.Views, w.Views = nil, nil
		if a, b := fmt.Sprintf("%+v", g), fmt.Sprintf("%+v", w); a != b {
			return fmt.Errorf("batch %s, want %s", a, b)
		}
	}
	return nil
}

// Any sample can be rebuilt alone.
func TestSampleAlone(t *testing.T) {
	set := open(t, folders(t, 5))
	const seed, e = 9, 4
	for _, b := range epoch(t, newLoader(t, set, dataset.LoaderOptions{Batch: 2, Shuffle: true, Seed: seed, Workers: 2}), e, 0) {
		n := b.Views.Len() / len(b.Samples)
		for i, sample := range b.Samples {
			c, err := set.Load(t.Context(), sample, dataset.SampleRand(seed, e, sample))
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(b.Views.Float32s()[i*n:(i+1)*n], c.Views(nil, 0, c.Len())) {
				t.Errorf("sample %d of batch %d differs from the sample alone", sample, b.Index)
			}
			if b.Labels[i] != set.Sample(sample).Label {
				t.Errorf("sample %d has label %d", sample, b.Labels[i])
			}
		}
	}
}

func TestEpochs(t *testing.T) {
	set := open(t, folders(t, 10))
	samples := func(o dataset.LoaderOptions, e int) (all []int) {
		for _, b := range epoch(t, newLoader(t, set, o), e, 0) {
			all = append(all, b.Samples...)
		}
		return all
	}
	o := dataset.LoaderOptions{Batch: 3, Shuffle: true, Seed: 1}
	first, second := samples(o, 0), samples(o, 1)
	if slices.Equal(first, second) {
		t.Errorf("epochs 0 and 1 have one order: %v", first)
	}
	if !slices.Equal(first, samples(o, 0)) {
		t.Error("epoch 0 has another order when repeated")
	}
	o.Seed = 2
	if slices.Equal(first, samples(o, 0)) {
		t.Error("another seed gives the same order")
	}
	every := slices.Sorted(slices.Values(first))
	o.Shuffle = false
	if got := samples(o, 0); !slices.Equal(got, every) || len(every) != 10 || every[9] != 9 {
		t.Errorf("samples %v in order and %v shuffled: want each of 10 once", got, every)
	}

	a, b := epoch(t, newLoader(t, set, o), 0, 0), epoch(t, newLoader(t, set, o), 1, 0)
	if bytes.Equal(a[0].Views.Data, b[0].Views.Data) {
		t.Error("the same clips have the same random crops in epochs 0 and 1")
	}
	if len(a) != 4 || len(a[3].Samples) != 1 {
		t.Errorf("%d batches, the last of %v", len(a), a[len(a)-1].Samples)
	}
	o.DropLast = true
	if l := newLoader(t, set, o); l.Batches() != 3 || len(epoch(t, l, 0, 0)) != 3 {
		t.Error("10 clips are not 3 whole batches of 3")
	}
}

// A run that was interrupted goes on in the middle of an epoch, perhaps with a
// newer program: the order must stay what it was.
func TestOrderStays(t *testing.T) {
	set := open(t, folders(t, 8))
	b := epoch(t, newLoader(t, set, dataset.LoaderOptions{Batch: 8, Shuffle: true, Seed: 42}), 3, 0)[0]
	if want := []int{5, 7, 2, 4, 1, 6, 3, 0}; !slices.Equal(b.Samples, want) {
		t.Errorf("order %v, was %v", b.Samples, want)
	}
	if got, want := dataset.SampleRand(42, 3, 7).Uint64(), uint64(9459042336481421987); got != want {
		t.Errorf("random number %d, was %d", got, want)
	}
}

// spoil breaks a sample in the way that its number says.
func spoil(t *testing.T, o dataset.Options, sample int) {
	t.Helper()
	dir := filepath.Join(o.Prefix, fmt.Sprintf("clip %02d", sample))
	var err error
	switch sample {
	case 1: // not there
		err = os.RemoveAll(dir)
	default: // not JPEG
		for p := range pictures {
			err = errors.Join(err, os.WriteFile(filepath.Join(dir, pictureName(p)), []byte("hello"), 0o666))
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestBad(t *testing.T) {
	o := folders(t, 8)
	spoil(t, o, 1)
	for _, i := range []int{4, 5, 6, 7} {
		spoil(t, o, i)
	}
	all := epoch(t, newLoader(t, open(t, o), dataset.LoaderOptions{Batch: 4, Workers: 2, Mix: &dataset.Mix{MixupAlpha: 1}}), 0, 0)
	b := all[0]
	if !reflect.DeepEqual(b.Samples, []int{0, 2, 3}) || !reflect.DeepEqual(b.Labels, []int{0, 2, 3}) || b.Views.Shape[0] != 3 || len(b.Mixed) != 3 {
		t.Errorf("samples %v, labels %v, mixed with %v, views %v: want 0, 2, 3", b.Samples, b.Labels, b.Mixed, b.Views)
	}
	if !slices.Equal(b.Partners, b.Mixed) { // each clip is of a class of its own
		t.Errorf("partners %v of labels %v", b.Partners, b.Mixed)
	}
	if len(b.Bad) != 1 || b.Bad[0].Sample != 1 || !errors.Is(b.Bad[0].Err, fs.ErrNotExist) {
		t.Fatalf("bad %v: want sample 1, which is not there", b.Bad)
	}
	for _, want := range []string{o.List + ":2: ", filepath.Join(o.Prefix, "clip 01")} {
		if !strings.Contains(b.Bad[0].Err.Error(), want) {
			t.Errorf("error %q, want %q in it", b.Bad[0].Err, want)
		}
	}
	if b = all[1]; b.Views != nil || len(b.Samples) != 0 || len(b.Bad) != 4 || !strings.Contains(b.Bad[3].Err.Error(), "img_0000") {
		t.Errorf("views %v, samples %v, bad %v: want four bad ones", b.Views, b.Samples, b.Bad)
	}
}

// A batch mixed by Mixup is the plain one, each clip blended with its partner.
func TestMixedLabels(t *testing.T) {
	set := open(t, folders(t, 6))
	o := dataset.LoaderOptions{Batch: 6, Shuffle: true, Seed: 3}
	plain := epoch(t, newLoader(t, set, o), 2, 0)[0]
	o.Mix = &dataset.Mix{MixupAlpha: 1}
	mixed := epoch(t, newLoader(t, set, o), 2, 0)[0]
	if plain.Mixed != nil || plain.Partners != nil || plain.Lambda != 1 {
		t.Errorf("not mixed, but with %v of %v by %v", plain.Mixed, plain.Partners, plain.Lambda)
	}
	if !slices.Equal(plain.Labels, mixed.Labels) || slices.Equal(mixed.Mixed, mixed.Labels) {
		t.Fatalf("labels %v mixed with %v, want %v with another order", mixed.Labels, mixed.Mixed, plain.Labels)
	}
	x, y := plain.Views.Float32s(), mixed.Views.Float32s()
	n := len(x) / 6
	for i, label := range mixed.Mixed {
		partner := slices.Index(plain.Labels, label)
		if mixed.Partners[i] != plain.Samples[partner] {
			t.Errorf("clip %d is mixed with sample %d, want %d", i, mixed.Partners[i], plain.Samples[partner])
		}
		for k := range n {
			want := mixed.Lambda*x[i*n+k] + (1-mixed.Lambda)*x[partner*n+k]
			if d := y[i*n+k] - want; d > 1e-5 || d < -1e-5 {
				t.Fatalf("number %d of clip %d is %v, want %v", k, i, y[i*n+k], want)
			}
		}
	}
}

// Released memory is used again: there are never more batches in memory than
// are made ahead, one that is handed on and the two kept in between.
func TestMemoryIsReused(t *testing.T) {
	set := open(t, folders(t, 40))
	for _, workers := range []int{0, 2} {
		l := newLoader(t, set, dataset.LoaderOptions{Batch: 1, Workers: workers, Ahead: 2, Shuffle: true})
		seen := map[*byte]bool{}
		for e := range 3 {
			for b, err := range l.Epoch(t.Context(), e, 0) {
				if err != nil {
					t.Fatal(err)
				}
				seen[&b.Views.Data[0]] = true
				b.Release()
				b.Release()
				if b.Views != nil {
					t.Fatal("views after Release")
				}
			}
		}
		if len(seen) > 5 {
			t.Errorf("%d workers: 120 batches in %d pieces of memory", workers, len(seen))
		}
	}
}

func TestLoaderErrors(t *testing.T) {
	set := open(t, folders(t, 3))
	noCrop := folders(t, 3)
	noCrop.Spec.Steps = []clip.Step{spec.Steps[0], spec.Steps[3]}
	for _, tc := range []struct {
		set  *dataset.Set
		o    dataset.LoaderOptions
		want string
	}{
		{set, dataset.LoaderOptions{}, "batches of 0 clips"},
		{set, dataset.LoaderOptions{Batch: 1, Workers: -1}, "-1 workers"},
		{set, dataset.LoaderOptions{Batch: 4, DropLast: true}, "3 clips make no batch of 4: set batch_size to at most 3"},
		{set, dataset.LoaderOptions{Batch: 2, DropLast: true, Size: 2}, "3 clips make no batch of 2 for each of 2 ranks: set batch_size to at most 1"},
		{set, dataset.LoaderOptions{Batch: 1, DropLast: true, Size: 4}, "3 clips for 4 ranks: use fewer processes"},
		{set, dataset.LoaderOptions{Batch: 1, Rank: 2, Size: 2}, "rank 2 of 2"},
		{set, dataset.LoaderOptions{Batch: 1, Rank: 1}, "rank 1 of 1"},
		{set, dataset.LoaderOptions{Batch: 1 << 40}, "too large: set batch_size to at most"},
		{set, dataset.LoaderOptions{Batch: 2, Mix: &dataset.Mix{}}, "MixupAlpha"},
		{set, dataset.LoaderOptions{Batch: 2, Mix: &dataset.Mix{CutmixShare: 0.5, MixupAlpha: 1}}, "CutmixAlpha"},
		{set, dataset.LoaderOptions{Batch: 2, Mix: &dataset.Mix{CutmixShare: 1.5}}, "share of Cutmix"},
		{open(t, noCrop), dataset.LoaderOptions{Batch: 2}, "add a crop"},
	} {
		if _, err := dataset.NewLoader(tc.set, tc.o); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("error %v, want %q in it", err, tc.want)
		}
	}
	l := newLoader(t, set, dataset.LoaderOptions{Batch: 2})
	for _, err := range l.Epoch(context.Background(), 0, -1) {
		if err == nil {
			t.Error("an epoch from batch -1 is no error")
		}
	}
	if got := epoch(t, l, 0, 2); len(got) != 0 {
		t.Errorf("%d batches from the end on", len(got))
	}
}

func TestTimes(t *testing.T) {
	l := newLoader(t, open(t, folders(t, 4)), dataset.LoaderOptions{Batch: 2, Workers: 2})
	epoch(t, l, 0, 0)
	if got := l.Times(); got.Decode <= 0 || got.Transform <= 0 || got.Collate <= 0 {
		t.Errorf("times %+v", got)
	}
	if got := l.Times(); got != (dataset.Times{}) {
		t.Errorf("times %+v when asked again", got)
	}
}
