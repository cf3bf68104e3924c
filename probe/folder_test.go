package probe_test

import (
	"context"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/probe"
)

func pattern(t *testing.T) clip.Pattern {
	t.Helper()
	p, err := clip.ParsePattern("img_{:05}.jpg")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func writePicture(t *testing.T, path string, w, h int, gray uint8) {
	t.Helper()
	m := image.NewGray(image.Rect(0, 0, w, h))
	for i := range m.Pix {
		m.Pix[i] = gray
	}
	m.Set(0, 0, color.White)
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := jpeg.Encode(f, m, nil); err != nil {
		t.Fatal(err)
	}
}

// folder holds pictures 1 to 6, of which 2 is missing, 3 is cut, 5 is larger.
func folder(t *testing.T) string {
	t.Helper()
	dir, p := t.TempDir(), pattern(t)
	for i := 1; i <= 6; i++ {
		w := 20
		if i == 5 {
			w = 24
		}
		writePicture(t, filepath.Join(dir, p.Name(i)), w, 10, uint8(20*i))
	}
	cut := filepath.Join(dir, p.Name(3))
	info, err := os.Stat(cut)
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{os.Remove(filepath.Join(dir, p.Name(2))), os.Truncate(cut, info.Size()/2), os.WriteFile(filepath.Join(dir, "notes.txt"), nil, 0o644)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestFolder(t *testing.T) {
	dir := folder(t)
	ctx := context.Background()
	got, err := probe.Folder(ctx, dir, pattern(t), 5)
	if err != nil {
		t.Fatal(err)
	}
	want := probe.FolderFacts{Listed: 5, There: 4, More: 1, Decoded: 3, Sizes: 1, Width: 20, Height: 10, Bytes: got.Bytes, Pictures: got.Pictures}
	want.Wrong = []string{"img_00002.jpg: missing", got.Wrong[1], "img_00005.jpg: 24 x 10 pixels, the first has 20 x 10"}
	if !reflect.DeepEqual(got, want) || got.Wrong[1][:len("img_00003.jpg: jpeg: ")] != "img_00003.jpg: jpeg: " {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got, err := probe.Folder(ctx, dir, pattern(t), 0); err != nil || got.There != 1 || got.More != 0 || got.Wrong != nil {
		t.Errorf("without a number: %+v, %v, want the one picture before the hole", got, err)
	}
	begin := time.Now()
	if got, err := probe.Folder(ctx, dir, pattern(t), 2_000_000_000); err != nil || got.There != 5 || len(got.Wrong) != 10 {
		t.Errorf("of two billion: %+v, %v", got, err)
	}
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("took %v for pictures that are not there", took)
	}
}

func TestFolderPicturesDiffer(t *testing.T) {
	ctx, p := context.Background(), pattern(t)
	a, b := t.TempDir(), t.TempDir()
	for i := 1; i <= 2; i++ {
		writePicture(t, filepath.Join(a, p.Name(i)), 16, 16, uint8(50*i))
		writePicture(t, filepath.Join(b, p.Name(i)), 16, 16, uint8(50*i))
	}
	sum := func(dir string) [16]byte {
		f, err := probe.Folder(ctx, dir, p, 2)
		if err != nil || f.Decoded != 2 {
			t.Fatalf("%+v, %v", f, err)
		}
		return f.Pictures
	}
	if sum(a) != sum(b) {
		t.Error("equal folders have other pictures")
	}
	writePicture(t, filepath.Join(b, p.Name(2)), 16, 16, 99)
	if sum(a) == sum(b) {
		t.Error("a changed picture goes unnoticed")
	}
}

func TestFolderErrors(t *testing.T) {
	if _, err := probe.Folder(context.Background(), filepath.Join(t.TempDir(), "none"), pattern(t), 3); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v, want %v", err, fs.ErrNotExist)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := probe.Folder(ctx, t.TempDir(), pattern(t), 3); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want %v", err, context.Canceled)
	}
}
