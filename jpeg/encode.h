#ifndef PPTSN_JPEG_ENCODE_H
#define PPTSN_JPEG_ENCODE_H

#include <stddef.h>

#include "decode.h" // JPEG_MESSAGE

// jpeg_encode writes w x h pixels, 3 bytes each, into dst, which has room for
// *size bytes; *size becomes how many were written. It returns 0 and a message
// for a picture that JPEG cannot hold, and -1 where the room does not suffice.
int jpeg_encode(unsigned char *dst, size_t *size, const unsigned char *rgb, int w, int h, int quality, char message[JPEG_MESSAGE]);

#endif
