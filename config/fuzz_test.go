package config_test

import (
	"fmt"
	"io/fs"
	"runtime"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/config"
	"github.com/pptsn/pptsn/configs"
)

// bomb is 10 to the power of levels values in a few hundred bytes.
func bomb(levels int) string {
	var b strings.Builder
	b.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := 1; i < levels; i++ {
		alias := fmt.Sprintf("*a%d", i-1)
		fmt.Fprintf(&b, "a%d: &a%d [%s]\n", i, i, strings.Join([]string{alias, alias, alias, alias, alias, alias, alias, alias, alias, alias}, ", "))
	}
	return b.String()
}

func TestLimits(t *testing.T) {
	for _, tc := range []struct{ name, yaml, want string }{
		{"alias bomb", bomb(9), "x.yaml: more than 50000 values after anchors are expanded"},
		{"merge bomb", mergeBomb(400), "x.yaml: more than 50000 values after anchors are expanded"},
		{"deep lists", "MIX: " + strings.Repeat("[", 5000) + strings.Repeat("]", 5000), "x.yaml:1: nested more than 64 deep"},
		{"deep literal", "epochs: \"" + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + "\"", "x.yaml:1: epochs: want an integer, found the string \"" + strings.Repeat("[", 80) + "...\""},
		{"long key", "MODEL:\n    " + strings.Repeat("k", 900) + ": 1\n", ""},
		{"many values", "MIX: [" + strings.Repeat("1,", 60000) + "]", "x.yaml: more than 50000 values after anchors are expanded"},
		{"many unknown keys", manyKeys(5000), ""},
	} {
		_, err := config.Parse("x.yaml", []byte(tc.yaml), nil)
		if err == nil || tc.want != "" && err.Error() != tc.want {
			t.Errorf("%s: %.300v, want %s", tc.name, err, tc.want)
		}
	}
}

// mergeBomb is a chain of mappings, each of which takes in all before it.
func mergeBomb(n int) string {
	b := strings.Builder{}
	b.WriteString("m0: &m0 {k: 1}\n")
	for i := 1; i < n; i++ {
		fmt.Fprintf(&b, "m%d: &m%d {<<: [*m%d, *m%d], k%d: 1}\n", i, i, i-1, i-1, i)
	}
	return b.String()
}

func manyKeys(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "key%d: 1\n", i)
	}
	return b.String()
}

func FuzzParse(f *testing.F) {
	err := fs.WalkDir(configs.FS, "recognition", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := configs.FS.ReadFile(path)
		f.Add(data, "MODEL.head.num_classes=101")
		return err
	})
	if err != nil {
		f.Fatal(err)
	}
	for _, override := range []string{"PIPELINE.train.transform.0.Scale.short_size=128", "MIX={'name': 'Mixup'}", "METRIC.topk=[1, (2), {3}]", "a..b=c", "a"} {
		f.Add([]byte(everyKey), override)
	}
	f.Add([]byte(distilled(frozen, student, []string{ofLabels, softened}, "freeze_params_list: [True, False]")), "MODEL.loss.Train.1.alpha=0.5")
	f.Add([]byte(distilled(stored, student, []string{mutual})), "MODEL.models.0.Teacher.scores=[a, b]")
	for _, text := range []string{bomb(4), "a: &a {<<: *a}", "? {a: b}\n: c", "MIX: &m {name: 'Mix\\x41up'}\nx: {<<: [*m, *m]}", "epochs: \"{'a': [1, (2,), 'b\\\\n']}\"", "MODEL:\n\tx: 1", "%YAML 1.1\n---\na: b\n"} {
		f.Add([]byte(text), "epochs=1e-4")
	}
	f.Fuzz(func(t *testing.T, data []byte, override string) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		c, err := config.Parse("x.yaml", data, []string{override})
		runtime.ReadMemStats(&after)
		// At most 50,000 values of some 150 bytes each, and the parser's share.
		if used, most := after.TotalAlloc-before.TotalAlloc, uint64(64<<20+4000*(len(data)+len(override))); used > most {
			t.Errorf("%d bytes allocated for %d bytes of input", used, len(data))
		}
		if (c == nil) == (err == nil) {
			t.Errorf("a configuration and an error, or neither: %v", err)
		}
		if err != nil {
			return
		}
		for _, use := range []config.Use{config.Train, config.Valid, config.Test} {
			if spec, err := c.Clip(use); err == nil {
				if err := spec.Validate(); err != nil {
					t.Errorf("%s: %v", use, err)
				}
			}
		}
		if m, err := c.Model(); err == nil {
			if err := m.Network.Validate(); err != nil {
				t.Error(err)
			}
		}
		d, err := c.Distillation()
		if err != nil || d == nil {
			return
		}
		for _, term := range d.Terms {
			if err := term.Validate(); err != nil {
				t.Error(err)
			}
		}
	})
}
