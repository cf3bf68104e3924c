#include "errors.h"

void jpeg_fail(j_common_ptr c) {
	errors *e = (errors *)c->err;
	e->base.format_message(c, e->message);
	longjmp(e->back, 1);
}

static void pass(j_common_ptr c, int level) {
	(void)c;
	(void)level;
}

static void silent(j_common_ptr c) { (void)c; }

void jpeg_errors(errors *e, char *message) {
	jpeg_std_error(&e->base);
	e->base.error_exit = jpeg_fail;
	e->base.emit_message = pass;
	e->base.output_message = silent;
	e->message = message;
}
