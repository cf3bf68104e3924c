package pdmodel

import (
	"bytes"
	"encoding/binary"
)

// notProgram reports a file that is plainly something else than a .pdmodel.
func notProgram(data []byte) error {
	head := data[:min(len(data), 512)]
	if bytes.HasPrefix(head, []byte("{")) {
		if bytes.Contains(head, []byte(`"pir"`)) {
			return &UnsupportedError{Msg: "this is a PIR program, which Paddle 3 writes as inference.json: " +
				"export it again with the environment variable FLAGS_enable_pir_api=0 to get a .pdmodel"}
		}
		return formatErrorf(0, "this is JSON, not a program")
	}
	if isParams(head) {
		return formatErrorf(0, "this is a .pdiparams file: give the .pdmodel that belongs to it")
	}
	return otherFile(head)
}

// notParams reports a file that is plainly something else than a .pdiparams.
func notParams(head []byte) error {
	if len(head) > 0 && head[0] == 0x0a { // the first field of a message
		return formatErrorf(0, "this is a .pdmodel file: give the .pdiparams that belongs to it")
	}
	return otherFile(head)
}

// isParams recognises the version and level count of a tensor.
func isParams(head []byte) bool {
	return len(head) >= 12 && binary.LittleEndian.Uint32(head) == 0 && binary.LittleEndian.Uint64(head[4:]) < 8
}

// otherFile names files that are often given for a model.
func otherFile(head []byte) error {
	starts := func(s string) bool { return bytes.HasPrefix(head, []byte(s)) }
	switch {
	case len(head) == 0:
		return formatErrorf(0, "the file is empty")
	case starts("version https://git-lfs"):
		return formatErrorf(0, "this is a Git LFS pointer, not the file: fetch it with \"git lfs pull\"")
	case starts("PK\x03\x04"), starts("\x1f\x8b"), len(head) > 262 && string(head[257:262]) == "ustar":
		return formatErrorf(0, "this is an archive: unpack it first")
	case starts("<"):
		return formatErrorf(0, "this is a web page, not the file: the download went wrong")
	case len(head) > 1 && head[0] == 0x80 && head[1] >= 2 && head[1] <= 5:
		return formatErrorf(0, "this is a pickle (.pdparams, .pdopt or .pdiparams.info), not an exported model")
	case starts("\x08") && head[1%len(head)] < 32:
		return formatErrorf(0, "this is an .onnx file, not a Paddle model")
	}
	return nil
}
