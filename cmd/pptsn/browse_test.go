package main

import (
	"bytes"
	"fmt"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/config"
	"github.com/pptsn/pptsn/dataset"
	"github.com/pptsn/pptsn/frame"
)

var browseFixtureMade sync.Once

// makeBrowseFixture is six clips, of which the last is no video, with a
// configuration for training with Mixup and for ten crops.
func makeBrowseFixture(t *testing.T) trainFixture {
	t.Helper()
	root, err := fixtureOnce()
	if err != nil {
		t.Fatal(err)
	}
	f := trainFixture{filepath.Join(root, "browse"), filepath.Join(root, "browse", "small.yaml")}
	browseFixtureMade.Do(func() {
		if err := os.Mkdir(f.dir, 0o777); err != nil {
			t.Fatal(err)
		}
		list := ""
		for i := range 5 {
			name := fmt.Sprintf("clip %d.mp4", i)
			ffmpeg(t, "-f", "lavfi", "-i", "testsrc2=s=64x48:r=25", "-vf", fmt.Sprintf("hue=h=%d", 60*i), "-frames:v", "9", "-pix_fmt", "yuv420p", filepath.Join(f.dir, name))
			list += fmt.Sprintf("%s %d\n", name, i%2)
		}
		writeFile(t, filepath.Join(f.dir, "train.list"), list)
		writeFile(t, filepath.Join(f.dir, "bad<b>.mp4"), "no video")
		writeFile(t, filepath.Join(f.dir, "val.list"), "clip 1.mp4 1\nbad<b>.mp4 0\n")
		text := strings.ReplaceAll(trainConfig, "DIR", f.dir)
		text = strings.Replace(text, "test: *valid", strings.ReplaceAll(tenCropPipeline, "\n", "\n    "), 1)
		writeFile(t, f.config, text)
	})
	if _, err := os.Stat(f.config); err != nil {
		t.Skip("the ffmpeg tool, which makes the test clips, is absent")
	}
	return f
}

const tenCropPipeline = `test:
    decode: {name: "VideoDecoder"}
    sample: {name: "Sampler", num_seg: 3, valid_mode: True, select_left: True}
    transform:
        - Scale: {short_size: 44, fixed_ratio: False, do_round: True, backend: "cv2"}
        - TenCrop: {target_size: 32}
        - Image2Array:
        - Normalization: {mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225]}`

// openSet is the list of a use, without the command.
func openSet(t *testing.T, f trainFixture, use config.Use) (*dataset.Set, clip.Spec) {
	t.Helper()
	cfg, err := config.Load(f.config, nil)
	if err != nil {
		t.Fatal(err)
	}
	spec, err := cfg.Clip(use)
	if err != nil {
		t.Fatal(err)
	}
	set, _, err := openData(cfg, use, spec, 2, nil)
	if err != nil {
		t.Fatal(err)
	}
	return set, spec
}

// A drawn sheet is a PNG as bytes of RGB.
type drawn struct{ *frame.RGB }

func readPNG(t *testing.T, path string) drawn {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	m := frame.NewRGB(img.Bounds().Dx(), img.Bounds().Dy())
	for i := range m.W * m.H {
		r, g, b, _ := img.At(i%m.W, i/m.W).RGBA()
		copy(m.Pix[3*i:], []byte{byte(r >> 8), byte(g >> 8), byte(b >> 8)})
	}
	return drawn{m}
}

// places are where the sheet holds a picture, pixel for pixel.
func (d drawn) places(want *frame.RGB) (at [][2]int) {
	part := frame.NewRGB(want.W, want.H)
	for y := range d.H - want.H + 1 {
		row := d.Pix[3*y*d.W : 3*(y+1)*d.W]
		for x := 0; x+want.W <= d.W; x++ {
			if !bytes.Equal(row[3*x:3*(x+want.W)], want.Pix[:3*want.W]) {
				continue
			}
			if frame.Crop(part, d.RGB, x, y); bytes.Equal(part.Pix, want.Pix) {
				at = append(at, [2]int{x, y})
			}
		}
	}
	return at
}

// The pictures are those that the loader makes, of each sample in each epoch.
func TestBrowseTraining(t *testing.T) {
	f, out := makeBrowseFixture(t), filepath.Join(t.TempDir(), "sheet.png")
	code, _, stderr := command(t, "", "browse", "-c", f.config, "--line", "2,5", "--epoch", "3", "--epochs", "2", "--seed", "7", "--output", out)
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	sheet := readPNG(t, out)
	set, _ := openSet(t, f, config.Train)
	for _, sample := range []int{1, 4} {
		for _, epoch := range []int{2, 3} { // counted from 0
			c, err := set.Load(t.Context(), sample, dataset.SampleRand(7, epoch, sample))
			if err != nil {
				t.Fatal(err)
			}
			for v := range c.Len() {
				if len(sheet.places(c.Picture(v))) == 0 {
					t.Errorf("sample %d, epoch %d: view %d is not in the sheet", sample, epoch, v)
				}
			}
		}
	}
}

var (
	headings = regexp.MustCompile(`<h2>(.*?)</h2>`)
	captions = regexp.MustCompile(`<figcaption>(.*?)</figcaption>`)
	tags     = regexp.MustCompile(`(<[^>]*>)+`)
)

// texts are what stands below the pictures, lines separated by bars.
func texts(page []byte) (all []string) {
	for _, m := range captions.FindAllSubmatch(page, -1) {
		all = append(all, strings.Trim(tags.ReplaceAllString(string(m[1]), "|"), "|"))
	}
	return all
}

// Frame numbers are the clip's, labels and lines those of the list.
func TestBrowseHTML(t *testing.T) {
	f, out := makeBrowseFixture(t), filepath.Join(t.TempDir(), "sheet.html")
	names := writeFile(t, filepath.Join(t.TempDir(), "names.txt"), "dive\nrun & jump\n")
	code, _, stderr := command(t, "", "browse", "-c", f.config, "--samples", "5", "--labels", names, "--output", out)
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	page, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	set, _ := openSet(t, f, config.Train)
	var wantTexts, wantHeadings, gotHeadings []string
	for i := range 5 {
		c, err := set.Load(t.Context(), i, dataset.SampleRand(0, 0, i))
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range c.Frames {
			wantTexts = append(wantTexts, "frame "+itoa(n))
		}
		class := []string{"0 dive", "1 run &amp; jump"}[i%2]
		wantHeadings = append(wantHeadings, fmt.Sprintf("%s: clip %d.mp4 (train.list:%d)", class, i, i+1))
	}
	for _, m := range headings.FindAllSubmatch(page, -1) {
		gotHeadings = append(gotHeadings, string(m[1]))
	}
	if got := texts(page); !slices.Equal(got, wantTexts) {
		t.Errorf("texts %q, want %q", got, wantTexts)
	}
	if !slices.Equal(gotHeadings, wantHeadings) {
		t.Errorf("headings %q, want %q", gotHeadings, wantHeadings)
	}
}

// Ten crops: a column for each, cut by hand out of the scaled frame (59x44, so
// steps of 24 and 12), and a row for each frame. The bad clip is named, escaped,
// and the sheet is written all the same.
func TestBrowseTenCrop(t *testing.T) {
	f := makeBrowseFixture(t)
	out, page := filepath.Join(t.TempDir(), "sheet.png"), filepath.Join(t.TempDir(), "sheet.html")
	for _, output := range []string{out, page} {
		code, _, stderr := command(t, "", "browse", "-c", f.config, "--use", "test", "--output", output)
		if code != 1 || !strings.Contains(stderr, "val.list:2: ") || !strings.Contains(stderr, "wrote "+output) {
			t.Fatalf("exit code %d: %s", code, stderr)
		}
	}
	c := scaledClip(t, f)
	corners := []struct {
		name string
		x, y int
	}{{"top left", 0, 0}, {"top right", 24, 0}, {"bottom left", 0, 12}, {"bottom right", 24, 12}, {"centre", 12, 6}}
	var want []string
	sheet, at := readPNG(t, out), [2]int{}
	for i, n := range c.Frames {
		for k, corner := range corners {
			m := frame.NewRGB(32, 32)
			frame.Crop(m, c.Picture(i), corner.x, corner.y)
			for _, mirrored := range []string{"", ", mirrored"} {
				if mirrored != "" {
					frame.Flip(m, m)
				}
				name := corner.name + mirrored
				want = append(want, fmt.Sprintf("frame %d|%s", n, name))
				newRow := k == 0 && mirrored == ""
				next := slices.IndexFunc(sheet.places(m), func(p [2]int) bool {
					return newRow && p[1] > at[1] || p[1] == at[1] && p[0] > at[0]
				})
				if next < 0 {
					t.Fatalf("frame %d, %s does not follow %v: it is at %v", n, name, at, sheet.places(m))
				}
				at = sheet.places(m)[next]
			}
		}
	}
	b, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if got := texts(b); !slices.Equal(got, want) {
		t.Errorf("texts %q, want %q", got, want)
	}
	if !bytes.Contains(b, []byte("bad&lt;b&gt;.mp4")) || bytes.Contains(b, []byte("bad<b>")) {
		t.Error("the name of the bad clip is not escaped")
	}
}

// scaledClip is the first clip of the test's list before it is cut.
func scaledClip(t *testing.T, f trainFixture) *clip.Clip {
	t.Helper()
	_, spec := openSet(t, f, config.Test)
	spec.Steps = slices.DeleteFunc(slices.Clone(spec.Steps), func(s clip.Step) bool { return s.TenCrop != nil })
	set, err := dataset.Open(dataset.Options{List: filepath.Join(f.dir, "val.list"), Prefix: f.dir, Spec: spec})
	if err != nil {
		t.Fatal(err)
	}
	c, err := set.Load(t.Context(), 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	if h, w := c.Size(); h != 44 || w != 59 {
		t.Fatalf("scaled frames are %dx%d, want 59x44", w, h)
	}
	return c
}

// Mixed pictures are within rounding of the blend of both clips, which the
// loader's own batch says.
func TestBrowseMix(t *testing.T) {
	f, out := makeBrowseFixture(t), filepath.Join(t.TempDir(), "sheet.png")
	code, _, stderr := command(t, "", "browse", "-c", f.config, "--mix", "--samples", "2", "--seed", "5", "--output", out)
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	sheet := readPNG(t, out)
	set, spec := openSet(t, f, config.Train)
	loader, err := dataset.NewLoader(set, dataset.LoaderOptions{Batch: 4, Shuffle: true, DropLast: true, Seed: 5, Mix: &dataset.Mix{MixupAlpha: 0.2}})
	if err != nil {
		t.Fatal(err)
	}
	for b, err := range loader.Epoch(t.Context(), 0, 0) {
		if err != nil {
			t.Fatal(err)
		}
		norm := spec.Steps[len(spec.Steps)-1].Normalize
		for v := range 4 { // 2 clips of 2 views
			m := frame.NewRGB(32, 32)
			for i, x := range b.Views.Float32s()[v*3*32*32 : (v+1)*3*32*32] {
				c := i / (32 * 32)
				m.Pix[3*(i%(32*32))+c] = byte(math.Round(float64(255 * (x*norm.Std[c] + norm.Mean[c]))))
			}
			if len(sheet.places(m)) == 0 {
				t.Errorf("view %d of the batch is not in the sheet", v)
			}
		}
	}
}

func TestBrowseVideos(t *testing.T) {
	f, out := makeBrowseFixture(t), filepath.Join(t.TempDir(), "sheet.png")
	code, _, stderr := command(t, "", "browse", "-c", f.config, "--use", "valid", "--output", out, filepath.Join(f.dir, "clip 3.mp4"))
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	sheet := readPNG(t, out)
	list := writeFile(t, filepath.Join(t.TempDir(), "one.list"), filepath.Join(f.dir, "clip 3.mp4")+" 0\n")
	_, spec := openSet(t, f, config.Valid)
	set, err := dataset.Open(dataset.Options{List: list, Spec: spec})
	if err != nil {
		t.Fatal(err)
	}
	c, err := set.Load(t.Context(), 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	for v := range c.Len() {
		if len(sheet.places(c.Picture(v))) == 0 {
			t.Errorf("view %d is not in the sheet", v)
		}
	}
}

func TestBrowseBadInput(t *testing.T) {
	f := makeBrowseFixture(t)
	for _, tc := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"browse"}, 2, "-c CONFIG"},
		{[]string{"browse", "-c", f.config, "--use", "all"}, 2, "want train, valid, test or inference"},
		{[]string{"browse", "-c", f.config, "--samples", "0"}, 2, "begin at 1"},
		{[]string{"browse", "-c", f.config, "--output", "x.gif"}, 2, ".html or .png"},
		{[]string{"browse", "-c", f.config, "--mix", "--use", "test"}, 2, "--mix"},
		{[]string{"browse", "-c", f.config, "--line", "99"}, 1, "--line 99"},
		{[]string{"browse", "-c", f.config, "--line", "1", "x.mp4"}, 2, "--line"},
		{[]string{"browse", "-c", f.config, "--use", "inference"}, 1, "INFERENCE"},
		{[]string{"browse", "-c", f.config, "--epochs", "1000"}, 1, "show fewer"},
		{[]string{"browse", "-c", f.config, "--epochs", "4611686018427387904"}, 1, "show fewer"},
		{[]string{"browse", "-c", f.config, "--epochs", "5", "--output", "x.png", "-o", "PIPELINE.train.transform.0.Scale.short_size=2000", "-o", "PIPELINE.train.transform.1.MultiScaleCrop.target_size=2000"}, 1, "--output sheet.html"},
		{[]string{"browse", "-c", f.config, "--labels", filepath.Join(f.dir, "absent")}, 1, "absent"},
	} {
		code, _, stderr := command(t, "", tc.args...)
		if code != tc.code || !strings.Contains(stderr, tc.want) {
			t.Errorf("%q: exit code %d, %q: want %d and %q", tc.args, code, stderr, tc.code, tc.want)
		}
	}
	if _, err := os.Stat("browse.html"); err == nil {
		t.Error("a refused command wrote browse.html")
	}
}
