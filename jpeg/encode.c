#include "encode.h"

#include "errors.h"

typedef struct {
	struct jpeg_destination_mgr base;
	errors *errors;
} room;

static void nothing(j_compress_ptr c) { (void)c; }

static boolean full(j_compress_ptr c) {
	longjmp(((room *)c->dest)->errors->back, -1);
	return FALSE;
}

// settle asks for what Pillow does by default with subsampling=2: quantisation
// tables scaled as cjpeg does, chroma halved both ways, the accurate integer
// DCT, the standard's Huffman tables.
static void settle(j_compress_ptr c, int w, int h, int quality) {
	c->image_width = w;
	c->image_height = h;
	c->input_components = 3;
	c->in_color_space = JCS_RGB;
	jpeg_set_defaults(c);
	jpeg_set_quality(c, quality, TRUE);
	c->comp_info[0].h_samp_factor = c->comp_info[0].v_samp_factor = 2;
	c->dct_method = JDCT_ISLOW;
}

int jpeg_encode(unsigned char *dst, size_t *size, const unsigned char *rgb, int w, int h, int quality, char message[JPEG_MESSAGE]) {
	struct jpeg_compress_struct c;
	errors e;
	room to = {{dst, *size, nothing, full, nothing}, &e};
	jpeg_errors(&e, message);
	c.err = &e.base;
	int rc = setjmp(e.back);
	if (rc) {
		jpeg_destroy_compress(&c);
		return rc < 0 ? -1 : 0;
	}
	jpeg_create_compress(&c);
	c.dest = &to.base;
	settle(&c, w, h, quality);
	jpeg_start_compress(&c, TRUE);
	for (int y = 0; y < h; y++, rgb += 3 * (size_t)w) {
		JSAMPROW row = (JSAMPROW)rgb;
		jpeg_write_scanlines(&c, &row, 1);
	}
	jpeg_finish_compress(&c);
	*size -= to.base.free_in_buffer;
	jpeg_destroy_compress(&c);
	return 1;
}
