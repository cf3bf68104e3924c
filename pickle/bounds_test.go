package pickle_test

import (
	"errors"
	"runtime"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/pickle"
)

// copies is a pickle that calls a class again and again with what made leaves on
// the stack.
func copies(class, made string, times int) string {
	return "\x80\x02" + made + "q\x00" + "c" + class + "q\x01" + strings.Repeat("h\x01h\x00\x85R", times) + "."
}

// TestCopiesTakeNoMemory: a short pickle can ask for copies of something long,
// each for a few bytes.
func TestCopiesTakeNoMemory(t *testing.T) {
	long := "](" + strings.Repeat("N", 100_000) + "e"
	pairs := "](" + strings.Repeat("K\x07N\x86", 100_000) + "e"
	for _, tc := range []struct {
		name, pickle string
		refused      bool
	}{
		{"lists", copies("builtins\nlist\n", long, 10_000), false},
		{"sets", copies("__builtin__\nfrozenset\n", long, 10_000), false},
		{"tuples", copies("builtins\ntuple\n", long, 10_000), false},
		{"dicts", copies("collections\nOrderedDict\n", pairs, 10_000), true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, _, err := pickle.Load(pickle.NewSource(strings.NewReader(tc.pickle), int64(len(tc.pickle))), &pickle.Rules{})
			runtime.ReadMemStats(&after)
			if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 200*uint64(len(tc.pickle)) {
				t.Errorf("%d bytes allocated for a pickle of %d", allocated, len(tc.pickle))
			}
			if unsupported := new(*pickle.UnsupportedError); errors.As(err, unsupported) != tc.refused || err != nil != tc.refused {
				t.Errorf("error %v, refused should be %v", err, tc.refused)
			}
		})
	}
}

// TestCopiesAreApart: what is appended to a list does not show in its copies.
func TestCopiesAreApart(t *testing.T) {
	const made = "\x80\x02]K\x01aK\x02aK\x03aq\x00cbuiltins\nlist\nq\x01h\x00\x85Rq\x02"
	for _, tc := range []struct{ name, rest string }{
		{"copy grows", "h\x02K\x04ah\x00\x86."},
		{"original grows", "h\x00K\x04ah\x02\x86."},
		{"both grow", "h\x00K\x05a0h\x02K\x04ah\x00\x86."},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, root, err := pickle.Load(pickle.NewSource(strings.NewReader(made+tc.rest), int64(len(made+tc.rest))), &pickle.Rules{})
			if err != nil {
				t.Fatal(err)
			}
			grown := root.(pickle.Tuple)[0].(*pickle.List).Items
			if len(grown) != 4 || grown[3] != int64(4) {
				t.Errorf("grown list %v", grown)
			}
			other := root.(pickle.Tuple)[1].(*pickle.List).Items
			if len(other) > 3 && other[3] != int64(5) || other[2] != int64(3) {
				t.Errorf("other list %v", other)
			}
		})
	}
}

// TestBytesOfOneText: text that becomes bytes often is read once.
func TestBytesOfOneText(t *testing.T) {
	text := "X\xa0\x86\x01\x00" + strings.Repeat("a", 100_000)
	p := "\x80\x02" + text + "q\x00" + "X\x06\x00\x00\x00latin1q\x01" + "c_codecs\nencode\nq\x02" +
		"(" + strings.Repeat("h\x02h\x00h\x01\x86R", 1000) + "t."
	m, root, err := pickle.Load(pickle.NewSource(strings.NewReader(p), int64(len(p))), &pickle.Rules{})
	if err != nil {
		t.Fatal(err)
	}
	first := m.Bytes(root.(pickle.Tuple)[0].(*pickle.Blob))
	if last := m.Bytes(root.(pickle.Tuple)[999].(*pickle.Blob)); len(first) != 100_000 || &first[0] != &last[0] {
		t.Error("each copy has bytes of its own")
	}
}
