package prepare

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/dataset"
	"github.com/pptsn/pptsn/labels"
)

// The annotations of UCF-101: each line is one clip of a known class, odd, wrong
// or blank, and clips can stand in a list.
func FuzzUCF101List(f *testing.F) {
	for _, seed := range []string{
		"ApplyEyeMakeup/v_ApplyEyeMakeup_g08_c01.avi 1\r\nYoYo/v_YoYo_g08_c01.avi 101\r\n", "YoYo/v_YoYo_g08_c01.avi\nYoYo/v_YoYo_g08_c01.avi\r",
		"YoYo/../x 1", "YoYo/ 1", "/x.avi", "YoYo/a b.avi 101", "YoYo/v.avi -1", "YoYo/\x00.avi",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a := &ucf101Annotations{labels: map[string]int{"ApplyEyeMakeup": 0, "YoYo": 100}}
		names, seen, wrong := a.parse("list", text, map[string]int{"YoYo/v_YoYo_g08_c01.avi": 1})
		n := 0
		for range lines(text) {
			n++
		}
		if len(names) != len(seen) || len(names)+len(wrong) > n || len(names)+len(wrong)+len(a.odd) < n {
			t.Errorf("%d names, %d seen, %d wrong, %d odd in %d lines of %q", len(names), len(seen), len(wrong), len(a.odd), n, text)
		}
		for _, name := range names {
			class, rest, ok := strings.Cut(name, "/")
			if _, known := a.labels[class]; !known || !ok || rest == "" || listable(name) != nil || !filepath.IsLocal(name) {
				t.Errorf("%q gives the clip %q", text, name)
			}
		}
	})
}

func FuzzClassInd(f *testing.F) {
	for _, seed := range []string{"1 ApplyEyeMakeup\r\n2 ApplyLipstick\r\n", "1 A\n2 A\n", "2 B\n1 A\n", "0 A\n", "A\n", "\ufeff1 A"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		names, byName, err := parseClassInd(text)
		if err == nil && (len(names) == 0 || len(names) != len(byName)) {
			t.Errorf("%q: %q, %v", text, names, byName)
		}
	})
}

// Kinetics' CSV files: a row is used or bad, and its clip's name means itself.
func FuzzKineticsCSV(f *testing.F) {
	const header = "label,youtube_id,time_start,time_end,split,is_cc\n"
	for _, seed := range []string{
		header + "massaging person's head,-4YTwq0_73Y,44,54,train,0\r\n\"passing American football (in game)\",_HVO2_ZrJno,48,58,validate,0\n",
		"youtube_id,time_start,time_end,split\nAAAAAAAAAAA,3,13.0,test\n", header + "a,#NAME?,1,2,train\n", header + "\"a\nb\",AAAAAAAAAAA,3,13,train",
		"label", header + "a,AAAAAAAAAAA,1e5,NaN,train\n", header + "a,AAAAAAAAAAA,9999999,99999999,train\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		rows, bad, err := parseKinetics("val.csv", text, 0)
		if err != nil {
			return
		}
		n := -1 // the header
		for range lines(text) {
			n++
		}
		if len(rows)+len(bad) != n {
			t.Errorf("%d rows and %d bad ones in %d lines of %q", len(rows), len(bad), n, text)
		}
		for _, r := range rows {
			if key, ok := parseClipName(r.key.String()); !ok || key != r.key {
				t.Errorf("%v is named %s, which means %v", r.key, r.key, key)
			}
		}
	})
}

// A file's name: whatever it is, finding its clip does not fail, and a clip that
// is found is named so again.
func FuzzClipName(f *testing.F) {
	for _, seed := range []string{"-4YTwq0_73Y_000044_000054", "_EDt9CNqqxk", "a_bcd-efg_-_0_10", "abc_000_111", "射箭", "AAAAAAAAAAA_1_"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		key, ok := parseClipName(name)
		if !ok {
			return
		}
		if again, ok := parseClipName(key.String()); !ok || again != key || !strings.HasPrefix(name, string(key.id[:])) {
			t.Errorf("%q is %s, that is %v", name, key, again)
		}
	})
}

// A user's CSV file: a row is used or bad.
func FuzzOwnCSV(f *testing.F) {
	for _, seed := range []string{
		"path,label\na b.mp4,run\n", "\ufeffpath,label,split,group\r\n\"x, \"\"y\"\".mp4\",1,train,g1\r\n-v.mp4,2,,\r\n", "label,path\n,\n", "path,label\n\"a\nb\",1\n", "path,label\na,1\na,2\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		rows, bad, err := parseOwn("own.csv", text)
		if err != nil {
			return
		}
		n := -1
		for range lines(text) {
			n++
		}
		if len(rows)+len(bad) != n {
			t.Errorf("%d rows and %d bad ones in %d lines of %q", len(rows), len(bad), n, text)
		}
		for _, r := range rows {
			if r.path == "" || r.label == "" || r.side < -1 || r.side >= sides {
				t.Errorf("%q: %+v", text, r)
			}
		}
	})
}

// Whatever folders a user has, the list that is written reads back.
func FuzzNames(f *testing.F) {
	for _, seed := range []string{"clip.mp4", "a b 3.mp4", " lead.mp4", "射\u3000.mp4 ", "-1,2.mp4", "\ufeffx.mp4", "x\ny.mp4", "\xff\xfe.mp4"} {
		f.Add(seed, "class 1", "2 b")
	}
	f.Fuzz(func(t *testing.T, clip, one, two string) {
		if err := listable(clip); err == nil {
			file, err := List{Name: "l", Clips: []Clip{{clip, 0, 3}, {clip, 0, 0}}}.file()
			if err != nil {
				t.Fatal(err)
			}
			for l, err := range dataset.Scan(strings.NewReader(string(file.Data)), "l", false) {
				if err != nil || l.Name != clip {
					t.Errorf("%q reads back as %+v, %v", clip, l, err)
				}
			}
		}
		file, err := labelFile("labels.txt", []string{one, two})
		if err != nil {
			return
		}
		path := filepath.Join(t.TempDir(), "labels.txt")
		if err := os.WriteFile(path, file.Data, 0o666); err != nil {
			t.Fatal(err)
		}
		if names, err := labels.Read(path); err != nil || len(names) != 2 || names[0] != one || names[1] != two {
			t.Errorf("classes %q and %q read back as %q, %v", one, two, names, err)
		}
	})
}
