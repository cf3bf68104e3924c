// What all units of the shim share: handles and messages.
#ifndef PPTSN_TORCH_COMMON_H
#define PPTSN_TORCH_COMMON_H

#include "../shim.h"

#include <cstring>
#include <exception>
#include <string>
#include <vector>

#include <ATen/ATen.h>

inline at::Tensor &tensor(pt_tensor t) {
	TORCH_CHECK(t != nullptr, "no tensor is given");
	return *static_cast<at::Tensor *>(t);
}

inline std::vector<at::Tensor> tensors_of(const pt_tensor *tensors, size_t count) {
	std::vector<at::Tensor> v;
	for (size_t i = 0; i < count; i++)
		v.push_back(tensor(tensors[i]));
	return v;
}

inline pt_tensor handle(at::Tensor t) { return new at::Tensor(std::move(t)); }

inline char *message(const char *text) { return strdup(text); }

// guarded runs f and returns the message of what it throws.
template <typename F> char *guarded(F f) {
	try {
		f();
		return nullptr;
	} catch (const c10::Error &e) {
		return message(e.what_without_backtrace());
	} catch (const std::exception &e) {
		return message(e.what());
	} catch (...) {
		return message("an exception without a message");
	}
}

inline c10::Device device_of(int device, int index) {
	if (device == PT_CUDA)
		return c10::Device(c10::kCUDA, static_cast<c10::DeviceIndex>(index));
	return c10::Device(c10::kCPU);
}

#endif
