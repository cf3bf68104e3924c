#include "kernels.h"
#include <time.h>

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + 1e-9 * t.tv_nsec;
}

double peak_speed(peak_instruction p, double seconds) {
    enum { slice = 2000 }; // rounds between looks at the clock: some 10 µs
    for (double end = now() + 0.1 * seconds; now() < end;) // cores change their clock for wide vectors
        p.run(slice);
    int64_t slices = 0;
    double begin = now(), end = begin;
    for (; end < begin + seconds; end = now(), slices++)
        p.run(slice);
    return (double)p.operations * slice * slices / (end - begin);
}
