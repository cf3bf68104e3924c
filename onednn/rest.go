package onednn

// #include <omp.h>
import "C"

import "context"

// Rest lets go of the threads that wait for the engine's next run, which starts
// them again. Where the pools of several engines have more threads than there
// are cores, libgomp lets all threads sleep at every layer of any of them, which
// costs up to a third of the time.
func (e *Engine) Rest() {
	e.thread.Do(context.Background(), func(*machine) { C.omp_pause_resource_all(C.omp_pause_soft) })
}
