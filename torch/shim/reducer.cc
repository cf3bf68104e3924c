// The gradients of leaves, summed over a group while backward runs.
//
// Leaves are packed into buckets from the last to the first, about the order in
// which backward comes to them. A bucket whose gradients have all come is given
// to the group at once, but never before the buckets in front of it: so all
// ranks begin the same sums in the same order.

#include "group.h"

#include <algorithm>

#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/utils/lambda_post_hook.h>
#include <torch/csrc/autograd/variable.h>
#include <torch/version.h>

#ifdef PT_WITH_CUDA
#include <ATen/cuda/CUDAEvent.h>
#include <c10/cuda/CUDAGuard.h>
#endif

namespace {

using std::chrono::nanoseconds;
using std::chrono::steady_clock;
using torch::autograd::Node;
using torch::autograd::variable_list;

// slot is a leaf and its place in a bucket.
struct slot {
	at::Tensor leaf;
	at::Tensor sum; // part of the bucket, laid out as the leaf is
	std::shared_ptr<Node> accumulator;
	uintptr_t hook = 0;
	bool filled = false;
	bool used = false; // there was a gradient
};

struct bucket {
	at::Tensor elements; // float32, or float64 if a leaf is
	size_t from, to;     // of slots
	size_t missing = 0;  // slots that are not filled
	std::unique_ptr<pending> work;
	moment begun;
};

// stopwatch measures what the device waits, else what the host does.
struct stopwatch {
	moment from = steady_clock::now();
#ifdef PT_WITH_CUDA
	at::Device device;
	at::cuda::CUDAEvent first{cudaEventDefault}, second{cudaEventDefault};
	explicit stopwatch(at::Device d) : device(d) {
		if (device.is_cuda())
			first.record(c10::cuda::getCurrentCUDAStream(device.index()));
	}
	nanoseconds elapsed() {
		if (!device.is_cuda())
			return steady_clock::now() - from;
		second.record(c10::cuda::getCurrentCUDAStream(device.index()));
		second.synchronize();
		return nanoseconds(int64_t(1e6 * first.elapsed_time(second)));
	}
#else
	explicit stopwatch(at::Device) {}
	nanoseconds elapsed() { return steady_clock::now() - from; }
#endif
};

struct reducer {
	group &g;
	std::vector<slot> slots; // as buckets take them
	std::vector<bucket> buckets;
	at::Tensor counts; // float64: clips, and for each slot on how many ranks it is used
	size_t next = 0;   // bucket to be begun
	bool active = false;
	std::string failure; // of a hook
	pt_reduce_times times{};

	reducer(group &g, const std::vector<at::Tensor> &leaves, int64_t first, int64_t rest);
	~reducer();

	void pack(const std::vector<at::Tensor> &leaves, int64_t first, int64_t rest);
	void begin();
	void came(size_t i);
	void fill(slot &s);
	void launch();
	double finish(double clips);
	void wait(std::unique_ptr<pending> counting);
	void account(nanoseconds waited);
	void spread(double total);
	void give(slot &s);
};

reducer::reducer(group &g, const std::vector<at::Tensor> &leaves, int64_t first, int64_t rest) : g(g) {
	pack(leaves, first, rest);
	counts = at::zeros({int64_t(slots.size()) + 1}, at::TensorOptions().dtype(at::kDouble).device(g.device));
	for (size_t i = 0; i < slots.size(); i++) {
		auto &s = slots[i];
		s.accumulator = torch::autograd::impl::grad_accumulator(s.leaf);
		s.hook = s.accumulator->add_post_hook(std::make_unique<torch::autograd::utils::LambdaPostHook>(
		    [this, i](const variable_list &out, const variable_list &) {
			    came(i);
			    return out;
		    }));
	}
}

reducer::~reducer() {
	for (auto &s : slots)
		s.accumulator->del_post_hook(s.hook);
}

// pack makes the buckets.
void reducer::pack(const std::vector<at::Tensor> &leaves, int64_t first, int64_t rest) {
	bool wide = std::any_of(leaves.begin(), leaves.end(), [](const at::Tensor &t) { return t.scalar_type() == at::kDouble; });
	auto type = wide ? at::kDouble : at::kFloat;
	int64_t size = c10::elementSize(type);
	for (size_t end = leaves.size(); end > 0;) {
		int64_t room = buckets.empty() ? first : rest, taken = 0;
		bucket b;
		b.from = slots.size();
		do {
			slot s;
			s.leaf = leaves[--end];
			TORCH_CHECK(s.leaf.requires_grad() && s.leaf.is_leaf(), "leaf ", end, " takes no gradient");
			TORCH_CHECK(s.leaf.device() == g.device, "leaf ", end, " is on ", s.leaf.device(), ", the group's device is ", g.device);
			taken += s.leaf.numel();
			slots.push_back(std::move(s));
		} while (end > 0 && size * (taken + leaves[end - 1].numel()) <= room);
		b.to = slots.size();
		b.elements = at::zeros({taken}, at::TensorOptions().dtype(type).device(g.device));
		int64_t at = 0;
		for (size_t i = b.from; i < b.to; i++) {
			auto &leaf = slots[i].leaf;
			auto part = b.elements.narrow(0, at, leaf.numel());
			at += leaf.numel();
			slots[i].sum = leaf.is_non_overlapping_and_dense() ? part.as_strided(leaf.sizes(), leaf.strides()) : part.view(leaf.sizes());
		}
		buckets.push_back(std::move(b));
	}
}

void reducer::begin() {
	for (auto &s : slots)
		s.filled = s.used = false;
	for (auto &b : buckets) {
		b.missing = b.to - b.from;
		b.work.reset();
	}
	next = 0;
	failure.clear();
	active = true;
}

// came is called by the thread of backward when a leaf's gradient is whole. What
// fails here is told by finish: all ranks come to it.
void reducer::came(size_t i) {
	if (!active)
		return;
	try {
		TORCH_CHECK(!slots[i].filled, "a second backward pass after the one that was to be the last");
		at::NoGradGuard guard;
		fill(slots[i]);
		auto b = std::find_if(buckets.begin(), buckets.end(), [i](const bucket &b) { return i < b.to; });
		b->missing--;
		launch();
	} catch (const std::exception &e) {
		failure = e.what();
		active = false;
	}
}

void reducer::fill(slot &s) {
	const at::Tensor &grad = s.leaf.grad();
	s.used = grad.defined();
	if (s.used)
		s.sum.copy_(grad);
	else
		s.sum.zero_();
	s.filled = true;
}

// launch begins the sums of all buckets that are whole and whose turn it is.
void reducer::launch() {
	for (; next < buckets.size() && buckets[next].missing == 0; next++) {
		auto &b = buckets[next];
		b.begun = steady_clock::now();
		b.work = g.sum({b.elements});
	}
}

double reducer::finish(double clips) {
	if (!active && failure.empty())
		begin(); // no backward pass on this rank
	TORCH_CHECK(failure.empty(), failure);
	active = false;
	for (auto &b : buckets) {
		for (size_t i = b.from; i < b.to; i++) {
			if (!slots[i].filled)
				fill(slots[i]);
		}
		b.missing = 0;
	}
	launch();
	auto host = at::zeros({counts.numel()}, at::kDouble);
	auto v = host.data_ptr<double>();
	v[0] = clips;
	for (size_t i = 0; i < slots.size(); i++)
		v[i + 1] = slots[i].used;
	stopwatch watch(g.device);
	counts.copy_(host);
	wait(g.sum({counts}));
	account(watch.elapsed());
	double total = counts[0].item<double>();
	spread(total);
	return total;
}

// wait waits for all sums.
void reducer::wait(std::unique_ptr<pending> counting) {
	auto until = steady_clock::now() + g.timeout;
	auto one = [&](pending &p) {
		auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - steady_clock::now());
		TORCH_CHECK(p.wait(std::max(left, std::chrono::milliseconds(1))), "no end after ", g.timeout.count() / 1000, " s");
	};
	for (auto &b : buckets)
		one(*b.work);
	one(*counting);
}

// account adds to the times: what was under way at once counts once.
void reducer::account(nanoseconds waited) {
	moment until{};
	for (auto &b : buckets) {
		auto from = std::max(b.begun, until), to = b.work->ended();
		if (to > from)
			times.busy += nanoseconds(to - from).count();
		until = std::max(until, to);
		times.bytes += b.elements.nbytes();
	}
	times.waited += waited.count();
	times.buckets += buckets.size();
}

// spread gives the leaves their gradients.
void reducer::spread(double total) {
	if (total != 0) {
		for (auto &b : buckets)
			b.elements.div_(total);
	}
	auto uses = counts.cpu();
	for (size_t i = 0; i < slots.size(); i++) {
		if (uses.data_ptr<double>()[i + 1] > 0)
			give(slots[i]);
	}
}

void reducer::give(slot &s) {
	auto &grad = s.leaf.mutable_grad();
	if (!grad.defined())
		grad = at::empty_like(s.leaf);
	grad.copy_(s.sum);
}

reducer &reducer_of(pt_reducer r) { return *static_cast<reducer *>(r); }

} // namespace

char *reducer_new(pt_group g, const pt_tensor *leaves, size_t count, int64_t first, int64_t rest, pt_reducer *out) {
	return guarded([&] {
		at::NoGradGuard guard;
		*out = new reducer(*static_cast<group *>(g), tensors_of(leaves, count), first, rest);
	});
}

void reducer_drop(pt_reducer r) { delete &reducer_of(r); }

void reducer_begin(pt_reducer r) { reducer_of(r).begin(); }

char *reducer_finish(pt_reducer r, double clips, double *total) {
	return guarded([&] {
		at::NoGradGuard guard;
		*total = reducer_of(r).finish(clips);
	});
}

void reducer_times(pt_reducer r, pt_reduce_times *out) {
	*out = reducer_of(r).times;
	reducer_of(r).times = {};
}
