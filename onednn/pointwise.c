#include "pointwise.h"

#include <omp.h>
#include <string.h>

#ifdef __x86_64__
#include <immintrin.h>

#define VNNI __attribute__((target("avx512f,avx512bw,avx512vnni")))
#define ALWAYS static inline __attribute__((always_inline))

// A tile of so many pixels by 32 outputs: small enough that a processor begins
// with the next one while it still rounds this one.
enum { PIXELS = 6, OUTPUTS = 32 };

// nn_at_once is how many pixels of so many bytes meet one tile's weights before
// the next: those of one tile where all weights stay in a cache.
static int nn_at_once(int pixel, int weights) {
	enum { CACHED = 256 << 10, CHUNK = 96 << 10 };
	return weights <= CACHED || pixel * PIXELS >= CHUNK ? PIXELS : CHUNK / pixel / PIXELS * PIXELS;
}

// nn_load reads 16 bytes of a residual.
VNNI ALWAYS __m512 nn_load(const unsigned char *held, enum nn_number type) {
	const __m128i bytes = _mm_loadu_si128((const __m128i *)held);
	return _mm512_cvtepi32_ps(type == NN_SIGNED ? _mm512_cvtepi8_epi32(bytes) : _mm512_cvtepu8_epi32(bytes));
}

// nn_finish turns 16 sums into results.
VNNI ALWAYS __m512 nn_finish(const struct nn_pointwise *c, enum nn_number held, enum nn_number result, __m512i sums, int o, const unsigned char *old) {
	__m512 v = _mm512_mul_ps(_mm512_cvtepi32_ps(sums), _mm512_loadu_ps(c->factors + o));
	if (held != NN_NONE)
		v = _mm512_fmadd_ps(nn_load(old, held), _mm512_set1_ps(c->residual), v);
	return result == NN_FLOAT ? _mm512_max_ps(_mm512_setzero_ps(), v) : v; // in this order a NaN stays one
}

// nn_store rounds two pixels of 32 results and stores them. Packing clamps them.
VNNI ALWAYS void nn_store(const __m512 v[4], enum nn_number result, unsigned char *dst, int next) {
	const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
	const __m512i first = _mm512_packs_epi32(_mm512_cvtps_epi32(v[0]), _mm512_cvtps_epi32(v[1]));
	const __m512i second = _mm512_packs_epi32(_mm512_cvtps_epi32(v[2]), _mm512_cvtps_epi32(v[3]));
	const __m512i bytes = result == NN_SIGNED ? _mm512_packs_epi16(first, second) : _mm512_packus_epi16(first, second);
	const __m512i both = _mm512_permutexvar_epi32(order, bytes);
	_mm256_storeu_si256((__m256i *)dst, _mm512_castsi512_si256(both));
	_mm256_storeu_si256((__m256i *)(dst + next), _mm512_extracti64x4_epi64(both, 1));
}

// An nn_place is where a tile begins in an array of bytes or floats, and how many
// numbers further its next pixel is.
struct nn_place {
	unsigned char *at;
	int next;
};

// nn_tile computes PIXELS pixels of OUTPUTS outputs from o on.
VNNI ALWAYS void nn_tile(const struct nn_pointwise *c, enum nn_number held, enum nn_number result, const unsigned char *src, struct nn_place old, struct nn_place dst, int o) {
	__m512i sums[PIXELS][2];
	for (int p = 0; p < PIXELS && held != NN_NONE; p++)
		_mm_prefetch(old.at + p * old.next, _MM_HINT_T0); // another core wrote it
	for (int p = 0; p < PIXELS; p++)
		for (int h = 0; h < 2; h++)
			sums[p][h] = _mm512_loadu_si512(c->bias + o + 16 * h);
	const signed char *w = c->weights + (size_t)c->in * o;
	for (int i = 0; i < c->in; i += 4, w += 4 * OUTPUTS) {
		const __m512i w0 = _mm512_loadu_si512(w), w1 = _mm512_loadu_si512(w + 64);
		for (int p = 0; p < PIXELS; p++) {
			int four;
			memcpy(&four, src + p * c->in + i, 4);
			const __m512i x = _mm512_set1_epi32(four);
			sums[p][0] = _mm512_dpbusd_epi32(sums[p][0], x, w0);
			sums[p][1] = _mm512_dpbusd_epi32(sums[p][1], x, w1);
		}
	}
	for (int p = 0; p < PIXELS; p += 2) {
		__m512 v[4];
		for (int i = 0; i < 4; i++) {
			const int pixel = p + i / 2, half = i % 2 * 16;
			v[i] = nn_finish(c, held, result, sums[pixel][i % 2], o + half, old.at + pixel * old.next + half);
			if (result == NN_FLOAT)
				_mm512_storeu_ps((float *)dst.at + pixel * dst.next + half, v[i]);
		}
		if (result != NN_FLOAT)
			nn_store(v, result, dst.at + p * dst.next, dst.next);
	}
}

// nn_edge is nn_tile for fewer pixels, by way of copies.
VNNI ALWAYS void nn_edge(const struct nn_pointwise *c, enum nn_number held, enum nn_number result, int pixels, const unsigned char *src, struct nn_place old, struct nn_place dst, int o) {
	unsigned char in[PIXELS * NN_MOST_CHANNELS], before[PIXELS * OUTPUTS];
	float after[PIXELS * OUTPUTS];
	const int size = result == NN_FLOAT ? sizeof(float) : 1;
	memset(in, 0, PIXELS * c->in);
	memcpy(in, src, pixels * c->in);
	memset(before, 0, sizeof before);
	for (int p = 0; p < pixels && held != NN_NONE; p++)
		memcpy(before + p * OUTPUTS, old.at + p * old.next, OUTPUTS);
	nn_tile(c, held, result, in, (struct nn_place){before, OUTPUTS}, (struct nn_place){(unsigned char *)after, OUTPUTS}, o);
	for (int p = 0; p < pixels; p++)
		memcpy(dst.at + (size_t)p * dst.next * size, (unsigned char *)after + p * OUTPUTS * size, OUTPUTS * size);
}

// nn_outputs computes all outputs of some pixels: of as many at once as CHUNK
// bytes hold, so that weights which fill no cache are read seldom.
VNNI ALWAYS void nn_outputs(const struct nn_pointwise *c, enum nn_number held, enum nn_number result, int pixels, const unsigned char *src, const unsigned char *old, unsigned char *dst) {
	const int size = result == NN_FLOAT ? sizeof(float) : 1;
	const int chunk = nn_at_once(c->in, c->in * c->out);
	for (int from = 0; from < pixels; from += chunk)
		for (int o = 0; o < c->out; o += OUTPUTS)
			for (int p = from; p < pixels && p < from + chunk; p += PIXELS) {
				const size_t at = (size_t)p * c->out + o;
				const struct nn_place before = {(unsigned char *)old + at, c->out}, after = {dst + at * size, c->out};
				if (pixels - p < PIXELS)
					nn_edge(c, held, result, pixels - p, src + (size_t)p * c->in, before, after, o);
				else
					nn_tile(c, held, result, src + (size_t)p * c->in, before, after, o);
			}
}

// Each pair has code of its own, in which nothing is asked for each result.
#define NN_PAIR(name, held, result) \
	VNNI static void name(const struct nn_pointwise *c, int pixels, const unsigned char *src, const unsigned char *old, unsigned char *dst) { \
		nn_outputs(c, held, result, pixels, src, old, dst); \
	}
NN_PAIR(nn_to_unsigned, NN_NONE, NN_UNSIGNED)
NN_PAIR(nn_to_signed, NN_NONE, NN_SIGNED)
NN_PAIR(nn_to_float, NN_NONE, NN_FLOAT)
NN_PAIR(nn_unsigned_to_unsigned, NN_UNSIGNED, NN_UNSIGNED)
NN_PAIR(nn_unsigned_to_signed, NN_UNSIGNED, NN_SIGNED)
NN_PAIR(nn_unsigned_to_float, NN_UNSIGNED, NN_FLOAT)
NN_PAIR(nn_signed_to_unsigned, NN_SIGNED, NN_UNSIGNED)
NN_PAIR(nn_signed_to_signed, NN_SIGNED, NN_SIGNED)
NN_PAIR(nn_signed_to_float, NN_SIGNED, NN_FLOAT)

void nn_pointwise(const struct nn_pointwise *c, const unsigned char *src, const void *held, void *dst) {
	static void (*const pairs[3][3])(const struct nn_pointwise *, int, const unsigned char *, const unsigned char *, unsigned char *) = {
		{nn_to_unsigned, nn_to_signed, nn_to_float},
		{nn_unsigned_to_unsigned, nn_unsigned_to_signed, nn_unsigned_to_float},
		{nn_signed_to_unsigned, nn_signed_to_signed, nn_signed_to_float},
	};
	const int size = c->result == NN_FLOAT ? sizeof(float) : 1;
#pragma omp parallel
	{
		const int tiles = (c->pixels + PIXELS - 1) / PIXELS, threads = omp_get_num_threads(), mine = omp_get_thread_num();
		const int from = PIXELS * (tiles * mine / threads), to = PIXELS * (tiles * (mine + 1) / threads);
		const size_t at = (size_t)from * c->out;
		pairs[c->held][c->result - NN_UNSIGNED](c, (to < c->pixels ? to : c->pixels) - from, src + (size_t)from * c->in,
			(const unsigned char *)held + at, (unsigned char *)dst + at * size);
	}
}

#else

void nn_pointwise(const struct nn_pointwise *c, const unsigned char *src, const void *held, void *dst) {
	(void)c, (void)src, (void)held, (void)dst; // nobody calls it: oneDNN reports no AVX512_VNNI here
}

#endif
