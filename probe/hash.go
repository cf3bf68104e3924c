package probe

import (
	"context"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
)

// hashFile reads the whole file.
func hashFile(ctx context.Context, path string) (size int64, sum [32]byte, err error) {
	f, _, err := open(path)
	if err != nil {
		return 0, sum, err
	}
	defer f.Close()
	h := sha256.New()
	size, err = copyAll(ctx, h, f)
	copy(sum[:], h.Sum(nil))
	return size, sum, err
}

// copyAll is io.Copy that ends with ctx.
func copyAll(ctx context.Context, h hash.Hash, r io.Reader) (n int64, err error) {
	buf := make([]byte, 256<<10)
	for {
		k, err := r.Read(buf)
		h.Write(buf[:k])
		n += int64(k)
		switch {
		case errors.Is(err, io.EOF):
			return n, nil
		case err != nil:
			return n, err
		case ctx.Err() != nil:
			return n, ctx.Err()
		}
	}
}
