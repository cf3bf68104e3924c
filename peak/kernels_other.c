//go:build !amd64

#include "kernels.h"

static const peak_instruction none;

peak_instruction peak_fp32(void) { return none; }
peak_instruction peak_bf16(void) { return none; }
peak_instruction peak_int8(void) { return none; }
