#include "pointwise.h"

#ifdef __x86_64__
#include "bytes.h"

// nn_tile computes NN_PIXELS pixels of NN_OUTPUTS outputs from o on.
VNNI ALWAYS void nn_tile(const struct nn_pointwise *c, enum nn_number held, enum nn_number result, const unsigned char *src, struct nn_place old, struct nn_place dst, int o) {
	struct nn_sums sums;
	for (int p = 0; p < NN_PIXELS && held != NN_NONE; p++)
		_mm_prefetch(old.at + p * old.next, _MM_HINT_T0); // another core wrote it
	nn_begin(&sums, c->bias + o);
	nn_add(&sums, src, c->in, c->in, c->weights + (size_t)c->in * o);
	nn_end(&sums, c->factors + o, held, c->residual, old, result, dst);
}

// nn_edge is nn_tile for fewer pixels, by way of copies.
VNNI ALWAYS void nn_edge(const struct nn_pointwise *c, enum nn_number held, enum nn_number result, int pixels, const unsigned char *src, struct nn_place old, struct nn_place dst, int o) {
	unsigned char in[NN_PIXELS * NN_MOST_CHANNELS], before[NN_PIXELS * NN_OUTPUTS];
	float after[NN_PIXELS * NN_OUTPUTS];
	const int size = result == NN_FLOAT ? sizeof(float) : 1;
	memset(in, 0, NN_PIXELS * c->in);
	memcpy(in, src, pixels * c->in);
	memset(before, 0, sizeof before);
	for (int p = 0; p < pixels && held != NN_NONE; p++)
		memcpy(before + p * NN_OUTPUTS, old.at + p * old.next, NN_OUTPUTS);
	nn_tile(c, held, result, in, (struct nn_place){before, NN_OUTPUTS}, (struct nn_place){(unsigned char *)after, NN_OUTPUTS}, o);
	for (int p = 0; p < pixels; p++)
		memcpy(dst.at + (size_t)p * dst.next * size, (unsigned char *)after + p * NN_OUTPUTS * size, NN_OUTPUTS * size);
}

// nn_outputs computes a thread's share.
VNNI ALWAYS void nn_outputs(const struct nn_pointwise *c, enum nn_number held, enum nn_number result, const unsigned char *src, const unsigned char *old, unsigned char *dst) {
	const int size = result == NN_FLOAT ? sizeof(float) : 1;
	const struct nn_share mine = nn_share_of(c->pixels, c->out, c->in * c->out);
	const int chunk = nn_at_once(c->in, c->in * (mine.last - mine.first));
	for (int from = mine.from; from < mine.to; from += chunk)
		for (int o = mine.first; o < mine.last; o += NN_OUTPUTS)
			for (int p = from; p < mine.to && p < from + chunk; p += NN_PIXELS) {
				const size_t at = (size_t)p * c->out + o;
				const struct nn_place before = {(unsigned char *)old + at, c->out}, after = {dst + at * size, c->out};
				if (mine.to - p < NN_PIXELS)
					nn_edge(c, held, result, mine.to - p, src + (size_t)p * c->in, before, after, o);
				else
					nn_tile(c, held, result, src + (size_t)p * c->in, before, after, o);
			}
}

// Each pair has code of its own, in which nothing is asked for each result.
#define NN_CASE(name, held, result) \
	VNNI static void name(const struct nn_pointwise *c, const unsigned char *src, const unsigned char *old, unsigned char *dst) { \
		nn_outputs(c, held, result, src, old, dst); \
	}
NN_CASE(nn_to_unsigned, NN_NONE, NN_UNSIGNED)
NN_CASE(nn_to_signed, NN_NONE, NN_SIGNED)
NN_CASE(nn_to_float, NN_NONE, NN_FLOAT)
NN_CASE(nn_unsigned_to_unsigned, NN_UNSIGNED, NN_UNSIGNED)
NN_CASE(nn_unsigned_to_signed, NN_UNSIGNED, NN_SIGNED)
NN_CASE(nn_unsigned_to_float, NN_UNSIGNED, NN_FLOAT)
NN_CASE(nn_signed_to_unsigned, NN_SIGNED, NN_UNSIGNED)
NN_CASE(nn_signed_to_signed, NN_SIGNED, NN_SIGNED)
NN_CASE(nn_signed_to_float, NN_SIGNED, NN_FLOAT)

void nn_pointwise(const struct nn_pointwise *c, const unsigned char *src, const void *held, void *dst) {
	static void (*const pairs[3][3])(const struct nn_pointwise *, const unsigned char *, const unsigned char *, unsigned char *) = {
		{nn_to_unsigned, nn_to_signed, nn_to_float},
		{nn_unsigned_to_unsigned, nn_unsigned_to_signed, nn_unsigned_to_float},
		{nn_signed_to_unsigned, nn_signed_to_signed, nn_signed_to_float},
	};
#pragma omp parallel
	pairs[c->held][c->result - NN_UNSIGNED](c, src, held, dst);
}

#else

void nn_pointwise(const struct nn_pointwise *c, const unsigned char *src, const void *held, void *dst) {
	(void)c, (void)src, (void)held, (void)dst; // nobody calls it: oneDNN reports no AVX512_VNNI here
}

#endif
