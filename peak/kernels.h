// What the kernels of package peak share.
#ifndef PPTSN_PEAK_H
#define PPTSN_PEAK_H

#include <stdint.h>

// A peak_kernel does so many rounds of one instruction on registers alone.
typedef void peak_kernel(int64_t rounds);

typedef struct {
    const char *name;   // NULL: the processor has no such instruction
    peak_kernel *run;
    int64_t operations; // of a round; a multiplication and an addition count as two
} peak_instruction;

// The widest instructions that the processor has. name is NULL, too, where it
// has others beside them that are not measured here (AMX).
peak_instruction peak_fp32(void);
peak_instruction peak_bf16(void);
peak_instruction peak_int8(void);

// peak_speed runs a kernel for about so many seconds on the calling thread and
// returns its operations a second.
double peak_speed(peak_instruction p, double seconds);

#endif
