// Pooling of unsigned bytes whose channels lie together, [N, H, W, C]: oneDNN 2.6
// to 3.7 take twice as long over their maxima as over those of bfloat16, and three
// times as long over their means.
#ifndef PPTSN_ONEDNN_POOL_H
#define PPTSN_ONEDNN_POOL_H

// Sizes are of rows, then columns; before is the padding above and to the left,
// which no maximum counts.
struct nn_window {
	int pictures, channels, in[2], out[2], kernel[2], stride[2], before[2];
};

// NN_WIDEST_ROW is how many bytes a row of a picture may have.
#define NN_WIDEST_ROW (1 << 16)

void nn_max_pool(const struct nn_window *w, const unsigned char *src, unsigned char *dst);

// nn_mean_pool is for windows of 2x2 without padding, a stride of 2 and a multiple
// of 32 channels. A half goes to the even neighbour. It needs AVX-512.
void nn_mean_pool(const struct nn_window *w, const unsigned char *src, unsigned char *dst);

#endif
