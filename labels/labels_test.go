package labels_test

import (
	"bufio"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/internal/testdata"
	"github.com/pptsn/pptsn/labels"
)

func TestParse(t *testing.T) {
	for _, tc := range []struct {
		name, text string
		want       []string
	}{
		{"one a line", "archery\nyoga\nzumba\n", []string{"archery", "yoga", "zumba"}},
		{"no newline at the end", "archery\nyoga", []string{"archery", "yoga"}},
		{"Windows", "\ufeffarchery\r\nyoga\r\n", []string{"archery", "yoga"}},
		{"blank lines", "\narchery\n\nyoga\n\n", []string{"archery", "yoga"}},
		{"names with spaces", "high jump\nlong jump\n", []string{"high jump", "long jump"}},
		{"not Latin", "прыжок\n跳远\n", []string{"прыжок", "跳远"}},
		{"a comma in a name", "tasting food, drinks\nyoga\n", []string{"tasting food, drinks", "yoga"}},
		{"index", "0 archery\n1 yoga\n", []string{"archery", "yoga"}},
		{"index in any order", "2 zumba\n0 archery\n1 yoga\n", []string{"archery", "yoga", "zumba"}},
		{"index and spaces", "0  high jump\n1\tlong  jump\n", []string{"high jump", "long  jump"}},
		{"classInd", "1 ApplyEyeMakeup\n2 ApplyLipstick\n", []string{"ApplyEyeMakeup", "ApplyLipstick"}},
		{"one class", "0 all\n", []string{"all"}},
		{"CSV with header", "id,name\n0,abseiling\n1,air drumming\n", []string{"abseiling", "air drumming"}},
		{"CSV without", "1,b\n0,a\n", []string{"a", "b"}},
		{"CSV quotes", "id,name\n0,\"tasting food, drinks\"\n1,\"say \"\"hi\"\"\"\n", []string{"tasting food, drinks", `say "hi"`}},
	} {
		got, err := labels.Parse([]byte(tc.text))
		if err != nil || !slices.Equal(got, tc.want) {
			t.Errorf("%s: %q, %v, want %q", tc.name, got, err, tc.want)
		}
	}
}

func TestParseErrors(t *testing.T) {
	for _, tc := range []struct{ name, text, want string }{
		{"empty", "", "no names"},
		{"blank", " \n\n", "no names"},
		{"header only", "id,name\n", "no names"},
		{"binary", "\xff\xfe\x00", "not text in UTF-8"},
		{"gap", "0 a\n1 b\n3 c\n", "no name for index 2"},
		{"gap in classInd", "1 a\n3 b\n", "line 2: index 3 in a list of 2 names"},
		{"far too large", "0 a\n9000000000000 b\n", "line 2: index 9000000000000 in a list of 2 names"},
		{"negative", "0 a\n-1 b\n", "line 2: index -1 in a list of 2 names"},
		{"twice", "0 a\n1 b\n\n1 c\n", "line 4: index 1 a second time; the first is on line 2"},
		{"no index", "0 a\nb\n", `line 2: want an index and a name, found "b"`},
		{"no name", "0 a\n1\n", `line 2: want an index and a name, found "1"`},
		{"no comma", "id,name\n0,a\n1 b\n", `line 3: want index,name, found "1 b"`},
		{"no name after the comma", "id,name\n0,\n", `line 2: want index,name, found "0,"`},
		{"no name in quotes", "id,name\n0,\" \"\n", `line 2: want index,name, found "0,\" \""`},
	} {
		got, err := labels.Parse([]byte(tc.text))
		if err == nil || err.Error() != tc.want {
			t.Errorf("%s: %q, %v, want error %s", tc.name, got, err, tc.want)
		}
	}
}

func TestReadBuiltin(t *testing.T) {
	for _, tc := range []struct {
		list  string
		n     int
		names map[int]string
	}{
		{"kinetics400", 400, map[int]string{0: "abseiling", 5: "archery", 399: "zumba"}},
		{"ucf101", 101, map[int]string{0: "ApplyEyeMakeup", 7: "Basketball", 35: "HammerThrow", 100: "YoYo"}},
	} {
		names, err := labels.Read(tc.list)
		if err != nil || len(names) != tc.n {
			t.Fatalf("%s: %d names, %v, want %d", tc.list, len(names), err, tc.n)
		}
		for i, want := range tc.names {
			if names[i] != want {
				t.Errorf("%s: class %d is %q, want %q", tc.list, i, names[i], want)
			}
		}
		if !slices.IsSortedFunc(names, func(a, b string) int {
			return strings.Compare(strings.ToLower(a), strings.ToLower(b))
		}) {
			t.Errorf("%s: not in alphabetical order", tc.list)
		}
	}
}

func TestReadErrors(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "gap.txt"), []byte("0 a\n2 b\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		filepath.Join(dir, "none.txt"): "no such file or directory (built in are kinetics400, ucf101)",
		dir:                            "a folder, not a list",
		filepath.Join(dir, "gap.txt"):  "gap.txt: no name for index 1",
	} {
		if _, err := labels.Read(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", path, err, want)
		}
	}
}

// The reference's own list has "index name" lines.
func TestReadKinetics400List(t *testing.T) {
	path := filepath.Join(testdata.Shared(t), "data", "videos", "Kinetics-400_label_list.txt")
	file, err := os.Open(path)
	if err != nil {
		t.Skip(err)
	}
	defer file.Close()
	want := make([]string, 0, 400)
	for scan := bufio.NewScanner(file); scan.Scan(); {
		_, name, _ := strings.Cut(scan.Text(), " ")
		want = append(want, name)
	}
	for _, list := range []string{path, "kinetics400"} {
		if got, err := labels.Read(list); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %d names, %v: differ from the file's", list, len(got), err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"a\nb\n", "0 a\n1 b\n", "1 a\n2 b\n", "id,name\n0,\"a, b\"\n", "0,\"\n", "9 a\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		names, err := labels.Parse(data)
		if err != nil {
			return
		}
		if len(names) == 0 || len(names) > strings.Count(string(data), "\n")+1 {
			t.Errorf("%d names from %d bytes", len(names), len(data))
		}
		for i, name := range names {
			if strings.TrimSpace(name) == "" {
				t.Errorf("class %d has no name", i)
			}
		}
	})
}
