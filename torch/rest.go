package torch

/*
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>

// A libtorch with an OpenMP of its own has pools of its own, which are no
// concern of the rest of the process.
static void rest(void) {
	int (*pause)(int) = dlsym(RTLD_DEFAULT, "omp_pause_resource_all");
	if (pause != NULL)
		pause(1); // omp_pause_soft
}
*/
import "C"

import "context"

// Rest lets go of the threads that wait for the engine's next run, which starts
// them again; see package onednn.
func (e *Engine) Rest() {
	e.session.thread.Do(context.Background(), func(*Session) { C.rest() })
}
