#include "rows.h"

#include <string.h>

#include "tile.h"

// nn_lines is how many arrays of 4 bytes a pixel hold a row of a picture: one for
// each channel or pair of channels.
static int nn_lines(const struct nn_layer *l) { return l->kind == NN_PAIRS ? (l->in + 1) / 2 : l->in; }

int nn_terms(const struct nn_layer *l) {
	const int columns = l->kernel[1];
	return l->kind == NN_PAIRS ? l->in / 2 * columns + l->in % 2 * ((columns + 1) / 2) : l->in * columns;
}

// nn_width is how many pixels of a row with its padding are read, in whole tiles.
static long nn_width(const struct nn_layer *l) {
	const long whole = (l->out_size[1] + NN_PIXELS - 1) / NN_PIXELS * NN_PIXELS;
	const long read = (whole - 1) * l->stride[1] + l->kernel[1], held = l->before[1] + l->in_size[1];
	return read > held ? read : held;
}

// A ring holds the latest rows that a layer reads, with their padding. Row y is
// in place y mod slots.
struct nn_ring {
	unsigned char *at;
	int slots;
	long size; // of a row, bytes
	int latest; // row that is there
};

static struct nn_ring nn_ring_of(const struct nn_layer *l) {
	const int floats = l->kind == NN_FLOATS || l->kind == NN_PAIRS, pixel = floats ? (int)sizeof(float) * nn_lines(l) : l->in;
	return (struct nn_ring){.slots = l->kernel[0], .size = (nn_width(l) * pixel + 63) / 64 * 64};
}

long nn_rows_room(const struct nn_rows *r) {
	long room = 0, longest = 0;
	for (int i = 0; i < r->count; i++) {
		const struct nn_ring ring = nn_ring_of(r->layers + i);
		room += ring.slots * ring.size;
		longest = ring.size > longest ? ring.size : longest;
	}
	return room + longest;
}

#ifdef __x86_64__
#include "bytes.h"

// nn_work is what a thread knows of the picture that it is at.
struct nn_work {
	const struct nn_rows *rows;
	struct nn_ring rings[NN_MOST_LAYERS]; // what each layer reads
	const unsigned char *padding;         // a row of zeros
	const float *picture;
};

// nn_pair makes a pair of bfloat16 of two floats.
BF16 ALWAYS __m512i nn_pair(__m512 low, __m512 high) {
	const __m512i a = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(low)), b = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(high));
	return _mm512_or_si512(a, _mm512_slli_epi32(b, 16));
}

// nn_pairs makes pairs of two lines of n floats. The numbers of an odd last line
// are paired with those that follow them.
BF16 static void nn_pairs(unsigned *pairs, const float *low, const float *high, int n) {
	for (int i = 0; i < n; i += 16) {
		const __mmask16 there = n - i < 16 ? (1 << (n - i)) - 1 : 0xffff;
		const __mmask16 next = n - i - 1 < 16 ? (1 << (n - i - 1)) - 1 : 0xffff;
		const __m512 other = high != NULL ? _mm512_maskz_loadu_ps(there, high + i) : _mm512_maskz_loadu_ps(next, low + i + 1);
		_mm512_mask_storeu_epi32(pairs + i, there, nn_pair(_mm512_maskz_loadu_ps(there, low + i), other));
	}
}

// nn_take copies row y of a picture into a ring.
static void nn_take(struct nn_work *w, int y, unsigned char *row) {
	const struct nn_layer *l = w->rows->layers;
	const int n = l->in_size[1], pairs = l->kind == NN_PAIRS, lines = nn_lines(l);
	const size_t channel = (size_t)l->in_size[0] * n;
	const float *from = w->picture + (size_t)y * n;
	unsigned *line = (unsigned *)row + l->before[1];
	for (int i = 0; i < lines; i++, line += nn_width(l), from += channel << pairs) {
		const int odd = pairs && 2 * i + 1 == l->in;
		if (pairs)
			nn_pairs(line, from, odd ? NULL : from + channel, n);
		else
			memcpy(line, from, sizeof(float) * n);
		if (odd && l->before[1] > 0)
			line[-1] = line[0] << 16; // the padding's last zero and what follows it
	}
}

// nn_totals are sums of the first layer, as nn_sums.
struct nn_totals {
	__m512 of[NN_PIXELS][2];
};

VNNI ALWAYS void nn_begin_totals(struct nn_totals *sums, const float *bias) {
#pragma GCC unroll 7
	for (int p = 0; p < NN_PIXELS; p++)
		for (int h = 0; h < 2; h++)
			sums->of[p][h] = _mm512_loadu_ps(bias + 16 * h);
}

VNNI ALWAYS void nn_end_totals(const struct nn_totals *sums, struct nn_place dst) {
	const __m512 most = _mm512_set1_ps(255); // an infinite sum is no integer
#pragma GCC unroll 4
	for (int p = 0; p < NN_PIXELS; p += 2) {
		const int pair = p + 1 < NN_PIXELS ? 2 : 1;
		__m512 v[4];
#pragma GCC unroll 4
		for (int i = 0; i < 4; i++)
			v[i] = _mm512_min_ps(sums->of[p + i / 2 % pair][i % 2], most);
		nn_store(v, NN_UNSIGNED, (struct nn_place){dst.at + (size_t)p * dst.next, dst.next}, pair);
	}
}

// nn_floats_tile computes NN_PIXELS pixels of 32 outputs of the first layer.
VNNI static void nn_floats_tile(const struct nn_layer *l, const unsigned char *const *rows, int x, int o, struct nn_place dst) {
	const float *w = (const float *)l->weights + (size_t)o * l->kernel[0] * nn_terms(l);
	const int width = nn_width(l), stride = l->stride[1];
	struct nn_totals sums;
	nn_begin_totals(&sums, (const float *)l->bias + o);
	for (int k = 0; k < l->kernel[0]; k++)
		for (int i = 0; i < l->in; i++)
			for (int c = 0; c < l->kernel[1]; c++, w += NN_OUTPUTS) {
				const float *line = (const float *)rows[k] + i * width + x * stride + c;
				const __m512 w0 = _mm512_loadu_ps(w), w1 = _mm512_loadu_ps(w + 16);
#pragma GCC unroll 7
				for (int p = 0; p < NN_PIXELS; p++) {
					const __m512 v = _mm512_set1_ps(line[p * stride]);
					sums.of[p][0] = _mm512_fmadd_ps(v, w0, sums.of[p][0]);
					sums.of[p][1] = _mm512_fmadd_ps(v, w1, sums.of[p][1]);
				}
			}
	nn_end_totals(&sums, dst);
}

// nn_pairs_tile is the same for pairs.
BF16 static void nn_pairs_tile(const struct nn_layer *l, const unsigned char *const *rows, int x, int o, struct nn_place dst) {
	const float *w = (const float *)l->weights + (size_t)o * l->kernel[0] * nn_terms(l);
	const int width = nn_width(l), stride = l->stride[1];
	struct nn_totals sums;
	nn_begin_totals(&sums, (const float *)l->bias + o);
	for (int k = 0; k < l->kernel[0]; k++)
		for (int i = 0; i < nn_lines(l); i++)
			for (int c = 0; c < l->kernel[1]; c += 2 * i + 1 == l->in ? 2 : 1, w += NN_OUTPUTS) {
				const float *line = (const float *)rows[k] + i * width + x * stride + c;
				const __m512bh w0 = (__m512bh)_mm512_loadu_ps(w), w1 = (__m512bh)_mm512_loadu_ps(w + 16);
#pragma GCC unroll 7
				for (int p = 0; p < NN_PIXELS; p++) {
					const __m512bh v = (__m512bh)_mm512_set1_ps(line[p * stride]);
					sums.of[p][0] = _mm512_dpbf16_ps(sums.of[p][0], v, w0);
					sums.of[p][1] = _mm512_dpbf16_ps(sums.of[p][1], v, w1);
				}
			}
	nn_end_totals(&sums, dst);
}

// nn_bytes_tile is the same for bytes.
VNNI static void nn_bytes_tile(const struct nn_layer *l, const unsigned char *const *rows, int x, int o, struct nn_place dst) {
	const int bytes = l->kernel[1] * l->in, next = l->stride[1] * l->in;
	const signed char *w = (const signed char *)l->weights + (size_t)o * l->kernel[0] * bytes;
	struct nn_sums sums;
	nn_begin(&sums, (const int *)l->bias + o);
	for (int k = 0; k < l->kernel[0]; k++, w += NN_OUTPUTS * bytes)
		nn_add(&sums, rows[k] + x * next, next, bytes, w);
	nn_end(&sums, l->factors + o, NN_NONE, 0, dst, NN_UNSIGNED, dst);
}

static void nn_tile(const struct nn_layer *l, const unsigned char *const *rows, int x, int o, struct nn_place dst) {
	if (l->kind == NN_BYTES)
		nn_bytes_tile(l, rows, x, o, dst);
	else if (l->kind == NN_PAIRS)
		nn_pairs_tile(l, rows, x, o, dst);
	else
		nn_floats_tile(l, rows, x, o, dst);
}

// nn_tiles computes a row of a convolution.
static void nn_tiles(const struct nn_layer *l, const unsigned char *const *rows, unsigned char *dst) {
	unsigned char edge[NN_PIXELS * NN_OUTPUTS];
	for (int o = 0; o < l->out; o += NN_OUTPUTS)
		for (int x = 0; x < l->out_size[1]; x += NN_PIXELS) {
			const struct nn_place at = {dst + (size_t)x * l->out + o, l->out};
			const int pixels = l->out_size[1] - x;
			if (pixels >= NN_PIXELS) {
				nn_tile(l, rows, x, o, at);
				continue;
			}
			nn_tile(l, rows, x, o, (struct nn_place){edge, NN_OUTPUTS});
			for (int p = 0; p < pixels; p++)
				memcpy(at.at + p * at.next, edge + p * NN_OUTPUTS, NN_OUTPUTS);
		}
}

// nn_largest computes a row of a pooling, 32 channels at a time. The padding's
// zeros are never larger than what they stand beside.
VNNI static void nn_largest(const struct nn_layer *l, const unsigned char *const *rows, unsigned char *dst) {
	for (int x = 0; x < l->out_size[1]; x++)
		for (int o = 0; o < l->out; o += NN_OUTPUTS) {
			__m256i most = _mm256_setzero_si256();
			for (int k = 0; k < l->kernel[0]; k++)
				for (int c = 0; c < l->kernel[1]; c++)
					most = _mm256_max_epu8(most, _mm256_loadu_si256((const __m256i *)(rows[k] + (size_t)(x * l->stride[1] + c) * l->in + o)));
			_mm256_storeu_si256((__m256i *)(dst + (size_t)x * l->out + o), most);
		}
}

static void nn_row(struct nn_work *w, int layer, int y, unsigned char *dst);

// nn_ask returns row y of what a layer reads, from where its padding begins.
static const unsigned char *nn_ask(struct nn_work *w, int layer, int y) {
	const struct nn_layer *l = w->rows->layers + layer;
	struct nn_ring *ring = w->rings + layer;
	if (y < 0 || y >= l->in_size[0])
		return w->padding;
	unsigned char *row = ring->at + y % ring->slots * ring->size;
	if (y > ring->latest) {
		if (layer == 0)
			nn_take(w, y, row);
		else
			nn_row(w, layer - 1, y, row + (size_t)l->before[1] * l->in);
		ring->latest = y;
	}
	return row;
}

// nn_row computes row y of a layer's result.
static void nn_row(struct nn_work *w, int layer, int y, unsigned char *dst) {
	const struct nn_layer *l = w->rows->layers + layer;
	const unsigned char *rows[NN_MOST_KERNEL];
	for (int k = 0; k < l->kernel[0]; k++)
		rows[k] = nn_ask(w, layer, y * l->stride[0] + k - l->before[0]);
	if (l->kind == NN_LARGEST)
		nn_largest(l, rows, dst);
	else
		nn_tiles(l, rows, dst);
}

// nn_some computes rows from to to, exclusive, of all pictures' rows.
static void nn_some(const struct nn_rows *r, long from, long to, const float *src, unsigned char *dst, unsigned char *at) {
	const struct nn_layer *first = r->layers, *last = r->layers + r->count - 1;
	const size_t picture = (size_t)first->in * first->in_size[0] * first->in_size[1], row = (size_t)last->out_size[1] * last->out;
	memset(at, 0, nn_rows_room(r));
	struct nn_work w = {.rows = r};
	for (int i = 0; i < r->count; i++) {
		w.rings[i] = nn_ring_of(r->layers + i);
		w.rings[i].at = at;
		at += w.rings[i].slots * w.rings[i].size;
	}
	w.padding = at;
	for (; from < to; from++) {
		const int y = from % last->out_size[0];
		if (w.picture == NULL || y == 0) {
			w.picture = src + from / last->out_size[0] * picture;
			for (int i = 0; i < r->count; i++)
				w.rings[i].latest = -1;
		}
		nn_row(&w, r->count - 1, y, dst + from * row);
	}
}

void nn_rows(const struct nn_rows *r, const float *src, unsigned char *dst, unsigned char *room) {
	const long rows = (long)r->pictures * r->layers[r->count - 1].out_size[0];
#pragma omp parallel num_threads(r->threads)
	{
		const int threads = omp_get_num_threads(), mine = omp_get_thread_num();
		nn_some(r, rows * mine / threads, rows * (mine + 1) / threads, src, dst, room + mine * nn_rows_room(r));
	}
}

#else

void nn_rows(const struct nn_rows *r, const float *src, unsigned char *dst, unsigned char *room) {
	(void)r, (void)src, (void)dst, (void)room; // nobody calls it: oneDNN reports no AVX512_VNNI here
}

#endif
