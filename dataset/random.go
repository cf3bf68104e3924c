package dataset

import (
	"encoding/binary"
	"math/rand/v2"
)

// What random numbers are for: each use has a stream of its own.
const (
	forSamples = iota + 1 // frames, crops, flips of one sample
	forOrder              // of an epoch
	forMixing             // of one batch of one rank
)

// SampleRand gives the random numbers with which a Loader of that seed loads a
// sample in an epoch: with them Set.Load repeats it.
func SampleRand(seed uint64, epoch, sample int) *rand.Rand {
	return stream(forSamples, seed, epoch, sample)
}

// stream is independent of every other stream: all four numbers are the key of
// a cipher.
func stream(use int, seed uint64, epoch, index int) *rand.Rand {
	var key [32]byte
	for i, v := range []uint64{uint64(use), seed, uint64(epoch), uint64(index)} {
		binary.LittleEndian.PutUint64(key[8*i:], v)
	}
	return rand.New(rand.NewChaCha8(key))
}
