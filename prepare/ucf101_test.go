package prepare_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/internal/testdata"
	"github.com/pptsn/pptsn/labels"
	"github.com/pptsn/pptsn/prepare"
)

// classInd is the official file: 101 lines from 1 on, CRLF as in the archive.
func classInd(t testing.TB) string {
	t.Helper()
	names, err := labels.Read("ucf101")
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for i, n := range names {
		fmt.Fprintf(&b, "%d %s\r\n", i+1, n)
	}
	return b.String()
}

func TestUCF101(t *testing.T) {
	ann := layout(t, t.TempDir(), map[string]string{
		"classInd.txt": classInd(t),
		"trainlist01.txt": "\ufeffApplyEyeMakeup/v_ApplyEyeMakeup_g08_c01.avi 1\r\nApplyEyeMakeup/v_ApplyEyeMakeup_g08_c02.avi 1\r\n" +
			"HandstandPushups/v_HandStandPushups_g08_c01.avi 37\r\nYoYo/v_YoYo_g08_c01.avi 101\r\nYoYo/v_YoYo_g08_c01.avi 101\r\n",
		"testlist01.txt": "ApplyEyeMakeup/v_ApplyEyeMakeup_g01_c01.avi\r\n\r\nYoYo/v_YoYo_g08_c01.avi\r\nHammerThrow/v_HammerThrow_g01_c01.avi\r\n",
		"testlist03.txt": "YoYo/v_YoYo_g01_c01.avi\n",
	})
	videos := layout(t, t.TempDir(), empty(
		"ApplyEyeMakeup/v_ApplyEyeMakeup_g08_c01.avi", "ApplyEyeMakeup/v_ApplyEyeMakeup_g01_c01.avi", "ApplyEyeMakeup/v_ApplyEyeMakeup_g25_c07.avi",
		"HandstandPushups/v_HandstandPushups_g08_c01.avi", "v_HammerThrow_g01_c01.avi",
		"YoYo/v_YoYo_g08_c01.avi", "YoYo/v_YoYo_g01_c01.avi", "YoYo/.hidden.avi", "YoYo/readme.txt"))
	r, files, err := prepare.UCF101{Annotations: ann, Videos: videos}.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	dir, lists := written(t, files)
	same(t, "train 1", lists["ucf101_train_split_1_videos.txt"], []string{"ApplyEyeMakeup/v_ApplyEyeMakeup_g08_c01 0 0", "HandstandPushups/v_HandstandPushups_g08_c01 0 36", "YoYo/v_YoYo_g08_c01 0 100"})
	same(t, "val 1", lists["ucf101_val_split_1_videos.txt"], []string{"ApplyEyeMakeup/v_ApplyEyeMakeup_g01_c01 0 0", "YoYo/v_YoYo_g08_c01 0 100", "v_HammerThrow_g01_c01 0 35"})
	same(t, "val 3", lists["ucf101_val_split_3_videos.txt"], []string{"YoYo/v_YoYo_g01_c01 0 100"})
	if len(lists) != 3 || r.Suffix != ".avi" || r.Clips != 7 {
		t.Errorf("%d lists, suffix %q, %d clips", len(lists), r.Suffix, r.Clips)
	}
	same(t, "missing", r.Missing, []string{"ApplyEyeMakeup/v_ApplyEyeMakeup_g08_c02.avi"})
	same(t, "extra", r.Extra, []string{"ApplyEyeMakeup/v_ApplyEyeMakeup_g25_c07.avi"})
	same(t, "renamed", r.Renamed, []prepare.Renamed{
		{Annotation: "HandstandPushups/v_HandStandPushups_g08_c01.avi", File: "HandstandPushups/v_HandstandPushups_g08_c01.avi"},
		{Annotation: "HammerThrow/v_HammerThrow_g01_c01.avi", File: "v_HammerThrow_g01_c01.avi"}})
	if len(r.Odd) != 2 || !strings.Contains(r.Odd[0].Error(), "trainlist01.txt:5: YoYo/v_YoYo_g08_c01.avi a second time; the first is on line 4") ||
		!strings.Contains(r.Odd[1].Error(), "testlist01.txt:3: YoYo/v_YoYo_g08_c01.avi is on line 4 of the split's training list too") {
		t.Errorf("odd: %v", r.Odd)
	}
	if r.Skipped.Hidden != 1 || r.Skipped.Other != 1 || fmt.Sprint(r.Splits) != "[{1 3 3 1 0} {3 0 1 0 0}]" {
		t.Errorf("skipped %+v, splits %v", r.Skipped, r.Splits)
	}
	names, err := labels.Read(filepath.Join(dir, "ucf101_labels.txt"))
	if want, _ := labels.Read("ucf101"); err != nil || !slices.Equal(names, want) {
		t.Errorf("labels: %v, %v", names, err)
	}
}

func TestUCF101FramesCountedConcurrently(t *testing.T) {
	ann := layout(t, t.TempDir(), map[string]string{
		"classInd.txt":    "1 A\n2 B\n",
		"trainlist01.txt": "A/v_A_g08_c01.avi 1\nA/v_A_g08_c02.avi 1\nB/v_B_g08_c01.avi 2\nB/v_B_g08_c02.avi 2\n",
	})
	frames := layout(t, t.TempDir(), empty("A/v_A_g08_c01/img_00001.jpg", "A/v_A_g08_c01/img_00002.jpg", "A/v_A_g08_c01/flow_x_00001.jpg",
		"A/v_A_g08_c02/img_00001.jpg", "A/v_A_g08_c02/img_00003.jpg", "B/v_B_g08_c01/", "A/v_A_g09_c01/img_00001.jpg", "b/v_b_G08_c02/img_00001.jpg"))
	counted := 0
	r, files, err := prepare.UCF101{Annotations: ann, Frames: frames, Absolute: true, Progress: func(done, _ int) { counted = done }}.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, lists := written(t, files)
	same(t, "train", lists["ucf101_train_split_1_rawframes.txt"], []string{frames + "/A/v_A_g08_c01 2 0", frames + "/b/v_b_G08_c02 1 1"})
	if len(r.Bad) != 2 || !strings.Contains(r.Bad[0].Err, "img_00002.jpg is missing") || !strings.Contains(r.Bad[1].Err, "v_B_g08_c01") {
		t.Errorf("bad: %v", r.Bad)
	}
	same(t, "extra", r.Extra, []string{"A/v_A_g09_c01"})
	if counted != 4 {
		t.Errorf("progress ends with %d, want 4", counted)
	}
}

// Many folders: each keeps its own count.
func TestUCF101CountsConcurrently(t *testing.T) {
	list, files, want := "", map[string]string{}, []string{}
	for i := range 60 {
		name := fmt.Sprintf("A/v_A_g%02d_c01", i)
		list += name + ".avi 1\n"
		for p := range 1 + i%7 {
			files[fmt.Sprintf("%s/img_%05d.jpg", name, p+1)] = ""
		}
		want = append(want, fmt.Sprintf("%s %d 0", name, 1+i%7))
	}
	ann := layout(t, t.TempDir(), map[string]string{"classInd.txt": "1 A\n", "trainlist01.txt": list})
	_, out, err := prepare.UCF101{Annotations: ann, Frames: layout(t, t.TempDir(), files)}.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, lists := written(t, out)
	same(t, "counts", lists["ucf101_train_split_1_rawframes.txt"], want)
}

func TestUCF101Extensions(t *testing.T) {
	ann := layout(t, t.TempDir(), map[string]string{"classInd.txt": "1 A\n", "trainlist01.txt": "A/v_A_g08_c01.avi 1\nA/v_A_g08_c02.avi\n"})
	for _, tc := range []struct {
		files  []string
		keep   bool
		suffix string
		want   []string
	}{
		{[]string{"A/v_A_g08_c01.avi", "A/v_A_g08_c02.avi"}, true, "", []string{"A/v_A_g08_c01.avi 0 0", "A/v_A_g08_c02.avi 0 0"}},
		{[]string{"A/v_A_g08_c01.mp4", "A/v_A_g08_c02.mp4"}, false, ".mp4", []string{"A/v_A_g08_c01 0 0", "A/v_A_g08_c02 0 0"}},
		{[]string{"A/v_A_g08_c01.mp4", "A/v_A_g08_c02.avi"}, false, "", []string{"A/v_A_g08_c01.mp4 0 0", "A/v_A_g08_c02.avi 0 0"}},
		{[]string{"A/v_A_g08_c01.mp4", "A/v_A_g08_c01.avi"}, false, ".avi", []string{"A/v_A_g08_c01 0 0"}},
	} {
		r, files, err := prepare.UCF101{Annotations: ann, Videos: layout(t, t.TempDir(), empty(tc.files...)), Extension: tc.keep}.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		_, lists := written(t, files)
		same(t, fmt.Sprint(tc.files), lists["ucf101_train_split_1_videos.txt"], tc.want)
		if r.Suffix != tc.suffix {
			t.Errorf("%v: suffix %q, want %q", tc.files, r.Suffix, tc.suffix)
		}
	}
}

// A folder that ends in a space costs its own clips alone.
func TestUCF101Unwritable(t *testing.T) {
	ann := layout(t, t.TempDir(), map[string]string{"classInd.txt": "1 A\n2 B\n", "trainlist01.txt": "A/v_A_g08_c01.avi 1\nB/v_B_g08_c02.avi 2\n"})
	r, files, err := prepare.UCF101{Annotations: ann, Videos: layout(t, t.TempDir(), empty(" A/v_A_g08_c01.avi", "B/v_B_g08_c02.avi"))}.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, lists := written(t, files)
	same(t, "list", lists["ucf101_train_split_1_videos.txt"], []string{"B/v_B_g08_c02 0 1"})
	if len(r.Bad) != 1 || r.Bad[0].Name != " A/v_A_g08_c01.avi" || !strings.Contains(r.Bad[0].Err, "a space at its beginning") {
		t.Errorf("bad: %+v", r.Bad)
	}
}

func TestUCF101Errors(t *testing.T) {
	videos := layout(t, t.TempDir(), empty("A/v_A_g01_c01.avi", "x/B_1.avi", "y/B_1.avi"))
	ind := "1 A\n2 B\n"
	for _, tc := range []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"no classInd", map[string]string{}, "classInd.txt: no such file"},
		{"no lists", map[string]string{"classInd.txt": ind}, "no trainlist01.txt"},
		{"label", map[string]string{"classInd.txt": ind, "trainlist02.txt": "A/v_A_g01_c01.avi 1\nA/v_A_g01_c02.avi 2\n"}, "trainlist02.txt:2: A/v_A_g01_c02.avi has number 2, but classInd.txt gives A number 1"},
		{"class", map[string]string{"classInd.txt": ind, "testlist01.txt": "\nC/v_C_g01_c01.avi\n"}, `testlist01.txt:2: class "C" is not in classInd.txt`},
		{"no class", map[string]string{"classInd.txt": ind, "testlist01.txt": "v_C_g01_c01.avi\n"}, "testlist01.txt:1: want Class/"},
		{"upwards", map[string]string{"classInd.txt": ind, "testlist01.txt": "A/../../B.avi\n"}, "testlist01.txt:1: want Class/"},
		{"words", map[string]string{"classInd.txt": ind, "testlist01.txt": "A/a b.avi\n"}, "testlist01.txt:1: want Class/"},
		{"twice", map[string]string{"classInd.txt": "1 A\n2 A\n", "testlist01.txt": "A/a.avi\n"}, "classInd.txt: class A stands for 1 and for 2"},
		{"nothing there", map[string]string{"classInd.txt": ind, "testlist01.txt": "A/v_A_g99_c01.avi\n"}, "no clip is there of 1 in "},
		{"several fit", map[string]string{"classInd.txt": ind, "testlist01.txt": "B/B_1.avi\n"}, "no clip is there of 1 in "},
		{"UTF-16", map[string]string{"classInd.txt": "\xff\xfe1\x00"}, "UTF-16"},
	} {
		_, _, err := prepare.UCF101{Annotations: layout(t, t.TempDir(), tc.files), Videos: videos}.Run(t.Context())
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q", tc.name, err, tc.want)
		}
	}
}

// The labels of real clips are the official numbers less one: those of the eight
// classes as the page of UCF-101 counts them.
func TestUCF101RealClips(t *testing.T) {
	actions := filepath.Join(testdata.Shared(t), "data", "actions")
	official := map[string]int{"Basketball": 8, "Biking": 11, "Diving": 26, "JumpRope": 48, "SkyDiving": 83, "Surfing": 88, "Swing": 89, "WalkingWithDog": 98}
	ann := map[string]string{"classInd.txt": classInd(t)}
	for list, name := range map[string]string{"train.list": "trainlist01.txt", "val.list": "testlist01.txt"} {
		for _, line := range readBack(t, filepath.Join(actions, list), false) {
			clip, _, _ := strings.Cut(line, " ")
			ann[name] += clip
			if list == "train.list" {
				ann[name] += fmt.Sprintf(" %d", official[filepath.Dir(clip)])
			}
			ann[name] += "\n"
		}
	}
	r, files, err := prepare.UCF101{Annotations: layout(t, t.TempDir(), ann), Videos: actions}.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, lists := written(t, files)
	if len(r.Missing)+len(r.Extra)+len(r.Renamed)+len(r.Odd) > 0 || fmt.Sprint(r.Splits) != "[{1 110 30 0 0}]" {
		t.Errorf("%+v", r)
	}
	for _, line := range slices.Concat(lists["ucf101_train_split_1_videos.txt"], lists["ucf101_val_split_1_videos.txt"]) {
		class, _, _ := strings.Cut(line, "/")
		if want := fmt.Sprintf(" 0 %d", official[class]-1); !strings.HasSuffix(line, want) {
			t.Errorf("%s, want%s", line, want)
		}
	}
}
