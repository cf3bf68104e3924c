// Writing a video: one H.264 (or MPEG-4) stream in an MP4 file.
#ifndef PPTSN_VIDEO_ENCODE_H
#define PPTSN_VIDEO_ENCODE_H

#include <stdint.h>

#include "video.h"

typedef struct writer writer;

typedef struct {
	const char *codec;   // FFmpeg's name of the encoder; NULL: libx264 if there, else mpeg4
	const char *preset;  // of libx264
	int width, height;   // pixels, even
	int gop, crf, threads;
	int fast_decode;     // H.264 without what is slow to decode
} writer_options;

writer *writer_new(void);
void writer_free(writer *w); // the file stays as it is

int writer_open(writer *w, const char *url, const writer_options *o, failure *f);
// ticks: seconds = ticks / writer_rate; they must grow.
int64_t writer_rate(const writer *w);
int writer_write(writer *w, const uint8_t *rgb, int width, int height, int64_t ticks, failure *f);
int writer_finish(writer *w, failure *f); // nothing can be written after it

#endif
