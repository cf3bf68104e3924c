package prepare_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/labels"
	"github.com/pptsn/pptsn/prepare"
)

func TestFolder(t *testing.T) {
	files := empty(".git/x.mp4", "stray.mp4", "notes.txt", "class 2/.a.mp4", "class 2/a.txt", "empty/")
	for i := range 10 {
		files[fmt.Sprintf("class 10/deep/er/-v %d \"q\".MP4", i)] = ""
		files[fmt.Sprintf("class 2/лук, 射 %d.avi", i)] = ""
	}
	files["class 2/two\nlines.avi"] = ""
	files["one/clip.webm"] = ""
	dir := layout(t, t.TempDir(), files)
	links(t, dir)
	r, out, err := prepare.Folder{Dir: dir, Val: 0.2, Test: 0.1}.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	at, lists := written(t, out)
	names, err := labels.Read(filepath.Join(at, "labels.txt"))
	if err != nil {
		t.Fatal(err)
	}
	same(t, "labels", names, []string{"class 2", "class 10", "empty", "one"})
	var all []string
	for _, l := range lists {
		all = append(all, l...)
	}
	slices.Sort(all)
	want := []string{"class 2/link.mp4 0 0", "one/clip.webm 0 3"}
	for i := range 10 {
		want = append(want, fmt.Sprintf("class 10/deep/er/-v %d \"q\".MP4 0 1", i), fmt.Sprintf("class 2/лук, 射 %d.avi 0 0", i))
	}
	slices.Sort(want)
	same(t, "clips", all, want)
	if fmt.Sprint(r.Classes) != "[{class 2 11 [8 2 1]} {class 10 10 [7 2 1]} {empty 0 [0 0 0]} {one 1 [1 0 0]}]" || fmt.Sprint(r.Split) != "[16 4 2]" {
		t.Errorf("classes %v, split %v", r.Classes, r.Split)
	}
	same(t, "thin", r.Thin, []string{"empty has no clips at all", "one has none in val, of 1", "one has none in test, of 1"})
	same(t, "stray", r.Stray, []string{"stray.mp4"})
	if len(r.Unnamed) != 1 || !strings.Contains(r.Unnamed[0], "line break") {
		t.Errorf("unnamed: %q", r.Unnamed)
	}
	if r.Skipped != (prepare.Skipped{Hidden: 2, Other: 2, Links: 3}) {
		t.Errorf("skipped: %+v", r.Skipped)
	}
}

// links adds a link to a file elsewhere, and links that lead nowhere, up and to
// themselves.
func links(t *testing.T, dir string) {
	t.Helper()
	other := layout(t, t.TempDir(), empty("real.mp4"))
	for name, target := range map[string]string{
		"class 2/link.mp4": filepath.Join(other, "real.mp4"), "class 2/dead.mp4": filepath.Join(other, "none.mp4"),
		"class 2/loop": filepath.Join(dir, "class 2"), "class 10/self": "self",
	} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFolderGroups(t *testing.T) {
	files := map[string]string{}
	for c := range 4 {
		for g := range 8 {
			for i := range 1 + (g+c)%3 {
				files[fmt.Sprintf("c%d/v_g%02d_c%d.avi", c, g, i)] = ""
			}
		}
	}
	files["c0/other.avi"] = ""
	dir := layout(t, t.TempDir(), files)
	for _, tc := range []struct {
		re     string
		groups int
		of     func(name string) string
	}{
		{`_(g\d+)_`, 8 + 1, func(n string) string { return n[strings.Index(n, "_g"):][:4] }}, // over classes
		{`^c\d/v_g\d+`, 4*8 + 1, func(n string) string { return n[:len("c0/v_g00")] }},
	} {
		r, out, err := prepare.Folder{Dir: dir, Val: 0.25, GroupBy: regexp.MustCompile(tc.re)}.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		_, lists := written(t, out)
		side := map[string]string{}
		for list, lines := range lists {
			for _, line := range lines {
				if strings.Contains(line, "other") {
					continue
				}
				g := tc.of(line)
				if s, ok := side[g]; ok && s != list {
					t.Errorf("%s: group %s is in %s and in %s", tc.re, g, s, list)
				}
				side[g] = list
			}
		}
		if r.Groups != tc.groups || len(r.Ungrouped) != 1 || len(r.Thin) > 0 || r.Shares[1] < 0.2 || r.Shares[1] > 0.3 || r.Furthest == nil {
			t.Errorf("%s: %+v", tc.re, r)
		}
	}
}

// Where the CSV file has some clips of a group on a side, the others follow.
func TestFolderGroupsOfCSV(t *testing.T) {
	files, csv := map[string]string{}, "path,label,split,group\n"
	for i := range 12 {
		files[fmt.Sprintf("%d.mp4", i)] = ""
		csv += fmt.Sprintf("%d.mp4,a,%s,g%d\n", i, map[int]string{0: "val", 1: "test", 10: "train", 11: "val"}[i], i%2+i/10)
	}
	dir := layout(t, t.TempDir(), files) // g0: 0 2 4 6 8; g1: 1 3 5 7 9 and 10; g2: 11
	layout(t, dir, map[string]string{"own.csv": csv + "./2.mp4,b,,\n"})
	r, out, err := prepare.Folder{Dir: dir, CSV: dir + "/own.csv", Val: 0.2}.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, lists := written(t, out)
	same(t, "val", lists["val.list"], []string{"0.mp4 0 0", "2.mp4 0 0", "4.mp4 0 0", "6.mp4 0 0", "8.mp4 0 0", "11.mp4 0 0"})
	same(t, "test", lists["test.list"], []string{"1.mp4 0 0", "3.mp4 0 0", "5.mp4 0 0", "7.mp4 0 0", "9.mp4 0 0"})
	same(t, "train", lists["train.list"], []string{"10.mp4 0 0"})
	same(t, "torn", r.Torn, []string{"g1"})
	if len(r.Bad) != 1 || !strings.Contains(r.Bad[0].Error(), "own.csv:14: \"./2.mp4\" a second time; the first is on line 4") {
		t.Errorf("bad: %v", r.Bad)
	}
}

// A copy of the folder elsewhere, and absolute paths, split alike.
func TestFolderSame(t *testing.T) {
	files := map[string]string{}
	for i := range 30 {
		files[fmt.Sprintf("a/%d.mp4", i)] = ""
	}
	one, two := layout(t, t.TempDir(), files), layout(t, t.TempDir(), files)
	run := func(o prepare.Folder) []string {
		t.Helper()
		o.Val = 0.3
		_, out, err := o.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		_, lists := written(t, out)
		return lists["val.list"]
	}
	want := run(prepare.Folder{Dir: one})
	same(t, "copy", run(prepare.Folder{Dir: two}), want)
	for i := range want {
		want[i] = one + "/" + want[i]
	}
	same(t, "absolute", run(prepare.Folder{Dir: one, Absolute: true}), want)
	if other := run(prepare.Folder{Dir: one, Absolute: true, Seed: 1}); slices.Equal(other, want) || len(other) != len(want) {
		t.Errorf("seed 1: %q", other)
	}
}

func TestFolderCSV(t *testing.T) {
	dir := layout(t, t.TempDir(), empty("x/a, b.mp4", "c.mp4", "d.mp4", "e.mp4"))
	beside := layout(t, t.TempDir(), map[string]string{
		"names.csv": "\ufeffPath,note,label,split,group\r\n\"x/a, b.mp4\",n,run,train,\r\nc.mp4,,\"jump \"\"high\"\"\",validation,\r\nf.mp4,,run,test,\r\n" +
			"gone.mp4,,run,train,\r\nc.mp4,,run,,\r\nd.mp4,,,,\r\ne.mp4,,run,other,\r\n",
		"numbers.csv": "path,label,group\nx/a, b.mp4,1\nc.mp4,1,g\nd.mp4,3,g\ne.mp4,1,h\n",
		"quoted.csv":  "path,label,group\n\"x/a, b.mp4\",1,h\nc.mp4,1,g\nd.mp4,3,g\ne.mp4,1,h\n",
		"high.csv":    "path,label\nc.mp4,7\n", "header.csv": "file,label\nc.mp4,7\n", "empty.csv": "", "none.csv": "path,label\nzz.mp4,a\n",
		"f.mp4":     "",
		"order.txt": "run\nsit\njump \"high\"\n",
	})
	run := func(csv, names string) (*prepare.FolderReport, []prepare.File, error) {
		return prepare.Folder{Dir: dir, CSV: filepath.Join(beside, csv), Labels: names, Val: 0.5}.Run(t.Context())
	}
	r, out, err := run("names.csv", filepath.Join(beside, "order.txt"))
	if err != nil {
		t.Fatal(err)
	}
	_, lists := written(t, out)
	same(t, "lists", []any{lists["train.list"], lists["val.list"], lists["test.list"]}, []any{
		[]string{"x/a, b.mp4 0 0"}, []string{"c.mp4 0 2"}, []string{filepath.Join(beside, "f.mp4") + " 0 0"}})
	same(t, "missing", r.Missing, []string{"gone.mp4"})
	if !slices.EqualFunc(r.Bad, []string{"names.csv:6: \"c.mp4\" a second time; the first is on line 3", "names.csv:7: the label is empty", "names.csv:8: split \"other\""},
		func(p prepare.Problem, want string) bool { return strings.Contains(p.Error(), want) }) {
		t.Errorf("bad: %v", r.Bad)
	}
	if r.Wanted != nil {
		t.Errorf("all is split, but wanted are %v", r.Wanted)
	}

	r, out, err = run("quoted.csv", "")
	if err != nil {
		t.Fatal(err)
	}
	at, lists := written(t, out)
	names, _ := labels.Read(filepath.Join(at, "labels.txt"))
	same(t, "numbers", names, []string{"0", "1", "2", "3"})
	if r.Groups != 2 || len(lists["train.list"]) != 2 || len(lists["val.list"]) != 2 {
		t.Errorf("%+v: %v", r, lists)
	}
	for csv, want := range map[string]string{
		"high.csv": "label 7, but " + beside + "/order.txt has 3 classes", "header.csv": "header.csv:1: want a header", "empty.csv": "the file is empty",
		"none.csv": "no clip is there of 1, such as \"", "zz.csv": "no such file", "numbers.csv": "not in",
	} {
		if _, _, err := run(csv, filepath.Join(beside, "order.txt")); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", csv, err, want)
		}
	}
}

func TestFolderErrors(t *testing.T) {
	dir := layout(t, t.TempDir(), empty("a/x.mp4", "b/y.mp4"))
	flat := layout(t, t.TempDir(), empty("x.mp4"))
	for want, o := range map[string]prepare.Folder{
		"no videos in folders":         {Dir: flat},
		"no such file":                 {Dir: filepath.Join(dir, "none")},
		"x.mp4: a file, not a folder":  {Dir: filepath.Join(flat, "x.mp4")},
		"class \"a\" is not in ucf101": {Dir: dir, Labels: "ucf101"},
		"want both from 0":             {Dir: dir, Val: 0.5, Test: 0.5},
		"shares of -1":                 {Dir: dir, Val: -1},
		"matches no clip of 2, such as a/x.mp4: it must match": {Dir: dir, GroupBy: regexp.MustCompile("zzz")},
		"groups matches no clip of 2":                          {Dir: dir, GroupBy: regexp.MustCompile("q*")},
		"class \"tr \" cannot stand in a list: a space":        {Dir: layout(t, t.TempDir(), empty("tr /x.mp4"))},
		"class \"\\xff\" is not UTF-8":                         {Dir: layout(t, t.TempDir(), empty("\xff/x.mp4"))},
	} {
		if _, _, err := o.Run(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", o, err, want)
		}
	}
}

func TestWrite(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "folder")
	list, report := prepare.File{Name: "a.list", Data: []byte("a 0\n")}, prepare.File{Name: "r.txt", Data: []byte("1\n"), Report: true}
	other, later := prepare.File{Name: "a.list", Data: []byte("b 0\n")}, prepare.File{Name: "r.txt", Data: []byte("2\n"), Report: true}
	for i, step := range []struct {
		files []prepare.File
		force bool
		err   string
		want  string // of a.list and r.txt
	}{
		{[]prepare.File{list, report}, false, "", "a 0\n1\n"},
		{[]prepare.File{list, later}, false, "", "a 0\n2\n"},
		{[]prepare.File{report, other}, false, "a.list is there already and differs: --force", "a 0\n2\n"},
		{[]prepare.File{report, other}, true, "", "b 0\n1\n"},
		{[]prepare.File{later, {Name: "a.list", Absent: true}}, false, "a.list is there of an earlier run", "b 0\n1\n"},
		{[]prepare.File{later, {Name: "a.list", Absent: true}}, true, "", "2\n"},
		{[]prepare.File{report, {Name: "a.list", Absent: true}}, false, "", "1\n"},
	} {
		err := prepare.Write(dir, step.files, step.force)
		if (err == nil) != (step.err == "") || err != nil && !strings.Contains(err.Error(), step.err) {
			t.Errorf("step %d: %v, want %q", i, err, step.err)
		}
		a, _ := os.ReadFile(filepath.Join(dir, "a.list"))
		b, _ := os.ReadFile(filepath.Join(dir, "r.txt"))
		if got := string(a) + string(b); got != step.want {
			t.Errorf("step %d: %q, want %q", i, got, step.want)
		}
	}
}
