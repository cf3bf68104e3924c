package dataset

import (
	"context"
	"iter"
	"sync"
	"sync/atomic"
)

// A pipeline makes groups of items (batches of clips) on several goroutines and
// hands them on in order.
type pipeline[G any] struct {
	groups  int
	workers int // goroutines; 0: the consumer's own
	ahead   int // groups that are begun before the consumer asks, at least 1

	begin  func(g int) (group G, items int)
	item   func(ctx context.Context, group G, i int) // many at once, each i once
	finish func(group G)                             // once all its items are done
}

// run yields the groups. It stops when ctx ends or the consumer does, and
// returns when all goroutines have.
func (p pipeline[G]) run(ctx context.Context) iter.Seq[G] {
	if p.workers == 0 {
		return p.alone(ctx)
	}
	return func(yield func(G) bool) {
		ctx, cancel := context.WithCancel(ctx)
		begun := make(chan *begunGroup[G], p.ahead)
		items := make(chan groupItem[G])
		room := make(chan struct{}, p.ahead)
		var wg sync.WaitGroup
		defer wg.Wait()
		defer cancel()
		wg.Go(func() { p.feed(ctx, room, begun, items) })
		for range p.workers {
			wg.Go(func() { p.work(ctx, items) })
		}
		for g := range begun {
			select {
			case <-g.done:
			case <-ctx.Done():
			}
			if ctx.Err() != nil {
				return
			}
			<-room
			if !yield(g.group) {
				return
			}
		}
	}
}

type begunGroup[G any] struct {
	group G
	left  atomic.Int64 // items
	done  chan struct{}
}

type groupItem[G any] struct {
	*begunGroup[G]
	i int
}

// feed begins groups while there is room for them and deals out their items, in
// order, so that the group that is wanted next is done first.
func (p pipeline[G]) feed(ctx context.Context, room chan<- struct{}, begun chan<- *begunGroup[G], items chan<- groupItem[G]) {
	defer close(begun)
	defer close(items)
	for i := range p.groups {
		select {
		case room <- struct{}{}:
		case <-ctx.Done():
			return
		}
		group, n := p.begin(i)
		g := &begunGroup[G]{group: group, done: make(chan struct{})}
		g.left.Store(int64(n))
		if n == 0 {
			p.finish(group)
			close(g.done)
		}
		begun <- g // never blocks: there is room
		for j := range n {
			select {
			case items <- groupItem[G]{g, j}:
			case <-ctx.Done():
				return
			}
		}
	}
}

func (p pipeline[G]) work(ctx context.Context, items <-chan groupItem[G]) {
	for it := range items {
		p.item(ctx, it.group, it.i)
		if it.left.Add(-1) == 0 {
			p.finish(it.group)
			close(it.done)
		}
	}
}

func (p pipeline[G]) alone(ctx context.Context) iter.Seq[G] {
	return func(yield func(G) bool) {
		for i := range p.groups {
			group, n := p.begin(i)
			for j := range n {
				if ctx.Err() != nil {
					return
				}
				p.item(ctx, group, j)
			}
			if ctx.Err() != nil {
				return
			}
			if p.finish(group); !yield(group) {
				return
			}
		}
	}
}
