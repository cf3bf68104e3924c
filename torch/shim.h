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
#define PT_INTERFACE 4

// The name of the function that returns the table.
#define PT_ENTRY "pptsn_torch"

typedef void *pt_tensor;   // an at::Tensor on the heap; freed with release
typedef void *pt_operator; // lives as long as the process
typedef void *pt_graph;    // a captured CUDA graph
typedef void *pt_stream;   // a CUDA stream beside the thread's own
typedef void *pt_event;    // a mark in a CUDA stream

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
} pt_table;

#endif
