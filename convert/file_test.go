package convert

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/pptsn/pptsn/pickle"
	"github.com/pptsn/pptsn/tensor"
)

func TestKindFor(t *testing.T) {
	for path, want := range map[string]Kind{
		"a/b.pdparams": Pdparams, "b.pth": Pth, "b.pt": Pth, "pytorch_model.bin": Pth, "model.safetensors": Safetensors, "b.onnx": "", "pth": "",
	} {
		if got, err := KindFor(path); got != want || (err == nil) != (want != "") {
			t.Errorf("%s is %q (%v), want %q", path, got, err, want)
		}
	}
}

func TestKindOf(t *testing.T) {
	for _, tc := range []struct {
		head string
		want Kind
	}{
		{"PK\x03\x04", Pth},
		{"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", Pth},
		{"\x80\x04\x95\x0d\x00\x00\x00\x00\x00\x00\x00\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", Pth},
		{"\x80\x02}q\x00(X", Pdparams},
		{"\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00}", Pdparams},
		{"\x40\x00\x00\x00\x00\x00\x00\x00{", Safetensors},
		{"\x80\x02\x00\x00\x00\x00\x00\x00{", Safetensors}, // begins as a pickle
		{"\x00\x00\x00\x10\x00\x00\x00\x00{", ""},          // a header beyond the format's limit
		{"\x80\x01}", ""},
		{"\x00\x00\x00 ftypisom", ""}, // a video
		{"", ""},
	} {
		if got := kindOf([]byte(tc.head)); got != tc.want {
			t.Errorf("%q is %q, want %q", tc.head, got, tc.want)
		}
	}
}

// An error says what a file is whose ending says something else.
func TestOpenNames(t *testing.T) {
	for _, tc := range []struct{ name, content, want string }{
		{"a.pth", "hello", "no checkpoint (.pdparams, .pth or .safetensors): offset 0: text, not a pickle"},
		{"a.safetensors", "", "no checkpoint (.pdparams, .pth or .safetensors): offset 0: the file is empty"},
		{"a.pth", "\x80\x02cos\nsystem\nq\x00X\x02\x00\x00\x00ls\x85R.", "a pickle that torch.save did not make, read as Paddle's: offset 2: refuses to call os.system"},
		{"a.pth", "\x80\x02ctorch._utils\n_rebuild_tensor_v2\n)R.", "a pickle that torch.save did not make: in Python, torch.save(model.state_dict(), FILE): offset 2: refuses to call torch"},
		{"a.pdparams", "hello", "pdparams: offset 0: text, not a pickle"},
	} {
		path := filepath.Join(t.TempDir(), tc.name)
		if err := os.WriteFile(path, []byte(tc.content), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Open(path)
		if err == nil || !strings.HasPrefix(err.Error(), path+": "+tc.want) {
			t.Errorf("error %v, want %q", err, tc.want)
		}
		if content := new(pickle.FormatError); tc.content == "hello" && !errors.As(err, &content) {
			t.Errorf("error %v has lost its type", err)
		}
	}
}

// What is no checkpoint is refused by the package that says best what it is.
func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	for _, content := range []string{"", "hello", "PK\x03\x04", "\x80\x04", "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", "\x04\x00\x00\x00\x00\x00\x00\x00{}  x"} {
		path := filepath.Join(dir, "w")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if f, err := Open(path); err == nil {
			t.Errorf("%q was opened", content)
			f.Close()
		}
	}
	pipe := filepath.Join(dir, "pipe") // nobody writes into it
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{dir, pipe} {
		if _, err := Open(path); err == nil {
			t.Errorf("%s was opened", path)
		}
	}
	if err := Write(io.Discard, Pth, []tensor.Named{{Name: "a", Tensor: tensor.New(tensor.Uint16, 1)}}, nil); err == nil {
		t.Error("a .pth file of uint16 was written")
	}
}
