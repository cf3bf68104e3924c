package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/internal/testdata"
)

var groups = regexp.MustCompile(`_g\d+_`)

func TestFoldsKeepFootageTogether(t *testing.T) {
	clips, err := parseClips(actions(t), groups)
	check(t, err)
	folds := deal(clips, seedCount)
	home, all, ofClass := map[string]int{}, [seedCount]int{}, map[[2]int]int{}
	for i, c := range clips {
		all[folds[i]]++
		ofClass[[2]int{c.label, folds[i]}]++
		key := strings.Join(strings.Split(c.dir, "_")[:3], "_") // Class/v_Class_gNN
		if f, ok := home[key]; ok && f != folds[i] {
			t.Errorf("%s is in the folds %d and %d", key, f, folds[i])
		}
		home[key] = folds[i]
	}
	if slices.Min(all[:]) < len(clips)/seedCount-2 || slices.Max(all[:]) > len(clips)/seedCount+2 {
		t.Errorf("folds of %v clips", all)
	}
	for class := range 8 {
		for f := range seedCount {
			if n := ofClass[[2]int{class, f}]; n < 2 || n > 6 { // a fifth of 15 to 18, and footage of up to 5 clips
				t.Errorf("fold %d has %d clips of class %d", f, n, class)
			}
		}
	}
}

// A clip is in the test list of one seed, and in the training lists of the others.
func TestFoldsTestEachClipOnce(t *testing.T) {
	clips, err := parseClips(actions(t), groups)
	check(t, err)
	o := options{work: t.TempDir()}
	check(t, os.MkdirAll(filepath.Join(o.work, "frames"), 0o755))
	check(t, os.WriteFile(filepath.Join(o.work, "frames/train_frames.list"), []byte(actions(t)), 0o644))
	if classes, err := o.writeFolds(groups); err != nil || classes != 8 {
		t.Fatalf("%d classes, %v; want 8", classes, err)
	}
	trained, tested := map[string]int{}, map[string]int{}
	for s := range seedCount {
		for use, count := range map[string]map[string]int{"train": trained, "test": tested} {
			b, err := os.ReadFile(filepath.Join(o.work, fmt.Sprintf("lists/fold-%d/%s.list", s, use)))
			check(t, err)
			for line := range strings.Lines(string(b)) {
				count[strings.TrimSuffix(line, "\n")]++
			}
		}
	}
	for _, c := range clips {
		if tested[c.line] != 1 || trained[c.line] != seedCount-1 {
			t.Errorf("%s is tested %d times and trained on %d times", c.dir, tested[c.line], trained[c.line])
		}
	}
}

func TestFoldsDoNotFollowOrder(t *testing.T) {
	clips, err := parseClips(actions(t), groups)
	check(t, err)
	want := map[string]int{}
	for i, f := range deal(clips, seedCount) {
		want[clips[i].dir] = f
	}
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(clips), func(i, j int) { clips[i], clips[j] = clips[j], clips[i] })
	for i, f := range deal(clips, seedCount) {
		if want[clips[i].dir] != f {
			t.Errorf("%s is in fold %d, was in %d", clips[i].dir, f, want[clips[i].dir])
		}
	}
}

func TestParseClipsErrors(t *testing.T) {
	for _, tc := range []struct{ list, want string }{
		{"a 1 0\nb 1", "line 2"}, {"a 1 x", `label "x"`}, {"a 1 -1", `label "-1"`}, {"", "line 1"},
	} {
		if _, err := parseClips(tc.list, groups); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%q: %v, want %q", tc.list, err, tc.want)
		}
	}
	if clips, err := parseClips("a b 7 3\n", groups); err != nil || clips[0].dir != "a b" || clips[0].label != 3 {
		t.Errorf("%+v, %v", clips, err)
	}
}

// actions is a list of pictures of the actions clips.
func actions(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	for _, name := range []string{"train.list", "val.list"} {
		list, err := os.ReadFile(filepath.Join(testdata.Shared(t), "data/actions", name))
		check(t, err)
		for line := range strings.Lines(string(list)) {
			clip, label, _ := strings.Cut(strings.TrimSpace(line), " ")
			fmt.Fprintln(&b, strings.TrimSuffix(clip, ".avi"), 100, label)
		}
	}
	return b.String()
}
