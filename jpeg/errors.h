// How both directions take libjpeg's errors: back to the call, with the words.
#ifndef PPTSN_JPEG_ERRORS_H
#define PPTSN_JPEG_ERRORS_H

#include <setjmp.h>
#include <stdio.h>

#include <jpeglib.h>
#include <jerror.h>

typedef struct {
	struct jpeg_error_mgr base;
	jmp_buf back;
	char *message;
} errors;

void jpeg_fail(j_common_ptr c);

// jpeg_errors prepares e. Warnings are passed over until emit_message is set.
void jpeg_errors(errors *e, char *message);

#endif
