package video

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

// A note is the last box of an MP4 file (ISO/IEC 14496-12, 4.2: "uuid", which
// readers skip). Its last four bytes repeat its size, so that it is found from the
// end of the file.
const (
	noteHead = 24 // size, "uuid", noteID
	noteTail = 4
	maxNote  = 1 << 16
)

var noteID = [16]byte{'p', 'p', 't', 's', 'n', ' ', 'n', 'o', 't', 'e', 0x8f, 0x1d, 0x5a, 0xc3, 0x72, 0x06}

// ErrNoNote reports a file without a note.
var ErrNoNote = errors.New("no note of pptsn's")

// Note puts up to 64 KB into the file that Close finishes, for [ReadNote].
func (w *Writer) Note(text []byte) { w.note = bytes.Clone(text) }

func appendNote(path string, text []byte) error {
	if len(text) > maxNote {
		return fmt.Errorf("a note of %d bytes: want at most %d", len(text), maxNote)
	}
	size := binary.BigEndian.AppendUint32(nil, uint32(noteHead+len(text)+noteTail))
	box := append(bytes.Clone(size), "uuid"...)
	box = append(append(append(box, noteID[:]...), text...), size...)
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	_, err = f.Write(box)
	return errors.Join(err, f.Close())
}

// ReadNote returns what Note put into the file at path, or ErrNoNote.
func ReadNote(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("video: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("video: %w", err)
	}
	text, err := readNote(f, info.Size())
	if err != nil {
		return nil, fmt.Errorf("video: %s: %w", path, err)
	}
	return text, nil
}

func readNote(r io.ReaderAt, file int64) ([]byte, error) {
	var tail [noteTail]byte
	if _, err := r.ReadAt(tail[:], max(file-noteTail, 0)); err != nil {
		return nil, ErrNoNote
	}
	size := int64(binary.BigEndian.Uint32(tail[:]))
	if size < noteHead+noteTail || size > noteHead+maxNote+noteTail || size > file {
		return nil, ErrNoNote
	}
	box := make([]byte, size)
	if _, err := r.ReadAt(box, file-size); err != nil {
		return nil, err
	}
	head := append(append(bytes.Clone(tail[:]), "uuid"...), noteID[:]...)
	text, ok := bytes.CutPrefix(box[:size-noteTail], head)
	if !ok {
		return nil, ErrNoNote
	}
	return text, nil
}
