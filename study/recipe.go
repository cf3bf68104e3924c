package main

import (
	_ "embed"
	"strings"
	"text/template"
)

//go:embed recipe.yaml
var recipeText string

var recipeTemplate = template.Must(template.New("recipe.yaml").Option("missingkey=error").Parse(recipeText))

// A recipe is a variant with all that its configuration says. Paths are
// relative to the work folder, in which pptsn is started.
type recipe struct {
	variant
	Classes            int
	Size, ShortSide    int
	Batch              int
	TrainList          string
	TestList           string
	TestSegments       int
	TenCrop            bool
	OutputDir          string
	TeacherScores      string
	FirstStep, Second  int     // epochs after which TSN's rate is divided by 10
	Rate10, Rate100    float64 // those rates
	WarmupEpochs       int
	WarmupRate         float64
	SmoothingEpsilon   float64
	HeadLabelSmoothing float64 // 0 where MODEL.loss smooths
}

// yaml is a complete configuration. With tenCrop the test is that of published
// figures, 25 segments and ten crops, else one crop of as many segments as were
// trained.
func (t task) yaml(classes int, tenCrop bool) (string, error) {
	r := recipe{
		variant: t.variant, Classes: classes, Size: size, ShortSide: shortSide, Batch: batch,
		TrainList: t.list("train"), TestList: t.list("test"), TestSegments: t.Segments, TenCrop: tenCrop,
		OutputDir: t.dir(), TeacherScores: t.teacherScores(),
		FirstStep: t.Epochs * 4 / 10, Second: t.Epochs * 8 / 10, Rate10: t.Rate / 10, Rate100: t.Rate / 100,
		WarmupEpochs: t.Epochs / 10, WarmupRate: t.Rate / 2,
	}
	if tenCrop {
		r.TestSegments = 25
	}
	if t.Smoothing {
		r.SmoothingEpsilon = 0.1
	}
	if t.Distill == "" {
		r.HeadLabelSmoothing = r.SmoothingEpsilon
	}
	var b strings.Builder
	err := recipeTemplate.Execute(&b, r)
	return b.String(), err
}
