package probe_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/internal/testdata"
	"github.com/pptsn/pptsn/probe"
)

func TestCutSaysNothingOfWholeFiles(t *testing.T) {
	cut := map[string]string{
		"gen-missing-moov.mp4":        "ends 10217 bytes before its box mdat does",
		"gen-truncated-faststart.mp4": "ends 49913 bytes before its box mdat does",
		"missing-moov.mp4":            "ends before its box moov", // its mdat goes on to the end
	}
	for _, path := range files(t, "actions/*/*.avi", "actions-weizmann/*", "actions-weizmann/*/*", "videos/*", "odd-videos/*") {
		said, err := probe.Cut(path)
		if err != nil {
			t.Error(err)
		}
		if want := cut[filepath.Base(path)]; said != want {
			t.Errorf("%s: %q, want %q", path, said, want)
		}
	}
}

// Each of these ends with the part that the container gives a size to.
func TestCutOfTruncatedCopies(t *testing.T) {
	for _, name := range []string{
		"videos/archery-paddlevideo.avi", "videos/kayaking-small-fps.mp4", "videos/flipping-pancake-decord.mkv",
		"odd-videos/vp9.webm", "odd-videos/matroska-named.mp4", "odd-videos/gen-rgb-ffv1.mkv",
	} {
		path := clone(t, filepath.Join(testdata.Shared(t), "data", name))
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		for left := info.Size() - 1; left > 4096; left -= 1 + info.Size()/97 {
			if err := os.Truncate(path, left); err != nil {
				t.Fatal(err)
			}
			want := fmt.Sprintf("ends %d bytes before", info.Size()-left)
			if info.Size()-left == 1 {
				want = "ends one byte before"
			}
			if said, err := probe.Cut(path); err != nil || !strings.HasPrefix(said, want) {
				t.Errorf("%s without its last %d bytes: %q, %v", name, info.Size()-left, said, err)
			}
		}
	}
}

// Wherever a file with moov at its end is cut, something is said.
func TestCutAnywhereBeforeMoov(t *testing.T) {
	path := clone(t, filepath.Join(testdata.Shared(t), "data", "videos", "dance-stage.mp4"))
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	for left := info.Size() - 1; left > 64; left -= 1 + info.Size()/211 {
		if err := os.Truncate(path, left); err != nil {
			t.Fatal(err)
		}
		if said, err := probe.Cut(path); err != nil || said == "" {
			t.Errorf("%d bytes of %d: %q, %v", left, info.Size(), said, err)
		}
	}
}

func box(kind string, size uint32, body string) string {
	return string(binary.BigEndian.AppendUint32(nil, size)) + kind + body
}

func riff(kind string, size uint32, body string) string {
	return "RIFF" + string(binary.LittleEndian.AppendUint32(nil, size)) + kind + body
}

func TestCutOfPlainBytes(t *testing.T) {
	const ebml = "\x1a\x45\xdf\xa3\x81\x00"                         // a head of one byte
	const live = "\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff" // a segment that does not know its size
	for _, tc := range []struct{ name, file, want string }{
		{"nothing", "", ""},
		{"text", "this is no video at all", ""},
		{"whole box", box("ftyp", 12, "isom") + box("moov", 10, "ab"), ""},
		{"box without a body", box("ftyp", 12, "isom") + box("moov", 10, ""), "ends 2 bytes before its box moov does"},
		{"large box", box("ftyp", 12, "isom") + box("mdat", 1, "\x00\x00\x00\x01\x00\x00\x00\x00"), "ends 4294967280 bytes before its box mdat does"},
		{"largest box", box("ftyp", 12, "isom") + box("mdat", 1, "\xff\xff\xff\xff\xff\xff\xff\xff"), "ends 2305843009213693936 bytes before its box mdat does"},
		{"large box, half its size", box("ftyp", 12, "isom") + box("mdat", 1, "\x00\x00"), "ends within the head of its box mdat"},
		{"box to the end", box("ftyp", 12, "isom") + box("moov", 8, "") + box("mdat", 0, "abc"), ""},
		{"no moov", box("ftyp", 12, "isom") + box("mdat", 0, "abc"), "ends before its box moov"},
		{"box of nonsense", box("ftyp", 3, "isom"), ""},
		{"half a head", box("ftyp", 12, "isom") + "\x00\x00\x01", "ends within the head of a box"},
		{"line end behind", box("moov", 8, "") + box("mdat", 8, "") + "\r\n", ""},
		{"text behind", box("ftyp", 12, "isom") + "and some text", ""},
		{"fragments", box("styp", 8, "") + box("moof", 8, "") + box("mdat", 12, "abc"), "ends one byte before its box mdat does"},
		{"RIFF", riff("AVI ", 6, "ab"), ""},
		{"RIFF, odd, without the byte that fills it up", riff("AVI ", 5, "a"), ""},
		{"RIFF, short", riff("AVI ", 8, "ab"), "ends 2 bytes before its RIFF chunk does"},
		{"RIFF, size never written", riff("AVI ", 0, "ab"), ""},
		{"RIFF, size never known", riff("AVI ", 1<<32-1, "ab"), ""},
		{"RIFF that is no AVI", riff("WAVE", 8, "ab"), ""},
		{"OpenDML", riff("AVI ", 5, "a\x00") + riff("AVIX", 6, "ab"), ""},
		{"OpenDML, short", riff("AVI ", 5, "a\x00") + riff("AVIX", 9, "ab"), "ends 3 bytes before its RIFF chunk does"},
		{"RIFF with text behind", riff("AVI ", 6, "ab") + "text", ""},
		{"segment", ebml + "\x18\x53\x80\x67\x82ab", ""},
		{"segment, short", ebml + "\x18\x53\x80\x67\x84ab", "ends 2 bytes before its segment does"},
		{"live segment", ebml + live + "\x1f\x43\xb6\x75\x82ab", ""},
		{"live segment, short", ebml + live + "\xec\x80\x1f\x43\xb6\x75\x84ab", "ends 2 bytes before its Cluster does"},
		{"live segment and cluster", ebml + live + "\x1f\x43\xb6\x75\xffab", ""},
	} {
		if said, err := probe.CutOf(strings.NewReader(tc.file), int64(len(tc.file))); said != tc.want || err != nil {
			t.Errorf("%s: %q, %v, want %q", tc.name, said, err, tc.want)
		}
	}
}

func FuzzCut(f *testing.F) {
	f.Add([]byte(box("ftyp", 12, "isom") + box("mdat", 1, "\x00\x00\x00\x01\x00\x00\x00\x00")))
	f.Add([]byte(riff("AVI ", 5, "a\x00") + riff("AVIX", 9, "ab")))
	f.Add([]byte("\x1a\x45\xdf\xa3\x81\x00\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff\x1f\x43\xb6\x75\x84ab"))
	f.Fuzz(func(t *testing.T, b []byte) {
		said, err := probe.CutOf(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			t.Errorf("bytes in memory cannot be read: %v", err)
		}
		if said != "" && !strings.HasPrefix(said, "ends ") {
			t.Errorf("%q", said)
		}
	})
}
