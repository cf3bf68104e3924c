// Collectives over processes, by libtorch's c10d.
#ifndef PPTSN_TORCH_GROUP_H
#define PPTSN_TORCH_GROUP_H

#include "common.h"

#include <atomic>
#include <chrono>
#include <memory>

int backends();

char *store_open(const char *host, int port, int serve, int64_t timeout, pt_store *out, int *listens);
void store_drop(pt_store store);
char *store_set(pt_store store, const char *key, const void *value, size_t size);
char *store_get(pt_store store, const char *key, void **value, size_t *size);
char *store_add(pt_store store, const char *key, int64_t n, int64_t *sum);
char *store_has(pt_store store, const char *const *keys, size_t count, int *yes);

char *group_new(pt_store store, const pt_group_options *options, pt_group *out);
int group_broken(pt_group group);
void group_drop(pt_group group);
char *broadcast(pt_group group, const pt_tensor *tensors, size_t count, pt_work *out);
char *all_reduce(pt_group group, const pt_tensor *tensors, size_t count, pt_work *out);
char *gather(pt_group group, pt_tensor mine, const pt_tensor *of_ranks, size_t size, pt_work *out);
char *work_wait(pt_work work, int64_t ms, int *state);
void work_drop(pt_work work);

char *reducer_new(pt_group group, const pt_tensor *leaves, size_t count, int64_t first, int64_t rest, pt_reducer *out);
void reducer_drop(pt_reducer reducer);
void reducer_begin(pt_reducer reducer);
char *reducer_finish(pt_reducer reducer, double clips, double *total);
void reducer_times(pt_reducer reducer, pt_reduce_times *out);

char *sync_norm(pt_group group, pt_tensor x, pt_tensor scale, pt_tensor offset, double epsilon, int counts, pt_tensor *out);

using moment = std::chrono::steady_clock::time_point;

// pending is collectives under way.
struct pending {
	virtual ~pending() = default;
	// wait throws what they failed with; false: limit is over and they are
	// still under way. After true, what this thread does sees the results.
	virtual bool wait(std::chrono::milliseconds limit) = 0;
	// ended is when the last of them did; asked after wait.
	virtual moment ended() = 0;
};

// group is processes that compute together. Calls are made one at a time.
struct group {
	std::chrono::milliseconds timeout; // of a collective
	at::Device device = at::kCPU;
	std::atomic<bool> broken{false}; // a sum within an operator failed

	virtual ~group() = default;
	virtual std::unique_ptr<pending> sum(const std::vector<at::Tensor> &t) = 0;       // over all ranks, in place
	virtual std::unique_ptr<pending> broadcast(const std::vector<at::Tensor> &t) = 0; // from rank 0
	virtual std::unique_ptr<pending> gather(const at::Tensor &mine, std::vector<at::Tensor> of_ranks) = 0;
};

// sum_now waits for the sum of a small tensor, and throws if that takes longer
// than a collective may.
void sum_now(group &g, at::Tensor t);

#endif
