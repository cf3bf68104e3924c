#include "decode.h"

#include <stdlib.h>

#include "errors.h"

// warn refuses pictures of which a part is missing or made up. What else
// libjpeg warns of leaves the pixels as they were meant.
static void warn(j_common_ptr c, int level) {
	if (level >= 0) return; // a trace
	switch (c->err->msg_code) {
	case JWRN_JPEG_EOF:
	case JWRN_HIT_MARKER:
	case JWRN_HUFF_BAD_CODE:
	case JWRN_MUST_RESYNC:
		jpeg_fail(c);
	}
}

// More scans than this are only there to keep the decoder busy.
enum { MAX_SCANS = 500 };

static void progress(j_common_ptr c) {
	errors *e = (errors *)c->err;
	if (((j_decompress_ptr)c)->input_scan_number <= MAX_SCANS) return;
	snprintf(e->message, JPEG_MESSAGE, "more than %d scans", MAX_SCANS);
	longjmp(e->back, 1);
}

static void begin(struct jpeg_decompress_struct *c, errors *e, char *message) {
	jpeg_errors(e, message);
	e->base.emit_message = warn;
	c->err = &e->base;
}

int jpeg_size(const unsigned char *data, size_t size, int *w, int *h, char message[JPEG_MESSAGE]) {
	struct jpeg_decompress_struct c;
	errors e;
	begin(&c, &e, message);
	if (setjmp(e.back)) {
		jpeg_destroy_decompress(&c);
		return 0;
	}
	jpeg_create_decompress(&c);
	jpeg_mem_src(&c, data, size);
	jpeg_read_header(&c, TRUE);
	*w = c.image_width;
	*h = c.image_height;
	jpeg_destroy_decompress(&c);
	return 1;
}

// from_cmyk converts a row as Pillow does: CMYK is taken to be stored
// inverted, as Adobe's programs do; then (255-K) - C*(255-K)/255, rounded.
static void from_cmyk(unsigned char *dst, const unsigned char *src, int w) {
	for (int x = 0; x < w; x++, src += 4) {
		int nk = src[3]; // 255 - K
		for (int i = 0; i < 3; i++) {
			int t = (255 - src[i]) * nk + 128;
			int v = nk - ((t + (t >> 8)) >> 8);
			*dst++ = v < 0 ? 0 : v;
		}
	}
}

int jpeg_rgb(const unsigned char *data, size_t size, unsigned char *dst, int w, int h, char message[JPEG_MESSAGE]) {
	struct jpeg_decompress_struct c;
	errors e;
	struct jpeg_progress_mgr watch = {.progress_monitor = progress};
	unsigned char *volatile row = NULL; // freed after a longjmp too
	begin(&c, &e, message);
	if (setjmp(e.back)) {
		jpeg_destroy_decompress(&c);
		free(row);
		return 0;
	}
	jpeg_create_decompress(&c);
	jpeg_mem_src(&c, data, size);
	jpeg_read_header(&c, TRUE);
	c.progress = &watch;
	int cmyk = c.num_components == 4;
	c.out_color_space = cmyk ? JCS_CMYK : JCS_RGB;
	c.dct_method = JDCT_ISLOW;
	c.do_fancy_upsampling = TRUE;
	jpeg_start_decompress(&c);
	if ((int)c.output_width != w || (int)c.output_height != h) {
		snprintf(message, JPEG_MESSAGE, "the picture's size changed");
		longjmp(e.back, 1);
	}
	if (cmyk && (row = malloc(4 * (size_t)w)) == NULL) {
		snprintf(message, JPEG_MESSAGE, "out of memory");
		longjmp(e.back, 1);
	}
	for (int y = 0; y < h; y++, dst += 3 * (size_t)w) {
		JSAMPROW to = cmyk ? row : dst;
		jpeg_read_scanlines(&c, &to, 1);
		if (cmyk) from_cmyk(dst, row, w);
	}
	jpeg_finish_decompress(&c);
	jpeg_destroy_decompress(&c);
	free(row);
	return 1;
}
