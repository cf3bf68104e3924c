// A first convolution, on pictures of floats with few channels, whose result is
// bytes: channels that fill no vector leave oneDNN at an eighth of the peak, and
// its result in floats, to be rounded in another pass.
#ifndef PPTSN_ONEDNN_STEM_H
#define PPTSN_ONEDNN_STEM_H

// Sizes are of rows, then columns; before is the padding above and to the left.
// For output o
//   dst[o] = bias[o] + sum over channels, rows and columns of src weights
// rounded to 0..255: weights and bias are in units of the result.
struct nn_stem {
	int pictures, channels, out; // out is a multiple of 32
	int in_size[2], out_size[2], kernel[2], stride[2], before[2];
	const float *weights; // [channels][rows][columns][out]
	const float *bias;    // [out]
};

// NN_STEM_LINES is how many floats the rows under a row of the result may have
// with their padding: see nn_stem_lines.
#define NN_STEM_LINES (1 << 15)

int nn_stem_lines(const struct nn_stem *s);

// nn_stem reads [N, channels, H, W] and writes [N, H', W', out]. It needs AVX-512.
void nn_stem(const struct nn_stem *s, const float *src, unsigned char *dst);

#endif
