package train

import (
	"fmt"
	"image"
	"image/jpeg"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/checkpoint"
	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/dataset"
	"github.com/pptsn/pptsn/evaluate"
	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/optim"
	"github.com/pptsn/pptsn/schedule"
	"github.com/pptsn/pptsn/torch"
)

// clips are folders of pictures for the tiny network: clip i is of class
// i % tinyClasses and all the brighter the higher that is. On each host they
// are in another place.
type clips struct {
	dir  string
	spec clip.Spec
}

func newClips(t *testing.T, n int) clips {
	t.Helper()
	c := clips{t.TempDir(), clip.Spec{
		Sampling: clip.Sampling{Mode: clip.SelectLeft, Segments: tinyViews, Random: true},
		Steps: []clip.Step{
			{Scale: &clip.Scale{ShortSide: tinySide, Backend: clip.OpenCV}},
			{CenterCrop: &clip.CenterCrop{Size: tinySide}},
			{RandomFlip: &clip.RandomFlip{Probability: 0.5}},
			{Normalize: &clip.Normalize{Mean: [3]float32{0.5, 0.5, 0.5}, Std: [3]float32{0.25, 0.25, 0.25}}},
		},
	}}
	var list strings.Builder
	for i := range n {
		fmt.Fprintf(&list, "%d 4 %d\n", i, i%tinyClasses)
		rng := rand.New(rand.NewPCG(uint64(i), 5))
		c.draw(t, i, func(x, y int) uint8 {
			return uint8(40*(i%tinyClasses) + rng.IntN(80))
		})
	}
	if err := os.WriteFile(filepath.Join(c.dir, "list"), []byte(list.String()), 0o666); err != nil {
		t.Fatal(err)
	}
	return c
}

// draw makes the pictures of a clip.
func (c clips) draw(t *testing.T, i int, at func(x, y int) uint8) {
	t.Helper()
	dir := filepath.Join(c.dir, fmt.Sprint(i))
	if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	for k := range 4 {
		m := image.NewGray(image.Rect(0, 0, tinySide, tinySide))
		for y := range tinySide {
			for x := range tinySide {
				m.Pix[y*m.Stride+x] = at(x, y)
			}
		}
		f, err := os.Create(filepath.Join(dir, fmt.Sprintf("%d.jpg", k+1)))
		if err == nil {
			err = jpeg.Encode(f, m, nil)
			f.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// spoil makes clips unreadable.
func (c clips) spoil(t *testing.T, clips ...int) {
	t.Helper()
	for _, i := range clips {
		if err := os.RemoveAll(filepath.Join(c.dir, fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
	}
}

func (c clips) set(t *testing.T) *dataset.Set {
	t.Helper()
	pattern, err := clip.ParsePattern("{}.jpg")
	if err != nil {
		t.Fatal(err)
	}
	set, err := dataset.Open(dataset.Options{
		List: filepath.Join(c.dir, "list"), Prefix: c.dir, Frames: true, Pattern: pattern, Spec: c.spec, Classes: tinyClasses,
	})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

const jobBatch = 2 // clips of a rank

// job is a run of rank of size on the clips, in batches of jobBatch each.
func (n *tiny) job(t *testing.T, c clips, rank, size int) *Job {
	t.Helper()
	j := &Job{
		Network: n.network(), Weights: n.w, Session: SessionOptions{Threads: 1},
		Learner:   LearnerOptions{Params: n.rules, Rule: optim.Momentum{Mu: 0.9, Nesterov: true}, DType: torch.Float64},
		Smoothing: 0.1, Epochs: 2, SaveInterval: 10, MaxBad: 1,
		Dir: t.TempDir(), Name: "tiny", Seed: 5, Data: c.set(t),
		Run: checkpoint.Run{Network: "tiny", List: "list", Batch: jobBatch},
	}
	j.load(t, jobBatch, rank, size)
	return j
}

func (j *Job) load(t *testing.T, batch, rank, size int) {
	t.Helper()
	j.loadMixed(t, batch, rank, size, nil)
}

func (j *Job) loadMixed(t *testing.T, batch, rank, size int, mix *dataset.Mix) {
	t.Helper()
	var err error
	j.Loader, err = dataset.NewLoader(j.Data, dataset.LoaderOptions{
		Batch: batch, Workers: 1, Shuffle: true, DropLast: true, Seed: j.Seed, Rank: rank, Size: size, Mix: mix,
	})
	if err == nil {
		j.Rate, err = schedule.New(schedule.LearningRate{Constant: 0.02}, j.Loader.Batches())
	}
	if err != nil {
		t.Fatal(err)
	}
}

// job is this rank's. Other ranks begin with nothing, as where they cannot read
// rank 0's files.
func (m *member) job(n *tiny, c clips) *Job {
	m.Helper()
	j := n.job(m.T, c, m.rank, m.size)
	j.Join = m.join
	if m.rank > 0 {
		j.Weights = graph.Weights{}
		for name, d := range n.w {
			j.Weights[name] = d.Clone()
			clear(j.Weights[name].Data)
		}
	}
	return j
}

// learned are the weights that a run saved last.
func learned(t *testing.T, j *Job) graph.Weights {
	t.Helper()
	w := graph.Weights{}
	for _, e := range newest(t, j).Params {
		w[e.Name] = e.Tensor
	}
	return w
}

func newest(t *testing.T, j *Job) *checkpoint.Checkpoint {
	t.Helper()
	name, _, err := checkpoint.Latest(j.Dir, j.Name)
	if err != nil {
		t.Fatal(err)
	}
	c, err := checkpoint.Open(filepath.Join(j.Dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// finish carries a job out. Only rank 0 writes.
func (m *member) finish(j *Job) {
	m.Helper()
	if err := j.Train(m.Context()); err != nil {
		m.Fatal(err)
	}
	if left, _ := os.ReadDir(j.Dir); m.rank > 0 && len(left) > 0 {
		m.Errorf("rank %d wrote %v", m.rank, left)
	}
}

// validation measures the same clips, from the middle of each.
func (n *tiny) validation(t *testing.T, c clips, j *Job) {
	c.spec.Sampling.Random = false
	c.spec.Steps = append(append([]clip.Step{}, c.spec.Steps[:2]...), c.spec.Steps[3])
	j.Validation = &Validation{
		Interval: 1, Network: j.Network, Set: c.set(t),
		Options: evaluate.Options{Metric: evaluate.Metric{Classes: tinyClasses, TopK: []int{1, 5}}, Batch: 2, Workers: 1},
	}
}
