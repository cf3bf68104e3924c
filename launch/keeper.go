package launch

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A keeper decides for all launchers. It looks at what they say and gives the
// next order; it starts nothing and waits for nothing.
type keeper struct {
	topology    Topology
	maxRestarts int
	timing      Timing

	members  map[int]*member
	phase    phase
	since    time.Time // of gathering
	enough   time.Time // since when there are enough; zero: there are not
	last     order     // the last that started a round
	looked   time.Time // last
	round    int       // the last that any member knows of, -1: none
	restarts int       // used up
	moved    bool      // the round ends, or ended, with a change of membership
	failure  *Failure  // that the next round comes after
	waiting  string    // said last
	note     func(string)
}

// A member is a launcher as the keeper knows it.
type member struct {
	status
	number int
	joined time.Time // when it was first heard of, by the keeper's clock
	heard  time.Time // when its beat last changed
	out    bool      // does not count any more: refused, or replaced by its successor
}

type phase int

const (
	gathering phase = iota
	running
	stopping
	finished
)

// newKeeper makes a keeper that tells the user through note what it waits for.
func newKeeper(t Topology, maxRestarts int, timing Timing, note func(string)) *keeper {
	return &keeper{topology: t, maxRestarts: maxRestarts, timing: timing, members: map[int]*member{}, round: -1, note: note}
}

// look begins a look at all members. Time in which the keeper itself slept, as
// after a Ctrl-Z, is nobody's silence.
func (k *keeper) look(now time.Time) {
	if slept := now.Sub(k.looked); !k.looked.IsZero() && slept > k.timing.Lost/4 {
		for _, m := range k.members {
			m.heard = m.heard.Add(slept)
		}
	}
	k.looked = now
}

// hear takes what a member says.
func (k *keeper) hear(number int, s status, now time.Time) {
	m := k.members[number]
	if m == nil {
		m = &member{number: number, joined: now}
		k.members[number] = m
	}
	if m.heard.IsZero() || m.Beat != s.Beat {
		m.heard = now
	}
	m.status = s
	k.round = max(k.round, s.Round)
	k.restarts = max(k.restarts, s.Restarts)
}

// alive says whether a member is to be counted on: it was heard of lately.
func (k *keeper) alive(m *member, now time.Time) bool {
	return !m.Left && !m.out && now.Sub(m.heard) < k.timing.Lost
}

// successor is a later launcher of the same node, which is most likely the same
// one, started anew; nil if there is none.
func (k *keeper) successor(m *member, now time.Time) *member {
	for _, n := range k.members {
		if n.Node == m.Node && n.number > m.number && k.alive(n, now) {
			return n
		}
	}
	return nil
}

// quiet says whether a member with a successor is silent for long enough to
// believe in the successor.
func (k *keeper) quiet(m *member, now time.Time) bool {
	return m.Left || now.Sub(m.heard) >= k.timing.Lost/2
}

// present are the members to count on, by node.
func (k *keeper) present(now time.Time) []*member {
	var list []*member
	for _, m := range k.members {
		if k.alive(m, now) && k.successor(m, now) == nil {
			list = append(list, m)
		}
	}
	slices.SortFunc(list, func(a, b *member) int { return cmp.Compare(a.Node, b.Node) })
	return list
}

// double looks at launchers that are not the first of their node. Where the
// first goes on beating they are another host with the same rank, and refused.
// Until that is known no round may start.
func (k *keeper) double(now time.Time) (o *order, undecided bool) {
	for _, m := range k.members {
		n := k.successor(m, now)
		if n == nil || !k.alive(m, now) || k.quiet(m, now) {
			continue
		}
		if m.heard.Sub(n.joined) < k.timing.Lost/2 {
			undecided = true
			continue
		}
		n.out = true
		return &order{Kind: refuse, Member: n.number, Error: fmt.Sprintf("node rank %d is that of %s (pid %d) already: give each host its own", m.Node, m.Host, m.Pid)}, true
	}
	return nil, undecided
}

// step gives the next order, if it is time for one.
func (k *keeper) step(now time.Time) *order {
	o, undecided := k.double(now)
	if o != nil {
		return o
	}
	switch k.phase {
	case gathering:
		if undecided {
			return nil
		}
		return k.gather(now)
	case running:
		return k.watch(now)
	case stopping:
		return k.settle(now)
	default:
		return nil
	}
}

// gather waits until a round can start.
func (k *keeper) gather(now time.Time) *order {
	if k.since.IsZero() {
		k.since = now
	}
	here := k.present(now)
	if o := k.hinder(here); o != nil {
		return o
	}
	if len(here) == 0 || here[0].Node != 0 {
		return nil // the launcher beside us will join in a moment
	}
	if len(here) < k.topology.MinNodes {
		k.enough = time.Time{}
		k.say(k.missing(here))
		if now.Sub(k.since) >= k.timing.JoinTimeout {
			return k.finish(order{Error: fmt.Sprintf("gave up after %v: %s", k.timing.JoinTimeout, k.missing(here))})
		}
		return nil
	}
	if k.enough.IsZero() {
		k.enough = now
	}
	idle := !slices.ContainsFunc(here, func(m *member) bool { return !m.Waits })
	lastCall := len(here) < k.topology.Nodes && now.Sub(k.enough) < k.timing.LastCall
	if !idle || lastCall {
		return nil
	}
	return k.start(here, now)
}

// say notes something unless it was said last.
func (k *keeper) say(text string) {
	if text != k.waiting {
		k.waiting = text
		k.note(text)
	}
}

// hinder ends a run that must not begin.
func (k *keeper) hinder(here []*member) *order {
	want := k.topology.nodes()
	for _, m := range here {
		switch {
		case m.Interrupted:
			return k.finish(order{Interrupted: true, Why: fmt.Sprintf("%s was interrupted", m)})
		case m.Nodes != want:
			return k.finish(order{Error: fmt.Sprintf("--nnodes is %s on host 0 and %s on %s", want, m.Nodes, m)})
		}
	}
	return nil
}

// missing says who is not there.
func (k *keeper) missing(here []*member) string {
	var names, nodes []string
	for n := range k.topology.Nodes {
		if i := slices.IndexFunc(here, func(m *member) bool { return m.Node == n }); i >= 0 {
			names = append(names, here[i].String())
		} else {
			nodes = append(nodes, fmt.Sprint(n))
		}
	}
	return fmt.Sprintf("waiting for node %s; there are %s", strings.Join(nodes, ", "), strings.Join(names, ", "))
}

func (m *member) String() string { return fmt.Sprintf("%s (node %d)", m.Host, m.Node) }

func (k *keeper) start(here []*member, now time.Time) *order {
	for _, m := range k.members {
		m.out = m.out || k.successor(m, now) != nil
	}
	k.round++
	o := order{Kind: startRound, Round: k.round, Restarts: k.restarts}
	first := 0
	for _, m := range here {
		o.Places = append(o.Places, place{Member: m.number, Node: m.Node, Host: m.Host, First: first, Procs: m.Procs})
		first += m.Procs
	}
	o.Why = k.opening(first, here)
	k.failure, k.moved, k.waiting, k.phase, k.last = nil, false, "", running, o
	return &o
}

// opening is the line with which a round begins.
func (k *keeper) opening(procs int, here []*member) string {
	together := fmt.Sprintf("%s on %s", count(procs, "process"), count(len(here), "host"))
	switch {
	case k.failure != nil:
		return fmt.Sprintf("restarting %s after %s; %s left", count(procs, "process"), k.failure.summary(), count(k.maxRestarts-k.restarts, "restart"))
	case k.round > 0:
		return k.joined(here) + "going on with " + together
	default:
		return together
	}
}

// joined names those that are not of the last round's nodes, if there was one.
func (k *keeper) joined(here []*member) string {
	var names []string
	for _, m := range here {
		if !slices.ContainsFunc(k.last.Places, func(p place) bool { return p.Node == m.Node }) {
			names = append(names, m.String())
		}
	}
	if len(names) == 0 || len(k.last.Places) == 0 {
		return ""
	}
	return strings.Join(names, ", ") + " joined: "
}

// count writes a number with its noun.
func count(n int, noun string) string {
	switch {
	case n == 1:
		return "1 " + noun
	case strings.HasSuffix(noun, "s"):
		return fmt.Sprintf("%d %ses", n, noun)
	default:
		return fmt.Sprintf("%d %ss", n, noun)
	}
}

// watch looks for a reason to end the round.
func (k *keeper) watch(now time.Time) *order {
	var all, well = true, true
	for _, p := range k.last.Places {
		m := k.members[p.Member]
		switch ended := k.has(m); {
		case m.Failure != nil && m.Round == k.last.Round:
			return k.stop(order{}, false)
		case m.Interrupted && m.Round == k.last.Round:
			return k.stop(order{Save: true, Why: fmt.Sprintf("%s was interrupted: all save and end", m)}, false)
		case !ended && k.gone(m, now) != "":
			return k.stop(order{Why: k.gone(m, now)}, true)
		default:
			all, well = all && ended, well && ended && m.Well
		}
	}
	if all && well {
		return k.finish(order{})
	}
	return k.newcomer(now)
}

// newcomer stops the round for a host that may take part and does not.
func (k *keeper) newcomer(now time.Time) *order {
	for _, m := range k.present(now) {
		mine := func(p place) bool { return p.Node == m.Node }
		if len(k.last.Places) < k.topology.Nodes && m.Waits && !m.Interrupted && !slices.ContainsFunc(k.last.Places, mine) {
			return k.stop(order{Save: true, Why: fmt.Sprintf("%s joins: all save and begin again", m)}, true)
		}
	}
	return nil
}

// has says whether a member's workers of the last round have all ended.
func (k *keeper) has(m *member) bool { return m.Round == k.last.Round && m.Ended }

// gone says why a member of the round is not part of it any more.
func (k *keeper) gone(m *member, now time.Time) string {
	switch n := k.successor(m, now); {
	case n != nil && k.quiet(m, now):
		return fmt.Sprintf("the launcher on %s was started anew", n)
	case m.Left:
		return fmt.Sprintf("%s has left", m)
	case !k.alive(m, now):
		return fmt.Sprintf("%s has been silent for %v", m, k.timing.Lost)
	default:
		return ""
	}
}

// stop ends the round, with a change of membership or without.
func (k *keeper) stop(o order, moved bool) *order {
	o.Kind, o.Round = stopRound, k.last.Round
	k.phase, k.moved = stopping, moved
	return &o
}

// settle waits for the end of all workers of the round and decides what follows.
func (k *keeper) settle(now time.Time) *order {
	var failure *Failure
	well, interrupted := true, false
	for _, p := range k.last.Places {
		m := k.members[p.Member]
		if !k.has(m) {
			why := k.gone(m, now)
			if why == "" {
				return nil
			}
			k.moved, well = true, false
			continue
		}
		well = well && m.Well
		interrupted = interrupted || m.Interrupted
		if m.Failure != nil && m.Failure.before(failure) {
			failure = m.Failure
		}
	}
	switch {
	case well:
		return k.finish(order{})
	case failure != nil && (failure.final() || interrupted):
		return k.finish(order{Failure: failure, Interrupted: interrupted})
	case interrupted:
		return k.finish(order{Interrupted: true})
	case failure != nil && !k.moved:
		return k.restart(failure, now)
	default:
		return k.regather(now)
	}
}

// restart uses up a restart, if one is left.
func (k *keeper) restart(f *Failure, now time.Time) *order {
	if k.restarts >= k.maxRestarts {
		return k.finish(order{Failure: f})
	}
	k.restarts++
	k.failure = f
	return k.regather(now)
}

func (k *keeper) regather(now time.Time) *order {
	k.phase, k.since, k.enough = gathering, now, time.Time{}
	return nil
}

// finish is the last order.
func (k *keeper) finish(o order) *order {
	o.Kind = finish
	k.phase = finished
	return &o
}

// alone says whether no member is left that should still read the last order.
func (k *keeper) alone(now time.Time) bool {
	return !slices.ContainsFunc(k.present(now), func(m *member) bool { return m.Node != k.topology.NodeRank })
}
