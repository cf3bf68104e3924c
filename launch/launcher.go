package launch

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/pptsn/pptsn/internal/osthread"
)

// A launcher carries out what the keeper orders, and says how its workers are.
type launcher struct {
	job    *Job
	thread *osthread.Thread[struct{}]
	status status
	crew   *crew // of the last round; nil before the first

	board     board
	number    int       // as a member
	next      int       // the order to come
	takesPart bool      // in the last round
	said      status    // last
	beaten    time.Time // when that was, or when this launcher began
}

// serve is the launcher of node 0: it keeps the store and decides.
func (l *launcher) serve(ctx context.Context) error {
	store, err := l.job.Open(ctx, l.job.address())
	if err != nil {
		return fmt.Errorf("launch: %w", err)
	}
	defer store.Close()
	b, err := found(store, rand.Text())
	if err != nil {
		return fmt.Errorf("launch: %w", err)
	}
	keeping, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	kept := make(chan error, 1)
	go func() { kept <- keep(keeping, b, newKeeper(l.job.Topology, l.job.MaxRestarts, l.job.Timing, l.note)) }()
	o, err := l.follow(ctx, b)
	if err != nil {
		stop()
		<-kept
		return fmt.Errorf("launch: %w", err)
	}
	<-kept // others have read the last order, or are gone
	return o.result()
}

func (l *launcher) note(text string) { l.job.Log("%s", text) }

// keep gives orders until the run is over and nobody needs the store.
func keep(ctx context.Context, b board, k *keeper) error {
	tick := time.NewTicker(k.timing.poll())
	defer tick.Stop()
	for next := 1; ; {
		if err := listen(ctx, b, k); err != nil {
			return err // which the launcher beside it sees too
		}
		now := time.Now()
		if o := k.step(now); o != nil {
			if err := b.write(b.order(next), o); err != nil {
				return err
			}
			next++
		}
		if k.phase == finished && k.alone(now) {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// listen reads what all members say.
func listen(ctx context.Context, b board, k *keeper) error {
	n, err := b.members()
	if err != nil {
		return err
	}
	said := map[int]status{}
	for m := 1; m <= n; m++ {
		var s status
		ok, err := b.read(ctx, b.member(m), &s)
		if err != nil {
			return err
		}
		if ok {
			said[m] = s
		}
	}
	now := time.Now()
	k.look(now)
	for m, s := range said {
		k.hear(m, s, now)
	}
	return nil
}

// join is the launcher of another node. It comes back as long as node 0 does.
func (l *launcher) join(ctx context.Context) error {
	l.beaten = time.Now()
	for said := ""; ; {
		o, err := l.once(ctx)
		var lost *lostError
		switch {
		case err == nil:
			return o.result()
		case ctx.Err() != nil:
			return ErrInterrupted
		case !errors.As(err, &lost):
			return fmt.Errorf("launch: %w", err)
		case time.Since(l.beaten) >= l.job.JoinTimeout:
			return fmt.Errorf("launch: host 0 was not there for %v: is its launcher running, and can %s be reached from here? %w", l.job.JoinTimeout, l.job.Master, err)
		case err.Error() != said:
			said = err.Error()
			l.job.Log("waiting for host 0: %v", err)
		}
		select {
		case <-time.After(l.job.poll()): // opening may fail at once
		case <-ctx.Done():
			return ErrInterrupted
		}
	}
}

// A lostError is a store that is not there, or not any more.
type lostError struct{ error }

func (e *lostError) Unwrap() error { return e.error }

// once takes part for as long as the store is there.
func (l *launcher) once(ctx context.Context) (*order, error) {
	left := l.job.JoinTimeout - time.Since(l.beaten)
	opening, cancel := context.WithTimeout(ctx, left)
	defer cancel()
	store, err := l.job.Open(opening, l.job.address())
	if err != nil {
		return nil, &lostError{err}
	}
	defer store.Close()
	finding, cancel := context.WithTimeout(ctx, min(left, l.job.Lost))
	defer cancel()
	b, err := findBoard(finding, store)
	if err != nil {
		return nil, &lostError{err}
	}
	return l.follow(ctx, b)
}

// follow joins and carries out orders up to the last. All workers have ended then.
func (l *launcher) follow(ctx context.Context, b board) (*order, error) {
	o, err := l.obey(ctx, b)
	if l.crew != nil {
		l.crew.stop(toEnd)
		<-l.crew.ended
	}
	if lost := new(lostError); errors.As(err, &lost) {
		return nil, err
	}
	l.status.Waits, l.status.Left = true, true
	if err := l.speak(); err != nil {
		l.job.Log("leaving: %v", err) // the result stands
	}
	return o, err
}

func (l *launcher) obey(ctx context.Context, b board) (*order, error) {
	l.board, l.next, l.said = b, 1, status{}
	var err error
	if l.number, err = b.join(); err != nil {
		return nil, &lostError{err}
	}
	tick := time.NewTicker(l.job.poll())
	defer tick.Stop()
	for interrupt := ctx.Done(); ; {
		if o, err := l.turn(ctx); o != nil || err != nil {
			return o, err
		}
		select {
		case <-tick.C:
		case <-l.news():
		case <-interrupt:
			interrupt = nil // once is enough to wake up
		}
	}
}

// news has an element when the crew has something new to say.
func (l *launcher) news() <-chan struct{} {
	if l.crew == nil {
		return nil
	}
	return l.crew.changed
}

// turn says what is new and carries out what was ordered. It returns the last
// order, if that has come.
func (l *launcher) turn(ctx context.Context) (*order, error) {
	if l.crew != nil {
		l.status.crewState = l.crew.current()
		l.status.Waits = l.status.Ended
	}
	if l.status.Waits && ctx.Err() != nil {
		if last := l.depart(); last != nil {
			return last, nil
		}
	}
	if err := l.speak(); err != nil {
		return nil, &lostError{err}
	}
	if err := l.board.there(); err != nil {
		return nil, &lostError{err}
	}
	answers := context.WithoutCancel(ctx) // the last order is to be read after a signal, too
	for {
		var o order
		ok, err := l.board.read(answers, l.board.order(l.next), &o)
		switch {
		case !ok && err == nil:
			return nil, nil
		case ok:
			l.next++
		default:
			return nil, &lostError{err}
		}
		if last, err := l.carryOut(ctx, &o); last || err != nil {
			return &o, err
		}
	}
}

// depart says that this launcher was interrupted and has no workers, which ends
// the run. One that waits for a place in an elastic run leaves that as it is.
func (l *launcher) depart() (last *order) {
	if !l.takesPart && l.job.Elastic() && l.status.Node != 0 {
		return &order{Kind: finish, Interrupted: true}
	}
	l.status.Interrupted = true
	return nil
}

// speak writes the status where it is new, and beats.
func (l *launcher) speak() error {
	if l.status == l.said && time.Since(l.beaten) < l.job.Beat {
		return nil
	}
	l.status.Beat++
	if err := l.board.write(l.board.member(l.number), &l.status); err != nil {
		return err
	}
	l.said, l.beaten = l.status, time.Now()
	return nil
}

// carryOut says whether the order was the last for this launcher.
func (l *launcher) carryOut(ctx context.Context, o *order) (last bool, err error) {
	switch o.Kind {
	case startRound:
		if i := slices.IndexFunc(o.Places, l.replaced); i >= 0 {
			return true, fmt.Errorf("the launcher of node %d on %s has taken over", l.status.Node, o.Places[i].Host)
		}
		l.start(ctx, o)
	case stopRound:
		l.stop(o)
	case refuse:
		if o.Member == l.number {
			return true, errors.New(o.Error)
		}
	case finish:
		if o.Why != "" {
			l.note(o.Why)
		}
		return true, nil
	}
	return false, nil
}

// replaced says whether a later launcher of this node has the place: this one
// has slept for so long that it was given up.
func (l *launcher) replaced(p place) bool { return p.Node == l.status.Node && p.Member > l.number }

func (l *launcher) start(ctx context.Context, o *order) {
	i := slices.IndexFunc(o.Places, func(p place) bool { return p.Member == l.number })
	if l.takesPart = i >= 0; !l.takesPart {
		return // an old order, or there was no place
	}
	if o.Round > 0 || len(o.Places) > 1 {
		l.job.Log("round %d: %s", o.Round, o.Why)
	}
	l.status.Round, l.status.Restarts = o.Round, o.Restarts
	if ctx.Err() != nil {
		l.crew, l.status.crewState = nil, crewState{Ended: true, Interrupted: true}
		return
	}
	var seats []seat
	for local := range o.Places[i].Procs {
		w := World{Rank: o.Places[i].First + local, Size: o.size(), LocalRank: local, LocalSize: o.Places[i].Procs,
			Master: l.job.Master, Port: l.board.store.Port(), Round: o.Round, Why: o.Why}
		seats = append(seats, seat{w, i})
	}
	l.crew = l.startCrew(ctx, o.Round, seats)
	l.status.crewState, l.status.Waits = l.crew.current(), false
}

func (l *launcher) stop(o *order) {
	if l.crew == nil || l.crew.round != o.Round || !l.takesPart {
		return
	}
	if o.Why != "" {
		l.job.Log("round %d: %s", o.Round, o.Why)
	}
	if o.Save {
		l.crew.stop(toSave)
	} else {
		l.crew.stop(toEnd)
	}
}

// result is what the last order means for the caller of Run.
func (o *order) result() error {
	switch {
	case o.Error != "":
		return fmt.Errorf("launch: %s", o.Error)
	case o.Failure != nil && o.Interrupted:
		return errors.Join(o.Failure, ErrInterrupted)
	case o.Failure != nil:
		return o.Failure
	case o.Interrupted:
		return ErrInterrupted
	default:
		return nil
	}
}
