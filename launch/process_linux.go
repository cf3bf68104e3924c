package launch

import "syscall"

// attributes make a process that ends with the thread that started it, however
// the launcher dies, and that a terminal's Ctrl-C does not reach: the launcher
// passes that on, once.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// kill ends a process and what it has started.
func kill(pid int) {
	syscall.Kill(-pid, syscall.SIGKILL) // fails only if there is nothing left
}
