// The C interface between package torch and libtorch.
//
// The shim (shim.cc, a shared library of its own) is loaded with dlopen and
// hands over this table; nothing of the Go program links to libtorch. Calls
// that can fail return their own message, allocated with malloc, or NULL.
#ifndef PPTSN_TORCH_SHIM_H
#define PPTSN_TORCH_SHIM_H

#include <stddef.h>
#include <stdint.h>

// What this header describes. The loader refuses a shim of another number.
#define PT_INTERFACE 5

// The name of the function that returns the table.
#define PT_ENTRY "pptsn_torch"

typedef void *pt_tensor;   // an at::Tensor on the heap; freed with release
typedef void *pt_operator; // lives as long as the process
typedef void *pt_graph;    // a captured CUDA graph
typedef void *pt_stream;   // a CUDA stream beside the thread's own
typedef void *pt_event;    // a mark in a CUDA stream
typedef void *pt_store;    // a c10d::TCPStore
typedef void *pt_group;    // a process group of c10d
typedef void *pt_work;     // collectives under way
typedef void *pt_reducer;  // sums the gradients of leaves over a group

// Kinds of arguments of an operator. An argument is a run of 64-bit words: its
// kind and then what stands beside it here.
enum {
	PT_NONE = 0,    //
	PT_TENSOR = 1,  // handle
	PT_INT = 2,     // value; also bool-free enumerations: dtypes, memory formats
	PT_FLOAT = 3,   // bits of the double
	PT_BOOL = 4,    // 0 or 1
	PT_INTS = 5,    // count, values
	PT_TENSORS = 6, // count, handles
};

// Kinds of devices.
enum { PT_CPU = 0, PT_CUDA = 1 };

enum {
	PT_MEASURE = 1, // find out which way is fastest for a shape, not guess
	PT_TF32 = 2,    // round factors in float32 to 11 bits
};

// What carries collectives; backends gives the sum of those there are.
enum { PT_GLOO = 1, PT_NCCL = 2 };

// What became of collectives that were waited for.
enum { PT_DONE = 0, PT_UNDER_WAY = 1 };

typedef struct {
	int rank, size;
	int backend;           // of the above
	int index;             // of the CUDA device
	const char *prefix;    // of keys in the store
	const char *interface; // of the network, or ""
	const char *address;   // of this host in the network, where no interface is given
	int64_t timeout;       // of a collective, in ms
} pt_group_options;

// Spent since the last look, in ns.
typedef struct {
	int64_t busy, waited, bytes, buckets;
} pt_reduce_times;

typedef struct {
	int dtype; // c10::ScalarType
	int dims;
	int64_t shape[16];
} pt_info;

typedef struct {
	int32_t interface; // PT_INTERFACE
	int32_t cuda;      // 1 if built with CUDA
	const char *version;

	char *(*find)(const char *name, const char *overload, pt_operator *op);
	// call takes words as above and returns up to max tensors; results that are
	// not tensors are left out.
	char *(*call)(pt_operator op, const uint64_t *words, size_t count, pt_tensor *out, size_t max, size_t *made);
	void (*release)(const pt_tensor *tensors, size_t count);

	// from_host copies size bytes, row-major, to a new tensor on a device.
	char *(*from_host)(const void *data, size_t size, int dtype, const int64_t *shape, int dims, int device, int index, pt_tensor *out);
	// to_host copies a tensor's elements, row-major, to size bytes of data.
	char *(*to_host)(pt_tensor t, int dtype, void *data, size_t size);
	// empty makes a tensor whose elements are not set. On the CPU data is their
	// address, and pinned memory is what a CUDA device copies from and to while
	// others work; elsewhere data is NULL.
	char *(*empty)(int dtype, const int64_t *shape, int dims, int device, int index, int pinned, pt_tensor *out, void **data);
	char *(*info)(pt_tensor t, pt_info *out);

	char *(*require_grad)(pt_tensor t);
	char *(*backward)(pt_tensor loss);
	// grads makes a tensor of each gradient; NULL where there is none.
	char *(*grads)(const pt_tensor *tensors, size_t count, pt_tensor *out);
	void (*drop_grads)(const pt_tensor *tensors, size_t count);

	// State of the calling thread. dtype -1 turns autocast off.
	void (*grad_mode)(int on);
	char *(*autocast)(int device, int dtype);

	// State of the process.
	char *(*seed)(uint64_t seed);
	char *(*generator)(int device, int index, pt_tensor *state);
	char *(*set_generator)(int device, int index, pt_tensor state);
	void (*set_threads)(int n);
	int (*devices)(int device); // how many of a kind there are
	char *(*memory)(int device, int index, int64_t *now, int64_t *peak);

	// CUDA only: a message elsewhere.
	char *(*synchronize)(int index);
	char *(*capture_begin)(int index, pt_graph *graph);
	char *(*capture_end)(pt_graph graph);
	char *(*replay)(pt_graph graph);
	void (*drop_graph)(pt_graph graph);

	// A stream NULL is the thread's own. copy returns at once where either side
	// is pinned memory. wait makes a stream wait for an event; done says
	// whether it has come.
	char *(*stream)(int index, pt_stream *out);
	void (*drop_stream)(pt_stream stream);
	char *(*copy)(pt_stream stream, pt_tensor to, pt_tensor from);
	char *(*event)(int index, pt_event *out);
	void (*drop_event)(pt_event event);
	char *(*record)(pt_event event, pt_stream stream);
	char *(*wait)(pt_event event, pt_stream stream);
	char *(*done)(pt_event event, int *yes);
	// tune sets how cuDNN computes, in the whole process, and returns what was
	// set: a sum of the numbers below.
	char *(*tune)(int how, int *before);

	int (*backends)(void);
	// A store that is not served here must be there already: connecting waits
	// up to timeout ms. What waits for nothing: get wants a key that is there,
	// and allocates the value with malloc.
	char *(*store_open)(const char *host, int port, int serve, int64_t timeout, pt_store *out, int *listens);
	void (*store_drop)(pt_store store);
	char *(*store_set)(pt_store store, const char *key, const void *value, size_t size);
	char *(*store_get)(pt_store store, const char *key, void **value, size_t *size);
	char *(*store_add)(pt_store store, const char *key, int64_t n, int64_t *sum);
	char *(*store_has)(pt_store store, const char *const *keys, size_t count, int *yes);

	// group_new waits for all ranks. The store is used by the group alone, which
	// keeps it as long as it needs it.
	char *(*group_new)(pt_store store, const pt_group_options *options, pt_group *out);
	// group_broken says that a collective within forward or backward failed.
	int (*group_broken)(pt_group group);
	void (*group_drop)(pt_group group); // waits for what is under way
	// Collectives return at once; the tensors hold the results once work_wait
	// says PT_DONE. In gather all tensors are of one shape and type.
	char *(*broadcast)(pt_group group, const pt_tensor *tensors, size_t count, pt_work *out);
	char *(*all_reduce)(pt_group group, const pt_tensor *tensors, size_t count, pt_work *out);
	char *(*gather)(pt_group group, pt_tensor mine, const pt_tensor *of_ranks, size_t size, pt_work *out);
	// work_wait waits up to so many ms; its message is the collective's own.
	char *(*work_wait)(pt_work work, int64_t ms, int *state);
	void (*work_drop)(pt_work work);

	// Buckets take leaves from the last to the first, up to first bytes, then
	// up to rest bytes each.
	char *(*reducer_new)(pt_group group, const pt_tensor *leaves, size_t count, int64_t first, int64_t rest, pt_reducer *out);
	void (*reducer_drop)(pt_reducer reducer);
	void (*reducer_begin)(pt_reducer reducer);
	char *(*reducer_finish)(pt_reducer reducer, double clips, double *total);
	void (*reducer_times)(pt_reducer reducer, pt_reduce_times *out);

	// sync_norm is batch norm in training over all ranks' x [N, C, ..]; out is
	// the result, the mean [C] and 1/sqrt(biased variance + epsilon) [C]. With
	// counts 0 this rank's x is but a stand-in: nobody sees it.
	char *(*sync_norm)(pt_group group, pt_tensor x, pt_tensor scale, pt_tensor offset, double epsilon, int counts, pt_tensor *out);
} pt_table;

#endif
