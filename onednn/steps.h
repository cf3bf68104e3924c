// Steps of a network, computed one after the other without a return to Go: a
// call from Go that takes more than 20 microseconds wakes a thread of Go's
// scheduler, on a core where a thread of the next step waits.
#ifndef PPTSN_ONEDNN_STEPS_H
#define PPTSN_ONEDNN_STEPS_H

#include <dnnl.h>

// What computes a step: oneDNN, or code of our own.
enum nn_code { NN_PRIMITIVE, NN_POINTWISE, NN_POINTWISE16, NN_ROWS, NN_MAX_POOL, NN_MEAN_POOL };

struct nn_step {
	enum nn_code code;
	const void *what;            // the dnnl_primitive_t, or the struct of our code
	int count;                   // of arguments
	const dnnl_exec_arg_t *args; // of a primitive
	void **at;                   // where our code's operands lie
};

// nn_steps computes count steps; done is how many went well.
dnnl_status_t nn_steps(dnnl_stream_t stream, const struct nn_step *steps, int count, int *done);

#endif
