package check

import (
	"fmt"
	"testing"
)

func TestMisnamed(t *testing.T) {
	r := &run{Options: Options{Names: []string{"Walking With Dog", "biking", "playing guitar", "guitar", "7", "a"}}}
	r.names = newWords(r.Names)
	for _, tc := range []struct {
		name  string
		label int
		want  int // the class that it speaks of; -1: nothing is wrong
	}{
		{"v_WalkingWithDog_g08_c04.avi", 0, -1},
		{"v_WalkingWithDog_g08_c04.avi", 1, 0},
		{"walking-with-dog/1.mp4", 1, 0},
		{"walking with dog/1.mp4", 2, 0},
		{"walking/with/dog.mp4", 1, -1},
		{"biking/x.mp4", 0, 1},
		{"motorbiking/x.mp4", 0, -1},
		{"biking/data/x.mp4", 0, -1},           // the last folder alone
		{"biking/walking_with_dog.mp4", 0, -1}, // its own too
		{"PLAYING_GUITAR/x.mp4", 2, -1},        // guitar is in it, but its own name as well
		{"guitar/x.mp4", 2, 3},
		{"7/a.mp4", 0, -1}, // says nothing
		{"x.biking", 0, -1},
	} {
		want := ""
		if tc.want >= 0 {
			want = fmt.Sprintf("label %s, but its name speaks of class %s", r.class(tc.label), r.class(tc.want))
		}
		if got := r.misnamed(tc.name, tc.label); got != want {
			t.Errorf("%s of class %d: %q, want %q", tc.name, tc.label, got, want)
		}
	}
}

func TestStranger(t *testing.T) {
	type folder struct {
		dir    string
		labels map[int]int // how many clips
	}
	for _, tc := range []struct {
		name    string
		folders []folder
		dir     string
		label   int
		strange bool
	}{
		{"one of many", []folder{{"a", map[int]int{0: 19, 1: 1}}, {"b", map[int]int{1: 20}}}, "a", 1, true},
		{"the others", []folder{{"a", map[int]int{0: 19, 1: 1}}, {"b", map[int]int{1: 20}}}, "a", 0, false},
		{"one of four", []folder{{"a", map[int]int{0: 3, 1: 1}}, {"b", map[int]int{1: 4}}}, "a", 1, true},
		{"one of three", []folder{{"a", map[int]int{0: 2, 1: 1}}, {"b", map[int]int{1: 4}}}, "a", 1, false},
		{"too many", []folder{{"a", map[int]int{0: 16, 1: 4}}, {"b", map[int]int{1: 20}}}, "a", 1, false},
		{"one folder for all, one class rare", []folder{{"a", map[int]int{0: 99, 1: 1}}}, "a", 1, false},
		{"a folder of many classes", []folder{{"a", map[int]int{0: 90, 1: 2, 2: 2, 3: 2, 4: 2}}, {"b", map[int]int{1: 4}}}, "a", 1, false},
	} {
		r := &run{folders: newFolders()}
		for _, f := range tc.folders {
			for label, n := range f.labels {
				for range n {
					r.folders.count(f.dir, label)
				}
			}
		}
		r.folders.settle()
		if why := r.stranger(tc.dir, tc.label); (why != "") != tc.strange {
			t.Errorf("%s: %q", tc.name, why)
		}
	}
}

// More folders than are counted are no fault, and take no memory.
func TestManyFolders(t *testing.T) {
	s := newFolders()
	for i := range maxFolders + 10 {
		s.count(fmt.Sprint(i), 0)
	}
	if len(s.by) != maxFolders || !s.full {
		t.Errorf("%d folders, full %v", len(s.by), s.full)
	}
}

// What is shown does not depend on the order of the lines, and is bounded.
func TestSample(t *testing.T) {
	a, b := newSample(100), newSample(100)
	for i := range 1000 {
		for _, s := range []struct {
			*sample
			i int
		}{{a, i}, {b, 999 - i}} {
			s.offer(s.i%100, hash(fmt.Sprint(s.i)), place{0, uint32(s.i)})
		}
	}
	if a.each != 2 || len(a.chosen()) != 200 || fmt.Sprint(a.chosen()) != fmt.Sprint(b.chosen()) {
		t.Errorf("%d each, %d and %d chosen", a.each, len(a.chosen()), len(b.chosen()))
	}
}
