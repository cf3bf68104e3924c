#include "pool.h"

#include <string.h>

// nn_row keeps the larger of each pair.
static inline void nn_row(unsigned char *restrict most, const unsigned char *restrict row, int n) {
	for (int i = 0; i < n; i++)
		most[i] = row[i] > most[i] ? row[i] : most[i];
}

// One row of the result: the windows' rows first, which leaves one row of
// pictures, then their columns.
static void nn_max_row(const struct nn_window *w, const unsigned char *picture, unsigned char *row, unsigned char *line, int y) {
	const int width = w->in[1] * w->channels;
	memset(line, 0, width);
	for (int k = 0; k < w->kernel[0]; k++) {
		const int from = y * w->stride[0] + k - w->before[0];
		if (from >= 0 && from < w->in[0])
			nn_row(line, picture + (size_t)from * width, width);
	}
	memset(row, 0, (size_t)w->out[1] * w->channels);
	for (int x = 0; x < w->out[1]; x++)
		for (int k = 0; k < w->kernel[1]; k++) {
			const int from = x * w->stride[1] + k - w->before[1];
			if (from >= 0 && from < w->in[1])
				nn_row(row + x * w->channels, line + from * w->channels, w->channels);
		}
}

void nn_max_pool(const struct nn_window *w, const unsigned char *src, unsigned char *dst) {
	const size_t in = (size_t)w->in[0] * w->in[1] * w->channels, out = (size_t)w->out[0] * w->out[1] * w->channels;
#pragma omp parallel for collapse(2)
	for (int p = 0; p < w->pictures; p++)
		for (int y = 0; y < w->out[0]; y++) {
			unsigned char line[NN_WIDEST_ROW];
			nn_max_row(w, src + p * in, dst + p * out + (size_t)y * w->out[1] * w->channels, line, y);
		}
}

#ifdef __x86_64__
#include <immintrin.h>

// nn_means computes a row, of windows in two rows.
__attribute__((target("avx512f,avx512bw"))) static void nn_means(const struct nn_window *w, const unsigned char *above, const unsigned char *below, unsigned char *row) {
	const __m512i one = _mm512_set1_epi16(1);
	const int next = w->channels;
	for (int x = 0; x < w->out[1]; x++, above += 2 * next, below += 2 * next, row += next)
		for (int c = 0; c < next; c += 32) {
			const unsigned char *const from[4] = {above + c, above + next + c, below + c, below + next + c};
			__m512i sum = _mm512_setzero_si512();
			for (int k = 0; k < 4; k++)
				sum = _mm512_add_epi16(sum, _mm512_cvtepu8_epi16(_mm256_loadu_si256((const __m256i *)from[k])));
			const __m512i odd = _mm512_and_si512(_mm512_srli_epi16(sum, 2), one);
			const __m512i mean = _mm512_srli_epi16(_mm512_add_epi16(sum, _mm512_add_epi16(one, odd)), 2);
			_mm256_storeu_si256((__m256i *)(row + c), _mm512_cvtepi16_epi8(mean));
		}
}

void nn_mean_pool(const struct nn_window *w, const unsigned char *src, unsigned char *dst) {
	const size_t in = (size_t)w->in[1] * w->channels, out = (size_t)w->out[1] * w->channels;
#pragma omp parallel for collapse(2)
	for (int p = 0; p < w->pictures; p++)
		for (int y = 0; y < w->out[0]; y++) {
			const unsigned char *above = src + ((size_t)p * w->in[0] + 2 * y) * in;
			nn_means(w, above, above + in, dst + ((size_t)p * w->out[0] + y) * out);
		}
}

#else

void nn_mean_pool(const struct nn_window *w, const unsigned char *src, unsigned char *dst) {
	(void)w, (void)src, (void)dst; // nobody calls it: oneDNN reports no AVX-512 here
}

#endif
