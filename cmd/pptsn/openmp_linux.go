package main

import (
	"os"
	"slices"
	"syscall"
)

// spins is how often a thread of OpenMP looks for work before it sleeps. By
// libgomp's own choice, 300,000, threads of a parallel region burn the cores on
// which others, of this program or not, would do what they wait for: on a busy
// machine a training step took four to seven times as long.
const spins = "GOMP_SPINCOUNT=1000"

// calmOpenMP starts the program once more with a number of spins, which libgomp
// reads when it is loaded, before main. It does nothing where the user has
// said how threads wait, and for commands that do not compute.
func calmOpenMP() {
	computes := len(os.Args) > 1 && slices.Contains([]string{"train", "test", "predict", "export"}, os.Args[1])
	if !computes || os.Getenv("GOMP_SPINCOUNT") != "" || os.Getenv("OMP_WAIT_POLICY") != "" {
		return
	}
	exe, err := os.Executable()
	if err != nil {
		return
	}
	syscall.Exec(exe, os.Args, append(os.Environ(), spins)) // returns only if it fails: then as it is
}
