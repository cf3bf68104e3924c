package jpeg_test

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	stdjpeg "image/jpeg"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/pptsn/pptsn/jpeg"
)

// pillow returns pictures and the pixels that Pillow decodes them to.
func pillow(t *testing.T) map[string][]byte {
	t.Helper()
	python := "/usr/bin/python3" // Debian's, which python3-pil belongs to
	if exec.Command(python, "-c", "import PIL").Run() != nil {
		t.Skip("Debian's python3-pil, whose pixels are compared, is absent")
	}
	dir := t.TempDir()
	if out, err := exec.Command(python, "testdata/pillow.py", dir).CombinedOutput(); err != nil {
		t.Fatalf("pillow.py: %v: %s", err, out)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) < 40 {
		t.Fatalf("pillow.py wrote %d files, %v", len(files), err)
	}
	content := map[string][]byte{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		content[filepath.Base(file)] = data
	}
	return content
}

func TestPillowPixels(t *testing.T) {
	content := pillow(t)
	compared := 0
	for name, data := range content {
		stem, ok := strings.CutSuffix(name, ".jpg")
		if !ok {
			continue
		}
		img, err := jpeg.Decode(data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		want, ok := content[fmt.Sprintf("%s.%dx%d.rgb", stem, img.W, img.H)]
		if !ok {
			t.Errorf("%s: decoded as %dx%d, which Pillow did not", name, img.W, img.H)
			continue
		}
		if !bytes.Equal(img.Pix, want) {
			t.Errorf("%s: other pixels than Pillow's", name)
		}
		compared++
	}
	if compared < 20 {
		t.Errorf("only %d pictures compared", compared)
	}
}

// encode makes a picture with Go's encoder.
func encode(t testing.TB, w, h int) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			img.Set(x, y, color.RGBA{byte(x * 5), byte(y * 7), byte(x * y), 255})
		}
	}
	b := &bytes.Buffer{}
	if err := stdjpeg.Encode(b, img, &stdjpeg.Options{Quality: 90}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// A picture that is cut anywhere is an error, not a gray area.
func TestCutAnywhere(t *testing.T) {
	data := encode(t, 40, 30)
	for n := range len(data) - 2 { // without the end marker alone nothing is missing
		_, err := jpeg.Decode(data[:n])
		var format *jpeg.FormatError
		if !errors.As(err, &format) || format.Msg == "" {
			t.Fatalf("the first %d of %d bytes: error %v, want a *FormatError", n, len(data), err)
		}
	}
}

func TestNoJPEG(t *testing.T) {
	huge := encode(t, 16, 16)
	at := bytes.Index(huge, []byte{0xff, 0xc0}) // start of frame: length, precision, height, width
	copy(huge[at+5:], []byte{0xff, 0xdc, 0xff, 0xdc})
	hollow := encode(t, 16, 16)
	copy(hollow[at+5:], []byte{0x1f, 0xff, 0x1f, 0xff})
	for _, tc := range []struct {
		name string
		data []byte
		want string
	}{
		{"empty", nil, "no data"},
		{"text", []byte("img_00001.jpg is somewhere else"), "Not a JPEG"},
		{"PNG", []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"), "Not a JPEG"},
		{"larger than anyone's", huge, "too large"},
		{"endless", scans(600), "more than 500 scans"},
		{"larger than its bytes", hollow, "cannot hold 8191 x 8191 pixels"},
	} {
		if _, err := jpeg.Decode(tc.data); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: error %v, want %q", tc.name, err, tc.want)
		}
	}
}

// scans is a gray progressive picture of 8 x 8 pixels whose only coefficients
// are refined n times over (ITU-T T.81, annexes B and G).
func scans(n int) []byte {
	b := []byte{0xff, 0xd8, 0xff, 0xdb, 0, 67, 0}
	b = append(b, bytes.Repeat([]byte{1}, 64)...)                  // quantisation: none
	b = append(b, 0xff, 0xc2, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0) // progressive frame
	b = append(b, 0xff, 0xc4, 0, 20, 0)                            // Huffman table of one code,
	b = append(append(b, 1), make([]byte, 15)...)                  // 1 bit long,
	b = append(b, 0)                                               // for the value 0
	for range n {
		b = append(b, 0xff, 0xda, 0, 8, 1, 1, 0, 0, 0, 0x00, 0x7f) // the DC coefficient, whole
	}
	return append(b, 0xff, 0xd9)
}

func TestConcurrentDecode(t *testing.T) {
	data := encode(t, 64, 64)
	want, err := jpeg.Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for k := range 32 {
		wg.Go(func() {
			if k%4 == 0 {
				if _, err := jpeg.Decode(data[:len(data)/2]); err == nil {
					t.Error("half a picture decoded")
				}
				return
			}
			if got, err := jpeg.Decode(data); err != nil || !bytes.Equal(got.Pix, want.Pix) {
				t.Errorf("another picture: %v", err)
			}
		})
	}
	wg.Wait()
}

func FuzzDecode(f *testing.F) {
	data := encode(f, 24, 18)
	f.Add(data)
	f.Add(data[:len(data)/2])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		img, err := jpeg.Decode(data)
		if err == nil && len(img.Pix) != 3*img.W*img.H {
			t.Errorf("%d bytes for %dx%d pixels", len(img.Pix), img.W, img.H)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	data := encode(b, 340, 256)
	for b.Loop() {
		if _, err := jpeg.Decode(data); err != nil {
			b.Fatal(err)
		}
	}
}
