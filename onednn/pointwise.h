// Convolutions of 1x1 pixels on bytes, with what comes behind them: sums of
// products are scaled, a residual is added, and the result is rounded to bytes
// again or stored as floats. oneDNN 2.6 to 3.7 reach two thirds of the peak where
// there are few products to a result; these rest less between tiles.
#ifndef PPTSN_ONEDNN_POINTWISE_H
#define PPTSN_ONEDNN_POINTWISE_H

enum nn_number { NN_NONE, NN_UNSIGNED, NN_SIGNED, NN_FLOAT };

// All pixels' channels lie together. For output o and pixel p
//   sum = bias[o] + sum over i of src[p][i] weights[o][i]
//   dst[p][o] = sum factors[o] + held[p][o] residual
// with a ReLU, unless the result is signed. held and dst may be the same. Results
// that are rounded must be within 31 bits before they are clamped.
struct nn_pointwise {
	int pixels, in, out;    // channels: in is a multiple of 4 up to NN_MOST_CHANNELS, out one of 32
	const signed char *weights; // [out/32][in/4][32][4]
	const int *bias;        // [out]
	const float *factors;   // [out]
	enum nn_number held;    // NN_NONE: no residual; not NN_FLOAT
	float residual;
	enum nn_number result;  // not NN_NONE
};

#define NN_MOST_CHANNELS 4096

// nn_pointwise needs AVX512_VNNI.
void nn_pointwise(const struct nn_pointwise *c, const unsigned char *src, const void *held, void *dst);

#endif
