// The first layers of a network in one pass over each picture: a convolution of
// floats, convolutions of bytes behind it, and a pooling. A row of a layer is
// computed when the next layer needs it, and read while it is in the cache; layer
// by layer, pictures of that size go to memory and back. And channels that fill
// no vector leave oneDNN at an eighth of the peak.
#ifndef PPTSN_ONEDNN_ROWS_H
#define PPTSN_ONEDNN_ROWS_H

// How a layer computes: sums of products of floats, or of floats rounded to
// bfloat16; sums of products of bytes; or the largest byte.
enum nn_kind { NN_FLOATS, NN_PAIRS, NN_BYTES, NN_LARGEST };

// Sizes are of rows, then columns; before is the padding above and to the left,
// of zeros. Results are unsigned bytes, [H, W, out].
struct nn_layer {
	enum nn_kind kind;
	int in, out; // channels: of bytes in is a multiple of 4, of results out one of 32
	int in_size[2], out_size[2], kernel[2], stride[2], before[2];
	// In units of the result, [out/32][rows][terms][32] floats (see nn_terms), or
	// [out/32][rows][columns][in/4][32][4] bytes.
	const void *weights;
	const void *bias;     // [out] floats, or ints that are added to sums of bytes
	const float *factors; // [out], that turn sums of bytes into results
};

#define NN_MOST_LAYERS 8
#define NN_MOST_KERNEL 16 // rows

// The first layer reads [pictures, in, H, W] of floats, and it alone.
struct nn_rows {
	int pictures, threads, count;
	struct nn_layer layers[NN_MOST_LAYERS];
};

// nn_terms is how many products a row of the kernel has, and for NN_PAIRS pairs
// of products: those of two channels, or, of an odd last channel, of two columns.
int nn_terms(const struct nn_layer *l);

// nn_rows_room is how many bytes the rows of a thread take. They should stay in a
// core's cache.
long nn_rows_room(const struct nn_rows *r);

// nn_rows needs AVX512_VNNI, and NN_PAIRS AVX512_BF16. room is for r->threads
// threads, aligned to 64 bytes. Sums are clamped, and one that is no number is 255. A
// pixel that is no finite number spoils all windows that it is in, and of an
// odd last channel in NN_PAIRS those that end beside it.
void nn_rows(const struct nn_rows *r, const float *src, unsigned char *dst, unsigned char *room);

#endif
