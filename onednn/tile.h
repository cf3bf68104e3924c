// The tiles of results that convolutions compute at once, and which of them a
// thread computes.
#ifndef PPTSN_ONEDNN_TILE_H
#define PPTSN_ONEDNN_TILE_H

#include <omp.h>

// Code for instructions that not all processors have. Those with bfloat16 have VNNI.
#define VNNI __attribute__((target("avx512f,avx512bw,avx512vnni")))
#define BF16 __attribute__((target("avx512f,avx512bw,avx512vnni,avx512bf16")))
#define ALWAYS static inline __attribute__((always_inline))

// Sums of a tile are half of the registers: a processor begins with the next ones
// while it still rounds these. The rows of networks for pictures of 224 pixels are
// multiples of 7.
enum { NN_PIXELS = 7, NN_OUTPUTS = 32 };

// Pixels and outputs, each from..to, exclusive.
struct nn_share {
	int from, to, first, last;
};

// nn_share_of is the calling thread's share, in whole tiles: some pixels, or, of
// few pixels with more bytes of weights than a core's cache holds, some outputs.
// Each thread then reads only its own weights.
static inline struct nn_share nn_share_of(int pixels, int out, int weights) {
	enum { CACHED = 512 << 10 };
	const int threads = omp_get_num_threads(), mine = omp_get_thread_num();
	const int panels = out / NN_OUTPUTS, tiles = (pixels + NN_PIXELS - 1) / NN_PIXELS;
	if (weights > CACHED && pixels < out && panels % threads == 0)
		return (struct nn_share){0, pixels, panels / threads * mine * NN_OUTPUTS, panels / threads * (mine + 1) * NN_OUTPUTS};
	const int to = tiles * (mine + 1) / threads * NN_PIXELS;
	return (struct nn_share){tiles * mine / threads * NN_PIXELS, to < pixels ? to : pixels, 0, out};
}

// nn_at_once is how many pixels of so many bytes meet one panel of weights before
// the next: those of one tile where all weights stay in a cache, else as many as
// fit beside them, so that weights are read seldom.
static inline int nn_at_once(int pixel, int weights) {
	enum { CACHED = 256 << 10, CHUNK = 96 << 10 };
	return weights <= CACHED || pixel * NN_PIXELS >= CHUNK ? NN_PIXELS : CHUNK / pixel / NN_PIXELS * NN_PIXELS;
}

#endif
