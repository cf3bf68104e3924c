package config_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/config"
	"github.com/pptsn/pptsn/distill"
	"github.com/pptsn/pptsn/tsn"
)

const (
	network = "backbone: {name: ResNetTweaksTSN, layers: 18}, head: {name: ppTSNHead, num_classes: 8}"
	student = "Student: {" + network + "}"
	teacher = "Teacher: {" + network + "}"
	frozen  = "Teacher: {pretrained: t.pdparams, " + network + "}"
	stored  = "Teacher: {scores: t.jsonl}"

	ofLabels = "{name: DistillationCELoss, model_name_pairs: [Student, GroundTruth]}"
	mutual   = "{name: DistillationDMLLoss, model_name_pairs: [Student, Teacher]}"
	softened = "{name: DistillationKDLoss, model_name_pairs: [Student, Teacher]}"
)

// distilled is the section MODEL: the models are lines 4 and 5, the first loss
// is line 8. more is at the end of the section.
func distilled(first, second string, losses []string, more ...string) string {
	b := &strings.Builder{}
	fmt.Fprintf(b, "MODEL:\n    framework: RecognizerDistillation\n    models:\n    - %s\n    - %s\n    loss:\n        Train:\n", first, second)
	for _, loss := range losses {
		fmt.Fprintf(b, "        - %s\n", loss)
	}
	for _, line := range more {
		fmt.Fprintf(b, "    %s\n", line)
	}
	return b.String()
}

func distillation(t *testing.T, c *config.Config) config.Distillation {
	t.Helper()
	d := must(c.Distillation())(t)
	if d == nil {
		t.Fatal("no distillation")
	}
	return *d
}

var small = config.Model{
	Network:   tsn.Spec{Family: tsn.PPTSN, Layers: 18, Classes: 8, Dropout: 0.4},
	LRFactors: [5]float64{1, 1, 1, 1, 1},
	Head:      config.Head{Std: 0.01, WeightLR: 5, BiasLR: 10, OwnDecay: true},
}

// The layout of the reference's own file, with networks that are built here.
func TestMutualLearning(t *testing.T) {
	c := parse(t, `
MODEL:
    framework: "RecognizerDistillation"
    freeze_params_list:
    - False
    - False
    models:
    - Teacher:
        backbone:
            name: "ResNet"
            pretrained: "data/ResNet50_pretrain.pdparams"
            depth: 101
        head:
            name: "TSNHead"
            num_classes: 8
            in_channels: 2048
            drop_ratio: 0.5
            std: 0.01
    - Student:
        pretrained: "mine.pdparams"
        backbone: {name: "ResNetTweaksTSN", layers: 18}
        head: {name: "ppTSNHead", num_classes: 8, ls_eps: 0.1}
    sync_bn: True
    loss:
        Train:
            - name: "DistillationCELoss"
              #loss_weight: 1.0
              model_name_pairs: ["Student", "GroundTruth"]
            - name: "DistillationCELoss"
              model_name_pairs: ["Teacher", "GroundTruth"]
              ls_eps: 0.1
            - name: "DistillationDMLLoss"
              model_name_pairs: ["Student", "Teacher"]
        Val:
            - name: "DistillationCELoss"
              model_name_pairs: ["Student", "GroundTruth"]
`)
	want := small
	want.Key, want.Weights, want.SyncBN = "MODEL.models.1.Student", "mine.pdparams", true
	equal(t, "student", must(c.Model())(t), want)
	equal(t, "distillation", distillation(t, c), config.Distillation{
		Peers: []config.Partner{{Name: "Teacher", Model: config.Model{
			Key:        "MODEL.models.0.Teacher",
			Network:    tsn.Spec{Family: tsn.TSN, Layers: 101, Classes: 8, Dropout: 0.5},
			Pretrained: "data/ResNet50_pretrain.pdparams",
			LRFactors:  [5]float64{1, 1, 1, 1, 1},
			Head:       config.Head{Std: 0.01, WeightLR: 1, BiasLR: 1},
			SyncBN:     true,
		}}},
		Terms: []distill.Term{
			{Kind: distill.CE, Of: "Student", To: "GroundTruth", Weight: 1},
			{Kind: distill.CE, Of: "Teacher", To: "GroundTruth", Weight: 1, Smoothing: 0.1},
			{Kind: distill.DML, Of: "Student", To: "Teacher", Weight: 1, Act: distill.Softmax, Epsilon: 1e-12},
		},
	})
	equal(t, "unused", c.Unused, []string{"MODEL.models.1.Student.head.ls_eps (labels are smoothed by ls_eps of an item of MODEL.loss.Train)"})
	equal(t, "name", c.Name, "ppTSN")
}

func TestTeachers(t *testing.T) {
	c := parse(t, distilled(frozen, student, []string{softened, "{name: DistillationKDLoss, model_name_pairs: [Student, Other], loss_weight: 0.5, temperature: 2, alpha: 1, ls_eps: 0.1}"},
		"freeze_params_list: [True, False, False]"), "MODEL.models=["+
		"{Teacher: {pretrained: t.pdparams, "+network+"}}, {Student: {"+network+"}}, {Other: {scores: [a.jsonl, b.jsonl]}}]")
	taught := small
	taught.Key, taught.Weights = "MODEL.models.0.Teacher", "t.pdparams"
	equal(t, "distillation", distillation(t, c), config.Distillation{
		Teachers: []config.Partner{{Name: "Teacher", Model: taught}},
		Stored:   []config.Scores{{Name: "Other", Files: []string{"a.jsonl", "b.jsonl"}}},
		Terms: []distill.Term{
			{Kind: distill.KD, Of: "Student", To: "Teacher", Weight: 1, Temperature: 4, Alpha: 0.9},
			{Kind: distill.KD, Of: "Student", To: "Other", Weight: 0.5, Temperature: 2, Alpha: 1, Smoothing: 0.1},
		},
	})
	one := parse(t, distilled(stored, student, []string{mutual}))
	equal(t, "one file", distillation(t, one).Stored, []config.Scores{{Name: "Teacher", Files: []string{"t.jsonl"}}})
	for text, want := range map[string]distill.Act{"": distill.Softmax, ", act: sigmoid": distill.Sigmoid, ", act: null": distill.Linear, ", act: None": distill.Linear} {
		loss := strings.Replace(mutual, "]}", "]"+text+", eps: 1.0e-6}", 1)
		terms := distillation(t, parse(t, distilled(teacher, student, []string{loss}))).Terms
		equal(t, "act"+text, terms, []distill.Term{{Kind: distill.DML, Of: "Student", To: "Teacher", Weight: 1, Act: want, Epsilon: 1e-6}})
	}
	alone := parse(t, model("name: ResNetTweaksTSN", "name: ppTSNHead, num_classes: 3"))
	if d, err := alone.Distillation(); d != nil || err != nil {
		t.Errorf("one network: %+v, %v", d, err)
	}
}

func TestDistillationErrors(t *testing.T) {
	labels := []string{ofLabels}
	checkAll(t, []mistake{
		{"nothing in it", "MODEL:\n    framework: RecognizerDistillation\n", []string{
			"x.yaml:1: MODEL.models: missing", "x.yaml:1: MODEL.loss: missing"}},
		{"a backbone beside the models", distilled(teacher, student, []string{mutual}, "backbone: {name: ResNetTweaksTSN}"), []string{
			"x.yaml:9: MODEL.backbone: unknown key; known here: framework, models, loss, runtime_cfg, freeze_params_list, sync_bn"}},
		{"models is a mapping", "MODEL:\n    framework: RecognizerDistillation\n    models: {a: 1}\n    loss: {Train: [" + ofLabels + "]}\n", []string{
			"x.yaml:3: MODEL.models: want a list of models such as \"- Student: {backbone: ..., head: ...}\", found a mapping"}},
		{"a model without a name", distilled("backbone: {name: ResNetTweaksTSN}\n      head: {name: ppTSNHead}", student, labels), []string{
			"x.yaml:4: MODEL.models.0: want one model such as \"- Student: {backbone: ..., head: ...}\", found a mapping"}},
		{"an empty model", distilled("Teacher:", student, labels), []string{
			"x.yaml:4: MODEL.models.0.Teacher: want backbone and head, or scores"}},
		{"no student", distilled(teacher, "Other: {"+network+"}", []string{"{name: DistillationDMLLoss, model_name_pairs: [Other, Teacher]}"}), []string{
			"x.yaml:3: MODEL.models: one of them must be called Student: it is what test and export take"}},
		{"two students", distilled(student, student, labels), []string{"x.yaml:5: MODEL.models.1.Student: a second model of this name"}},
		{"a path as a name", distilled("a/b: {"+network+"}", student, labels), []string{
			"x.yaml:4: MODEL.models.0.a/b: want a name of letters, digits and _, at most 64, a letter first, other than GroundTruth and iter_..."}},
		{"labels as a name", distilled("GroundTruth: {"+network+"}", student, labels), []string{
			"x.yaml:4: MODEL.models.0.GroundTruth: want a name of letters, digits and _, at most 64, a letter first, other than GroundTruth and iter_..."}},
		{"a digit first", distilled("2nd: {"+network+"}", student, labels), []string{
			"x.yaml:4: MODEL.models.0.2nd: want a name of letters, digits and _, at most 64, a letter first, other than GroundTruth and iter_..."}},
		{"like a checkpoint", distilled("iter_7: {"+network+"}", student, labels), []string{
			"x.yaml:4: MODEL.models.0.iter_7: want a name of letters, digits and _, at most 64, a letter first, other than GroundTruth and iter_..."}},
		{"numbers as files", distilled("Teacher: {scores: [1, 2]}", student, []string{mutual}), []string{
			"x.yaml:4: MODEL.models.0.Teacher.scores: want a list of strings, found a list of 2"}},
		{"a short list", distilled(teacher, student, []string{mutual}, "freeze_params_list: [False]"), []string{
			"x.yaml:9: MODEL.freeze_params_list: want as many as models: 2, found a list of 1"}},
		{"numbers in the list", distilled(teacher, student, []string{mutual}, "freeze_params_list: [0, 1]"), []string{
			"x.yaml:9: MODEL.freeze_params_list: want a list of True and False, found a list of 2"}},
		{"frozen student", distilled(teacher, student, []string{mutual}, "freeze_params_list: [False, True]"), []string{
			"x.yaml:9: MODEL.freeze_params_list: True for the Student, which is the network that learns"}},
		{"frozen noise", distilled(teacher, student, []string{softened}, "freeze_params_list: [True, False]"), []string{
			"x.yaml:4: MODEL.models.0.Teacher.pretrained: missing: a frozen network without weights (.pdparams) of all of it teaches noise"}},
		{"scores of the student", distilled(teacher, "Student: {scores: a}", []string{mutual}), []string{
			"x.yaml:5: MODEL.models.1.Student.scores: the student is the network that learns: it needs backbone and head"}},
		{"scores and a network", distilled("Teacher: {scores: [], head: {name: TSNHead}}", student, []string{mutual}), []string{
			"x.yaml:4: MODEL.models.0.Teacher.scores: want a file or a list of files, found a list of 0",
			"x.yaml:4: MODEL.models.0.Teacher.head: a mapping is not supported: the scores are there instead of a network"}},
		{"no classes", distilled("Teacher: {backbone: {name: ResNetTweaksTSN}, head: {name: ppTSNHead}}", student, []string{mutual}), []string{
			"x.yaml:4: MODEL.models.0.Teacher.head.num_classes: missing"}},
		{"other classes", distilled(strings.Replace(teacher, "8}}", "9}}", 1), student, []string{mutual}), []string{
			"x.yaml:4: MODEL.models.0.Teacher.head.num_classes: 9, but the Student has 8"}},
		{"unknown key of a model", distilled("Teacher: {depth: 5, "+network+"}", student, []string{mutual}), []string{
			"x.yaml:4: MODEL.models.0.Teacher.depth: unknown key; known here: scores, backbone, head, pretrained"}},
	})
}

func TestDistillationLossErrors(t *testing.T) {
	loss := func(kind, rest string) []string {
		return []string{"{name: Distillation" + kind + "Loss, model_name_pairs: " + rest + "}"}
	}
	const at = "x.yaml:8: MODEL.loss.Train.0."
	for _, tc := range []struct {
		name, first string
		losses      []string
		want        []string
	}{
		{"another loss", teacher, loss("DKD", "[Student, Teacher]"), []string{at + "name: DistillationDKDLoss is not supported: want DistillationCELoss, DistillationDMLLoss or DistillationKDLoss"}},
		{"a word", teacher, []string{"DML"}, []string{"x.yaml:8: MODEL.loss.Train.0: want a mapping with name and model_name_pairs, found the string \"DML\""}},
		{"no pair", teacher, []string{"{name: DistillationDMLLoss}"}, []string{at + "model_name_pairs: missing"}},
		{"three", teacher, loss("DML", "[Student, Teacher, Teacher]"), []string{at + "model_name_pairs: want a list of two names, found a list of 3"}},
		{"numbers", teacher, loss("DML", "[1, 2]"), []string{at + "model_name_pairs: want a list of strings, found a list of 2"}},
		{"unknown name", teacher, loss("DML", "[Student, Tutor]"), []string{at + "model_name_pairs: no model is called Tutor"}},
		{"labels first", teacher, loss("CE", "[GroundTruth, Student]"), []string{at + "model_name_pairs: want a model and GroundTruth: [Student, GroundTruth]"}},
		{"cross entropy of two", teacher, loss("CE", "[Student, Teacher]"), []string{at + "model_name_pairs: want a model and GroundTruth: [Student, GroundTruth]"}},
		{"mutual with labels", teacher, loss("DML", "[Student, GroundTruth]"), []string{at + "model_name_pairs: want two models: [Student, Teacher]"}},
		{"with itself", teacher, loss("KD", "[Student, Student]"), []string{at + "model_name_pairs: want two models: [Student, Teacher]"}},
		{"teaches scores", stored, append(loss("KD", "[Teacher, Student]"), ofLabels), []string{at + "model_name_pairs: it teaches Teacher, which does not learn (see freeze_params_list)"}},
		{"a peer left out", teacher, []string{ofLabels}, []string{"x.yaml:4: MODEL.models.0.Teacher: no item of MODEL.loss.Train names it"}},
		{"a peer that is not taught", teacher, []string{softened}, []string{"x.yaml:4: MODEL.models.0.Teacher: no item of MODEL.loss.Train teaches it: freeze it (freeze_params_list), or add a DistillationCELoss of [Teacher, GroundTruth]"}},
		{"a student that is not taught", teacher, loss("KD", "[Teacher, Student]"), []string{"x.yaml:7: MODEL.loss.Train: no item teaches the Student"}},
		{"a weight of 0", stored, loss("KD", "[Student, Teacher], loss_weight: 0"), []string{"x.yaml:7: MODEL.loss.Train: no item teaches the Student"}},
		{"sigmoid of scores in a file", stored, loss("DML", "[Student, Teacher], act: sigmoid"), []string{at + "act: of the scores in a file, Teacher, the softmax alone is known: want softmax"}},
		{"act", teacher, loss("DML", "[Student, Teacher], act: relu"), []string{at + "act: relu is not supported: want softmax or sigmoid"}},
		{"of another loss", teacher, loss("DML", "[Student, Teacher], temperature: 4"), []string{at + "temperature: unknown key; known here: name, model_name_pairs, loss_weight, act, eps"}},
		{"ranges", stored, loss("KD", "[Student, Teacher], temperature: 0, alpha: 1.5, loss_weight: -1, ls_eps: 1"), []string{
			at + "loss_weight: want a number of at least 0, found -1", at + "temperature: want a number above 0, found 0",
			at + "alpha: want a number from 0 to 1, found 1.5", at + "ls_eps: want a number from 0 to below 1, found 1"}},
		{"eps", teacher, loss("DML", "[Student, Teacher], eps: -1"), []string{at + "eps: want a number of at least 0, found -1"}},
	} {
		checkErrors(t, tc.name, distilled(tc.first, student, tc.losses), nil, tc.want...)
	}
	const alone = "validation measures the student alone: want one DistillationCELoss of [Student, GroundTruth] without options"
	for val, want := range map[string]string{
		"[" + ofLabels + ", " + mutual + "]":                        "MODEL.loss.Val.1: " + alone,
		"[" + ofLabels + ", " + ofLabels + "]":                      "MODEL.loss.Val.1: " + alone,
		"[" + strings.Replace(ofLabels, "]}", "], ls_eps: .1}]", 1): "MODEL.loss.Val.0: " + alone,
	} {
		yaml := distilled(teacher, student, []string{mutual}, "    Val: "+val)
		checkErrors(t, val, yaml, nil, "x.yaml:9: "+want)
	}
	checkErrors(t, "no loss", "MODEL:\n    framework: RecognizerDistillation\n    models: [{"+student+"}]\n    loss: {Train: []}\n", nil,
		"x.yaml:4: MODEL.loss.Train: want a list of losses such as \"- {name: DistillationCELoss, model_name_pairs: [Student, GroundTruth]}\", found a list of 0")
}

// Distillation of a network that is not built here, as in the reference's files
// for PP-TSMv2.
func TestForeignDistillation(t *testing.T) {
	checkErrors(t, "other networks", distilled(
		"Teacher: {backbone: {name: ResNetTweaksTSM, depth: 50, num_seg: 8}, head: {name: ppTSMHead, num_classes: 8, num_seg: 8}}",
		"Student: {backbone: {name: PPTSM_v2, class_num: 8}, head: {name: MoViNetHead}}", []string{mutual}), nil,
		"x.yaml:1: MODEL: not a model that is built here: those are PP-TSN (ResNetTweaksTSN with ppTSNHead) and TSN (ResNet with TSNHead)",
		"x.yaml:4: MODEL.models.0.Teacher.backbone.name: ResNetTweaksTSM is not supported: want ResNetTweaksTSN or ResNet",
		"x.yaml:4: MODEL.models.0.Teacher.head.name: ppTSMHead is not supported: want ppTSNHead or TSNHead",
		"x.yaml:5: MODEL.models.1.Student.backbone.name: PPTSM_v2 is not supported: want ResNetTweaksTSN or ResNet",
		"x.yaml:5: MODEL.models.1.Student.head.name: MoViNetHead is not supported: want ppTSNHead or TSNHead")
}
