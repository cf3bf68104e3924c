// pptsn::momentum_, gradient descent with momentum in one pass over memory.
//
// The list operators of libtorch (_foreach_*) that package optim uses elsewhere
// read and write the parameters' memory once for each term of the formula.

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/library.h>

namespace {

const int64_t grain = 1 << 15; // fewer elements are not worth a second thread

// step is v = mu v + (g + decay w), and w -= lr v or, with Nesterov,
// w -= lr ((g + decay w) + mu v).
void step(float *__restrict w, float *__restrict v, const float *__restrict g, int64_t n, float lr, float mu, float decay, bool nesterov) {
	for (int64_t i = 0; i < n; i++) {
		float d = g[i] + decay * w[i];
		float u = mu * v[i] + d;
		v[i] = u;
		w[i] -= lr * (nesterov ? d + mu * u : u);
	}
}

// momentum wants tensors of float32, and each velocity laid out as its
// parameter is.
void momentum(at::TensorList params, at::TensorList velocities, at::TensorList grads, double lr, double mu, double decay, bool nesterov) {
	TORCH_CHECK(params.size() == velocities.size() && params.size() == grads.size(), "lists of different lengths");
	for (size_t i = 0; i < params.size(); i++) {
		const at::Tensor &w = params[i], &v = velocities[i];
		at::Tensor g = grads[i];
		TORCH_CHECK(w.scalar_type() == at::kFloat && v.scalar_type() == at::kFloat && g.scalar_type() == at::kFloat, "want tensors of float32");
		TORCH_CHECK(w.is_non_overlapping_and_dense() && v.strides() == w.strides(), "a velocity lies otherwise than its parameter");
		TORCH_CHECK(v.sizes() == w.sizes() && g.sizes() == w.sizes(), "a gradient or velocity is of another shape than its parameter");
		if (g.strides() != w.strides())
			g = at::empty_like(w).copy_(g);
		float *to = w.data_ptr<float>(), *speed = v.data_ptr<float>();
		const float *from = g.data_ptr<float>();
		at::parallel_for(0, w.numel(), grain, [&](int64_t begin, int64_t end) {
			step(to + begin, speed + begin, from + begin, end - begin, lr, mu, decay, nesterov);
		});
	}
}

} // namespace

TORCH_LIBRARY(pptsn, m) {
	m.def("momentum_(Tensor(a!)[] params, Tensor(b!)[] velocities, Tensor[] grads, float lr, float mu, float decay, bool nesterov) -> ()");
	m.impl("momentum_", c10::DispatchKey::CPU, TORCH_FN(momentum));
}
