package prepare_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/dataset"
	"github.com/pptsn/pptsn/prepare"
)

func store(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestPlanNames(t *testing.T) {
	dir := t.TempDir()
	for _, tc := range []struct {
		lists          map[string]string
		prefix, suffix string
		want           string // names, or the error
	}{
		{lists: map[string]string{"a.list": "x/clip one.mp4 3\n-y.avi 0\nx/clip one.mp4 1\n"}, want: "x/clip one|-y"},
		{lists: map[string]string{"a.list": "v.1 0\n"}, suffix: ".avi", want: "v.1"},
		{lists: map[string]string{"a.list": "/data/x/y.avi 0\nz.avi 1\n"}, prefix: "/data", want: "x/y|z"},
		{lists: map[string]string{"a.list": "x/../y.avi 0\n"}, want: "y"},
		{lists: map[string]string{"a.list": "сlip-射箭.mp4 0\n"}, want: "сlip-射箭"},
		{lists: map[string]string{"a.list": "ok.avi 0\n../y.avi 0\n"}, prefix: "data", want: "a.list:2: data/../y.avi does not lie in"},
		{lists: map[string]string{"a.list": "/data/y.avi 0\n"}, want: "give the folder of all videos as --prefix"},
		{lists: map[string]string{"a.list": "/other/y.avi 0\n"}, prefix: "/data", want: "/other/y.avi does not lie in the folder /data"},
		{lists: map[string]string{"a.list": "a.avi 0\na.mp4 0\n"}, prefix: "d", want: "a.list:2: d/a.avi and d/a.mp4 would both become a"},
		{lists: map[string]string{"a.list": "x/.avi 0\n"}, want: "nothing but an extension"},
		{lists: map[string]string{"a.list": "a .avi 0\n"}, want: "a space at its beginning or end"},
		{lists: map[string]string{"a.list": "a.avi\nb.avi zero\n"}, want: "a.list:2: label"},
		{lists: map[string]string{"a.list": "\n"}, want: "the list is empty"},
		{lists: map[string]string{"a.list": "a.avi 0\n", "x/a.txt": "b.avi 0\n"}, want: "would both be written as a"},
	} {
		var lists []string
		for name, text := range tc.lists {
			lists = append(lists, store(t, filepath.Join(dir, name), text))
		}
		slices.Sort(lists)
		p, err := prepare.PlanLists(lists, dataset.Options{Prefix: tc.prefix, Suffix: tc.suffix})
		var names []string
		if err == nil {
			for _, s := range p.Sources {
				names = append(names, s.Name)
			}
		}
		if got := strings.Join(names, "|"); got != tc.want && (err == nil || !strings.Contains(err.Error(), tc.want)) {
			t.Errorf("%v: %s, %v, want %s", tc.lists, got, err, tc.want)
		}
	}
}

func TestPlanFolder(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"b/c.avi", "b/d/e.MP4", "a.webm", "readme.txt", ".hidden.avi", "out/f.mp4"} {
		store(t, filepath.Join(dir, name), "x")
	}
	p, err := prepare.PlanFolder(context.Background(), dir, filepath.Join(dir, "b", "..", "out"))
	if err != nil {
		t.Fatal(err)
	}
	want := []prepare.Source{{Path: filepath.Join(dir, "a.webm"), Name: "a"}, {Path: filepath.Join(dir, "b/c.avi"), Name: "b/c"}, {Path: filepath.Join(dir, "b/d/e.MP4"), Name: "b/d/e"}}
	if !slices.Equal(p.Sources, want) {
		t.Errorf("%v, want %v", p.Sources, want)
	}
	if _, err := prepare.PlanFolder(context.Background(), dir, filepath.Join(dir, "b", "..")); err == nil || !strings.Contains(err.Error(), "among the videos") {
		t.Errorf("into itself: error %v", err)
	}
	if _, err := prepare.PlanFolder(context.Background(), filepath.Join(dir, "a.webm"), "out"); err == nil || !strings.Contains(err.Error(), "a.webm: a file, not a folder") {
		t.Errorf("error %v", err)
	}
	if _, err := prepare.PlanLists([]string{dir}, dataset.Options{}); err == nil || !strings.Contains(err.Error(), dir+": a folder, not a list") {
		t.Errorf("error %v", err)
	}
	store(t, filepath.Join(dir, "b/c.mp4"), "x")
	if _, err := prepare.PlanFolder(context.Background(), dir, "out"); err == nil || !strings.Contains(err.Error(), "would both become b/c") {
		t.Errorf("error %v", err)
	}
}

// Frames of "a" are in a folder a, where those of "a/b" would get a folder too.
func TestFramesDoNotLieInEachOther(t *testing.T) {
	dir := t.TempDir()
	store(t, filepath.Join(dir, "a.avi"), "x")
	store(t, filepath.Join(dir, "a/b/c.avi"), "x")
	p, err := prepare.PlanFolder(context.Background(), dir, "out")
	if err != nil {
		t.Fatal(err)
	}
	_, err = prepare.Frames{Quality: 95, Every: 1}.Run(context.Background(), p, prepare.RunOptions{Out: t.TempDir()})
	if want := "would lie among those of"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want %q", err, want)
	}
}
