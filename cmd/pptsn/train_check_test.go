package main

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/config"
)

// What train says of its lists before it begins; the files are never opened.
func TestTrainChecksLists(t *testing.T) {
	const clips = 10
	valid := "v0.avi 0\nv1.avi 1\n"
	var good strings.Builder
	for i := range clips {
		fmt.Fprintf(&good, "%d.avi %d\n", i, i%2)
	}
	for _, tc := range []struct {
		name         string
		train, valid string
		o            trainOptions
		fails        string   // what the error says; "": there is none
		says         []string // what is said on the way
	}{
		{name: "good", train: good.String(), valid: valid},
		{name: "few missing", train: good.String() + "gone.avi 1\n", valid: valid, o: trainOptions{maxBad: 0.1},
			says: []string{"1 of 11 clips of DATASET.train are not there or empty:\n  line 11: DIR/gone.avi: not there"}},
		{name: "many missing", train: good.String() + "gone.avi 1\n", valid: valid, o: trainOptions{maxBad: 0.09},
			fails: "1 of 11 clips of DATASET.train are not there or empty"},
		{name: "an empty one", train: good.String() + "empty.avi 1\n", valid: valid, fails: "line 11: DIR/empty.avi: the file is empty"},
		{name: "of validation", train: good.String(), valid: valid + "gone.avi 1\n",
			says: []string{"1 of 3 clips of DATASET.valid are not there"}},
		{name: "leak", train: good.String() + "v1.avi 1\n", valid: valid,
			fails: "DATASET.valid has 1 clip of DATASET.train"},
		{name: "leak, allowed", train: good.String() + "v1.avi 1\n", valid: valid, o: trainOptions{allowLeak: true},
			says: []string{"line 11: v1.avi: the same file as"}},
		{name: "leak, unchecked", train: good.String() + "v1.avi 1\n", valid: valid, o: trainOptions{noCheck: true}},
		{name: "no class 1", train: good.String(), valid: "v0.avi 0\n", says: []string{"may have mistakes", "class 1 has no clip"}},
		{name: "many mistakes", train: strings.Repeat(good.String(), 3), valid: valid, says: []string{"train.list:19: 8.avi: the same file as", "\n  and 11 more\n"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			for i := range clips {
				writeFile(t, filepath.Join(dir, fmt.Sprintf("%d.avi", i)), "x")
			}
			for _, name := range []string{"v0.avi", "v1.avi"} {
				writeFile(t, filepath.Join(dir, name), "x")
			}
			writeFile(t, filepath.Join(dir, "empty.avi"), "")
			writeFile(t, filepath.Join(dir, "train.list"), tc.train)
			writeFile(t, filepath.Join(dir, "val.list"), tc.valid)
			var said bytes.Buffer
			s := &trainSetup{trainOptions: tc.o, err: &said}
			s.validate = true
			var err error
			if s.cfg, err = config.Parse("my.yaml", []byte(strings.ReplaceAll(trainConfig, "DIR", dir)), nil); err != nil {
				t.Fatal(err)
			}
			if s.model, err = s.cfg.Model(); err != nil {
				t.Fatal(err)
			}
			err = s.checkLists(t.Context(), nil)
			if tc.fails == "" && err != nil || tc.fails != "" && (err == nil || !strings.Contains(strings.ReplaceAll(err.Error(), dir, "DIR"), tc.fails)) {
				t.Errorf("error %v, want %q", err, tc.fails)
			}
			text := strings.ReplaceAll(said.String(), dir, "DIR")
			for _, want := range tc.says {
				if !strings.Contains(text, want) {
					t.Errorf("said %q, want %q", text, want)
				}
			}
			if len(tc.says) == 0 && text != "" || strings.Count(text, "\n") > 11 {
				t.Errorf("said %q", text)
			}
		})
	}
}
