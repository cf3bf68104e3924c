package torch

import "runtime"

// Cores is how many threads a session on the CPU should have: one for each
// that the Go program may use, which respects the limits of containers.
func Cores() int { return min(runtime.GOMAXPROCS(0), runtime.NumCPU()) }
