#include "pointwise16.h"

#include <string.h>

#ifdef __x86_64__
#include <immintrin.h>

#include "tile.h"

// nn_widened reads 16 numbers of a residual.
BF16 ALWAYS __m512 nn_widened(const unsigned short *held) {
	const __m512i wide = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)held));
	return _mm512_castsi512_ps(_mm512_slli_epi32(wide, 16));
}

// nn_tile16 computes NN_PIXELS pixels of NN_OUTPUTS outputs from o on; next is how many
// numbers further the next pixel of old and dst is.
BF16 ALWAYS void nn_tile16(const struct nn_pointwise16 *c, int residual, int wide, const unsigned short *src, const unsigned short *old, void *dst, int next, int o) {
	__m512 sums[NN_PIXELS][2];
	for (int p = 0; p < NN_PIXELS && residual; p++)
		_mm_prefetch(old + p * next, _MM_HINT_T0); // another core wrote it
	for (int p = 0; p < NN_PIXELS; p++)
		for (int h = 0; h < 2; h++)
			sums[p][h] = _mm512_loadu_ps(c->bias + o + 16 * h);
	const unsigned short *w = c->weights + (size_t)c->in * o;
	for (int i = 0; i < c->in; i += 2, w += 2 * NN_OUTPUTS) {
		const __m512i w0 = _mm512_loadu_si512(w), w1 = _mm512_loadu_si512(w + 32);
		for (int p = 0; p < NN_PIXELS; p++) {
			int two;
			memcpy(&two, src + p * c->in + i, 4);
			const __m512bh x = (__m512bh)_mm512_set1_epi32(two);
			sums[p][0] = _mm512_dpbf16_ps(sums[p][0], x, (__m512bh)w0);
			sums[p][1] = _mm512_dpbf16_ps(sums[p][1], x, (__m512bh)w1);
		}
	}
	const __m512 least = _mm512_set1_ps(c->relu ? 0 : -__builtin_inff());
	for (int p = 0; p < NN_PIXELS; p++) {
		for (int h = 0; h < 2; h++) {
			if (residual)
				sums[p][h] = _mm512_add_ps(sums[p][h], nn_widened(old + p * next + 16 * h));
			sums[p][h] = _mm512_max_ps(least, sums[p][h]); // in this order a NaN stays one
			if (wide)
				_mm512_storeu_ps((float *)dst + p * next + 16 * h, sums[p][h]);
		}
		if (!wide)
			_mm512_storeu_si512((unsigned short *)dst + p * next, (__m512i)_mm512_cvtne2ps_pbh(sums[p][1], sums[p][0]));
	}
}

// nn_edge16 is nn_tile16 for fewer pixels, by way of copies.
BF16 ALWAYS void nn_edge16(const struct nn_pointwise16 *c, int residual, int wide, int pixels, const unsigned short *src, const unsigned short *old, void *dst, int next, int o) {
	unsigned short in[NN_PIXELS * NN_MOST_CHANNELS16], before[NN_PIXELS * NN_OUTPUTS];
	float after[NN_PIXELS * NN_OUTPUTS];
	const int size = wide ? sizeof(float) : sizeof(short);
	memset(in, 0, sizeof(short) * NN_PIXELS * c->in);
	memcpy(in, src, sizeof(short) * pixels * c->in);
	memset(before, 0, sizeof before);
	for (int p = 0; p < pixels && residual; p++)
		memcpy(before + p * NN_OUTPUTS, old + p * next, sizeof(short) * NN_OUTPUTS);
	nn_tile16(c, residual, wide, in, before, after, NN_OUTPUTS, o);
	for (int p = 0; p < pixels; p++)
		memcpy((char *)dst + (size_t)p * next * size, (char *)after + p * NN_OUTPUTS * size, NN_OUTPUTS * size);
}

// nn_outputs16 computes a thread's share.
BF16 ALWAYS void nn_outputs16(const struct nn_pointwise16 *c, int residual, int wide, const unsigned short *src, const unsigned short *old, char *dst) {
	const int size = wide ? sizeof(float) : sizeof(short);
	const struct nn_share mine = nn_share_of(c->pixels, c->out, sizeof(short) * c->in * c->out);
	const int chunk = nn_at_once(sizeof(short) * c->in, sizeof(short) * c->in * (mine.last - mine.first));
	for (int from = mine.from; from < mine.to; from += chunk)
		for (int o = mine.first; o < mine.last; o += NN_OUTPUTS)
			for (int p = from; p < mine.to && p < from + chunk; p += NN_PIXELS) {
				const size_t at = (size_t)p * c->out + o;
				if (mine.to - p < NN_PIXELS)
					nn_edge16(c, residual, wide, mine.to - p, src + (size_t)p * c->in, old + at, dst + at * size, c->out, o);
				else
					nn_tile16(c, residual, wide, src + (size_t)p * c->in, old + at, dst + at * size, c->out, o);
			}
}

// Each has code of its own, in which nothing is asked for each result.
#define NN_CASE(name, residual, wide) \
	BF16 static void name(const struct nn_pointwise16 *c, const unsigned short *src, const unsigned short *old, char *dst) { \
		nn_outputs16(c, residual, wide, src, old, dst); \
	}
NN_CASE(nn_plain16, 0, 0)
NN_CASE(nn_wide16, 0, 1)
NN_CASE(nn_sum16, 1, 0)
NN_CASE(nn_wide_sum16, 1, 1)

void nn_pointwise16(const struct nn_pointwise16 *c, const unsigned short *src, const void *held, void *dst) {
	static void (*const cases[2][2])(const struct nn_pointwise16 *, const unsigned short *, const unsigned short *, char *) = {
		{nn_plain16, nn_wide16},
		{nn_sum16, nn_wide_sum16},
	};
#pragma omp parallel
	cases[c->residual][c->wide](c, src, held, dst);
}

#else

void nn_pointwise16(const struct nn_pointwise16 *c, const unsigned short *src, const void *held, void *dst) {
	(void)c, (void)src, (void)held, (void)dst; // nobody calls it: oneDNN reports no AVX512_BF16 here
}

#endif
