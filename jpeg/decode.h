// A thin layer over libjpeg (libjpeg-turbo 2 or 3): C types only. A call that
// fails returns 0 and writes why into message.
#ifndef PPTSN_JPEG_H
#define PPTSN_JPEG_H

#include <stddef.h>

enum { JPEG_MESSAGE = 200 }; // JMSG_LENGTH_MAX

// jpeg_size reads the header.
int jpeg_size(const unsigned char *data, size_t size, int *w, int *h, char message[JPEG_MESSAGE]);

// jpeg_rgb decodes into dst, 3 * w * h bytes.
int jpeg_rgb(const unsigned char *data, size_t size, unsigned char *dst, int w, int h, char message[JPEG_MESSAGE]);

#endif
