// The whole of what pptsn asks of libtorch, as C functions (see shim.h).
//
// It is generic on purpose: one function looks up an operator by name in
// libtorch's dispatcher and one calls it with tagged arguments, so that which
// operators are called is decided in Go. It builds against libtorch 1.13 to
// 2.x, with or without CUDA (-DPT_WITH_CUDA).

#include "common.h"
#include "group.h"
#include "memory.h"

#include <cstdlib>
#include <memory>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <ATen/autocast_mode.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/grad_mode.h>
#include <torch/version.h>

#ifdef PT_WITH_CUDA
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <c10/core/Event.h>
#endif

#if TORCH_VERSION_MAJOR < 1 || (TORCH_VERSION_MAJOR == 1 && TORCH_VERSION_MINOR < 13)
#error "libtorch is too old: 1.13 or newer is needed"
#endif

namespace {

[[noreturn]] void no_cuda() { TORCH_CHECK(false, "this shim was built for a libtorch without CUDA"); }

char *find(const char *name, const char *overload, pt_operator *op) {
	return guarded([&] {
		auto found = c10::Dispatcher::singleton().findSchema({name, overload});
		TORCH_CHECK(found.has_value(), "libtorch ", TORCH_VERSION, " has no operator ", name, ".", overload);
		*op = new c10::OperatorHandle(*found);
	});
}

// A reader takes tagged arguments apart.
struct reader {
	const uint64_t *at, *end;

	uint64_t next() {
		TORCH_CHECK(at < end, "an argument is cut short");
		return *at++;
	}

	c10::IValue argument() {
		switch (next()) {
		case PT_NONE:
			return c10::IValue();
		case PT_TENSOR:
			return tensor(reinterpret_cast<pt_tensor>(next()));
		case PT_INT:
			return static_cast<int64_t>(next());
		case PT_FLOAT: {
			uint64_t bits = next();
			double v;
			memcpy(&v, &bits, sizeof v);
			return v;
		}
		case PT_BOOL:
			return next() != 0;
		case PT_INTS: {
			std::vector<int64_t> v(next());
			for (auto &i : v)
				i = static_cast<int64_t>(next());
			return v;
		}
		case PT_TENSORS: {
			std::vector<at::Tensor> v(next());
			for (auto &t : v)
				t = tensor(reinterpret_cast<pt_tensor>(next()));
			return v;
		}
		}
		TORCH_CHECK(false, "an argument of unknown kind");
	}
};

void give(const at::Tensor &t, pt_tensor *out, size_t max, size_t *made) {
	TORCH_CHECK(*made < max, "more results than expected");
	out[*made] = handle(t);
	++*made;
}

char *call(pt_operator op, const uint64_t *words, size_t count, pt_tensor *out, size_t max, size_t *made) {
	*made = 0;
	return guarded([&] {
		torch::jit::Stack stack;
		for (reader r{words, words + count}; r.at < r.end;)
			stack.push_back(r.argument());
		auto *handle = static_cast<c10::OperatorHandle *>(op);
		size_t wanted = handle->schema().arguments().size(); // libtorch would read beyond the stack
		TORCH_CHECK(stack.size() == wanted, "takes ", wanted, " arguments, ", stack.size(), " are given");
		handle->callBoxed(&stack);
		for (auto &v : stack) {
			if (v.isTensor()) {
				give(v.toTensor(), out, max, made);
			} else if (v.isTensorList()) {
				for (const at::Tensor &t : v.toTensorVector())
					give(t, out, max, made);
			}
		}
	});
}

void release(const pt_tensor *tensors, size_t count) {
	for (size_t i = 0; i < count; i++)
		delete static_cast<at::Tensor *>(tensors[i]);
}

char *from_host(const void *data, size_t size, int dtype, const int64_t *shape, int dims, int device, int index, pt_tensor *out) {
	return guarded([&] {
		auto options = at::TensorOptions().dtype(static_cast<c10::ScalarType>(dtype));
		bool away = device != PT_CPU;
		at::Tensor t = at::empty(at::IntArrayRef(shape, dims), options.pinned_memory(away));
		TORCH_CHECK(t.nbytes() == size, "the shape needs ", t.nbytes(), " bytes, there are ", size);
		memcpy(t.data_ptr(), data, size);
		if (away)
			t = t.to(device_of(device, index), t.scalar_type(), /*non_blocking=*/true);
		*out = handle(t);
	});
}

char *to_host(pt_tensor from, int dtype, void *data, size_t size) {
	return guarded([&] {
		at::NoGradGuard guard;
		at::Tensor t = tensor(from).detach().to(c10::Device(c10::kCPU), static_cast<c10::ScalarType>(dtype)).contiguous();
		TORCH_CHECK(t.nbytes() == size, "the tensor has ", t.nbytes(), " bytes, there is room for ", size);
		memcpy(data, t.data_ptr(), size);
	});
}

char *empty(int dtype, const int64_t *shape, int dims, int device, int index, int pinned, pt_tensor *out, void **data) {
	return guarded([&] {
		auto options = at::TensorOptions().dtype(static_cast<c10::ScalarType>(dtype)).device(device_of(device, index));
		at::Tensor t = at::empty(at::IntArrayRef(shape, dims), options.pinned_memory(pinned != 0));
		*data = device == PT_CPU ? t.data_ptr() : nullptr;
		*out = handle(t);
	});
}

char *info(pt_tensor from, pt_info *out) {
	return guarded([&] {
		const at::Tensor &t = tensor(from);
		TORCH_CHECK(t.dim() <= 16, "a tensor of ", t.dim(), " axes");
		out->dtype = static_cast<int>(t.scalar_type());
		out->dims = static_cast<int>(t.dim());
		for (int i = 0; i < out->dims; i++)
			out->shape[i] = t.size(i);
	});
}

char *require_grad(pt_tensor t) {
	return guarded([&] { tensor(t).set_requires_grad(true); });
}

char *backward(pt_tensor loss) {
	return guarded([&] { tensor(loss).backward(); });
}

char *grads(const pt_tensor *tensors, size_t count, pt_tensor *out) {
	return guarded([&] {
		for (size_t i = 0; i < count; i++) {
			const at::Tensor &g = tensor(tensors[i]).grad();
			out[i] = g.defined() ? handle(g) : nullptr;
		}
	});
}

void drop_grads(const pt_tensor *tensors, size_t count) {
	for (size_t i = 0; i < count; i++)
		tensor(tensors[i]).mutable_grad().reset();
}

void grad_mode(int on) { c10::GradMode::set_enabled(on != 0); }

// autocast begins with an empty cache: cast weights of the step before are old.
char *autocast(int device, int dtype) {
	return guarded([&] {
		at::autocast::clear_cache();
		bool on = dtype >= 0;
#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 4)
		auto kind = device == PT_CUDA ? at::kCUDA : at::kCPU;
		if (on)
			at::autocast::set_autocast_dtype(kind, static_cast<at::ScalarType>(dtype));
		at::autocast::set_autocast_enabled(kind, on);
#else
		if (device == PT_CUDA) {
			if (on)
				at::autocast::set_autocast_gpu_dtype(static_cast<at::ScalarType>(dtype));
			at::autocast::set_enabled(on);
		} else {
			if (on)
				at::autocast::set_autocast_cpu_dtype(static_cast<at::ScalarType>(dtype));
			at::autocast::set_cpu_enabled(on);
		}
#endif
	});
}

char *seed(uint64_t seed) {
	return guarded([&] { at::manual_seed(seed); });
}

at::Generator generator_of(int device, int index) {
	if (device == PT_CPU)
		return at::detail::getDefaultCPUGenerator();
	return at::globalContext().defaultGenerator(device_of(device, index));
}

char *generator(int device, int index, pt_tensor *state) {
	return guarded([&] { *state = handle(generator_of(device, index).get_state()); });
}

char *set_generator(int device, int index, pt_tensor state) {
	return guarded([&] { generator_of(device, index).set_state(tensor(state).cpu()); });
}

void set_threads(int n) { at::set_num_threads(n); }

char *tune(int how, int *before) {
	return guarded([&] {
		auto &context = at::globalContext();
		*before = (context.benchmarkCuDNN() ? PT_MEASURE : 0) + (context.allowTF32CuDNN() ? PT_TF32 : 0);
		context.setBenchmarkCuDNN((how & PT_MEASURE) != 0);
		context.setAllowTF32CuDNN((how & PT_TF32) != 0);
	});
}

int devices(int device) {
	if (device == PT_CPU)
		return 1;
#ifdef PT_WITH_CUDA
	return c10::cuda::device_count();
#else
	return 0;
#endif
}

char *memory(int device, int index, int64_t *now, int64_t *peak) {
	return guarded([&] {
#ifdef PT_WITH_CUDA
		if (device == PT_CUDA) {
			auto stats = c10::cuda::CUDACachingAllocator::getDeviceStats(index).allocated_bytes[0];
			*now = stats.current;
			*peak = stats.peak;
			return;
		}
#endif
		TORCH_CHECK(device == PT_CPU, "this shim was built for a libtorch without CUDA");
		(void)index;
		*now = *peak = 0; // the system knows: libtorch does not count
	});
}

#ifdef PT_WITH_CUDA

char *synchronize(int index) {
	return guarded([&] {
		c10::cuda::CUDAGuard guard(index);
		c10::cuda::device_synchronize();
	});
}

// A capture needs a stream that is not the default one; the thread stays on it
// until the capture ends.
struct captured {
	at::cuda::CUDAGraph graph;
	c10::cuda::CUDAStream stream, before;
	explicit captured(int index)
	    : stream(c10::cuda::getStreamFromPool(false, index)), before(c10::cuda::getCurrentCUDAStream(index)) {}
};

char *capture_begin(int index, pt_graph *graph) {
	return guarded([&] {
		c10::cuda::CUDAGuard guard(index); // graphs take the stream of the device that is current
		auto c = std::make_unique<captured>(index);
		c10::cuda::device_synchronize();
		c10::cuda::setCurrentCUDAStream(c->stream);
		try {
#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 1)
			// What other threads ask of CUDA meanwhile does not end the capture.
			c->graph.capture_begin({0, 0}, cudaStreamCaptureModeThreadLocal);
#else
			c->graph.capture_begin();
#endif
		} catch (...) {
			c10::cuda::setCurrentCUDAStream(c->before);
			throw;
		}
		*graph = c.release();
	});
}

char *capture_end(pt_graph graph) {
	return guarded([&] {
		auto c = static_cast<captured *>(graph);
		c10::cuda::CUDAGuard guard(c->stream.device_index());
		try { // on the stream it began on
			c->graph.capture_end();
		} catch (...) {
			c10::cuda::setCurrentCUDAStream(c->before);
			throw;
		}
		c10::cuda::setCurrentCUDAStream(c->before);
	});
}

char *replay(pt_graph graph) {
	return guarded([&] {
		auto c = static_cast<captured *>(graph);
		c10::cuda::CUDAGuard guard(c->stream.device_index());
		c->graph.replay();
	});
}

void drop_graph(pt_graph graph) { delete static_cast<captured *>(graph); }

char *stream(int index, pt_stream *out) {
	return guarded([&] { *out = new c10::cuda::CUDAStream(c10::cuda::getStreamFromPool(false, index)); });
}

void drop_stream(pt_stream s) { delete static_cast<c10::cuda::CUDAStream *>(s); }

// A mark is an event and the device whose streams it is in.
struct mark {
	c10::Event event{c10::kCUDA};
	int index;
	explicit mark(int i) : index(i) {}
};

c10::cuda::CUDAStream stream_of(pt_stream s, int index) {
	return s == nullptr ? c10::cuda::getCurrentCUDAStream(index) : *static_cast<c10::cuda::CUDAStream *>(s);
}

char *copy(pt_stream s, pt_tensor to, pt_tensor from) {
	return guarded([&] {
		c10::cuda::OptionalCUDAStreamGuard guard;
		if (s != nullptr)
			guard.reset_stream(*static_cast<c10::cuda::CUDAStream *>(s));
		tensor(to).copy_(tensor(from), /*non_blocking=*/true);
	});
}

char *event(int index, pt_event *out) {
	return guarded([&] { *out = new mark(index); });
}

void drop_event(pt_event e) { delete static_cast<mark *>(e); }

char *record(pt_event e, pt_stream s) {
	return guarded([&] {
		auto m = static_cast<mark *>(e);
		m->event.record(stream_of(s, m->index).unwrap());
	});
}

char *wait(pt_event e, pt_stream s) {
	return guarded([&] {
		auto m = static_cast<mark *>(e);
		m->event.block(stream_of(s, m->index).unwrap());
	});
}

char *done(pt_event e, int *yes) {
	return guarded([&] { *yes = static_cast<mark *>(e)->event.query(); });
}

const int with_cuda = 1;

#else

char *synchronize(int) { return guarded(no_cuda); }
char *capture_begin(int, pt_graph *) { return guarded(no_cuda); }
char *capture_end(pt_graph) { return guarded(no_cuda); }
char *replay(pt_graph) { return guarded(no_cuda); }
void drop_graph(pt_graph) {}
char *stream(int, pt_stream *) { return guarded(no_cuda); }
void drop_stream(pt_stream) {}
char *copy(pt_stream, pt_tensor to, pt_tensor from) {
	return guarded([&] { tensor(to).copy_(tensor(from)); });
}
char *event(int, pt_event *) { return guarded(no_cuda); }
void drop_event(pt_event) {}
char *record(pt_event, pt_stream) { return guarded(no_cuda); }
char *wait(pt_event, pt_stream) { return guarded(no_cuda); }
char *done(pt_event, int *) { return guarded(no_cuda); }

const int with_cuda = 0;

#endif

const pt_table table = {
    PT_INTERFACE, with_cuda, TORCH_VERSION,
    find, call, release,
    from_host, to_host, empty, info,
    require_grad, backward, grads, drop_grads,
    grad_mode, autocast,
    seed, generator, set_generator, set_threads, devices, memory,
    synchronize, capture_begin, capture_end, replay, drop_graph,
    stream, drop_stream, copy, event, drop_event, record, wait, done, tune,
    backends, store_open, store_drop, store_set, store_get, store_add, store_has,
    group_new, group_broken, group_drop, broadcast, all_reduce, gather, work_wait, work_drop,
    reducer_new, reducer_drop, reducer_begin, reducer_finish, reducer_times, sync_norm,
};

} // namespace

extern "C" __attribute__((visibility("default"))) const pt_table *pptsn_torch() {
	keep_memory();
	return &table;
}
