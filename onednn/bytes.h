// Sums of products of bytes in registers, for convolutions on them. Included by
// what is compiled for x86-64 alone.
#ifndef PPTSN_ONEDNN_BYTES_H
#define PPTSN_ONEDNN_BYTES_H

#include <immintrin.h>
#include <string.h>

#include "pointwise.h"
#include "tile.h"

// nn_sums are of 16 outputs each. All loops over them are unrolled: they are
// never in memory.
struct nn_sums {
	__m512i of[NN_PIXELS][2];
};

// An nn_place is where a tile begins in an array of bytes or floats, and how many
// numbers further its next pixel is.
struct nn_place {
	unsigned char *at;
	int next;
};

VNNI ALWAYS void nn_begin(struct nn_sums *sums, const int *bias) {
#pragma GCC unroll 7
	for (int p = 0; p < NN_PIXELS; p++)
		for (int h = 0; h < 2; h++)
			sums->of[p][h] = _mm512_loadu_si512(bias + 16 * h);
}

// nn_add adds the products of so many bytes, a multiple of 4, of each pixel with
// weights [bytes/4][32][4].
VNNI ALWAYS void nn_add(struct nn_sums *sums, const unsigned char *src, int next, int bytes, const signed char *w) {
	for (int i = 0; i < bytes; i += 4, w += 4 * NN_OUTPUTS) {
		const __m512i w0 = _mm512_loadu_si512(w), w1 = _mm512_loadu_si512(w + 64);
#pragma GCC unroll 7
		for (int p = 0; p < NN_PIXELS; p++) {
			int four;
			memcpy(&four, src + p * next + i, 4);
			const __m512i x = _mm512_set1_epi32(four);
			sums->of[p][0] = _mm512_dpbusd_epi32(sums->of[p][0], x, w0);
			sums->of[p][1] = _mm512_dpbusd_epi32(sums->of[p][1], x, w1);
		}
	}
}

// nn_load reads 16 bytes of a residual.
VNNI ALWAYS __m512 nn_load(const unsigned char *held, enum nn_number type) {
	const __m128i bytes = _mm_loadu_si128((const __m128i *)held);
	return _mm512_cvtepi32_ps(type == NN_SIGNED ? _mm512_cvtepi8_epi32(bytes) : _mm512_cvtepu8_epi32(bytes));
}

// nn_round rounds two pixels of 32 results. Packing clamps them.
VNNI ALWAYS __m512i nn_round(const __m512 v[4], enum nn_number result) {
	const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
	const __m512i first = _mm512_packs_epi32(_mm512_cvtps_epi32(v[0]), _mm512_cvtps_epi32(v[1]));
	const __m512i second = _mm512_packs_epi32(_mm512_cvtps_epi32(v[2]), _mm512_cvtps_epi32(v[3]));
	const __m512i bytes = result == NN_SIGNED ? _mm512_packs_epi16(first, second) : _mm512_packus_epi16(first, second);
	return _mm512_permutexvar_epi32(order, bytes);
}

// nn_store stores results of one or two pixels, rounded or, with a ReLU, as
// floats.
VNNI ALWAYS void nn_store(__m512 v[4], enum nn_number result, struct nn_place dst, int pixels) {
	if (result == NN_FLOAT) {
#pragma GCC unroll 4
		for (int i = 0; i < 2 * pixels; i++)
			_mm512_storeu_ps((float *)dst.at + i / 2 * dst.next + i % 2 * 16,
				_mm512_max_ps(_mm512_setzero_ps(), v[i])); // in this order a NaN stays one
		return;
	}
	const __m512i both = nn_round(v, result);
	_mm256_storeu_si256((__m256i *)dst.at, _mm512_castsi512_si256(both));
	if (pixels == 2)
		_mm256_storeu_si256((__m256i *)(dst.at + dst.next), _mm512_extracti64x4_epi64(both, 1));
}

// nn_end turns sums into results: times factors, plus residual times what held
// says lies at old.
VNNI ALWAYS void nn_end(const struct nn_sums *sums, const float *factors, enum nn_number held, float residual, struct nn_place old, enum nn_number result, struct nn_place dst) {
	const int size = result == NN_FLOAT ? sizeof(float) : 1;
#pragma GCC unroll 4
	for (int p = 0; p < NN_PIXELS; p += 2) {
		const int pair = p + 1 < NN_PIXELS ? 2 : 1;
		__m512 v[4];
#pragma GCC unroll 4
		for (int i = 0; i < 4; i++) {
			const int pixel = p + i / 2 % pair, half = i % 2;
			v[i] = _mm512_mul_ps(_mm512_cvtepi32_ps(sums->of[pixel][half]), _mm512_loadu_ps(factors + 16 * half));
			if (held != NN_NONE)
				v[i] = _mm512_fmadd_ps(nn_load(old.at + pixel * old.next + 16 * half, held), _mm512_set1_ps(residual), v[i]);
		}
		nn_store(v, result, (struct nn_place){dst.at + (size_t)p * dst.next * size, dst.next}, pair);
	}
}

#endif
