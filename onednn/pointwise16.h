// Convolutions of 1x1 pixels on bfloat16, as pointwise.h has them on bytes.
#ifndef PPTSN_ONEDNN_POINTWISE16_H
#define PPTSN_ONEDNN_POINTWISE16_H

// All pixels' channels lie together. For output o and pixel p
//   dst[p][o] = bias[o] + sum over i of src[p][i] weights[o][i] + held[p][o]
// with a ReLU where relu says so, rounded to bfloat16, or a float if wide.
// held and dst may be the same, unless wide.
struct nn_pointwise16 {
	int pixels, in, out;           // channels: in is even up to NN_MOST_CHANNELS16, out a multiple of 32
	const unsigned short *weights; // [out/32][in/2][32][2]
	const float *bias;             // [out]
	int residual, relu, wide;      // 0 or 1; without a residual held is not read
};

#define NN_MOST_CHANNELS16 4096

// nn_pointwise16 needs AVX512_BF16.
void nn_pointwise16(const struct nn_pointwise16 *c, const unsigned short *src, const void *held, void *dst);

#endif
