package launch

import (
	"context"
	"sync"
	"syscall"
	"time"
)

// A crew is the workers of this host in one round. It looks after them by
// itself, so that they end with the first that fails and get their SIGTERM even
// while the store does not answer.
type crew struct {
	host   string
	round  int
	limits limits
	list   []*worker

	exits   chan exit
	asks    chan purpose
	changed chan struct{} // has an element where state is new
	ended   chan struct{} // closed with the last worker's end

	mu    sync.Mutex
	state crewState

	purpose purpose          // of the last SIGTERM; of run alone
	timer   <-chan time.Time // then they are killed
}

// limits are how long workers have from SIGTERM to SIGKILL.
type limits struct{ grace, saving time.Duration }

// A purpose is why workers are asked to end.
type purpose int

const (
	noPurpose purpose = iota
	toSave            // and end well
	toEnd             // since the round is broken
)

// A crewState is what others must know of a crew.
type crewState struct {
	Ended       bool     // no worker is left
	Well        bool     // and all have ended well
	Interrupted bool     // by a signal to the launcher or to a worker
	Failure     *Failure // the first, or rather the cause
}

// startCrew starts the workers. A worker that does not start is a failure of
// the crew. A context that ends asks all to save and end.
func (l *launcher) startCrew(ctx context.Context, round int, seats []seat) *crew {
	c := &crew{
		host: l.job.Host, round: round, limits: limits{l.job.Grace, l.job.Saving},
		exits: make(chan exit), asks: make(chan purpose), changed: make(chan struct{}, 1), ended: make(chan struct{}),
	}
	fail := func(s seat, err error) {
		c.state.Failure = &Failure{Rank: s.Rank, Round: round, Host: c.host, Start: err.Error()}
	}
	err := l.thread.Do(context.Background(), func(struct{}) {
		for _, s := range seats {
			w, err := l.job.startWorker(s)
			if err != nil {
				fail(s, err)
				return
			}
			c.list = append(c.list, w)
		}
	})
	if err != nil {
		fail(seats[0], err)
	}
	for _, w := range c.list {
		go w.wait(c.exits)
	}
	go c.run(ctx)
	return c
}

func (c *crew) run(ctx context.Context) {
	defer close(c.ended)
	interrupt := ctx.Done()
	well := c.current().Failure == nil
	if !well {
		c.ask(toEnd)
	}
	for left := len(c.list); left > 0; {
		select {
		case e := <-c.exits:
			left--
			e.w.ended = true
			e.w.out.close()
			well = c.judge(e) && well
		case <-interrupt:
			interrupt = nil
			c.change(func(s *crewState) { s.Interrupted = true })
			c.ask(toSave)
		case p := <-c.asks:
			c.ask(p)
		case <-c.timer:
			c.timer = nil
			for _, w := range c.list {
				w.kill()
			}
		}
	}
	c.change(func(s *crewState) { s.Ended, s.Well = true, well })
}

// judge takes notice of an exit, and says whether the worker has done its work.
func (c *crew) judge(e exit) bool {
	switch e.ending() {
	case endedWell:
		return true
	case endedAsked:
		if !e.w.asked { // somebody else did
			c.change(func(s *crewState) { s.Interrupted = true })
			c.ask(toSave)
		}
	case endedKilled:
		if c.purpose == toSave {
			f := e.failure(c.host, c.round)
			f.Late = true
			c.fail(f)
		}
	case endedBadly:
		f := e.failure(c.host, c.round)
		if c.purpose == toEnd && f.Signal != syscall.SIGKILL {
			break // what becomes of workers in a broken round is no cause of anything
		}
		c.fail(f)
		c.ask(toEnd)
	}
	return false
}

// fail takes a failure, unless a better one is known.
func (c *crew) fail(f *Failure) {
	c.change(func(s *crewState) {
		if f.before(s.Failure) {
			s.Failure = f
		}
	})
}

// ask asks all that are left to end. What was asked first bounds the time, but
// in a broken round there is nothing to wait for.
func (c *crew) ask(p purpose) {
	if p <= c.purpose {
		return
	}
	c.purpose = p
	limit := c.limits.saving
	if p == toEnd {
		limit = c.limits.grace
	}
	c.timer = time.After(limit)
	for _, w := range c.list {
		w.ask()
	}
}

// stop asks all to end, if they have not yet.
func (c *crew) stop(p purpose) {
	select {
	case c.asks <- p:
	case <-c.ended:
	}
}

// current is the state.
func (c *crew) current() crewState {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state
}

func (c *crew) change(f func(*crewState)) {
	c.mu.Lock()
	f(&c.state)
	c.mu.Unlock()
	select {
	case c.changed <- struct{}{}:
	default: // whoever looks will see this one too
	}
}
