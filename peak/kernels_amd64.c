#include "kernels.h"

typedef int32_t zmm __attribute__((vector_size(64)));
typedef int32_t ymm __attribute__((vector_size(32)));

// Chains of sums that do not depend on each other hide an instruction's latency.
// There are as many as registers besides the two operands, and more than latency
// times instructions a cycle of any core so far (about 10).
enum { zmm_chains = 24, ymm_chains = 12 };

// KERNEL defines a kernel. The operand's bits are ordinary numbers as float32
// (1.07), as bfloat16 (1.06 and -0.05) and as 8-bit integers.
#define KERNEL(name, isa, vector, instruction)                                               \
    __attribute__((target(isa))) static void name(int64_t rounds) {                          \
        const vector x = (vector){0} + 0x3f88bd40;                                           \
        vector c[vector##_chains];                                                           \
        _Pragma("GCC unroll 24") for (int k = 0; k < vector##_chains; k++) c[k] = x;         \
        for (int64_t i = 0; i < rounds; i++) {                                               \
            _Pragma("GCC unroll 24") for (int k = 0; k < vector##_chains; k++)               \
                __asm__ volatile(instruction " %1, %1, %0" : "+v"(c[k]) : "v"(x));           \
        }                                                                                    \
    }

KERNEL(fma_zmm, "avx512f", zmm, "vfmadd231ps")
KERNEL(fma_ymm, "avx2,fma", ymm, "vfmadd231ps")
KERNEL(bf16_zmm, "avx512f", zmm, "vdpbf16ps")
KERNEL(vnni_zmm, "avx512f", zmm, "vpdpbusd")
KERNEL(vnni_ymm, "avx2", ymm, "%{vex%} vpdpbusd")

// Twice the numbers that an instruction multiplies.
enum { zmm_fp32 = 2 * 16, ymm_fp32 = 2 * 8, zmm_bf16 = 2 * 32, zmm_int8 = 2 * 64, ymm_int8 = 2 * 32 };

static const peak_instruction none;

peak_instruction peak_fp32(void) {
    if (__builtin_cpu_supports("avx512f"))
        return (peak_instruction){"vfmadd231ps zmm", fma_zmm, zmm_fp32 * zmm_chains};
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return (peak_instruction){"vfmadd231ps ymm", fma_ymm, ymm_fp32 * ymm_chains};
    return none;
}

peak_instruction peak_bf16(void) {
    if (__builtin_cpu_supports("avx512bf16") && !__builtin_cpu_supports("amx-bf16"))
        return (peak_instruction){"vdpbf16ps zmm", bf16_zmm, zmm_bf16 * zmm_chains};
    return none;
}

peak_instruction peak_int8(void) {
    if (__builtin_cpu_supports("amx-int8"))
        return none;
    if (__builtin_cpu_supports("avx512vnni"))
        return (peak_instruction){"vpdpbusd zmm", vnni_zmm, zmm_int8 * zmm_chains};
    if (__builtin_cpu_supports("avxvnni"))
        return (peak_instruction){"vpdpbusd ymm", vnni_ymm, ymm_int8 * ymm_chains};
    return none;
}
