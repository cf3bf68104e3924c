//go:build !linux

package launch

import (
	"os"
	"syscall"
)

// attributes say nothing: only Linux ends processes with their parent.
func attributes() *syscall.SysProcAttr { return nil }

func kill(pid int) {
	if p, err := os.FindProcess(pid); err == nil {
		p.Kill() // fails only if it has ended
	}
}
