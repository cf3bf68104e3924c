package main

import (
	"context"
	"encoding/json"
	"os"
	"slices"
	"time"

	"github.com/pptsn/pptsn/launch"
	"github.com/pptsn/pptsn/tensor"
	"github.com/pptsn/pptsn/torch"
)

// ranksFacts are what was measured between processes.
type ranksFacts struct {
	Backend   torch.Backend `json:"backend"`
	Ranks     []rankFacts   `json:"ranks"`
	AllReduce []transfer    `json:"all_reduce"` // the smallest first: its time is the latency
}

// rankFacts are about one process.
type rankFacts struct {
	Rank   int    `json:"rank"`
	Host   string `json:"host"`
	Pid    int    `json:"pid"`
	Device string `json:"device"`
	// Clock is how far it is ahead of rank 0's, in seconds. The error is about
	// what an all-reduce of a few bytes takes.
	Clock float64 `json:"clock_ahead_seconds"`
}

// A transfer is an all-reduce of so many bytes.
type transfer struct {
	Bytes     int     `json:"bytes"`
	Seconds   float64 `json:"seconds"`
	Bandwidth float64 `json:"bytes_per_second"`
	Bus       float64 `json:"bus_bytes_per_second"` // as nccl-tests count: what each process sends
}

// transfers are what is measured: a word, and parts of gradients up to a bucket.
var transfers = []struct{ bytes, times int }{{4, 50}, {64 << 10, 20}, {1 << 20, 10}, {25 << 20, 4}}

// measureRanks is joined by all ranks; all get the result.
func measureRanks(ctx context.Context, r *ranksFlags, w *launch.World) (f *ranksFacts, err error) {
	m, err := meet(ctx, w, r.timeout)
	if err != nil {
		return nil, err
	}
	defer func() { m.close(ctx, err) }()
	device, err := r.deviceOf(w, true)
	if err != nil {
		return nil, err
	}
	session, err := torch.NewSession(torch.SessionOptions{Device: device, Threads: threadsOf(w)})
	if err != nil {
		return nil, err
	}
	defer session.Close()
	group, err := m.join(ctx, session)
	if err != nil {
		return nil, err
	}
	defer group.Close()
	f = &ranksFacts{Backend: group.Backend()}
	if f.Ranks, err = introduce(ctx, group, device); err != nil {
		return nil, err
	}
	for _, t := range transfers {
		seconds, err := allReduce(ctx, session, group, t.bytes, t.times)
		if err != nil {
			return nil, err
		}
		n := float64(group.Size())
		rate := float64(t.bytes) / seconds
		f.AllReduce = append(f.AllReduce, transfer{t.bytes, seconds, rate, rate * 2 * (n - 1) / n})
	}
	return f, group.Barrier(ctx, "end of the measurements")
}

// An introduction is what a rank says of itself.
type introduction struct {
	rankFacts
	Times []int64 // by its clock, of moments that are the same on all ranks
}

// introduce gathers what all ranks are, and compares their clocks: all leave a
// barrier at almost the same time.
func introduce(ctx context.Context, g *torch.Group, device torch.Device) ([]rankFacts, error) {
	host, _ := os.Hostname()
	mine := introduction{rankFacts: rankFacts{Rank: g.Rank(), Host: host, Pid: os.Getpid(), Device: device.String()}}
	for range 21 {
		if err := g.Barrier(ctx, "comparison of clocks"); err != nil {
			return nil, err
		}
		mine.Times = append(mine.Times, time.Now().UnixNano())
	}
	b, err := json.Marshal(mine)
	if err != nil {
		return nil, err
	}
	texts, err := g.Gather(ctx, "what all ranks are", b)
	if err != nil {
		return nil, err
	}
	all := make([]introduction, len(texts))
	ranks := make([]rankFacts, len(texts))
	for i, text := range texts {
		if err := json.Unmarshal(text, &all[i]); err != nil {
			return nil, err
		}
		ranks[i] = all[i].rankFacts
		ranks[i].Clock = ahead(all[i].Times, all[0].Times).Seconds()
	}
	return ranks, nil
}

// ahead is the median difference of two clocks.
func ahead(a, b []int64) time.Duration {
	var differences []int64
	for i := range a {
		differences = append(differences, a[i]-b[i])
	}
	slices.Sort(differences)
	return time.Duration(differences[len(differences)/2])
}

// allReduce is how long summing so many bytes takes, in seconds.
func allReduce(ctx context.Context, session *torch.Session, g *torch.Group, bytes, times int) (seconds float64, err error) {
	const what = "all-reduce of the measurement"
	err = session.Do(ctx, func(s *torch.Scope) error {
		t := []torch.Tensor{s.From(tensor.New(tensor.Float32, bytes/4))}
		wait := func() {
			if session.Device().CUDA {
				s.Synchronize()
			}
		}
		g.AllReduce(s, what, t) // opens connections
		wait()
		begin := time.Now()
		for range times {
			g.AllReduce(s, what, t)
		}
		wait()
		seconds = time.Since(begin).Seconds() / float64(times)
		return nil
	})
	return seconds, err
}
