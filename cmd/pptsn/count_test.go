package main

import "testing"

func TestCountOf(t *testing.T) {
	for _, tc := range []struct {
		n    int
		what string
		want string
	}{{1, "clip", "1 clip"}, {0, "clip", "0 clips"}, {2, "process", "2 processes"}, {1, "class", "1 class"}} {
		if got := countOf(tc.n, tc.what); got != tc.want {
			t.Errorf("%d, %s: got %q", tc.n, tc.what, got)
		}
	}
}
