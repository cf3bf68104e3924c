package pdparams

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/pptsn/pptsn/pickle"
)

// sniff recognises files that are often found in place of a checkpoint.
func sniff(src *pickle.Source) error {
	head, err := src.Peek(512)
	if err != nil {
		return err
	}
	if len(head) == 0 {
		return &FormatError{Msg: "the file is empty"}
	}
	for _, k := range strangers {
		if bytes.HasPrefix(head, []byte(k.prefix)) {
			return &FormatError{Msg: k.what}
		}
	}
	if len(head) > 9 && head[8] == '{' && head[7] == 0 && head[6] == 0 { // a length, then JSON
		return &FormatError{Msg: "a .safetensors file, not a Paddle checkpoint: \"pptsn convert\" makes one of it"}
	}
	if bytes.Contains(head[:min(len(head), 32)], []byte(torchMagic)) {
		return &FormatError{Msg: "a PyTorch checkpoint of the old format (.pth), not a Paddle checkpoint: \"pptsn convert\" makes one of it"}
	}
	if head[0] == pickle.Proto {
		return nil
	}
	return &FormatError{Msg: describe(head)}
}

// torchMagic is the number in the first pickle of torch.save's older format,
// whatever its protocol.
const torchMagic = "\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"

// strangers are files of other kinds by their first bytes.
var strangers = []struct{ prefix, what string }{
	{"version https://git-lfs", `a Git LFS pointer, not the file it stands for: fetch that with "git lfs pull"`},
	{"PK\x03\x04", "a zip archive, as PyTorch writes (.pth), not a Paddle checkpoint: \"pptsn convert\" makes one of it"},
	{"\x1f\x8b", "a gzip archive: unpack it first"},
	{"\x89HDF", "an HDF5 file, not a Paddle checkpoint"},
	{"\x00\x00\x00\x00\x00\x00\x00\x00", "raw tensors without names (.pdiparams), not a checkpoint (.pdparams)"},
}

// describe names a file that is not a pickle.
func describe(head []byte) string {
	text := strings.ToValidUTF8(string(head), "\ufffd")
	start := strings.ToLower(strings.TrimSpace(text))
	switch {
	case strings.HasPrefix(start, "{") && strings.Contains(text, `"pir"`):
		return "a program of Paddle 3 (PIR, JSON), not a checkpoint"
	case strings.HasPrefix(start, "<!doctype html"), strings.HasPrefix(start, "<html"):
		return "a web page, not a checkpoint: the download failed"
	case strings.IndexFunc(text, notText) < 0:
		return fmt.Sprintf("text, not a pickle: it begins %.40q", text)
	}
	return fmt.Sprintf("not a pickle of protocol 2 to 5: it begins with byte 0x%02x", head[0])
}

func notText(r rune) bool {
	return r == '\ufffd' || (r < ' ' && !strings.ContainsRune("\t\r\n", r))
}
