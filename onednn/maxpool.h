// Maximum pooling of unsigned bytes whose channels lie together, [N, H, W, C]:
// oneDNN 2.6 to 3.7 take twice as long over them as over bfloat16.
#ifndef PPTSN_ONEDNN_MAXPOOL_H
#define PPTSN_ONEDNN_MAXPOOL_H

// Sizes are of rows, then columns; before is the padding above and to the left,
// which no maximum counts.
struct nn_window {
	int pictures, channels, in[2], out[2], kernel[2], stride[2], before[2];
};

// NN_WIDEST_ROW is how many bytes a row of a picture may have.
#define NN_WIDEST_ROW (1 << 16)

void nn_max_pool(const struct nn_window *w, const unsigned char *src, unsigned char *dst);

#endif
