// What a thread computes of a convolution of 1x1 pixels.
#ifndef PPTSN_ONEDNN_SHARE_H
#define PPTSN_ONEDNN_SHARE_H

#include <omp.h>

// Pixels and outputs, each from..to, exclusive.
struct nn_share {
	int from, to, first, last;
};

// nn_share_of is the calling thread's share, in whole tiles of so many pixels by
// 32 outputs: some pixels, or, of few pixels with more weights than a core's
// cache holds, some outputs. Each thread then reads only its own weights.
static inline struct nn_share nn_share_of(int pixels, int tile, int out, int weights) {
	enum { CACHED = 512 << 10 };
	const int threads = omp_get_num_threads(), mine = omp_get_thread_num();
	const int panels = out / 32, tiles = (pixels + tile - 1) / tile;
	if (weights > CACHED && pixels < out && panels % threads == 0)
		return (struct nn_share){0, pixels, panels / threads * mine * 32, panels / threads * (mine + 1) * 32};
	const int to = tiles * (mine + 1) / threads * tile;
	return (struct nn_share){tiles * mine / threads * tile, to < pixels ? to : pixels, 0, out};
}

#endif
