package checkpoint

import (
	"fmt"
	"hash/crc32"
	"io"
	"os"
)

// A digest tells a whole file from a damaged one. CRC-32C is enough against
// accidents, and runs as fast as memory.
type digest struct {
	Bytes int64  `json:"bytes"`
	CRC   string `json:"crc32c"` // 8 hexadecimal digits
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// A summer writes through and makes the digest of what was written.
type summer struct {
	w     io.Writer
	bytes int64
	crc   uint32
}

func (s *summer) Write(b []byte) (int, error) {
	n, err := s.w.Write(b)
	s.bytes += int64(n)
	s.crc = crc32.Update(s.crc, castagnoli, b[:n])
	return n, err
}

func (s *summer) digest() digest { return digest{s.bytes, fmt.Sprintf("%08x", s.crc)} }

// verify compares a file with its digest.
func (d digest) verify(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.Size() != d.Bytes {
		return fmt.Errorf("%s: %d bytes, not %d as when it was written", path, info.Size(), d.Bytes)
	}
	s := &summer{w: io.Discard}
	if _, err := io.Copy(s, f); err != nil {
		return err
	}
	if got := s.digest(); got != d {
		return fmt.Errorf("%s: damaged: CRC-32C is %s, not %s as when it was written", path, got.CRC, d.CRC)
	}
	return nil
}
