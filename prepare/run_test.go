package prepare_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/dataset"
	"github.com/pptsn/pptsn/prepare"
)

func TestEmptyListsAreNotWritten(t *testing.T) {
	dir, list := clips(t)
	bad := store(t, filepath.Join(dir, "bad.list"), "b/bad.mp4 0\n")
	p, err := prepare.PlanLists([]string{bad, list}, dataset.Options{Prefix: dir})
	if err != nil {
		t.Fatal(err)
	}
	out := t.TempDir()
	var said []string
	s, err := plain.Run(context.Background(), p, prepare.RunOptions{Out: out, Warn: func(text string) { said = append(said, text) }})
	if err != nil || s.Failed != 1 || len(s.Lists) != 1 || filepath.Base(s.Lists[0]) != "train_frames.list" {
		t.Errorf("%+v, %v", s, err)
	}
	if _, err := os.Stat(filepath.Join(out, "bad_frames.list")); !os.IsNotExist(err) {
		t.Errorf("an empty list: %v", err)
	}
	if len(said) != 1 || !strings.Contains(said[0], "bad_frames.list is not written") {
		t.Errorf("said %q", said)
	}
}

// Copies of copies do not take the place of what they are made of.
func TestCopiesDoNotReplaceTheirSource(t *testing.T) {
	dir, list := clips(t)
	out := t.TempDir()
	c := prepare.Compact{GOP: 8, CRF: 20}
	if _, err := c.Run(context.Background(), planned(t, dir, list), prepare.RunOptions{Out: out}); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(filepath.Join(out, "a/one.mp4"))
	if err != nil {
		t.Fatal(err)
	}
	p := planned(t, out, filepath.Join(out, "train_compact.list"))
	s, err := c.Run(context.Background(), p, prepare.RunOptions{Out: out, Lists: t.TempDir()})
	if err != nil || s.Failed != 3 {
		t.Errorf("%+v, %v", s, err)
	}
	if after, err := os.ReadFile(filepath.Join(out, "a/one.mp4")); err != nil || string(after) != string(before) {
		t.Errorf("the source was written over: %v", err)
	}
}

func TestNamesAsLongAsTheyMayBe(t *testing.T) {
	dir, _ := clips(t)
	long := strings.Repeat("長", 83) // 3 bytes each
	for _, last := range []string{"a", "b"} {
		store(t, filepath.Join(dir, long+last+".mp4"), string(small["a/one.mp4"]))
	}
	list := store(t, filepath.Join(dir, "long.list"), long+"a.mp4 0\n"+long+"b.mp4 1\n")
	for _, run := range []func(context.Context, *prepare.Plan, prepare.RunOptions) (prepare.Summary, error){
		plain.Run, prepare.Compact{GOP: 8, CRF: 20}.Run,
	} {
		s, err := run(context.Background(), planned(t, dir, list), prepare.RunOptions{Out: t.TempDir(), Workers: 2})
		if err != nil || s.Made != 2 {
			t.Errorf("%+v, %v", s, err)
		}
	}
}
