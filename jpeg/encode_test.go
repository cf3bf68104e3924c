package jpeg_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/pptsn/pptsn/frame"
	"github.com/pptsn/pptsn/jpeg"
)

func TestPillowBytes(t *testing.T) {
	python := "/usr/bin/python3"
	if exec.Command(python, "-c", "import PIL").Run() != nil {
		t.Skip("Debian's python3-pil, whose bytes are compared, is absent")
	}
	dir := t.TempDir()
	if out, err := exec.Command(python, "testdata/encode.py", dir).CombinedOutput(); err != nil {
		t.Fatalf("encode.py: %v: %s", err, out)
	}
	files, _ := filepath.Glob(filepath.Join(dir, "*.jpg"))
	if len(files) != 3*6*6 {
		t.Fatalf("encode.py wrote %d pictures", len(files))
	}
	for _, file := range files {
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		part := strings.Split(filepath.Base(file), ".")
		img, quality := &frame.RGB{}, 0
		fmt.Sscanf(part[1]+" "+part[2], "%dx%d %d", &img.W, &img.H, &quality)
		if img.Pix, err = os.ReadFile(strings.Join([]string{filepath.Join(dir, part[0]), part[1], "rgb"}, ".")); err != nil {
			t.Fatal(err)
		}
		got, err := jpeg.Encode(nil, img, quality)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes that differ from Pillow's %d, %v", filepath.Base(file), len(got), len(want), err)
		}
	}
}

func TestEncodeAppends(t *testing.T) {
	img := noise(40, 30, 1)
	alone, err := jpeg.Encode(nil, img, 95)
	if err != nil {
		t.Fatal(err)
	}
	for _, room := range []int{4, 5, 1000, 1 << 20} {
		dst := append(make([]byte, 0, room), "head"...)
		got, err := jpeg.Encode(dst, img, 95)
		if err != nil || !bytes.Equal(got, append([]byte("head"), alone...)) {
			t.Errorf("room for %d bytes: other bytes, %v", room, err)
		}
	}
}

func TestEncodeRefuses(t *testing.T) {
	for _, tc := range []struct {
		name    string
		img     *frame.RGB
		quality int
		want    string
	}{
		{"quality 0", noise(8, 8, 1), 0, "quality 0: want 1 to 100"},
		{"quality 101", noise(8, 8, 1), 101, "quality 101"},
		{"nothing", &frame.RGB{}, 95, "0 bytes for a picture of 0 x 0"},
		{"too few bytes", &frame.RGB{W: 2, H: 2, Pix: make([]byte, 11)}, 95, "11 bytes"},
		{"too wide", frame.NewRGB(65501, 1), 95, "up to 65500"},
	} {
		got, err := jpeg.Encode([]byte("head"), tc.img, tc.quality)
		if err == nil || !strings.Contains(err.Error(), tc.want) || string(got) != "head" {
			t.Errorf("%s: %q, error %v, want %q", tc.name, got, err, tc.want)
		}
	}
	if _, err := jpeg.Encode(nil, frame.NewRGB(1, 65501), 95); !errors.Is(err, jpeg.ErrTooLarge) {
		t.Errorf("error %v, want ErrTooLarge", err)
	}
	if b, err := jpeg.Encode(nil, frame.NewRGB(65500, 1), 95); err != nil {
		t.Errorf("the widest: %v", err)
	} else if img, err := jpeg.Decode(b); err != nil || img.W != 65500 {
		t.Errorf("the widest: %v", err)
	}
}

func TestConcurrentEncode(t *testing.T) {
	img := noise(64, 64, 3)
	want, err := jpeg.Encode(nil, img, 90)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			if got, err := jpeg.Encode(nil, img, 90); err != nil || !bytes.Equal(got, want) {
				t.Errorf("another picture: %v", err)
			}
		})
	}
	wg.Wait()
}

// What is encoded decodes, to about the same: chroma is halved, so only the
// gray of the pictures is compared.
func FuzzEncode(f *testing.F) {
	f.Add(3, 2, 90, uint64(1))
	f.Add(100, 17, 100, uint64(2))
	f.Add(1, 300, 1, uint64(3))
	f.Fuzz(func(t *testing.T, w, h, quality int, seed uint64) {
		if w < 1 || h < 1 || w > 300 || h > 300 {
			return
		}
		img := noise(w, h, seed)
		data, err := jpeg.Encode(nil, img, quality)
		if ok := quality >= 1 && quality <= 100; ok != (err == nil) {
			t.Fatalf("quality %d: error %v", quality, err)
		}
		if err != nil {
			return
		}
		back, err := jpeg.Decode(data)
		if err != nil || back.W != w || back.H != h {
			t.Fatalf("%dx%d at %d: %v", w, h, quality, err)
		}
		if d := grayDifference(img, back); quality == 100 && d > 24 {
			t.Errorf("%dx%d at 100: gray differs by %.1f on average", w, h, d)
		}
	})
}

func grayDifference(a, b *frame.RGB) float64 {
	gray := func(p []byte) int { return 299*int(p[0]) + 587*int(p[1]) + 114*int(p[2]) }
	sum := 0
	for i := 0; i < len(a.Pix); i += 3 {
		d := gray(a.Pix[i:]) - gray(b.Pix[i:])
		sum += max(d, -d)
	}
	return float64(sum) / 1000 / float64(len(a.Pix)/3)
}

// noise needs the most bytes.
func noise(w, h int, seed uint64) *frame.RGB {
	img, rng := frame.NewRGB(w, h), rand.New(rand.NewPCG(seed, 0))
	for i := range img.Pix {
		img.Pix[i] = byte(rng.IntN(2) * 255)
	}
	return img
}

// BenchmarkEncode takes a frame of a usual size, decoded from a picture so that
// it is neither flat nor noise.
func BenchmarkEncode(b *testing.B) {
	img, err := jpeg.Decode(encode(b, 340, 256))
	if err != nil {
		b.Fatal(err)
	}
	var dst []byte
	for b.Loop() {
		if dst, err = jpeg.Encode(dst[:0], img, 95); err != nil {
			b.Fatal(err)
		}
	}
}
