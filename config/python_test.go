package config_test

import (
	"testing"

	"github.com/pptsn/pptsn/config"
)

// How YAML 1.1 and the reference's ast.literal_eval read scalars.
func TestNumbers(t *testing.T) {
	for _, tc := range []struct {
		text string
		want float64
	}{
		{"1e-4", 0.0001}, // a string to YAML 1.1
		{"1E-4", 0.0001},
		{"1.e-4", 0.0001},
		{"'1e-4'", 0.0001},
		{`"0.0001"`, 0.0001},
		{"0.0001", 0.0001},
		{".0001", 0.0001},
		{"+1e-04", 0.0001},
		{"2", 2},
		{"1_000", 1000},
		{"0x10", 16},
		{"0b11", 3},
		{"010", 8}, // octal in YAML 1.1
		{"0o10", 8},
		{"!!float 3", 3},
	} {
		c := parse(t, "epochs: 1\nOPTIMIZER:\n    name: SGD\n    learning_rate: 0.1\n    weight_decay: {name: L2, value: "+tc.text+"}\n")
		equal(t, tc.text, must(c.Training())(t).Optimizer.WeightDecay, tc.want)
	}
}

func TestNotNumbers(t *testing.T) {
	for text, found := range map[string]string{
		"abc": `the string "abc"`, "1e-4x": `the string "1e-4x"`, "0x": `the string "0x"`, "089": `the string "089"`, "'010'": `the string "010"`, "_1": `the string "_1"`,
		"1-2": `the string "1-2"`, "12:30": `the string "12:30"`, "inf": `the string "inf"`, "nan": `the string "nan"`,
		".nan": "NaN", "-.inf": "-Inf", "1e999": `the string "1e999"`, "True": "True", "[1]": "a list of 1", "{}": "a mapping",
		"__import__('os').system('id')": `the string "__import__('os').system('id')"`,
	} {
		checkErrors(t, text, "use_gpu: True\nMIX:\n    name: Mixup\n    alpha: "+text+"\n", nil, "x.yaml:4: MIX.alpha: want a number, found "+found)
	}
}

func TestBools(t *testing.T) {
	for text, want := range map[string]bool{
		"True": true, "true": true, "TRUE": true, "yes": true, "Yes": true, "on": true, "'True'": true, "!!bool yes": true,
		"False": false, "false": false, "no": false, "NO": false, "off": false, `"False"`: false,
	} {
		equal(t, text, parse(t, "use_gpu: "+text+"\n").UseGPU, want)
	}
	for _, text := range []string{"", "~", "null", "None", "'None'"} { // nothing: the default
		equal(t, text, parse(t, "use_gpu: "+text+"\n").UseGPU, true)
	}
	for _, text := range []string{"1", "y", "'yes'", "[True]"} {
		if _, err := config.Parse("x.yaml", []byte("use_gpu: "+text+"\n"), nil); err == nil {
			t.Errorf("use_gpu: %s is accepted", text)
		}
	}
}

func TestStrings(t *testing.T) {
	for text, want := range map[string]string{
		"mine": "mine", "'mine'": "mine", `"mine"`: "mine", `"'mine'"`: "mine", `"2024"`: "2024", "'1e-4'": "1e-4", `"True"`: "True",
		"a b": "a b", "|-\n  mine": "mine", "!!str 2024": "2024", `"[1, 2]"`: "[1, 2]", "v1.0.0": "v1.0.0",
		`'"tab\there"'`: "tab\there", `"'it\\'s'"`: "it's", "模型": "模型",
		"None": "model", "''": "", // nothing: the default; empty is refused below
	} {
		c, err := config.Parse("x.yaml", []byte("model_name: "+text+"\n"), nil)
		if want == "" {
			if err == nil {
				t.Errorf("%s: %q is accepted", text, c.Name)
			}
			continue
		}
		if err != nil || c.Name != want {
			t.Errorf("%s: %+v, %v, want %q", text, c, err, want)
		}
	}
	for text, found := range map[string]string{"2024": "2024", "yes": "True", "1e-4": "0.0001", "[a]": "a list of 1"} {
		checkErrors(t, text, "model_name: "+text+"\n", nil, "x.yaml:1: model_name: want a string, found "+found)
	}
}

func TestLists(t *testing.T) {
	for text, want := range map[string][]int{
		"[1, 5]": {1, 5}, `"[1, 5]"`: {1, 5}, `"(1, 5)"`: {1, 5}, "'[1, 5,]'": {1, 5}, "\n    - 1\n    - 5": {1, 5},
		"['1', 5]": {1, 5}, "1, 5": {1, 5}, "'7,'": {7}, `"(3)"`: nil, `"(3,)"`: {3}, `"[1, 5"`: nil, `"[1 5]"`: nil, `"[x]"`: nil, "[1.5]": nil, "[]": nil, "[[1]]": nil,
	} {
		c, err := config.Parse("x.yaml", []byte("METRIC:\n  name: CenterCropMetric\n  topk: "+text+"\n"), nil)
		if want == nil {
			if err == nil {
				t.Errorf("%s is accepted", text)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		equal(t, text, must(c.Metric())(t).TopK, want)
	}
}

func TestFileNamesOfFrames(t *testing.T) {
	c := parse(t, "DATASET: {train: {format: FrameDataset, file_path: a}, test: {format: FrameDataset, file_path: a, suffix: '{:d}.png'}}\n")
	equal(t, "default", must(c.Data(config.Train))(t).Pattern.Name(7), "img_00007.jpg")
	equal(t, "given", must(c.Data(config.Test))(t).Pattern.Name(7), "7.png")
}
