package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	smallNet = `backbone: {name: ResNetTweaksTSN, layers: 18}, head: {name: ppTSNHead, num_classes: 2}`
	largeNet = `backbone: {name: ResNet, depth: 34}, head: {name: TSNHead, num_classes: 2, ls_eps: 0.1}`
	pairCE   = `{name: DistillationCELoss, model_name_pairs: [Student, GroundTruth], ls_eps: 0.1}`
	pairKD   = `{name: DistillationKDLoss, model_name_pairs: [Student, Teacher], temperature: 2.0}`
)

// distilled writes the fixture's configuration with models, True for those that
// are frozen, and losses.
func (f trainFixture) distilled(t *testing.T, models, frozen, losses string) trainFixture {
	t.Helper()
	text, err := os.ReadFile(f.config)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "DATASET:")
	model := "MODEL:\n    framework: RecognizerDistillation\n    models: [" + models + "]\n    freeze_params_list: [" + frozen + "]\n    loss: {Train: [" + losses + "]}\n"
	f.config = writeFile(t, filepath.Join(t.TempDir(), "distilled.yaml"), model+"DATASET:"+rest)
	return f
}

// must runs the program to the end.
func must(t *testing.T, args ...string) (stdout, stderr string) {
	t.Helper()
	code, stdout, stderr := command(t, "", args...)
	if code != 0 {
		t.Fatalf("%v: exit code %d: %s", args, code, stderr)
	}
	return stdout, stderr
}

// Two networks teach each other: the run can be interrupted, each has files of
// its own, and the student's are like any other's.
func TestTrainMutual(t *testing.T) {
	plain := makeTrainFixture(t)
	f := plain.distilled(t, "{Teacher: {"+largeNet+"}}, {Student: {"+smallNet+"}}", "False, False", pairCE+
		", {name: DistillationCELoss, model_name_pairs: [Teacher, GroundTruth]}, {name: DistillationDMLLoss, model_name_pairs: [Student, Teacher]}")
	whole, out := filepath.Join(t.TempDir(), "whole"), filepath.Join(t.TempDir(), "out")
	_, stderr := must(t, f.args(whole, "-o", "epochs=2")...)
	for _, want := range []string{"Without effect here: MODEL.models.0.Teacher.head.ls_eps (", "Student learns: pptsn18, 11", "Teacher learns: tsn34, 21", "END epoch:2   val loss_avg: "} {
		if !strings.Contains(stderr, want) {
			t.Errorf("the log lacks %q:\n%s", want, stderr)
		}
	}
	stop := "epoch:[  2/2  ] train step:0"
	if code, stderr := trainUntil(t, stop, f.args(out, "-o", "epochs=2")...); code != exitSignal {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	args := f.args(out, "-o", "epochs=2", "--resume")
	code, _, stderr := command(t, "", append(args, "-o", "MODEL.loss.Train.2.eps=0.1")...)
	if code != exitFailed || !strings.Contains(stderr, "MODEL.loss was ") {
		t.Errorf("another loss: exit code %d: %s", code, stderr)
	}
	code, _, stderr = command(t, "", f.args(t.TempDir(), "-o", "MODEL.models.0.Teacher.pretrained=absent")...)
	if code != exitFailed || !strings.Contains(stderr, "MODEL.models.0.Teacher.pretrained: ") || !strings.Contains(stderr, "absent") {
		t.Errorf("absent weights: exit code %d: %s", code, stderr)
	}
	code, _, stderr = command(t, "", append(args, "-o", "MODEL.models.0.Teacher.backbone.depth=18")...)
	if code != exitFailed || !strings.Contains(stderr, "MODEL.models.Teacher was ") {
		t.Errorf("another peer: exit code %d: %s", code, stderr)
	}
	must(t, args...)
	names := []string{"small_epoch_00001", "small_epoch_00002", "small_epoch_00001_Teacher", "small_epoch_00002_Teacher", "small_best"}
	if got, want := sums(t, out, names...), sums(t, whole, names...); got != want {
		t.Errorf("resumed and whole run differ:\n%s\nwant\n%s", got, want)
	}
	useStudent(t, f, filepath.Join(out, "small_best.pdparams"))
	teachers := sums(t, whole, "small_best_Teacher", "small_epoch_00001_Teacher", "small_epoch_00002_Teacher")
	_, stderr = must(t, plain.args(whole, "-o", "epochs=1", "--max_iters", "1")...) // a run without a peer writes over one with it
	if !strings.Contains(stderr, "Not of this run and left as they are: small_best_Teacher, small_epoch_00001_Teacher, small_epoch_00002_Teacher\n") {
		t.Errorf("the log does not name the files of the earlier run's peer:\n%s", stderr)
	}
	if sums(t, whole, "small_best_Teacher", "small_epoch_00001_Teacher", "small_epoch_00002_Teacher") != teachers {
		t.Error("files of another run were changed")
	}
	must(t, "test", "-c", plain.config, "-o", "MODEL.backbone={name: ResNet, depth: 34}", "-o", "MODEL.head={name: TSNHead, num_classes: 2}",
		"-w", filepath.Join(out, "small_epoch_00002_Teacher.pdparams"))
}

// useStudent does with weights what one does with those of any network.
func useStudent(t *testing.T, f trainFixture, weights string) {
	t.Helper()
	if stdout, _ := must(t, "test", "-c", f.config, "-w", weights); !strings.Contains(stdout, "[TEST] finished, avg_acc1=") {
		t.Errorf("test: %s", stdout)
	}
	model := filepath.Join(t.TempDir(), "model")
	must(t, "export", "-c", f.config, "-p", weights, "-o", model, "--preprocess", "test")
	if stdout, _ := must(t, "predict", "-m", model, filepath.Join(f.dir, "clip 14.mp4")); !strings.Contains(stdout, "top-1 class: ") {
		t.Errorf("predict: %s", stdout)
	}
}

// A frozen network teaches, or the scores that it gave to the clips.
func TestTrainFromTeacher(t *testing.T) {
	f := makeTrainFixture(t)
	dir := t.TempDir()
	must(t, f.args(dir, "-o", "epochs=2", "--max_iters", "1")...)
	teacher, otherTeacher := filepath.Join(dir, "small_epoch_00001.pdparams"), filepath.Join(dir, "small_epoch_00002.pdparams")
	dump, otherDump := filepath.Join(dir, "scores.jsonl"), filepath.Join(dir, "other.jsonl")
	for weights, dump := range map[string]string{teacher: dump, otherTeacher: otherDump} {
		must(t, "test", "-c", f.config, "-w", weights, "-o", "DATASET.test.file_path="+filepath.Join(f.dir, "train.list"), "--dump", dump)
	}

	frozen := f.distilled(t, "{Teacher: {pretrained: "+teacher+", "+smallNet+"}}, {Student: {"+smallNet+"}}", "True, False", pairKD)
	frozen.distills(t, "Teacher is frozen: pptsn18, ", "pretrained="+otherTeacher)
	stored := f.distilled(t, "{Teacher: {scores: "+dump+"}}, {Student: {"+smallNet+"}}", "False, False", pairKD) // False: scores do not learn in any case
	stored.distills(t, "Teacher is frozen: its scores of 13 clips are in "+dump, "scores="+otherDump)
	badScores(t, stored, dump)
	f.ranksDistil(t, teacher, dump)

	code, _, stderr := command(t, "", frozen.args(filepath.Join(dir, "out"), "-o", "MODEL.models.0.Teacher.backbone.layers=34")...)
	if code != exitFailed || !strings.Contains(stderr, "MODEL.models.0.Teacher.pretrained: a frozen network needs weights for all of it") {
		t.Errorf("weights of another network: exit code %d: %s", code, stderr)
	}
}

// Processes share a run in which a network learns, one is frozen and one is not
// there; -w is the student's.
func (f trainFixture) ranksDistil(t *testing.T, teacher, dump string) {
	t.Helper()
	f = f.distilled(t, "{Teacher: {pretrained: "+teacher+", "+smallNet+"}}, {Old: {scores: "+dump+"}}, {Peer: {"+smallNet+"}}, {Student: {"+smallNet+"}}",
		"True, True, False, False", pairKD+", {name: DistillationKDLoss, model_name_pairs: [Peer, Old]}, {name: DistillationDMLLoss, model_name_pairs: [Student, Peer], loss_weight: 0.5}")
	out := filepath.Join(t.TempDir(), "out")
	args := f.args(out, "-w", teacher, "--nproc", "2", "--timeout", "60s", "-o", "DATASET.batch_size=2", "-o", "epochs=1", "--max_iters", "2")
	code, _, stderr, _ := outputs(t, child(t, nil, args...), out)
	if code != 0 || strings.Count(stderr, "Weights from "+teacher) != 1 || !strings.Contains(stderr, "Peer learns: pptsn18, ") {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	got, want := sums(t, out, "small_epoch_00001"), sums(t, out, "small_epoch_00001_Peer")
	if strings.ReplaceAll(want, "_Peer", "") == got {
		t.Error("student and peer are the same")
	}
}

// distills trains a student, interrupted and not, and uses it. The override other
// is of another teacher, with which the run does not go on.
func (f trainFixture) distills(t *testing.T, log, other string) {
	t.Helper()
	whole, out := filepath.Join(t.TempDir(), "whole"), filepath.Join(t.TempDir(), "out")
	_, stderr := must(t, f.args(whole, "-o", "epochs=2")...)
	if !strings.Contains(stderr, log) {
		t.Errorf("the log lacks %q:\n%s", log, stderr)
	}
	if code, stderr := trainUntil(t, "epoch:[  1/2  ] train step:1", f.args(out, "-o", "epochs=2")...); code != exitSignal {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	args := f.args(out, "-o", "epochs=2", "--resume")
	code, _, stderr := command(t, "", append(args, "-o", "MODEL.loss.Train.0.temperature=3")...)
	if code != exitFailed || !strings.Contains(stderr, `MODEL.loss was [{"Kind":"DistillationKDLoss"`) {
		t.Errorf("another temperature: exit code %d: %s", code, stderr)
	}
	code, _, stderr = command(t, "", append(args, "-o", "MODEL.models.0.Teacher."+other)...)
	if code != exitFailed || !strings.Contains(stderr, "Teacher") || !strings.Contains(stderr, " was ") {
		t.Errorf("another teacher: exit code %d: %s", code, stderr)
	}
	must(t, args...)
	names := []string{"small_epoch_00001", "small_epoch_00002", "small_best"}
	if got, want := sums(t, out, names...), sums(t, whole, names...); got != want {
		t.Errorf("resumed and whole run differ:\n%s\nwant\n%s", got, want)
	}
	if left, _ := filepath.Glob(filepath.Join(out, "*Teacher*")); left != nil {
		t.Errorf("a network that does not learn was saved: %v", left)
	}
	useStudent(t, f, filepath.Join(out, "small_best.pdparams"))
}

// Scores that are not those of the training list are refused by row and file.
func badScores(t *testing.T, f trainFixture, dump string) {
	text, err := os.ReadFile(dump)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(strings.TrimSuffix(string(text), "\n"), "\n")
	edit := func(i int, change func(row map[string]any)) string {
		row := map[string]any{}
		if err := json.Unmarshal([]byte(lines[i]), &row); err != nil {
			t.Fatal(err)
		}
		change(row)
		b, err := json.Marshal(row)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(lines[:i], "") + string(b) + "\n" + strings.Join(lines[i+1:], "")
	}
	unreadable := edit(5, func(row map[string]any) { delete(row, "scores"); row["error"] = "gone" })
	second := writeFile(t, filepath.Join(t.TempDir(), "second.jsonl"), unreadable)
	code, _, stderr := command(t, "", f.args(filepath.Join(t.TempDir(), "out"), "-o", "MODEL.models.0.Teacher.scores=["+dump+", "+second+"]")...)
	if code != exitFailed || !strings.Contains(stderr, "row 5, clip 5.mp4, has no scores: "+second+": gone") {
		t.Errorf("the second of two files: exit code %d: %s", code, stderr)
	}
	for name, tc := range map[string]struct{ text, want string }{
		"short":        {strings.Join(lines[:12], ""), "rows of 12 clips, but "},
		"long":         {string(text) + lines[12], "more rows than "},
		"another file": {edit(3, func(row map[string]any) { row["file"] = "clip 4.mp4" }), "row 3 is clip 4.mp4 of class 1, but "},
		"other label":  {edit(3, func(row map[string]any) { row["label"] = 0 }), "row 3 is clip 3.mp4 of class 0, but "},
		"unreadable":   {unreadable, "row 5, clip 5.mp4, has no scores: gone"},
		"classes":      {strings.ReplaceAll(string(text), `"scores":[`, `"scores":[0,`), "row 0, clip 0.mp4, has scores for 3 classes, but num_classes of the student is 2"},
		"no dump":      {"{}\n", "line 1: "},
	} {
		bad := writeFile(t, filepath.Join(t.TempDir(), "bad.jsonl"), tc.text)
		code, _, stderr := command(t, "", f.args(filepath.Join(t.TempDir(), "out"), "-o", "MODEL.models.0.Teacher.scores="+bad)...)
		if code != exitFailed {
			t.Errorf("%s: exit code %d", name, code)
		}
		for _, want := range []string{tc.want, bad, "scores of Teacher: ", "--dump FILE", "DATASET.test.file_path=" + filepath.Join(f.dir, "train.list")} {
			if !strings.Contains(stderr, want) {
				t.Errorf("%s: message lacks %q: %s", name, want, stderr)
			}
		}
	}
}

// What is wrong with the number of classes names the key that the file has.
func TestClassesOfDistillation(t *testing.T) {
	f, plain := makeFixture(t), makeTrainFixture(t)
	_, inference, _ := strings.Cut(smallConfig, "INFERENCE:")
	small := `backbone: {name: ResNetTweaksTSN, layers: 18}, head: {name: ppTSNHead, num_classes: 9}`
	nine := writeFile(t, filepath.Join(t.TempDir(), "nine.yaml"), "MODEL:\n    framework: RecognizerDistillation\n    models: [{Peer: {"+small+"}}, {Student: {"+small+"}}]\n"+
		"    loss: {Train: [{name: DistillationDMLLoss, model_name_pairs: [Student, Peer]}]}\nINFERENCE:"+inference)
	foreign := t.TempDir()
	for _, ext := range []string{".pdmodel", ".pdiparams"} {
		data, err := os.ReadFile(filepath.Join(f.model, "ppTSN"+ext))
		if err != nil {
			t.Fatal(err)
		}
		writeFile(t, filepath.Join(foreign, "m"+ext), string(data))
	}
	list := writeFile(t, filepath.Join(t.TempDir(), "l"), "clip 0.mp4 0\nclip 1.mp4 2\n")
	mutual := plain.distilled(t, "{Peer: {"+smallNet+"}}, {Student: {"+smallNet+"}}", "False, False", `{name: DistillationDMLLoss, model_name_pairs: [Student, Peer]}`)
	frozen := plain.distilled(t, "{Teacher: {pretrained: "+f.weights+", "+smallNet+"}}, {Student: {"+smallNet+"}}", "True, False", pairKD)
	out := t.TempDir()
	for name, tc := range map[string]struct {
		args []string
		want string
	}{
		"export":         {[]string{"export", "-c", nine, "-p", f.weights, "-o", out}, "set MODEL.models.1.Student.head.num_classes=7"},
		"quantize":       {[]string{"quantize", "-c", nine, "-m", foreign, "--videos", list, "-o", out}, "--override MODEL.models.1.Student.head.num_classes=7"},
		"test":           {[]string{"test", "-c", mutual.config, "-w", f.weights}, "set MODEL.models.1.Student.head.num_classes=7"},
		"train.list":     {mutual.args(out, "-o", "DATASET.train.file_path="+list), "set MODEL.models.1.Student.head.num_classes to at least 3"},
		"frozen teacher": {frozen.args(out), "set MODEL.models.0.Teacher.head.num_classes=7"},
	} {
		if code, _, stderr := command(t, "", tc.args...); code != exitFailed || !strings.Contains(stderr, tc.want) {
			t.Errorf("%s: exit code %d, want %q in %s", name, code, tc.want, stderr)
		}
	}
}
