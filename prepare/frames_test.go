package prepare_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/dataset"
	"github.com/pptsn/pptsn/internal/testdata"
	"github.com/pptsn/pptsn/jpeg"
	"github.com/pptsn/pptsn/prepare"
	"github.com/pptsn/pptsn/video"
)

var plain = prepare.Frames{Quality: 95, Every: 1}

// moving makes a video with the ffmpeg tool.
func moving(t *testing.T, path, args string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("ffmpeg", append(append([]string{"-v", "error", "-nostdin", "-y", "-f", "lavfi"}, strings.Fields(args)...), path)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Skipf("ffmpeg cannot make %s: %v: %s", path, err, out)
	}
	return path
}

// small are videos by their names: making them takes ffmpeg a while.
var small = map[string][]byte{}

// clips makes a folder of four small videos, one of them broken, and a list.
func clips(t *testing.T) (dir, list string) {
	t.Helper()
	dir = t.TempDir()
	for i, name := range []string{"a/one.mp4", "a/two words.avi", "b/три.mkv"} {
		path := filepath.Join(dir, name)
		if small[name] == nil {
			moving(t, path, fmt.Sprintf("-i testsrc2=size=96x64:rate=25 -frames:v %d -pix_fmt yuv420p", 5+i))
			small[name], _ = os.ReadFile(path)
		}
		store(t, path, string(small[name]))
	}
	store(t, filepath.Join(dir, "b/bad.mp4"), "no video")
	return dir, store(t, filepath.Join(dir, "train.list"), "a/one.mp4 0\na/two words.avi 1\nb/bad.mp4 1\nb/три.mkv 2\na/one.mp4 3\n")
}

func planned(t *testing.T, dir, list string) *prepare.Plan {
	t.Helper()
	p, err := prepare.PlanLists([]string{list}, dataset.Options{Prefix: dir})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// tree is the names and bytes of all files below a folder.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		out[strings.TrimPrefix(path, dir)] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestFramesAreThoseOfFFmpegAndPillow(t *testing.T) {
	python := "/usr/bin/python3"
	if exec.Command(python, "-c", "import PIL").Run() != nil {
		t.Skip("Debian's python3-pil, whose bytes are compared, is absent")
	}
	source := filepath.Join(testdata.Shared(t), "data", "videos", "archery-paddlevideo.avi")
	for _, f := range []prepare.Frames{plain, {Quality: 80, Every: 4}} {
		out := t.TempDir()
		p := planned(t, filepath.Dir(source), store(t, filepath.Join(t.TempDir(), "one.list"), filepath.Base(source)+" 7\n"))
		s, err := f.Run(context.Background(), p, prepare.RunOptions{Out: out})
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(python, "testdata/frames.py", source, filepath.Join(out, "archery-paddlevideo"), strconv.Itoa(f.Every), strconv.Itoa(f.Quality))
		got, err := cmd.CombinedOutput()
		if err != nil || strings.TrimSpace(string(got)) != strconv.Itoa(s.Pictures) || s.Pictures != (131+f.Every-1)/f.Every {
			t.Errorf("%+v: %d pictures, %v: %s", f, s.Pictures, err, got)
		}
	}
}

// The README of odd-videos says how many frames ffprobe decodes of each.
func TestFramesOfOddVideos(t *testing.T) {
	dir := filepath.Join(testdata.Shared(t), "data", "odd-videos")
	readme, err := os.ReadFile(filepath.Join(dir, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]int{}
	for line := range strings.Lines(string(readme)) {
		if cell := strings.Split(line, "|"); len(cell) > 10 && strings.HasPrefix(cell[1], " `") {
			n, _ := strconv.Atoi(strings.TrimSpace(cell[9])) // "-" is none
			want[strings.Trim(cell[1], " `")] = n
		}
	}
	want["gen-two-video-streams.mkv"] = 50 // of the stream that the ffmpeg tool chooses; the README's is the first
	p, err := prepare.PlanFolder(context.Background(), dir, "")
	if err != nil {
		t.Fatal(err)
	}
	p.Sources = slices.DeleteFunc(p.Sources, func(s prepare.Source) bool { // large ones take long
		info, err := os.Stat(s.Path)
		return err != nil || info.Size() > 60<<10
	})
	out := t.TempDir()
	f, compared := prepare.Frames{Quality: 30, Every: 1, ShortSide: 32}, 0
	_, err = f.Run(context.Background(), p, prepare.RunOptions{Out: out, Workers: 2, Done: func(m prepare.Made) {
		n, ok := want[filepath.Base(m.Source.Path)]
		if !ok || n != m.Pictures || (n == 0) != (m.Err != nil) {
			t.Errorf("%s: %d pictures, %v, want %d", m.Source.Path, m.Pictures, m.Err, n)
		}
		folder, err := clip.OpenFolder(filepath.Join(out, m.Source.Name), "img_{:05}.jpg", jpeg.Decode)
		if n > 0 && (err != nil || folder.Len() != n) || n == 0 && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v, %v", m.Source.Path, folder, err)
		}
		compared++
	}})
	if err != nil || compared < 25 {
		t.Errorf("%d compared, %v", compared, err)
	}
}

func TestFramesListIsLoaded(t *testing.T) {
	dir, list := clips(t)
	out := t.TempDir()
	var failed []string
	o := prepare.RunOptions{Out: out, Done: func(m prepare.Made) {
		if m.Err != nil {
			failed = append(failed, m.Err.Error())
		}
	}}
	s, err := prepare.Frames{Quality: 95, Every: 2, ShortSide: 32}.Run(context.Background(), planned(t, dir, list), o)
	if err != nil || s.Made != 3 || s.Failed != 1 || len(s.Lists) != 1 || s.Pictures != 3+3+4 {
		t.Fatalf("%+v, %v", s, err)
	}
	if len(failed) != 1 || strings.Count(failed[0], filepath.Join(dir, "b/bad.mp4")) != 1 {
		t.Errorf("failed: %q", failed)
	}
	data, _ := os.ReadFile(s.Lists[0])
	if want := "a/one 3 0\na/two words 3 1\nb/три 4 2\na/one 3 3\n"; string(data) != want || filepath.Base(s.Lists[0]) != "train_frames.list" {
		t.Errorf("%s: %q, want %q", s.Lists[0], data, want)
	}
	pattern, err := clip.ParsePattern("img_{:05}.jpg")
	if err != nil {
		t.Fatal(err)
	}
	set, err := dataset.Open(dataset.Options{List: s.Lists[0], Prefix: out, Frames: true, Pattern: pattern, Spec: spec})
	if err != nil {
		t.Fatal(err)
	}
	for i := range set.Len() {
		if c, err := set.Load(context.Background(), i, nil); err != nil {
			t.Errorf("clip %d: %v, %v", i, c, err)
		}
	}
	img, err := os.ReadFile(filepath.Join(out, "a/one/img_00003.jpg"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := jpeg.Decode(img); err != nil || got.W != 48 || got.H != 32 {
		t.Errorf("%v, %v, want 48x32", got, err)
	}
}

var spec = clip.Spec{
	Sampling: clip.Sampling{Mode: clip.SelectLeft, Segments: 3},
	Steps:    []clip.Step{{CenterCrop: &clip.CenterCrop{Size: 16}}, {Normalize: &clip.Normalize{Std: [3]float32{1, 1, 1}}}},
}

// What is there is kept as long as it is what would be made.
func TestRunAgain(t *testing.T) {
	dir, list := clips(t)
	out := t.TempDir()
	again := func(f prepare.Frames, force bool) prepare.Summary {
		t.Helper()
		s, err := f.Run(context.Background(), planned(t, dir, list), prepare.RunOptions{Out: out, Force: force})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	again(plain, false)
	whole := tree(t, out)
	check := func(what string, s prepare.Summary, made int) {
		t.Helper()
		if s.Made != made || s.Kept != 3-made {
			t.Errorf("%s: %d made, %d kept, want %d made", what, s.Made, s.Kept, made)
		}
		if got := tree(t, out); fmt.Sprint(got) != fmt.Sprint(whole) {
			t.Errorf("%s: another tree", what)
		}
	}
	check("again", again(plain, false), 0)
	os.Remove(filepath.Join(out, "a/one/img_00002.jpg"))
	check("a picture gone", again(plain, false), 1)
	store(t, filepath.Join(out, "a/one/img_00006.jpg"), "x")
	check("a picture more", again(plain, false), 1)
	os.RemoveAll(filepath.Join(out, "a/one"))
	store(t, filepath.Join(out, "a/.one.pptsn-tmp/one/img_00001.jpg"), "half")
	store(t, filepath.Join(out, ".train_frames.list.123.tmp"), "half")
	store(t, filepath.Join(out, "..pptsn-frames.json.77.tmp"), "half")
	check("killed", again(plain, false), 1)
	store(t, filepath.Join(out, "a/one/.pptsn.json"), "{")
	check("a torn record", again(plain, false), 1)

	if _, err := (prepare.Frames{Quality: 80, Every: 1}).Run(context.Background(), planned(t, dir, list), prepare.RunOptions{Out: out}); err == nil ||
		!strings.Contains(err.Error(), `"quality":95`) || !strings.Contains(err.Error(), "--force") {
		t.Errorf("other settings: %v", err)
	}
	check("after other settings", again(plain, false), 0)
	if s := again(prepare.Frames{Quality: 80, Every: 1}, true); s.Made != 3 || fmt.Sprint(tree(t, out)) == fmt.Sprint(whole) {
		t.Errorf("forced: %+v", s)
	}
	if s := again(plain, true); s.Made != 3 {
		t.Errorf("forced: %+v", s)
	}
	check("forced back", again(plain, false), 0)
	moving(t, filepath.Join(dir, "a/one.mp4"), "-i testsrc2=size=96x64:rate=25 -frames:v 9 -pix_fmt yuv420p")
	if s := again(plain, false); s.Made != 1 || s.Kept != 2 || s.Pictures != 9+6+7 {
		t.Errorf("a changed video: %+v", s)
	}
}

// A folder that is not of our making is left alone, --force or not.
func TestForeignFoldersAreLeftAlone(t *testing.T) {
	dir, list := clips(t)
	out := t.TempDir()
	mine := store(t, filepath.Join(out, "a/one/holiday.jpg"), "mine")
	if err := os.Mkdir(filepath.Join(out, "b"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(out, "b/три"), 0o777); err != nil { // empty: may be used
		t.Fatal(err)
	}
	s, err := plain.Run(context.Background(), planned(t, dir, list), prepare.RunOptions{Out: out, Force: true})
	if err != nil || s.Failed != 2 || s.Made != 2 {
		t.Errorf("%+v, %v", s, err)
	}
	if data, _ := os.ReadFile(mine); string(data) != "mine" {
		t.Error("a foreign file is gone")
	}
	compact := prepare.Compact{GOP: 8, CRF: 20}
	s, err = compact.Run(context.Background(), planned(t, dir, list), prepare.RunOptions{Out: dir, Force: true, Lists: out})
	if err != nil || s.Failed != 2 { // a/one.mp4 would replace itself
		t.Errorf("%+v, %v", s, err)
	}
	if _, err := video.ReadNote(filepath.Join(dir, "a/one.mp4")); !errors.Is(err, video.ErrNoNote) {
		t.Errorf("the source was written over: %v", err)
	}
}

func TestFramesCancel(t *testing.T) {
	dir, list := clips(t)
	out, whole := t.TempDir(), t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	done := 0
	_, err := plain.Run(ctx, planned(t, dir, list), prepare.RunOptions{Out: out, Workers: 1, Done: func(prepare.Made) {
		if done++; done == 2 {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	for name := range tree(t, out) {
		if strings.Contains(name, "tmp") || strings.HasSuffix(name, ".list") {
			t.Errorf("%s is left", name)
		}
	}
	if _, err := plain.Run(context.Background(), planned(t, dir, list), prepare.RunOptions{Out: out}); err != nil {
		t.Fatal(err)
	}
	if _, err := plain.Run(context.Background(), planned(t, dir, list), prepare.RunOptions{Out: whole}); err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(tree(t, out)) != fmt.Sprint(tree(t, whole)) {
		t.Error("another tree than that of one run")
	}
}

func TestFramesFullDisk(t *testing.T) {
	dir, list := clips(t)
	moving(t, filepath.Join(dir, "b/large.mp4"), "-i testsrc2=size=640x480:rate=25 -frames:v 20 -preset ultrafast -pix_fmt yuv420p")
	store(t, list, "a/one.mp4 0\nb/large.mp4 1\n")
	out := t.TempDir()
	if err := syscall.Mount("none", out, "tmpfs", 0, "size=500k"); err != nil {
		t.Skip("needs the right to mount a small tmpfs:", err)
	}
	defer syscall.Unmount(out, 0)
	_, err := plain.Run(context.Background(), planned(t, dir, list), prepare.RunOptions{Out: out})
	if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "make room in "+out) {
		t.Errorf("error %v, want ENOSPC", err)
	}
	if _, err := os.Stat(filepath.Join(out, "b", "large")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("half a folder: %v", err)
	}
	if err := syscall.Mount("none", out, "tmpfs", syscall.MS_REMOUNT, "size=64m"); err != nil {
		t.Fatal(err)
	}
	s, err := plain.Run(context.Background(), planned(t, dir, list), prepare.RunOptions{Out: out})
	if err != nil || s.Pictures != 25 || s.Made+s.Kept != 2 {
		t.Errorf("with room: %+v, %v", s, err)
	}
}

func TestDiskWillNotSuffice(t *testing.T) {
	dir, text := t.TempDir(), strings.Builder{}
	one := moving(t, filepath.Join(dir, "v00.mp4"), "-i testsrc2=size=96x64:rate=25 -frames:v 5 -pix_fmt yuv420p")
	for i := range 60 {
		name := fmt.Sprintf("v%02d.mp4", i)
		if i > 0 {
			os.Link(one, filepath.Join(dir, name))
		}
		fmt.Fprintf(&text, "%s 0\n", name)
	}
	list := store(t, filepath.Join(dir, "all.list"), text.String())
	out := t.TempDir()
	if err := syscall.Mount("none", out, "tmpfs", 0, "size=600k"); err != nil {
		t.Skip("needs the right to mount a small tmpfs:", err)
	}
	defer syscall.Unmount(out, 0)
	var warnings []string
	done := 0
	plain.Run(context.Background(), planned(t, dir, list), prepare.RunOptions{
		Out: out, Workers: 1, Done: func(prepare.Made) { done++ },
		Warn: func(text string) {
			if warnings = append(warnings, text); done != 8 {
				t.Errorf("warned after %d videos, want 8", done)
			}
		}})
	if len(warnings) != 1 || !strings.Contains(warnings[0], "will be full") {
		t.Errorf("warnings %q", warnings)
	}
}

func TestOneRunAtATime(t *testing.T) {
	dir, list := clips(t)
	out := t.TempDir()
	var inner error
	o := prepare.RunOptions{Out: out}
	o.Done = func(prepare.Made) {
		_, inner = plain.Run(context.Background(), planned(t, dir, list), prepare.RunOptions{Out: out})
	}
	if _, err := plain.Run(context.Background(), planned(t, dir, list), o); err != nil {
		t.Fatal(err)
	}
	if inner == nil || !strings.Contains(inner.Error(), "another run writes here") {
		t.Errorf("a second run: %v", inner)
	}
}
