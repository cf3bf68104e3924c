// Go cannot call a C function pointer; these can.
#include <dlfcn.h>
#include <stdlib.h>

#include "shim.h"

static inline const pt_table *pt_enter(void *entry) { return ((const pt_table *(*)(void))entry)(); }
static inline char *pt_find(const pt_table *t, const char *name, const char *overload, pt_operator *op) { return t->find(name, overload, op); }
static inline char *pt_call(const pt_table *t, pt_operator op, const uint64_t *words, size_t count, pt_tensor *out, size_t max, size_t *made) {
	return t->call(op, words, count, out, max, made);
}
static inline void pt_release(const pt_table *t, const pt_tensor *tensors, size_t count) { t->release(tensors, count); }
static inline char *pt_from_host(const pt_table *t, const void *data, size_t size, int dtype, const int64_t *shape, int dims, int device, int index, pt_tensor *out) {
	return t->from_host(data, size, dtype, shape, dims, device, index, out);
}
static inline char *pt_to_host(const pt_table *t, pt_tensor from, int dtype, void *data, size_t size) { return t->to_host(from, dtype, data, size); }
static inline char *pt_info_of(const pt_table *t, pt_tensor from, pt_info *out) { return t->info(from, out); }
static inline char *pt_require_grad(const pt_table *t, pt_tensor of) { return t->require_grad(of); }
static inline char *pt_backward(const pt_table *t, pt_tensor loss) { return t->backward(loss); }
static inline char *pt_grads(const pt_table *t, const pt_tensor *tensors, size_t count, pt_tensor *out) { return t->grads(tensors, count, out); }
static inline void pt_drop_grads(const pt_table *t, const pt_tensor *tensors, size_t count) { t->drop_grads(tensors, count); }
static inline void pt_grad_mode(const pt_table *t, int on) { t->grad_mode(on); }
static inline char *pt_autocast(const pt_table *t, int device, int dtype) { return t->autocast(device, dtype); }
static inline char *pt_seed(const pt_table *t, uint64_t seed) { return t->seed(seed); }
static inline char *pt_generator(const pt_table *t, int device, int index, pt_tensor *state) { return t->generator(device, index, state); }
static inline char *pt_set_generator(const pt_table *t, int device, int index, pt_tensor state) { return t->set_generator(device, index, state); }
static inline void pt_set_threads(const pt_table *t, int n) { t->set_threads(n); }
static inline int pt_devices(const pt_table *t, int device) { return t->devices(device); }
static inline char *pt_memory(const pt_table *t, int device, int index, int64_t *now, int64_t *peak) { return t->memory(device, index, now, peak); }
static inline char *pt_synchronize(const pt_table *t, int index) { return t->synchronize(index); }
static inline char *pt_capture_begin(const pt_table *t, int index, pt_graph *graph) { return t->capture_begin(index, graph); }
static inline char *pt_capture_end(const pt_table *t, pt_graph graph) { return t->capture_end(graph); }
static inline char *pt_replay(const pt_table *t, pt_graph graph) { return t->replay(graph); }
static inline void pt_drop_graph(const pt_table *t, pt_graph graph) { t->drop_graph(graph); }
static inline char *pt_empty(const pt_table *t, int dtype, const int64_t *shape, int dims, int device, int index, int pinned, pt_tensor *out, void **data) {
	return t->empty(dtype, shape, dims, device, index, pinned, out, data);
}
static inline char *pt_new_stream(const pt_table *t, int index, pt_stream *out) { return t->stream(index, out); }
static inline void pt_drop_stream(const pt_table *t, pt_stream stream) { t->drop_stream(stream); }
static inline char *pt_copy(const pt_table *t, pt_stream stream, pt_tensor to, pt_tensor from) { return t->copy(stream, to, from); }
static inline char *pt_new_event(const pt_table *t, int index, pt_event *out) { return t->event(index, out); }
static inline void pt_drop_event(const pt_table *t, pt_event event) { t->drop_event(event); }
static inline char *pt_record(const pt_table *t, pt_event event, pt_stream stream) { return t->record(event, stream); }
static inline char *pt_wait(const pt_table *t, pt_event event, pt_stream stream) { return t->wait(event, stream); }
static inline char *pt_done(const pt_table *t, pt_event event, int *yes) { return t->done(event, yes); }
static inline char *pt_tune(const pt_table *t, int how, int *before) { return t->tune(how, before); }

static inline int pt_backends(const pt_table *t) { return t->backends(); }
static inline char *pt_store_open(const pt_table *t, const char *host, int port, int serve, int64_t timeout, pt_store *out, int *listens) {
	return t->store_open(host, port, serve, timeout, out, listens);
}
static inline void pt_store_drop(const pt_table *t, pt_store store) { t->store_drop(store); }
static inline char *pt_store_set(const pt_table *t, pt_store store, const char *key, const void *value, size_t size) { return t->store_set(store, key, value, size); }
static inline char *pt_store_get(const pt_table *t, pt_store store, const char *key, void **value, size_t *size) { return t->store_get(store, key, value, size); }
static inline char *pt_store_add(const pt_table *t, pt_store store, const char *key, int64_t n, int64_t *sum) { return t->store_add(store, key, n, sum); }
static inline char *pt_store_has(const pt_table *t, pt_store store, char **keys, size_t count, int *yes) {
	return t->store_has(store, (const char *const *)keys, count, yes);
}
static inline char *pt_group_new(const pt_table *t, pt_store store, const pt_group_options *options, pt_group *out) { return t->group_new(store, options, out); }
static inline int pt_group_broken(const pt_table *t, pt_group group) { return t->group_broken(group); }
static inline void pt_group_drop(const pt_table *t, pt_group group) { t->group_drop(group); }
static inline char *pt_broadcast(const pt_table *t, pt_group group, const pt_tensor *tensors, size_t count, pt_work *out) { return t->broadcast(group, tensors, count, out); }
static inline char *pt_all_reduce(const pt_table *t, pt_group group, const pt_tensor *tensors, size_t count, pt_work *out) { return t->all_reduce(group, tensors, count, out); }
static inline char *pt_gather(const pt_table *t, pt_group group, pt_tensor mine, const pt_tensor *of_ranks, size_t size, pt_work *out) {
	return t->gather(group, mine, of_ranks, size, out);
}
static inline char *pt_work_wait(const pt_table *t, pt_work work, int64_t ms, int *state) { return t->work_wait(work, ms, state); }
static inline void pt_work_drop(const pt_table *t, pt_work work) { t->work_drop(work); }
static inline char *pt_reducer_new(const pt_table *t, pt_group group, const pt_tensor *leaves, size_t count, int64_t first, int64_t rest, pt_reducer *out) {
	return t->reducer_new(group, leaves, count, first, rest, out);
}
static inline void pt_reducer_drop(const pt_table *t, pt_reducer reducer) { t->reducer_drop(reducer); }
static inline void pt_reducer_begin(const pt_table *t, pt_reducer reducer) { t->reducer_begin(reducer); }
static inline char *pt_reducer_finish(const pt_table *t, pt_reducer reducer, double clips, double *total) { return t->reducer_finish(reducer, clips, total); }
static inline void pt_reducer_times(const pt_table *t, pt_reducer reducer, pt_reduce_times *out) { t->reducer_times(reducer, out); }
static inline char *pt_sync_norm(const pt_table *t, pt_group group, pt_tensor x, pt_tensor scale, pt_tensor offset, double epsilon, int counts, pt_tensor *out) {
	return t->sync_norm(group, x, scale, offset, epsilon, counts, out);
}
