package frame_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/frame"
	"github.com/pptsn/pptsn/internal/testdata"
)

// A formula makes the parity kit's frames (README, section 1): the constants
// kx, ky, kc, kt, m.
type formula [5]int

func (k formula) frame(t, w, h int) *frame.RGB {
	m := frame.NewRGB(w, h)
	for i := range m.Pix {
		x, y, c := i/3%w, i/3/w, i%3
		m.Pix[i] = byte(x*k[0] + y*k[1] + c*k[2] + t*k[3] + x*y%k[4])
	}
	return m
}

// A content is what the kit says about a picture.
type content struct {
	SHA256 string
	Grid   [][][3]byte // 16 x 16 pixels spread evenly
	File   string      // .npy with all of them, where kept
}

func (want content) check(t *testing.T, dir string, m *frame.RGB) {
	t.Helper()
	for i := range want.Grid {
		for j, p := range want.Grid[i] {
			y, x := i*(m.H-1)/15, j*(m.W-1)/15
			if got := [3]byte(m.Pix[3*(y*m.W+x):]); got != p {
				t.Fatalf("pixel (%d, %d) is %v, want %v", x, y, got, p)
			}
		}
	}
	if want.File != "" {
		pix := npy(t, filepath.Join(dir, want.File))
		for i, p := range pix {
			if m.Pix[i] != p {
				t.Fatalf("pixel (%d, %d) channel %d is %d, want %d", i/3%m.W, i/3/m.W, i%3, m.Pix[i], p)
			}
		}
	}
	sum := sha256.Sum256(m.Pix)
	if hex.EncodeToString(sum[:]) != want.SHA256 {
		t.Error("sha256 differs")
	}
}

// npy returns the elements of a version 1 .npy file of bytes.
func npy(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	header := 10 + int(b[8]) + int(b[9])<<8
	if !strings.Contains(string(b[:header]), "'|u1'") {
		t.Fatalf("%s: not an array of bytes", path)
	}
	return b[header:]
}

func readKit(t *testing.T, name string, into any) (dir string) {
	t.Helper()
	path := filepath.Join(testdata.Parity(t), "transforms", name)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return filepath.Dir(path)
}
