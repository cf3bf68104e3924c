#include "stem.h"

#include <string.h>

// PIXELS by 32 sums fill the registers.
enum { PIXELS = 14, OUTPUTS = 32 };

// A line is one row of one channel with its padding, long enough for whole tiles.
static int nn_line(const struct nn_stem *s) {
	const int whole = (s->out_size[1] + PIXELS - 1) / PIXELS * PIXELS;
	const int read = (whole - 1) * s->stride[1] + s->kernel[1], copied = s->before[1] + s->in_size[1];
	return read > copied ? read : copied;
}

int nn_stem_lines(const struct nn_stem *s) { return s->channels * s->kernel[0] * nn_line(s); }

#ifdef __x86_64__
#include <immintrin.h>

#define AVX512 __attribute__((target("avx512f,avx512bw")))

// nn_lines copies the rows of all channels under row y of the result.
static void nn_lines(const struct nn_stem *s, const float *picture, int y, float *lines) {
	const int line = nn_line(s);
	memset(lines, 0, sizeof(float) * nn_stem_lines(s));
	for (int c = 0; c < s->channels; c++)
		for (int k = 0; k < s->kernel[0]; k++, lines += line) {
			const int from = y * s->stride[0] + k - s->before[0];
			if (from >= 0 && from < s->in_size[0])
				memcpy(lines + s->before[1], picture + ((size_t)c * s->in_size[0] + from) * s->in_size[1], sizeof(float) * s->in_size[1]);
		}
}

// nn_round rounds two pixels of 32 outputs; packing makes what is below 0 a 0.
AVX512 static inline __m512i nn_round(const __m512 v[4]) {
	const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
	const __m512 most = _mm512_set1_ps(255);
	__m512i i[4];
	for (int k = 0; k < 4; k++)
		i[k] = _mm512_cvtps_epi32(_mm512_min_ps(v[k], most));
	return _mm512_permutexvar_epi32(order, _mm512_packus_epi16(_mm512_packs_epi32(i[0], i[1]), _mm512_packs_epi32(i[2], i[3])));
}

// nn_stem_tile computes PIXELS pixels, of which n are there, of OUTPUTS outputs
// from o on.
AVX512 static void nn_stem_tile(const struct nn_stem *s, const float *lines, int line, int o, int n, unsigned char *dst) {
	__m512 sums[PIXELS][2];
#pragma GCC unroll 14
	for (int p = 0; p < PIXELS; p++) {
		sums[p][0] = _mm512_loadu_ps(s->bias + o);
		sums[p][1] = _mm512_loadu_ps(s->bias + o + 16);
	}
	const float *w = s->weights + o;
	for (int r = 0; r < s->channels * s->kernel[0]; r++, lines += line)
		for (int k = 0; k < s->kernel[1]; k++, w += s->out) {
			const __m512 w0 = _mm512_loadu_ps(w), w1 = _mm512_loadu_ps(w + 16);
#pragma GCC unroll 14
			for (int p = 0; p < PIXELS; p++) {
				const __m512 x = _mm512_set1_ps(lines[p * s->stride[1] + k]);
				sums[p][0] = _mm512_fmadd_ps(x, w0, sums[p][0]);
				sums[p][1] = _mm512_fmadd_ps(x, w1, sums[p][1]);
			}
		}
#pragma GCC unroll 7
	for (int p = 0; p < PIXELS; p += 2) {
		const __m512i both = nn_round((const __m512[4]){sums[p][0], sums[p][1], sums[p + 1][0], sums[p + 1][1]});
		if (p < n)
			_mm256_storeu_si256((__m256i *)(dst + p * s->out), _mm512_castsi512_si256(both));
		if (p + 1 < n)
			_mm256_storeu_si256((__m256i *)(dst + (p + 1) * s->out), _mm512_extracti64x4_epi64(both, 1));
	}
}

static void nn_stem_row(const struct nn_stem *s, const float *picture, int y, unsigned char *row) {
	float lines[NN_STEM_LINES];
	nn_lines(s, picture, y, lines);
	for (int o = 0; o < s->out; o += OUTPUTS)
		for (int x = 0; x < s->out_size[1]; x += PIXELS)
			nn_stem_tile(s, lines + x * s->stride[1], nn_line(s), o, s->out_size[1] - x, row + x * s->out + o);
}

void nn_stem(const struct nn_stem *s, const float *src, unsigned char *dst) {
	const size_t in = (size_t)s->channels * s->in_size[0] * s->in_size[1], row = (size_t)s->out_size[1] * s->out;
#pragma omp parallel for collapse(2)
	for (int p = 0; p < s->pictures; p++)
		for (int y = 0; y < s->out_size[0]; y++)
			nn_stem_row(s, src + p * in, y, dst + ((size_t)p * s->out_size[0] + y) * row);
}

#else

void nn_stem(const struct nn_stem *s, const float *src, unsigned char *dst) {
	(void)s, (void)src, (void)dst; // nobody calls it: oneDNN reports no AVX-512 here
}

#endif
