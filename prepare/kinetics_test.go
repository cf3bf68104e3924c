package prepare_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/labels"
	"github.com/pptsn/pptsn/prepare"
)

const kineticsHeader = "label,youtube_id,time_start,time_end,split\n"

func TestKinetics(t *testing.T) {
	csv := layout(t, t.TempDir(), map[string]string{
		"train.csv": "\ufeff" + strings.ReplaceAll("label,youtube_id,time_start,time_end,split,is_cc\n"+
			"tap dancing,-4YTwq0_73Y,44,54,train,0\n"+ // flat
			"massaging person's head,_HVO2_ZrJno,48,58,train,0\n"+ // folder with underscores
			"passing American football (in game),a_bcd-efg_-,0,10,train,0\n"+ // ID alone, in a tar part
			"\"passing American football (not in game)\",AAAAAAAAAAA,7,17,train,1\n"+ // in a wrong folder
			"tap dancing,BBBBBBBBBBB,1,11,train,0\n"+ // no file
			"tap dancing,-4YTwq0_73Y,44,54,train,0\n"+ // again
			"tap dancing,#NAME?,44,54,train,0\n"+
			"tap dancing,CCCCCCCCCCC,x,54,train,0\n", "\n", "\r\n"),
		"validate.csv": kineticsHeader + "exercising arm,DDDDDDDDDDD,10,20,validate\n" + "tap dancing,-4YTwq0_73Y,44,54,validate\n" +
			"archery,EEEEEEEEEEE,5,15,validate\n" + "archery,EEEEEEEEEEE,50,60,validate\n",
		"test.csv": "youtube_id,time_start,time_end,split\nFFFFFFFFFFF,3,13,test\nGGGGGGGGGGG,3,13,test\n",
	})
	videos := layout(t, t.TempDir(), empty(
		"-4YTwq0_73Y_000044_000054.mp4",
		"train/massaging_person's_head/_HVO2_ZrJno_000048_000058.mkv",
		"train/part_0/sub/a_bcd-efg_-.webm",
		"tap dancing/AAAAAAAAAAA_000007_000017.MP4",
		"exercising arm/DDDDDDDDDDD_000010_000020.mp4", "part/DDDDDDDDDDD_000010_000020.mp4", "DDDDDDDDDDD.mp4",
		"archery/EEEEEEEEEEE.mp4",
		"FFFFFFFFFFF_000003_000013.mp4", "ZZZZZZZZZZZ_000001_000011.mp4", "射箭 \"x\".mp4", "list.txt", ".trash/BBBBBBBBBBB.mp4"))
	r, files, err := prepare.Kinetics{CSV: []string{csv + "/train.csv", csv + "/validate.csv", csv + "/test.csv"}, Videos: videos}.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	dir, lists := written(t, files)
	// The numbers are lines of the reference's Kinetics-400_label_list.txt.
	same(t, "train", lists["kinetics400_train_videos.list"], []string{
		"-4YTwq0_73Y_000044_000054.mp4 0 349", "train/massaging_person's_head/_HVO2_ZrJno_000048_000058.mkv 0 196",
		"train/part_0/sub/a_bcd-efg_-.webm 0 208", "tap dancing/AAAAAAAAAAA_000007_000017.MP4 0 209"})
	same(t, "val", lists["kinetics400_val_videos.list"], []string{"exercising arm/DDDDDDDDDDD_000010_000020.mp4 0 119", "-4YTwq0_73Y_000044_000054.mp4 0 349"})
	if len(lists) != 2 || r.Name != "kinetics400" || r.Labels != "kinetics400" {
		t.Errorf("lists %v, %+v", lists, r)
	}
	same(t, "missing", r.Missing, []string{"train\ttap dancing\tBBBBBBBBBBB_000001_000011", "test\t\tGGGGGGGGGGG_000003_000013"})
	same(t, "extra", r.Extra, []string{"ZZZZZZZZZZZ_000001_000011.mp4", "射箭 \"x\".mp4"})
	same(t, "several", r.Several, []prepare.Several{{Taken: "exercising arm/DDDDDDDDDDD_000010_000020.mp4", Left: []string{"part/DDDDDDDDDDD_000010_000020.mp4", "DDDDDDDDDDD.mp4"}}})
	same(t, "folders", r.Folders, []prepare.Misplaced{{File: "tap dancing/AAAAAAAAAAA_000007_000017.MP4", Folder: "tap_dancing", Label: "passing_American_football_(not_in_game)"}})
	if got := fmt.Sprint(r.Splits); got != "[{train 5 4 1 0} {val 4 2 0 0} {test 2 1 1 1}]" {
		t.Errorf("splits %s", got)
	}
	for _, tc := range []struct {
		what string
		got  []prepare.Problem
		want []string
	}{
		{"bad", r.Bad, []string{`train.csv:8: youtube_id "#NAME?"`, `train.csv:9: time_start "x"`}},
		{"double", r.Double, []string{"train.csv:7: -4YTwq0_73Y_000044_000054 a second time; the first is ", "validate.csv:3: -4YTwq0_73Y_000044_000054 a second time"}},
		{"unclear", r.Unclear, []string{"validate.csv:4: archery/EEEEEEEEEEE.mp4 may be any of the 2 clips", "validate.csv:5: "}},
	} {
		if !slices.EqualFunc(tc.got, tc.want, func(p prepare.Problem, want string) bool { return strings.Contains(p.Error(), want) }) {
			t.Errorf("%s: %v, want %q", tc.what, tc.got, tc.want)
		}
	}
	if !strings.Contains(r.Double[1].Msg, "the same clip in train and in val") {
		t.Errorf("double: %s", r.Double[1].Msg)
	}
	if r.Skipped.Hidden != 1 || r.Skipped.Other != 1 {
		t.Errorf("skipped: %+v", r.Skipped)
	}
	names, err := labels.Read(filepath.Join(dir, "kinetics400_labels.txt"))
	if want, _ := labels.Read("kinetics400"); err != nil || !slices.Equal(names, want) {
		t.Errorf("labels: %v, %v", names, err)
	}
}

// All 400 names of the CSV files, which have spaces where the reference's list
// has underscores, get the list's numbers; so do folders without apostrophes.
func TestKinetics400Labels(t *testing.T) {
	names, err := labels.Read("kinetics400")
	if err != nil {
		t.Fatal(err)
	}
	csv, want := kineticsHeader, []string{}
	videos := map[string]string{}
	for i, n := range names {
		csv += fmt.Sprintf("%s,%011d,0,10,train\n", strings.ReplaceAll(n, "_", " "), i)
		file := fmt.Sprintf("%s/%011d_000000_000010.mp4", strings.NewReplacer("'", "", "(", "", ")", "").Replace(n), i)
		videos[file] = ""
		want = append(want, fmt.Sprintf("%s 0 %d", file, i))
	}
	dir := layout(t, t.TempDir(), map[string]string{"train.csv": csv})
	r, files, err := prepare.Kinetics{CSV: []string{dir + "/train.csv"}, Videos: layout(t, t.TempDir(), videos)}.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, lists := written(t, files)
	same(t, "list", lists["kinetics400_train_videos.list"], want)
	if r.Labels != "kinetics400" || len(r.Folders) != 0 || len(want) != 400 {
		t.Errorf("labels %s, %d folders of other classes", r.Labels, len(r.Folders))
	}
}

func TestKineticsFromCSV(t *testing.T) {
	dir := layout(t, t.TempDir(), map[string]string{
		"train.csv": kineticsHeader + "zumba,AAAAAAAAAAA,0,10,train\nfake \"x\" sport,BBBBBBBBBBB,0,10,train\n\"acting, in play\",CCCCCCCCCCC,0,10,train\n",
		"bad.csv":   kineticsHeader + "zumba,AAAAAAAAAAA,0,10,train\nacting,BBBBBBBBBBB,0,10,train\n",
		"own.txt":   "zumba\nacting\n",
	})
	videos := layout(t, t.TempDir(), empty("AAAAAAAAAAA.mp4", "CCCCCCCCCCC.mp4", "BBBBBBBBBBB.mp4"))
	r, files, err := prepare.Kinetics{CSV: []string{dir + "/train.csv"}, Videos: videos}.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	out, lists := written(t, files)
	same(t, "from CSV", lists["kinetics_train_videos.list"], []string{"AAAAAAAAAAA.mp4 0 1", "CCCCCCCCCCC.mp4 0 0"})
	names, err := labels.Read(filepath.Join(out, "kinetics_labels.txt"))
	same(t, "names", names, []string{"acting, in play", "zumba"})
	if err != nil || r.Labels != prepare.FromCSV || len(r.Bad) != 1 { // bare quotes in a field
		t.Errorf("%v, %+v", err, r)
	}
	_, files, err = prepare.Kinetics{CSV: []string{dir + "/bad.csv"}, Videos: videos, Labels: dir + "/own.txt", Absolute: true}.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, lists = written(t, files)
	same(t, "own labels", lists["kinetics_train_videos.list"], []string{videos + "/AAAAAAAAAAA.mp4 0 0", videos + "/BBBBBBBBBBB.mp4 0 1"})
	_, _, err = prepare.Kinetics{CSV: []string{dir + "/bad.csv"}, Videos: videos, Labels: "kinetics400"}.Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), `bad.csv:3: label "acting" is none of the 400 classes`) || !strings.Contains(err.Error(), "from-csv") {
		t.Errorf("labels of Kinetics-400: %v", err)
	}
}

// One clip in two splits is one clip of its video, and one label is enough.
func TestKineticsTwoSplits(t *testing.T) {
	dir := layout(t, t.TempDir(), map[string]string{
		"train.csv": kineticsHeader + "zumba,AAAAAAAAAAA,0,10,train\n", "test.csv": "youtube_id,time_start,time_end,split\nAAAAAAAAAAA,0,10,test\n",
	})
	videos := layout(t, t.TempDir(), empty("AAAAAAAAAAA.mp4"))
	r, files, err := prepare.Kinetics{CSV: []string{dir + "/train.csv", dir + "/test.csv"}, Videos: videos}.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, lists := written(t, files)
	same(t, "train", lists["kinetics400_train_videos.list"], []string{"AAAAAAAAAAA.mp4 0 399"})
	if len(r.Unclear) != 0 || len(r.Double) != 1 || strings.Contains(r.Double[0].Msg, "label") {
		t.Errorf("unclear %v, double %v", r.Unclear, r.Double)
	}
}

func TestKineticsErrors(t *testing.T) {
	videos := layout(t, t.TempDir(), empty("x.mp4"))
	for text, want := range map[string]string{
		"":                                   "in.csv: the file is empty",
		"a,b\n1,2\n":                         "in.csv:1: want a header such as",
		kineticsHeader:                       "no row can be used",
		kineticsHeader + "zumba,A,0,10,t\n":  `in.csv:2: youtube_id "A"`,
		kineticsHeader + "zumba,AAAAAAAAAAA": `in.csv:2: time_start ""`,
		kineticsHeader + "zumba,AAAAAAAAAAA,0,10,holdout\n": `in.csv:2: split "holdout"`,
		kineticsHeader + "zumba,AAAAAAAAAAA,0,10\n":         "in.csv:2: no split",
		kineticsHeader + ",AAAAAAAAAAA,0,10,train\n":        "in.csv:2: the label is empty",
		kineticsHeader + "zumba,AAAAAAAAAAA,0,10,train\n":   "no clip is there of 1 in the CSV files: give the folder in or below which files are called like AAAAAAAAAAA_000000_000010.mp4",
		"\xfe\xff": "UTF-16",
	} {
		dir := layout(t, t.TempDir(), map[string]string{"in.csv": text})
		_, _, err := prepare.Kinetics{CSV: []string{dir + "/in.csv"}, Videos: videos}.Run(t.Context())
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}
