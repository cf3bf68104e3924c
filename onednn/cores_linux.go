package onednn

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// physicalCores counts the cores that the process may run on, those with
// several hardware threads once: their threads share the units that multiply.
// It is 0 where the system does not tell.
func physicalCores() int {
	var allowed unix.CPUSet
	if unix.SchedGetaffinity(0, &allowed) != nil {
		return 0
	}
	cores := map[string]bool{}
	for cpu, left := 0, allowed.Count(); left > 0; cpu++ {
		if !allowed.IsSet(cpu) {
			continue
		}
		left--
		siblings, err := os.ReadFile(fmt.Sprintf("/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list", cpu))
		if err != nil {
			return 0
		}
		cores[string(siblings)] = true
	}
	return len(cores)
}
