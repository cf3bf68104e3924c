package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// Debian's /etc/hosts says 127.0.1.1 for the host's own name. Ranks of the other
// host must be given an address that is not host 0's alone.
func TestDoctorHostsNameOfLoopback(t *testing.T) {
	needsTorch(t)
	h := newHosts(t)
	for i, address := range []string{"127.0.1.1", h.addresses[0]} {
		h.knows(t, i, address+" host0.test")
	}
	var pair [2]*runner
	for i := range pair {
		args := []string{"doctor", "--nnodes", "2", "--node_rank", fmt.Sprint(i), "--master", "host0.test:29512", "--nproc", "2", "--timeout", "20s"}
		pair[i] = startRunner(t, h.inside(t, i, args...))
	}
	for i, r := range pair {
		if code, text := r.wait(); code != 0 {
			t.Errorf("host %d: exit code %d: %s", i, code, text)
		}
	}
}

// knows gives a host an /etc/hosts of its own.
func (h hosts) knows(t *testing.T, i int, line string) {
	t.Helper()
	dir := filepath.Join("/etc/netns", h.names[i])
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		os.RemoveAll(dir)
		os.Remove(filepath.Dir(dir)) // if it was made for this
	})
	writeFile(t, filepath.Join(dir, "hosts"), "127.0.0.1 localhost\n"+line+"\n")
}
