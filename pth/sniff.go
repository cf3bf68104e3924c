package pth

import (
	"bytes"

	"github.com/pptsn/pptsn/pickle"
)

// magic is in the first pickle of a legacy file: the number 0x1950a86a20f9469cfc6c.
const magic = "\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"

// IsZip says whether a file that begins so is a zip archive, as torch.save
// writes since PyTorch 1.6.
func IsZip(head []byte) bool { return bytes.HasPrefix(head, []byte("PK\x03\x04")) }

// IsLegacy says whether a file that begins so is of torch.save's older format,
// with pickles of any protocol: from 4 on the number is in a frame.
func IsLegacy(head []byte) bool {
	const start, frame = 2, 9 // bytes: protocol; frame and its length
	if len(head) == 0 || head[0] != pickle.Proto {
		return false
	}
	at := bytes.Index(head[:min(len(head), start+frame+len(magic))], []byte(magic))
	return at == start || at == start+frame
}

// stranger says what a file is that torch.save did not write.
func stranger(head []byte) error {
	for _, k := range []struct{ prefix, what string }{
		{"version https://git-lfs", `a Git LFS pointer, not the file it stands for: fetch that with "git lfs pull"`},
		{"PK\x05\x06", "an empty zip archive"},
		{"\x1f\x8b", "a gzip archive: unpack it first"},
		{"<", "a web page, not a checkpoint: the download failed"},
		{"\x80", "a pickle that torch.save did not write: a Paddle checkpoint (.pdparams)?"},
	} {
		if bytes.HasPrefix(head, []byte(k.prefix)) {
			return &pickle.FormatError{Msg: k.what}
		}
	}
	if len(head) == 0 {
		return &pickle.FormatError{Msg: "the file is empty"}
	}
	if len(head) > 262 && string(head[257:262]) == "ustar" {
		return &pickle.FormatError{Msg: "a tar archive, as PyTorch before 0.2 wrote: load and save it with a newer one"}
	}
	return &pickle.FormatError{Msg: "not a file of torch.save: neither a zip archive nor the legacy format"}
}
