package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/optim"
	"github.com/pptsn/pptsn/tensor"
	"github.com/pptsn/pptsn/torch"
	"github.com/pptsn/pptsn/train"
	"github.com/pptsn/pptsn/tsn"
)

// A trainRun is a training step of ResNet50-vd PP-TSN, as both sides read it.
type trainRun struct {
	Weights    string       `json:"weights"` // file of float32, the parameters one after another
	Params     []trainParam `json:"params"`
	Batch      string       `json:"batch"` // file of float32
	Shape      []int        `json:"shape"` // [n, T, 3, H, W]
	Labels     []int        `json:"labels"`
	Classes    int          `json:"classes"`
	Smoothing  float64      `json:"smoothing"`
	LR         float64      `json:"lr"`
	Momentum   float64      `json:"momentum"`
	Threads    int          `json:"threads"`
	Contiguous bool         `json:"contiguous"`
	BF16       bool         `json:"bf16"`   // autocast
	Double     bool         `json:"double"` // all in float64

	World  int    `json:"world"`  // ranks that step together, each on its own batch; 1: alone
	Rank   int    `json:"rank"`   // of this one
	Port   int    `json:"port"`   // where rank 0 keeps the store
	Bucket int    `json:"bucket"` // bytes; 0: the default. Ours only
	Dump   string `json:"dump"`   // file for all parameters at the end, as in Weights; "": none
}

type trainParam struct {
	Name      string  `json:"name"`
	Shape     []int   `json:"shape"`
	Trainable bool    `json:"trainable"`
	LRMult    float64 `json:"lr_mult"`
	Decay     float64 `json:"decay"`
}

// A stepReport is what a side answers when it is ready and after each step.
type stepReport struct {
	Loss     float64 `json:"loss"`
	Seconds  float64 `json:"seconds"`
	Resident int64   `json:"resident"` // bytes
	Peak     int64   `json:"peak"`     // bytes, since the process began

	Reduce torch.ReduceTimes `json:"reduce"` // of the step; ours only
}

// network builds the network of a run.
func (r trainRun) network() (*tsn.Network, error) {
	spec := tsn.Spec{Family: tsn.PPTSN, Layers: 50, Classes: r.Classes}
	return tsn.Build(spec, r.Shape[1], r.Shape[3], r.Shape[4])
}

// steps is our side: it does a step for each line of in, and answers each, and
// once before, with a line of JSON.
func steps(path string, in io.Reader, out io.Writer) error {
	var r trainRun
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, &r); err != nil {
		return err
	}
	session, err := torch.NewSession(torch.SessionOptions{Threads: r.Threads})
	if err != nil {
		return err
	}
	defer session.Close()
	group, leave, err := r.join(session)
	if err != nil {
		return err
	}
	defer leave()
	l, batch, err := r.learner(session, group)
	if err != nil {
		return err
	}
	defer l.Close()
	debug.FreeOSMemory() // the weights that were read, as in Python
	answer := json.NewEncoder(out)
	if err := answer.Encode(report(0, 0)); err != nil {
		return err
	}
	for lines := bufio.NewScanner(in); lines.Scan(); {
		start := time.Now()
		loss, err := step(l, batch, r.LR)
		if err != nil {
			return err
		}
		done := report(loss, time.Since(start))
		done.Reduce = l.ReduceTimes()
		if err := answer.Encode(done); err != nil {
			return err
		}
	}
	return r.dump(l)
}

// join is nil without others.
func (r trainRun) join(session *torch.Session) (g *torch.Group, leave func(), err error) {
	if r.World <= 1 {
		return nil, func() {}, nil
	}
	ctx := context.Background()
	store, err := torch.OpenStore(ctx, torch.StoreOptions{Host: "127.0.0.1", Port: r.Port, Serve: r.Rank == 0})
	if err != nil {
		return nil, nil, err
	}
	g, err = torch.NewGroup(ctx, session, store, torch.GroupOptions{Rank: r.Rank, Size: r.World})
	if err != nil {
		store.Close()
		return nil, nil, err
	}
	return g, func() { g.Close(); store.Close() }, nil
}

func (r trainRun) dump(l *train.Learner) error {
	if r.Dump == "" {
		return nil
	}
	w, err := l.Weights(context.Background())
	if err != nil {
		return err
	}
	values := make([]*tensor.Dense, len(r.Params))
	for i, p := range r.Params {
		values[i] = w[p.Name]
	}
	return writeRaw(r.Dump, values...)
}

func step(l *train.Learner, batch train.MicroBatch, lr float64) (loss float64, err error) {
	o, err := l.Accumulate(context.Background(), batch)
	if err != nil {
		return 0, err
	}
	if err := l.Reduce(context.Background(), "a step"); err != nil {
		return 0, err
	}
	_, err = l.Update(context.Background(), lr)
	return o.Loss, err
}

func (r trainRun) learner(session *torch.Session, group *torch.Group) (*train.Learner, train.MicroBatch, error) {
	net, err := r.network()
	if err != nil {
		return nil, train.MicroBatch{}, err
	}
	shapes := make([][]int, len(r.Params))
	for i, p := range r.Params {
		shapes[i] = p.Shape
	}
	values, err := readRaw(r.Weights, shapes...)
	if err != nil {
		return nil, train.MicroBatch{}, err
	}
	weights := graph.Weights{}
	for i, p := range r.Params {
		weights[p.Name] = values[i]
	}
	o := train.LearnerOptions{
		Rule:       optim.Momentum{Mu: r.Momentum, Nesterov: true},
		Params:     train.DefaultRules(tsn.PPTSN, 1e-4).Trainable(net),
		Contiguous: r.Contiguous,
		Group:      group, Distributed: train.Distributed{BucketBytes: r.Bucket},
	}
	if r.Double {
		o.DType = torch.Float64
	}
	if r.BF16 {
		o.AMP = train.AMP{Level: train.O1, DType: torch.BFloat16}
	}
	l, err := train.NewLearner(context.Background(), session, net, weights, o)
	if err != nil {
		return nil, train.MicroBatch{}, err
	}
	views, err := readRaw(r.Batch, r.Shape)
	if err != nil {
		return nil, train.MicroBatch{}, err
	}
	targets := train.Targets(train.Labels{A: r.Labels}, r.Classes, r.Smoothing)
	return l, train.MicroBatch{Views: views[0], Targets: targets, Last: true, Name: "a step"}, nil
}

// readRaw reads arrays of float32 that stand one after another in a file.
func readRaw(path string, shapes ...[]int) ([]*tensor.Dense, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	arrays := make([]*tensor.Dense, len(shapes))
	for i, shape := range shapes {
		arrays[i] = tensor.New(tensor.Float32, shape...)
		if _, err := io.ReadFull(f, arrays[i].Data); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	return arrays, nil
}

func writeRaw(path string, arrays ...*tensor.Dense) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	for _, a := range arrays {
		if _, err := f.Write(a.Data); err != nil {
			return err
		}
	}
	return f.Close()
}

func report(loss float64, took time.Duration) stepReport {
	return stepReport{Loss: loss, Seconds: took.Seconds(), Resident: memory("VmRSS:"), Peak: memory("VmHWM:")}
}

// memory is a figure of this process, in bytes; 0 where the system tells none.
func memory(key string) int64 {
	b, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(b)) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == key {
			n, _ := strconv.ParseInt(fields[1], 10, 64)
			return n << 10
		}
	}
	return 0
}
