package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/config"
	"github.com/pptsn/pptsn/dataset"
	"github.com/pptsn/pptsn/labels"
	"github.com/pptsn/pptsn/prepare"
)

// makeFiles makes files without anything in them.
func makeFiles(t *testing.T, dir string, names ...string) string {
	t.Helper()
	for _, name := range names {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		writeFile(t, path, "")
	}
	return dir
}

// nextCommand is the command that prepare says comes next, as a shell reads it.
func nextCommand(t *testing.T, stderr string) []string {
	t.Helper()
	_, after, ok := strings.Cut(stderr, "next:\n")
	line, _, _ := strings.Cut(after, "\n  pptsn train")
	if !ok {
		t.Fatalf("no next step in %s", stderr)
	}
	out, err := exec.Command("sh", "-c", "set -- "+line+"\nprintf '%s\\n' \"$@\"").Output()
	if err != nil {
		t.Fatalf("the next step is nothing that sh reads: %v", err)
	}
	words := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	if words[0] != "pptsn" || words[1] != "check" || words[2] != "-c" {
		t.Fatalf("the next step is %q", words)
	}
	return words[3:]
}

// A test list of one's own is the test's, and what is not there is not checked.
func TestPrepareNext(t *testing.T) {
	dir := makeFiles(t, t.TempDir(), "c/run/1.mp4", "c/run/2.mp4", "c/run/3.mp4", "c/sit/1.mp4", "c/sit/2.mp4", "c/sit/3.mp4")
	key := func(use, list string) string {
		return fmt.Sprintf(" \\\n    -o DATASET.%s.file_path=%s/o/%s.list -o DATASET.%s.data_prefix=%s/c", use, dir, list, use, dir)
	}
	config := "-c configs/recognition/pptsn/pptsn_k400_videos.yaml"
	classes := " \\\n    -o MODEL.head.num_classes=2"
	for _, tc := range []struct {
		flags       []string
		check, keys string
		train       string
	}{
		{nil, config, key("train", "train") + key("valid", "val") + key("test", "val"), config + " --validate"},
		{[]string{"--test", "0.3"}, config, key("train", "train") + key("valid", "val") + key("test", "test"), config + " --validate"},
		{[]string{"--val", "0"}, config + " --use train", key("train", "train"), config},
		{[]string{"--val", "0", "--test", "0.3"}, config + " --use train,test", key("train", "train") + key("test", "test"), config},
	} {
		args := append([]string{"prepare", "folder", dir + "/c", "-o", dir + "/o", "--force"}, tc.flags...)
		code, _, stderr := command(t, "", args...)
		want := "next:\n  pptsn check " + tc.check + classes + tc.keys + "\n  pptsn train " + tc.train + classes + tc.keys + "\n"
		if _, got, ok := strings.Cut(stderr, "next:\n"); code != 0 || !ok || "next:\n"+got != want {
			t.Errorf("%q: exit code %d: %s\nwant %s", tc.flags, code, stderr, want)
		}
	}
	csv := writeFile(t, dir+"/test.csv", "youtube_id,time_start,time_end,split\nAAAAAAAAAAA,0,10,test\n")
	makeFiles(t, dir, "k/AAAAAAAAAAA.mp4")
	if code, _, stderr := command(t, "", "prepare", "kinetics", "--csv", csv, "--videos", dir+"/k", "-o", dir+"/o"); code != 0 || strings.Contains(stderr, "next:") || !strings.Contains(stderr, "no list was written") {
		t.Errorf("no labels: exit code %d: %s", code, stderr)
	}
}

// found opens the lists of a use as the next step configures them, and counts
// the clips that are there; all must be.
func found(t *testing.T, stderr string, use config.Use) int {
	t.Helper()
	words := nextCommand(t, stderr)
	var keys []string
	for i, w := range words[1:] {
		if i%2 == 1 {
			keys = append(keys, w)
		} else if w != "-o" {
			t.Fatalf("the next step is %q", words)
		}
	}
	cfg, err := config.Load(filepath.Join("..", "..", words[0]), keys)
	if err != nil {
		t.Fatal(err)
	}
	spec, err := cfg.Clip(use)
	if err != nil {
		t.Fatal(err)
	}
	data, err := cfg.Data(use)
	if err != nil {
		t.Fatal(err)
	}
	set, err := dataset.Open(dataset.Options{List: data.List, Prefix: data.Prefix, Frames: data.Frames, Suffix: data.Suffix, Pattern: data.Pattern, Spec: spec})
	if err != nil {
		t.Fatal(err)
	}
	if missing, n := set.Missing(t.Context(), 3); n > 0 {
		t.Errorf("%d clips of %s are not there: %v", n, use, missing)
	}
	return set.Len()
}

func TestPrepareUCF101(t *testing.T) {
	names, err := labels.Read("ucf101")
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "a place 'of' mine")
	ind := ""
	for i, n := range names {
		ind += fmt.Sprintf("%d %s\n", i+1, n)
	}
	makeFiles(t, dir, "ann/x", "videos/YoYo/v_YoYo_g08_c01.avi", "videos/YoYo/v_YoYo_g01_c01.avi", "videos/YoYo/v_YoYo_g25_c01.avi",
		"small/YoYo/v_YoYo_g08_c01.mp4", "small/YoYo/v_YoYo_g01_c01.mp4",
		"frames/YoYo/v_YoYo_g08_c01/img_00001.jpg", "frames/YoYo/v_YoYo_g08_c01/img_00002.jpg", "frames/YoYo/v_YoYo_g01_c01/img_00001.jpg")
	writeFile(t, dir+"/ann/classInd.txt", ind)
	writeFile(t, dir+"/ann/trainlist01.txt", "YoYo/v_YoYo_g08_c01.avi 101\nYoYo/v_YoYo_g08_c02.avi 101\n")
	writeFile(t, dir+"/ann/testlist01.txt", "YoYo/v_YoYo_g01_c01.avi\n")
	for _, clips := range []string{"--videos=videos", "--videos=small", "--frames=frames"} {
		flag, folder, _ := strings.Cut(clips, "=")
		for _, extra := range []string{"--absolute=false", "--absolute", "--extension"} {
			out := filepath.Join(dir, "out"+folder+extra)
			code, stdout, stderr := command(t, "", "prepare", "ucf101", "--annotations", dir+"/ann", flag, dir+"/"+folder, "-o", out, extra)
			if code != 0 || !strings.Contains(stdout, "1      1    1") {
				t.Fatalf("%s %s: exit code %d: %s%s", clips, extra, code, stdout, stderr)
			}
			for _, want := range []string{"1 clip missing of 3: YoYo/v_YoYo_g08_c02.avi; also in " + out + "/ucf101_missing.txt"} {
				if !strings.Contains(stderr, want) {
					t.Errorf("standard error lacks %q: %s", want, stderr)
				}
			}
			if n := found(t, stderr, config.Train) + found(t, stderr, config.Valid); n != 2 {
				t.Errorf("%s %s: %d clips, want 2", clips, extra, n)
			}
		}
	}
	code, stdout, stderr := command(t, "", "prepare", "ucf101", "--annotations", dir+"/ann", "--videos", dir+"/videos", "-o", dir+"/outvideos--absolute", "--json")
	if code != 1 || stdout != "" || !strings.Contains(stderr, "is there already and differs: --force") {
		t.Errorf("other lists are there: exit code %d: %s%s", code, stdout, stderr)
	}
	code, stdout, stderr = command(t, "", "prepare", "ucf101", "--annotations", dir+"/ann", "--videos", dir+"/videos", "-o", dir+"/outvideos--absolute", "--json", "--force")
	var r prepare.UCF101Report
	if err := json.Unmarshal([]byte(stdout), &r); code != 0 || err != nil || len(r.Extra) != 1 || r.Clips != 3 || strings.Contains(stdout, "null") {
		t.Errorf("exit code %d, %v: %s%s", code, err, stdout, stderr)
	}
}

func TestPrepareKinetics(t *testing.T) {
	dir := makeFiles(t, t.TempDir(), "videos/tap dancing/-4YTwq0_73Y_000044_000054.mp4", "videos/_HVO2_ZrJno.webm")
	train := writeFile(t, dir+"/train.csv", "label,youtube_id,time_start,time_end,split\ntap dancing,-4YTwq0_73Y,44,54,train\ntap dancing,BBBBBBBBBBB,1,11,train\n")
	val := writeFile(t, dir+"/val.csv", "label,youtube_id,time_start,time_end,split\nnew one,_HVO2_ZrJno,5,15,validate\n")
	code, stdout, stderr := command(t, "", "prepare", "kinetics", "--csv", train, "--csv", val, "--videos", dir+"/videos", "-o", dir+"/own")
	if code != 0 || !strings.Contains(stdout, "train      2      1        1       50.0") || !strings.Contains(stderr, "2 classes, numbered as in from-csv") || !strings.Contains(stderr, "1 clip missing: train tap dancing BBBBBBBBBBB_000001_000011") {
		t.Fatalf("exit code %d: %s%s", code, stdout, stderr)
	}
	if n := found(t, stderr, config.Train) + found(t, stderr, config.Valid); n != 2 {
		t.Errorf("%d clips, want 2", n)
	}
	code, stdout, stderr = command(t, "", "prepare", "kinetics", "--csv", train, "--videos", dir+"/videos", "-o", dir, "--json")
	var r prepare.KineticsReport
	if err := json.Unmarshal([]byte(stdout), &r); code != 0 || err != nil || r.Name != "kinetics400" || r.Splits[0].Found != 1 || strings.Contains(stdout, "null") {
		t.Errorf("exit code %d, %v: %s%s", code, err, stdout, stderr)
	}
	list, err := os.ReadFile(dir + "/kinetics400_train_videos.list")
	if err != nil || string(list) != "tap dancing/-4YTwq0_73Y_000044_000054.mp4 349\n" {
		t.Errorf("%q, %v", list, err)
	}
	if code, _, stderr := command(t, "", "prepare", "kinetics", "--csv", val, "--videos", dir+"/videos", "--labels", "kinetics400"); code != 1 || !strings.Contains(stderr, `val.csv:2: label "new one" is none of the 400 classes`) {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}

func TestPrepareFolder(t *testing.T) {
	var names []string
	for i := range 8 {
		names = append(names, fmt.Sprintf("clips/run/g%d_c%d.mp4", i/2, i), fmt.Sprintf("clips/sit down/g%d_c%d.mp4", i/2, i))
	}
	dir := makeFiles(t, t.TempDir(), names...)
	args := []string{"prepare", "folder", dir + "/clips", "--val", "0.25", "--group-by", `/(g\d)_`, "-o", dir + "/lists"}
	code, stdout, stderr := command(t, "", args...)
	if code != 0 || !strings.Contains(stderr, "4 groups: train 75.0 % (wanted 75.0), val 25.0 % (wanted 25.0)\n") {
		t.Fatalf("exit code %d: %s%s", code, stdout, stderr)
	}
	for _, want := range []string{"label  clips  train  val  class\n", "0      8      6    2  run\n", "1      8      6    2  sit down\n", "16     12    4  all\n"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("the table lacks %q:\n%s", want, stdout)
		}
	}
	if n := found(t, stderr, config.Train); n != 12 {
		t.Errorf("%d clips, want 12", n)
	}
	code, stdout, _ = command(t, "", append(args, "--json")...)
	var r prepare.FolderReport
	if err := json.Unmarshal([]byte(stdout), &r); code != 0 || err != nil || r.Clips != 16 || r.Groups != 4 || strings.Contains(stdout, "null") {
		t.Errorf("the same again: exit code %d, %v: %s", code, err, stdout)
	}
}

func TestPrepareBadCommandLine(t *testing.T) {
	for _, tc := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"ucf101"}, 2, "--annotations"},
		{[]string{"ucf101", "--annotations", "a", "--videos", "b", "--frames", "c"}, 2, "one of --videos and --frames"},
		{[]string{"ucf101", "--annotations", "none", "--videos", "b"}, 1, "classInd.txt"},
		{[]string{"kinetics", "--csv", "a"}, 2, "--videos"},
		{[]string{"kinetics", "--csv", "none.csv", "--videos", "b"}, 1, "none.csv"},
		{[]string{"folder"}, 2, "one folder"},
		{[]string{"folder", "a", "b"}, 2, "one folder"},
		{[]string{"folder", "a", "--val", "1"}, 2, "--val 1"},
		{[]string{"folder", "a", "--val", "NaN"}, 2, "--val NaN"},
		{[]string{"folder", "a", "--group-by", "("}, 2, "--group-by"},
		{[]string{"folder", "none"}, 1, "none"},
	} {
		code, stdout, stderr := command(t, "", append([]string{"prepare"}, tc.args...)...)
		if code != tc.code || stdout != "" || !strings.Contains(stderr, tc.want) {
			t.Errorf("%q: exit code %d, %q: %s", tc.args, code, stdout, stderr)
		}
	}
}
