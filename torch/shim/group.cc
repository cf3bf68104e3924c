// Stores, process groups and collectives of libtorch's c10d.
//
// Gloo is there with -DUSE_C10D_GLOO and its headers, NCCL with
// -DUSE_C10D_NCCL and its own; both are part of libtorch itself.

#include "group.h"

#include <algorithm>
#include <cstdlib>
#include <mutex>
#include <thread>

#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>
#ifdef USE_C10D_GLOO
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#endif
#ifdef USE_C10D_NCCL
#include <ATen/cuda/CUDAEvent.h>
#include <c10/cuda/CUDAGuard.h>
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>
#endif
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#include <torch/version.h>

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

#if TORCH_VERSION_MAJOR >= 2
using process_group = c10d::Backend;
#else
using process_group = c10d::ProcessGroup;
#endif

using work = c10::intrusive_ptr<c10d::Work>;
using store = c10::intrusive_ptr<c10d::TCPStore>;

store &store_of(pt_store s) { return *static_cast<store *>(s); }

// flat is the elements of t as they lie in memory, which all ranks order
// alike.
at::Tensor flat(const at::Tensor &t) {
	TORCH_CHECK(t.is_non_overlapping_and_dense(), "a tensor ", t.sizes(), " with gaps between its elements");
	return t.detach().as_strided({t.numel()}, {1});
}

// last is the time when the latest of some works ended. Their own threads
// write it, maybe after nobody waits any more.
struct last {
	std::mutex mu;
	moment at;

	void see(moment now) {
		std::lock_guard<std::mutex> lock(mu);
		at = std::max(at, now);
	}
	moment seen() {
		std::lock_guard<std::mutex> lock(mu);
		return at;
	}
};

// gloo_works are done when the host is.
struct gloo_works : pending {
	std::vector<work> all;
	std::shared_ptr<last> end = std::make_shared<last>();

	void add(work w) {
		auto end = this->end;
		w->getFuture()->addCallback([end](c10::ivalue::Future &) { end->see(steady_clock::now()); });
		all.push_back(std::move(w));
	}

	bool wait(milliseconds limit) override {
		auto until = steady_clock::now() + limit;
		for (auto &w : all) {
			auto left = std::chrono::duration_cast<milliseconds>(until - steady_clock::now());
			try {
				w->wait(std::max(left, milliseconds(1))); // 0 would be without end
			} catch (...) {
				if (!w->isCompleted())
					return false;
				throw;
			}
		}
		return true;
	}

	moment ended() override { return end->seen(); }
};

#ifdef USE_C10D_NCCL

// nccl_works are done when the device is.
struct nccl_works : pending {
	std::vector<work> all;
	moment begun = steady_clock::now();
	at::cuda::CUDAEvent from{cudaEventDefault}, to{cudaEventDefault}; // the device's clock

	bool wait(milliseconds limit) override {
		auto until = steady_clock::now() + limit;
		for (auto &w : all) {
			while (!w->isCompleted()) {
				if (steady_clock::now() > until)
					return false;
				std::this_thread::sleep_for(std::chrono::microseconds(20));
			}
			w->wait(); // throws what it failed with; else the thread's stream waits
		}
		return true;
	}

	moment ended() override {
		if (!to.isCreated())
			return begun;
		to.synchronize();
		return begun + std::chrono::microseconds(int64_t(1000 * from.elapsed_time(to)));
	}
};

#endif

// c10d_group is a process group of c10d, W what waits for its works.
template <typename W> struct c10d_group : group {
	c10::intrusive_ptr<process_group> pg;

	std::unique_ptr<pending> sum(const std::vector<at::Tensor> &tensors) override {
		return each(tensors, [&](at::Tensor t) {
			std::vector<at::Tensor> v{t};
			return pg->allreduce(v);
		});
	}

	// broadcast sends bytes: Gloo does not know all types.
	std::unique_ptr<pending> broadcast(const std::vector<at::Tensor> &tensors) override {
		return each(tensors, [&](at::Tensor t) {
			std::vector<at::Tensor> v{t.view(at::kByte)};
			return pg->broadcast(v);
		});
	}

	std::unique_ptr<pending> gather(const at::Tensor &mine, std::vector<at::Tensor> of_ranks) override {
		return each({mine}, [&](at::Tensor t) {
			std::vector<at::Tensor> in{t};
			std::vector<std::vector<at::Tensor>> out{std::move(of_ranks)};
			return pg->allgather(out, in);
		});
	}

	template <typename F> std::unique_ptr<pending> each(const std::vector<at::Tensor> &tensors, F begin) {
		auto works = std::make_unique<W>();
		before(*works);
		for (auto &t : tensors) {
			if (t.numel() > 0)
				add(*works, begin(flat(t)));
		}
		return works;
	}

	void before(gloo_works &) {}
	void add(gloo_works &to, work w) { to.add(std::move(w)); }
#ifdef USE_C10D_NCCL
	void before(nccl_works &w) { w.from.record(c10::cuda::getCurrentCUDAStream(device.index())); }
	void add(nccl_works &to, work w) {
		// The future is complete as soon as the work is in its stream: the
		// callback runs at once, on a stream that waits for the work.
		auto future = w->getFuture();
		if (future->completed())
			future->addCallback([&](c10::ivalue::Future &) { to.to.record(c10::cuda::getCurrentCUDAStream(device.index())); });
		to.all.push_back(std::move(w));
	}
#endif
};

// lent is a store that is used for a while. Each connection of libtorch before
// 2.4 has a thread that spins where the store is gone, and ends the process where
// the connection is reset: so there are no more of them than needed.
struct lent : c10d::PrefixStore {
	using PrefixStore::PrefixStore;
	void give_back() { store_.reset(); }
};

#ifdef USE_C10D_GLOO

std::unique_ptr<group> over_gloo(const c10::intrusive_ptr<lent> &store, const pt_group_options &o) {
	using pg = c10d::ProcessGroupGloo;
	auto options = pg::Options::create();
	options->timeout = milliseconds(o.timeout);
	options->devices.push_back(*o.interface ? pg::createDeviceForInterface(o.interface) : pg::createDeviceForHostname(o.address));
	auto g = std::make_unique<c10d_group<gloo_works>>();
	g->pg = c10::make_intrusive<pg>(store, o.rank, o.size, options);
	store->give_back(); // ranks are connected
	return g;
}

#else

std::unique_ptr<group> over_gloo(const c10::intrusive_ptr<lent> &, const pt_group_options &) {
	TORCH_CHECK(false, "this shim was built without Gloo (its headers were missing, Debian's libgloo-dev, or did not fit libtorch)");
}

#endif

#ifdef USE_C10D_NCCL

std::unique_ptr<group> over_nccl(const c10::intrusive_ptr<lent> &store, const pt_group_options &o) {
	// Whoever waits sees what went wrong; c10d's own answer is to end the process.
	for (auto name : {"NCCL_ASYNC_ERROR_HANDLING", "TORCH_NCCL_ASYNC_ERROR_HANDLING", "TORCH_NCCL_ENABLE_MONITORING"})
		setenv(name, "0", 0);
	if (*o.interface)
		setenv("NCCL_SOCKET_IFNAME", o.interface, 0);
	using pg = c10d::ProcessGroupNCCL;
	auto options = pg::Options::create();
	options->timeout = milliseconds(o.timeout) + std::chrono::minutes(1); // ours comes first
	auto g = std::make_unique<c10d_group<nccl_works>>();
	g->device = device_of(PT_CUDA, o.index);
	c10::cuda::CUDAGuard guard(o.index);
	g->pg = c10::make_intrusive<pg>(store, o.rank, o.size, options);
	return g;
}

#else

std::unique_ptr<group> over_nccl(const c10::intrusive_ptr<lent> &, const pt_group_options &) {
	TORCH_CHECK(false, "this shim was built without NCCL (libtorch has none, or its header nccl.h was missing)");
}

#endif

group &group_of(pt_group g) {
	TORCH_CHECK(g != nullptr, "no group is given");
	return *static_cast<group *>(g);
}

} // namespace

int backends() {
	int sum = 0;
#ifdef USE_C10D_GLOO
	sum += PT_GLOO;
#endif
#ifdef USE_C10D_NCCL
	sum += PT_NCCL;
#endif
	return sum;
}

char *store_open(const char *host, int port, int serve, int64_t timeout, pt_store *out, int *listens) {
	return guarded([&] {
		c10d::TCPStoreOptions o;
		o.port = static_cast<uint16_t>(port);
		o.isServer = serve != 0;
		o.waitWorkers = false;
		o.timeout = milliseconds(timeout);
		auto s = c10::make_intrusive<c10d::TCPStore>(host, o);
		*listens = s->getPort();
		*out = new store(std::move(s));
	});
}

void store_drop(pt_store s) { delete static_cast<store *>(s); }

char *store_set(pt_store s, const char *key, const void *value, size_t size) {
	return guarded([&] {
		auto bytes = static_cast<const uint8_t *>(value);
		store_of(s)->set(key, std::vector<uint8_t>(bytes, bytes + size));
	});
}

char *store_get(pt_store s, const char *key, void **value, size_t *size) {
	return guarded([&] {
		auto bytes = store_of(s)->get(key);
		*size = bytes.size();
		*value = malloc(bytes.size() + 1); // never NULL
		TORCH_CHECK(*value != nullptr, "no memory for a value of ", bytes.size(), " bytes");
		std::copy(bytes.begin(), bytes.end(), static_cast<uint8_t *>(*value));
	});
}

char *store_add(pt_store s, const char *key, int64_t n, int64_t *sum) {
	return guarded([&] { *sum = store_of(s)->add(key, n); });
}

char *store_has(pt_store s, const char *const *keys, size_t count, int *yes) {
	return guarded([&] { *yes = store_of(s)->check(std::vector<std::string>(keys, keys + count)); });
}

char *group_new(pt_store s, const pt_group_options *o, pt_group *out) {
	return guarded([&] {
		auto prefixed = c10::make_intrusive<lent>(o->prefix, store_of(s));
		auto g = o->backend == PT_NCCL ? over_nccl(prefixed, *o) : over_gloo(prefixed, *o);
		g->timeout = milliseconds(o->timeout);
		*out = g.release();
	});
}

int group_broken(pt_group g) { return group_of(g).broken; }

void group_drop(pt_group g) { delete static_cast<group *>(g); }

char *broadcast(pt_group g, const pt_tensor *tensors, size_t count, pt_work *out) {
	return guarded([&] { *out = group_of(g).broadcast(tensors_of(tensors, count)).release(); });
}

char *all_reduce(pt_group g, const pt_tensor *tensors, size_t count, pt_work *out) {
	return guarded([&] { *out = group_of(g).sum(tensors_of(tensors, count)).release(); });
}

char *gather(pt_group g, pt_tensor mine, pt_tensor const *of_ranks, size_t size, pt_work *out) {
	return guarded([&] { *out = group_of(g).gather(tensor(mine), tensors_of(of_ranks, size)).release(); });
}

char *work_wait(pt_work w, int64_t ms, int *state) {
	return guarded([&] { *state = static_cast<pending *>(w)->wait(milliseconds(ms)) ? PT_DONE : PT_UNDER_WAY; });
}

void work_drop(pt_work w) { delete static_cast<pending *>(w); }

void sum_now(group &g, at::Tensor t) {
	try {
		auto p = g.sum({t});
		TORCH_CHECK(p->wait(g.timeout), "no end after ", g.timeout.count() / 1000, " s");
	} catch (...) {
		g.broken = true;
		throw;
	}
}
