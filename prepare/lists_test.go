package prepare_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/dataset"
	"github.com/pptsn/pptsn/prepare"
)

// layout writes files; a name that ends in / is a folder.
func layout(t testing.TB, dir string, files map[string]string) string {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if strings.HasSuffix(name, "/") {
			if err := os.MkdirAll(path, 0o777); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// empty are files without anything in them.
func empty(names ...string) map[string]string {
	files := map[string]string{}
	for _, n := range names {
		files[n] = ""
	}
	return files
}

// listSpec is any valid one: nothing is loaded.
var listSpec = clip.Spec{Sampling: clip.Sampling{Mode: clip.SelectLeft, Segments: 1}, Steps: []clip.Step{{CenterCrop: &clip.CenterCrop{Size: 16}}, {Normalize: &clip.Normalize{Std: [3]float32{1, 1, 1}}}}}

// written puts files into a folder, and reads each list back as Open and Scan
// read it: "name frames label".
func written(t testing.TB, files []prepare.File) (dir string, lists map[string][]string) {
	t.Helper()
	dir, lists = t.TempDir(), map[string][]string{}
	if err := prepare.Write(dir, files, false); err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if f.Report || f.Absent || strings.Contains(f.Name, "labels") {
			continue
		}
		lists[f.Name] = readBack(t, filepath.Join(dir, f.Name), strings.Contains(f.Name, "rawframes"))
	}
	return dir, lists
}

func readBack(t testing.TB, list string, frames bool) (out []string) {
	t.Helper()
	o := dataset.Options{List: list, Frames: frames, Spec: listSpec}
	o.Pattern, _ = clip.ParsePattern("img_{:05}.jpg")
	set, err := dataset.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(list)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for l, err := range dataset.Scan(f, list, frames) {
		if err != nil {
			t.Fatal(err)
		}
		s := set.Sample(len(out))
		if s.Name != l.Name || s.Label != l.Label || s.Frames != l.Frames {
			t.Fatalf("Open reads %+v, Scan %+v", s, l)
		}
		out = append(out, fmt.Sprintf("%s %d %d", l.Name, l.Frames, l.Label))
	}
	return out
}

func same(t testing.TB, what string, got, want any) {
	t.Helper()
	if g, w := fmt.Sprintf("%q", got), fmt.Sprintf("%q", want); g != w {
		t.Errorf("%s:\n  %s, want\n  %s", what, g, w)
	}
}

// Whatever is under way, an ended context ends it.
func TestListsCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	dir := layout(t, t.TempDir(), map[string]string{
		"classInd.txt": "1 A\n", "trainlist01.txt": "A/v_A_g08_c01.avi 1\n", "train.csv": kineticsHeader + "zumba,AAAAAAAAAAA,0,10,train\n",
		"own.csv": "path,label\nA/v_A_g08_c01.avi,a\n", "A/v_A_g08_c01.avi": "", "f/A/v_A_g08_c01/img_00001.jpg": "", "AAAAAAAAAAA.mp4": "",
	})
	run := map[string]func() error{
		"ucf101": func() error { _, _, err := prepare.UCF101{Annotations: dir, Videos: dir}.Run(ctx); return err },
		"frames": func() error { _, _, err := prepare.UCF101{Annotations: dir, Frames: dir + "/f"}.Run(ctx); return err },
		"kinetics": func() error {
			_, _, err := prepare.Kinetics{CSV: []string{dir + "/train.csv"}, Videos: dir}.Run(ctx)
			return err
		},
		"folder": func() error { _, _, err := prepare.Folder{Dir: dir}.Run(ctx); return err },
		"CSV":    func() error { _, _, err := prepare.Folder{Dir: dir, CSV: dir + "/own.csv"}.Run(ctx); return err },
	}
	for name, f := range run {
		if err := f(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	cancel()
	for name, f := range run {
		if err := f(); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v, want that it was cancelled", name, err)
		}
	}
}
