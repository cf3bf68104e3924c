package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Two hosts for a test: network namespaces with an address each, and a cable
// between them.
type hosts struct {
	names     [2]string
	addresses [2]string
}

func newHosts(t *testing.T) hosts {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("network namespaces need root")
	}
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skip("network namespaces need the tool ip (Debian: apt-get install iproute2)")
	}
	id := os.Getpid() % 100000
	h := hosts{
		names:     [2]string{fmt.Sprintf("pp%da", id), fmt.Sprintf("pp%db", id)},
		addresses: [2]string{"192.168.213.1", "192.168.213.2"}, // above 127.0.0.1: Gloo's lower end waits for the other
	}
	if out, err := exec.Command("ip", "netns", "add", h.names[0]).CombinedOutput(); err != nil {
		t.Skipf("this machine allows no network namespaces: %s", out)
	}
	t.Cleanup(func() { exec.Command("ip", "netns", "del", h.names[0]).Run() })
	ip(t, "netns", "add", h.names[1])
	t.Cleanup(func() { exec.Command("ip", "netns", "del", h.names[1]).Run() })
	ip(t, "link", "add", "cable", "netns", h.names[0], "type", "veth", "peer", "name", "cable", "netns", h.names[1])
	for i, name := range h.names {
		ip(t, "-n", name, "addr", "add", h.addresses[i]+"/24", "dev", "cable")
		ip(t, "-n", name, "link", "set", "lo", "up")
	}
	h.link(t, "up")
	return h
}

func ip(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		t.Fatalf("ip %s: %v: %s", strings.Join(args, " "), err, out)
	}
}

// link makes the cable "up" or "down".
func (h hosts) link(t *testing.T, state string) {
	t.Helper()
	for _, name := range h.names {
		ip(t, "-n", name, "link", "set", "cable", state)
	}
}

// train starts a launcher on each host.
func (h hosts) train(t *testing.T, f trainFixture, out string, more ...string) (runners [2]*runner) {
	t.Helper()
	for i := range h.names {
		args := f.together(out, "--nnodes", "2", "--node_rank", fmt.Sprint(i), "--master", h.addresses[0]+":29511", "--nproc", "1", "--resume")
		runners[i] = startRunner(t, h.inside(t, i, append(args, more...)...))
	}
	return runners
}

// inside is a command on one of the hosts.
func (h hosts) inside(t *testing.T, i int, args ...string) *exec.Cmd {
	t.Helper()
	cmd := child(t, nil, args...)
	inside := exec.Command("ip", append([]string{"netns", "exec", h.names[i]}, cmd.Args...)...)
	inside.Env = cmd.Env
	return inside
}

// Two hosts train together; a cable that is cut ends both in time, with an
// error that names who is missing; mended, the run goes on to the same bytes.
func TestTrainHosts(t *testing.T) {
	f := makeTrainFixture(t)
	h := newHosts(t)
	whole := filepath.Join(t.TempDir(), "whole")
	for i, r := range h.train(t, f, whole) {
		if code, text := r.wait(); code != 0 {
			t.Fatalf("host %d: exit code %d: %s", i, code, text)
		}
	}
	out := t.TempDir()
	pair := h.train(t, f, out, "--timeout", "5s")
	pair[0].await(t, 2)
	h.link(t, "down")
	cut := time.Now()
	for i, r := range pair {
		code, text := r.wait()
		if code != 1 || !strings.Contains(text, []string{"rank 1", h.addresses[0]}[i]) {
			t.Errorf("host %d: exit code %d, want 1 and an error that names who is missing: %s", i, code, text)
		}
	}
	if took := time.Since(cut); took > time.Minute {
		t.Errorf("the end came %v after the cut", took)
	}
	h.link(t, "up")
	for i, r := range h.train(t, f, out) {
		if code, text := r.wait(); code != 0 {
			t.Fatalf("host %d after the cable was mended: exit code %d: %s", i, code, text)
		}
	}
	if got, want := sums(t, out, togetherNames...), sums(t, whole, togetherNames...); got != want {
		t.Errorf("other bytes:\n%s\nwant\n%s", got, want)
	}
}
