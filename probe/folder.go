package probe

import (
	"context"

	"github.com/pptsn/pptsn/clip"
)

// FolderFacts are what decoding all pictures of a folder has shown.
type FolderFacts struct {
	Listed        int      // pictures by the list: n
	There         int      // of the first n, or of all that follow each other for n = 0
	More          int      // pictures after the n-th, up to the first number without one
	Decoded       int      // of those There
	Width, Height int      // pixels of the first decoded picture
	Sizes         int      // decoded pictures of another size than the first
	Pictures      [16]byte // hash over the decoded pixels, in order
	Bytes         int64    // of the pictures read
	Wrong         []string // the first ten complaints, with the picture's name: missing, broken, of another size
}

// Folder decodes the pictures 1 to n of a folder; n = 0: all from 1 up to the
// first number without one. The error is ctx's, or that of a folder that cannot
// be read; what is wrong with a picture is in the facts.
func Folder(ctx context.Context, dir string, pattern clip.Pattern, n int) (FolderFacts, error) {
	return FolderFacts{}, nil
}
