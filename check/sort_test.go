package check

import (
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
)

// Whatever fits in memory, the records come sorted, each time they are asked for.
func TestSorter(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, tc := range []struct{ n, most int }{{0, 0}, {1, 0}, {1000, 0}, {1000, 1000}, {1000, 999}, {1000, 7}, {64, 1}} {
		s := &sorter{dir: t.TempDir(), most: tc.most}
		var want []record
		for range tc.n {
			r := record{
				at: place{rng.Uint32N(3), rng.Uint32()}, label: rng.Int32N(9) - 1,
				twin: place{rng.Uint32(), rng.Uint32()}, code: rng.Uint32(),
			}
			r.key[0], r.key[15], r.also[3] = byte(rng.IntN(4)), byte(rng.IntN(4)), byte(rng.IntN(256))
			want = append(want, r)
			if err := s.add(r); err != nil {
				t.Fatal(err)
			}
		}
		slices.SortFunc(want, func(a, b record) int { return a.compare(&b) })
		for pass := range 2 {
			var got []record
			for r, err := range s.sorted() {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, r)
			}
			if !slices.Equal(got, want) {
				t.Errorf("%d records, %d in memory, pass %d: %d of them, or in another order", tc.n, tc.most, pass, len(got))
			}
		}
	}
}

// A file that is shorter than what was written is an error, not a shorter result.
func TestSorterTornFile(t *testing.T) {
	s := &sorter{dir: t.TempDir(), most: 2}
	for i := range uint32(4) {
		if err := s.add(record{at: place{0, i}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.f.Truncate(3*recordSize + 5); err != nil {
		t.Fatal(err)
	}
	n, failed := 0, false
	for _, err := range s.sorted() {
		n, failed = n+1, failed || err != nil
	}
	if !failed {
		t.Errorf("%d records and no error", n)
	}
}

func TestEachGroup(t *testing.T) {
	s := &sorter{dir: t.TempDir(), most: 3}
	keys := []byte{2, 1, 2, 3, 2, 1, 9}
	for i, k := range keys {
		s.add(record{key: key{k}, at: place{0, uint32(i)}})
	}
	type event struct {
		what string
		key  byte
		line uint32
	}
	var got []event
	err := s.eachGroup(func() { got = append(got, event{what: "begin"}) },
		func(r record) error { got = append(got, event{"look", r.key[0], r.at.line}); return nil },
		func(r record) error { got = append(got, event{"tell", r.key[0], r.at.line}); return nil })
	if err != nil {
		t.Fatal(err)
	}
	want := []event{
		{what: "begin"}, {"look", 1, 1}, {"look", 1, 5}, {"tell", 1, 1}, {"tell", 1, 5},
		{what: "begin"}, {"look", 2, 0}, {"look", 2, 2}, {"look", 2, 4}, {"tell", 2, 0}, {"tell", 2, 2}, {"tell", 2, 4},
		{what: "begin"}, {"look", 3, 3}, {"tell", 3, 3},
		{what: "begin"}, {"look", 9, 6}, {"tell", 9, 6},
	}
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// Sorting ten times as many records takes no more memory.
func TestSorterMemory(t *testing.T) {
	peak := func(n int) (most uint64) {
		s := &sorter{dir: t.TempDir(), most: 4096}
		var m runtime.MemStats
		look := func() {
			runtime.GC()
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapAlloc)
		}
		for i := range uint32(n) {
			s.add(record{key: key{byte(i * 7), byte(i >> 8)}, at: place{0, i}})
			if i%40000 == 39999 {
				look()
			}
		}
		i := 0
		for range s.sorted() {
			if i++; i%40000 == 0 {
				look()
			}
		}
		if i != n {
			t.Fatalf("%d of %d records", i, n)
		}
		return most
	}
	small, large := peak(40_000), peak(400_000)
	// Each run of the merge has a buffer of 64 KiB; the records have 22 MB.
	if large > small+10<<20 {
		t.Errorf("%d KiB for 40,000 records, %d KiB for 400,000", small>>10, large>>10)
	}
}
