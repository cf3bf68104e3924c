package clip_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/clip"
)

// train has every field of every step that training uses away from its zero.
func train() clip.Spec {
	return sampled(clip.SelectLeft, 3, true,
		scale256,
		clip.Step{MultiScaleCrop: &clip.MultiScaleCrop{
			Size: 224, Scales: []float64{1, .875, .75, .66}, MaxDistort: 1,
			FixedPositions: true, AllowDuplication: true, MorePositions: true, Backend: clip.Pillow,
		}},
		clip.Step{RandomFlip: &clip.RandomFlip{Probability: 0.5}})
}

func TestSpecRoundTrip(t *testing.T) {
	for _, s := range []clip.Spec{
		train(),
		sampled(clip.Linspace, 25, false, scale256, tenCrop),
		sampled(clip.Plain, 25, false,
			clip.Step{Scale: &clip.Scale{ShortSide: 256, FixedRatio: true, Backend: clip.Pillow}},
			clip.Step{CenterCrop: &clip.CenterCrop{Size: 224, Round: true}}),
	} {
		b, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		got, err := clip.ParseSpec(b)
		if err != nil {
			t.Fatalf("%s: %v", b, err)
		}
		if !reflect.DeepEqual(got, s) {
			t.Errorf("%s became %+v", b, got)
		}
	}
}

func TestParseSpecErrors(t *testing.T) {
	const normal = `{"normalize":{"mean":[0,0,0],"std":[1,1,1]}}`
	const plain = `{"mode":"plain","segments":3}`
	for _, tc := range []struct{ json, want string }{
		{``, "EOF"},
		{`[]`, "array"},
		{`{"sampling":` + plain + `,"steps":[` + normal + `],"colour":"rgb"}`, `"colour"`},
		{`{"sampling":{"mode":"plain","segments":3,"seed":1},"steps":[` + normal + `]}`, `"seed"`},
		{`{"sampling":` + plain + `,"steps":[{"blur":{}},` + normal + `]}`, `"blur"`},
		{`{"sampling":` + plain + `,"steps":[` + normal + `]} {}`, "more than one"},
		{`{"sampling":` + plain + `,"steps":[{},` + normal + `]}`, "step 1: 0 operations"},
	} {
		_, err := clip.ParseSpec([]byte(tc.json))
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %s", tc.json, err, tc.want)
		}
	}
}

func TestValidate(t *testing.T) {
	msc := func(change func(*clip.MultiScaleCrop)) clip.Step {
		c := clip.MultiScaleCrop{Size: 224, Scales: []float64{1}, Backend: clip.OpenCV}
		change(&c)
		return clip.Step{MultiScaleCrop: &c}
	}
	scale := func(short int, b clip.Backend) clip.Step {
		return clip.Step{Scale: &clip.Scale{ShortSide: short, Backend: b}}
	}
	for _, tc := range []struct {
		want  string
		steps []clip.Step
	}{
		{"the last step must be normalize", nil},
		{"the last step must be normalize", []clip.Step{scale256}},
		{"step 1: normalize must be the last", []clip.Step{normalize, normalize}},
		{"step 2: 2 operations", []clip.Step{scale256, {TenCrop: tenCrop.TenCrop, Scale: scale256.Scale}, normalize}},
		{"short_side 0", []clip.Step{scale(0, clip.OpenCV), normalize}},
		{"short_side 1000000", []clip.Step{scale(1000000, clip.OpenCV), normalize}},
		{`backend "cv2": want opencv or pillow`, []clip.Step{scale(256, "cv2"), normalize}},
		{"size -1", []clip.Step{{CenterCrop: &clip.CenterCrop{Size: -1}}, normalize}},
		{"size 0", []clip.Step{{TenCrop: &clip.TenCrop{}}, normalize}},
		{"0 scales", []clip.Step{msc(func(c *clip.MultiScaleCrop) { c.Scales = nil }), normalize}},
		{"scale 1.5", []clip.Step{msc(func(c *clip.MultiScaleCrop) { c.Scales[0] = 1.5 }), normalize}},
		{"max_distort", []clip.Step{msc(func(c *clip.MultiScaleCrop) { c.MaxDistort = -1 }), normalize}},
		{"probability 2", []clip.Step{{RandomFlip: &clip.RandomFlip{Probability: 2}}, normalize}},
		{"std 0", []clip.Step{{Normalize: &clip.Normalize{}}}},
		{"more than one ten_crop", []clip.Step{tenCrop, tenCrop, normalize}},
		{"step 2: ten_crop: a crop of 224x224 does not fit in pictures whose shorter side is 128",
			[]clip.Step{scale(128, clip.OpenCV), tenCrop, normalize}},
		{"step 2: multi_scale_crop: a box of 224x224 does not fit",
			[]clip.Step{scale(222, clip.OpenCV), msc(func(*clip.MultiScaleCrop) {}), normalize}},
	} {
		s := clip.Spec{Sampling: clip.Sampling{Mode: clip.Plain, Segments: 3}, Steps: tc.steps}
		if err := s.Validate(); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%v, want %q", err, tc.want)
		}
	}
}

func TestSpecFacts(t *testing.T) {
	for _, tc := range []struct {
		name        string
		spec        clip.Spec
		views, h, w int
		random      bool
	}{
		{"train", train(), 3, 224, 224, true},
		{"ten crops", sampled(clip.Linspace, 25, false, scale256, tenCrop), 250, 224, 224, false},
		{"no crop", sampled(clip.Linspace, 25, false, scale256), 25, 0, 0, false},
		{"scaled after the crop", sampled(clip.Plain, 8, false, scale256, center224,
			clip.Step{Scale: &clip.Scale{ShortSide: 120, FixedRatio: true, Backend: clip.OpenCV}}), 8, 160, 120, false},
	} {
		h, w := tc.spec.Size()
		if v, r := tc.spec.Views(), tc.spec.Random(); v != tc.views || h != tc.h || w != tc.w || r != tc.random {
			t.Errorf("%s: %d views of %dx%d, random %v", tc.name, v, w, h, r)
		}
	}
}

func FuzzParseSpec(f *testing.F) {
	for _, s := range []clip.Spec{train(), sampled(clip.Linspace, 25, false, scale256, tenCrop)} {
		b, err := json.Marshal(s)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := clip.ParseSpec(b)
		if err != nil {
			return
		}
		s.Views()
		s.Size()
		again, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := clip.ParseSpec(again); err != nil || !reflect.DeepEqual(got, s) {
			t.Errorf("%s: %+v, %v", again, got, err)
		}
	})
}
