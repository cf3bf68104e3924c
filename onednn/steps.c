#include "steps.h"

#include "pointwise.h"
#include "pointwise16.h"
#include "pool.h"
#include "rows.h"

static dnnl_status_t nn_step(dnnl_stream_t stream, const struct nn_step *s) {
	switch (s->code) {
	case NN_PRIMITIVE:
		return dnnl_primitive_execute(s->what, stream, s->count, s->args);
	case NN_POINTWISE:
		nn_pointwise(s->what, s->at[0], s->at[1], s->at[2]);
		break;
	case NN_POINTWISE16:
		nn_pointwise16(s->what, s->at[0], s->at[1], s->at[2]);
		break;
	case NN_ROWS:
		nn_rows(s->what, s->at[0], s->at[1], s->at[2]);
		break;
	case NN_MAX_POOL:
		nn_max_pool(s->what, s->at[0], s->at[1]);
		break;
	case NN_MEAN_POOL:
		nn_mean_pool(s->what, s->at[0], s->at[1]);
		break;
	}
	return dnnl_success;
}

dnnl_status_t nn_steps(dnnl_stream_t stream, const struct nn_step *steps, int count, int *done) {
	for (*done = 0; *done < count; ++*done) {
		dnnl_status_t status = nn_step(stream, steps + *done);
		if (status == dnnl_success)
			status = dnnl_stream_wait(stream); // our code does not queue behind primitives
		if (status != dnnl_success)
			return status;
	}
	return dnnl_success;
}
