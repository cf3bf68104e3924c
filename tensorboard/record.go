package tensorboard

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// maxRecord bounds a record that is read, in bytes: an event of scalars is far
// smaller.
const maxRecord = 1 << 20

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// masked is the sum that a record holds: CRC-32C, rotated and shifted so that a
// sum over data that contains sums stays strong.
func masked(b []byte) uint32 {
	sum := crc32.Checksum(b, castagnoli)
	return (sum>>15 | sum<<17) + 0xa282ead8
}

// appendRecord appends a framed record: length, its sum, data, its sum.
func appendRecord(b, data []byte) []byte {
	length := binary.LittleEndian.AppendUint64(nil, uint64(len(data)))
	b = append(b, length...)
	b = binary.LittleEndian.AppendUint32(b, masked(length))
	b = append(b, data...)
	return binary.LittleEndian.AppendUint32(b, masked(data))
}

// readRecord returns the data of the next record. io.EOF means that there is
// none, io.ErrUnexpectedEOF that the file ends within one.
func readRecord(r io.Reader) ([]byte, error) {
	var head [12]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	if got, want := masked(head[:8]), binary.LittleEndian.Uint32(head[8:]); got != want {
		return nil, fmt.Errorf("sum of the length is %08x, not %08x", got, want)
	}
	length := binary.LittleEndian.Uint64(head[:])
	if length > maxRecord {
		return nil, fmt.Errorf("record of %d bytes: at most %d are read", length, maxRecord)
	}
	data := make([]byte, length+4)
	if _, err := io.ReadFull(r, data); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	data, tail := data[:length], data[length:]
	if got, want := masked(data), binary.LittleEndian.Uint32(tail); got != want {
		return nil, fmt.Errorf("sum of the data is %08x, not %08x", got, want)
	}
	return data, nil
}
