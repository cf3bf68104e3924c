package window

import "time"

// A Segment is a part of a video in which one class was the likeliest.
type Segment struct {
	Start, End time.Duration // half open
	Class      int
	Score      float64 // mean probability of the class
}

// A Merger makes segments of the windows' probabilities.
//
// The video is cut into slots of one stride. In each the windows that cover it
// vote: their probabilities are summed, weighted by how long they cover it, and the
// largest sum wins. So where windows overlap, a change from one class to another is
// found within a stride, although a window is longer. Neighbouring slots of one
// class are a segment, also across parts that no window covers; its score is the
// mean over the slots' time.
type Merger struct {
	stride   time.Duration
	slot     int // the next one to be decided
	voters   []voter
	segments []Segment
	weight   time.Duration // of the last segment's score
}

// A voter is a window and what it says.
type voter struct {
	start, end time.Duration
	p          []float64
}

// NewMerger is for windows that begin a stride apart.
func NewMerger(stride time.Duration) *Merger { return &Merger{stride: stride} }

// Add takes the windows in order, with the probability of each class. It keeps p.
func (m *Merger) Add(w Window, p []float64) {
	for m.slot < w.Index { // what begins later does not cover them
		m.decide()
	}
	m.voters = append(m.voters, voter{w.Start, w.End, p})
}

// Finish returns the segments, in order. Nothing can be added any more.
func (m *Merger) Finish() []Segment {
	for len(m.voters) > 0 {
		m.decide()
	}
	return m.segments
}

// decide settles the next slot.
func (m *Merger) decide() {
	start := time.Duration(m.slot) * m.stride
	end := start + m.stride
	m.slot++
	var sum []float64 // of probability x seconds
	var covered, until time.Duration
	kept := m.voters[:0]
	for _, v := range m.voters {
		if sum == nil {
			sum = make([]float64, len(v.p))
		}
		cover := min(v.end, end) - max(v.start, start)
		for i, p := range v.p {
			sum[i] += p * cover.Seconds()
		}
		covered += cover
		until = max(until, min(v.end, end))
		if v.end > end {
			kept = append(kept, v)
		}
	}
	clear(m.voters[len(kept):])
	m.voters = kept
	if covered <= 0 {
		return
	}
	class := largest(sum)
	m.extend(Segment{start, until, class, min(sum[class]/covered.Seconds(), 1)}) // rounding may exceed 1
}

func largest(v []float64) int {
	best := 0
	for i, x := range v {
		if x > v[best] {
			best = i
		}
	}
	return best
}

// extend adds a slot to the last segment, or begins one.
func (m *Merger) extend(slot Segment) {
	took := slot.End - slot.Start
	if n := len(m.segments); n > 0 && m.segments[n-1].Class == slot.Class {
		s := &m.segments[n-1]
		s.End = slot.End
		s.Score += (slot.Score - s.Score) * took.Seconds() / (m.weight + took).Seconds()
		m.weight += took
		return
	}
	m.segments, m.weight = append(m.segments, slot), took
}
