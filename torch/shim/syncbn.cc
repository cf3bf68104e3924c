// Batch norm over the batches of all ranks.

#include "group.h"

#include <torch/csrc/autograd/custom_function.h>

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// C channels are the second axis; sums run over the others.
std::vector<int64_t> others(const at::Tensor &x) {
	std::vector<int64_t> axes{0};
	for (int64_t i = 2; i < x.dim(); i++)
		axes.push_back(i);
	return axes;
}

// along makes [C] fit x.
at::Tensor along(const at::Tensor &channels, const at::Tensor &x) {
	std::vector<int64_t> shape(x.dim(), 1);
	shape[1] = -1;
	return channels.view(shape);
}

// exact is what one rank adds up in: never less than float32.
at::ScalarType exact(const at::Tensor &x) { return x.scalar_type() == at::kDouble ? at::kDouble : at::kFloat; }

// summed adds up over the axes that are no channels, then over the ranks, in
// float64. Some rows of [C] go at once.
at::Tensor summed(group &g, std::vector<at::Tensor> rows) {
	for (auto &r : rows)
		r = r.to(at::kDouble);
	auto all = at::stack(rows);
	sum_now(g, all);
	return all;
}

struct norm : torch::autograd::Function<norm> {
	// forward goes over the ranks twice, for the mean and for the squares of
	// what is left: squares of pixels would lose the variance beside the mean.
	static variable_list forward(AutogradContext *ctx, const at::Tensor &x, const at::Tensor &scale, const at::Tensor &offset, double epsilon, bool counts, int64_t handle) {
		auto &g = *reinterpret_cast<group *>(handle);
		auto type = exact(x);
		auto wide = x.to(type);
		auto axes = others(x);
		auto count = at::full({x.size(1)}, double(x.numel() / x.size(1)), x.options().dtype(at::kDouble));
		double share = counts ? 1 : 0;
		auto first = summed(g, {wide.sum(axes) * share, count * share});
		auto n = first[1];
		auto mean = first[0] / n;
		auto d = wide - along(mean.to(type), x);
		auto variance = summed(g, {(d * d).sum(axes) * share})[0] / n;
		auto inv = at::rsqrt(variance + epsilon).to(type);
		auto factor = scale.defined() ? scale.to(type) * inv : inv;
		auto y = d.mul_(along(factor, x));
		if (offset.defined())
			y.add_(along(offset.to(type), x));
		mean = mean.to(type);
		ctx->save_for_backward({x, scale, mean, inv, n});
		ctx->saved_data["group"] = handle;
		ctx->saved_data["counts"] = counts;
		ctx->mark_non_differentiable({mean, inv});
		return {y.to(x.scalar_type()), mean, inv};
	}

	// backward is that of batch norm with the means over all ranks; gradients of
	// scale and offset are this rank's share.
	static variable_list backward(AutogradContext *ctx, variable_list grads) {
		auto saved = ctx->get_saved_variables();
		auto x = saved[0], scale = saved[1], mean = saved[2], inv = saved[3], n = saved[4];
		auto &g = *reinterpret_cast<group *>(ctx->saved_data["group"].toInt());
		auto type = exact(x);
		auto axes = others(x);
		auto gy = grads[0].to(type);
		auto d = x.to(type) - along(mean, x);
		auto sum = gy.sum(axes), dot = (gy * d).sum(axes);
		auto means = summed(g, {sum, dot}) / n;
		auto a = scale.defined() ? scale.to(type) * inv : inv;
		auto b = (means[1].to(type) * inv * inv * a).neg(), c = (means[0].to(type) * a).neg();
		auto gx = (gy * along(a, x)).add_(d.mul_(along(b, x))).add_(along(c, x));
		if (!ctx->saved_data["counts"].toBool())
			gx.zero_();
		auto as = [&](const at::Tensor &t) { return scale.defined() ? t.to(scale.scalar_type()) : at::Tensor(); };
		return {gx.to(x.scalar_type()), as(dot * inv), as(sum), at::Tensor(), at::Tensor(), at::Tensor()};
	}
};

} // namespace

char *sync_norm(pt_group g, pt_tensor x, pt_tensor scale, pt_tensor offset, double epsilon, int counts, pt_tensor *out) {
	return guarded([&] {
		auto result = norm::apply(tensor(x), tensor(scale), tensor(offset), epsilon, counts != 0, reinterpret_cast<int64_t>(static_cast<group *>(g)));
		for (size_t i = 0; i < result.size(); i++)
			out[i] = handle(result[i]);
	});
}
