package main

import (
	"encoding/json"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/internal/testdata"
	"github.com/pptsn/pptsn/torch"
)

// needsTorch skips where libtorch cannot be used.
func needsTorch(t *testing.T) {
	t.Helper()
	if _, err := torch.Version(); err != nil {
		t.Skip(err)
	}
}

func TestDoctor(t *testing.T) {
	needsTorch(t)
	t.Setenv("OMP_NUM_THREADS", "3")
	code, stdout, stderr := command(t, "", "doctor")
	for _, want := range []string{"host         ", "libtorch     ", "libpptsn_torch.so", "with gloo", "127.0.0.1/8", "OMP_NUM_THREADS=3", "one process, alone"} {
		if code != 0 || !strings.Contains(stdout, want) {
			t.Errorf("exit code %d, lacks %q: %s%s", code, want, stdout, stderr)
		}
	}
}

// Two processes of a launcher, and two that something like torchrun started:
// one report, with figures of the processes between them.
func TestDoctorRanks(t *testing.T) {
	needsTorch(t)
	code, stdout, stderr, _ := outputs(t, child(t, nil, "doctor", "--nproc", "2", "--json", "--timeout", "60s"), t.TempDir())
	if code != 0 {
		t.Fatalf("exit code %d: %s%s", code, stdout, stderr)
	}
	checkDiagnosis(t, stdout, "a launcher of 2 processes")

	port := testdata.FreePort(t)
	second := make(chan string, 1)
	worker := func(rank int) []string {
		return []string{fmt.Sprint("RANK=", rank), fmt.Sprint("LOCAL_RANK=", rank), "WORLD_SIZE=2", "LOCAL_WORLD_SIZE=2", "MASTER_ADDR=127.0.0.1", fmt.Sprint("MASTER_PORT=", port)}
	}
	one := child(t, worker(1), "doctor", "--json", "--timeout", "60s")
	go func() { b, err := one.CombinedOutput(); second <- fmt.Sprintf("%s%v", b, err) }()
	code, stdout, stderr, _ = outputs(t, child(t, worker(0), "doctor", "--json", "--timeout", "60s"), t.TempDir())
	if text := <-second; code != 0 || text != "<nil>" {
		t.Fatalf("exit code %d: %s%s\nrank 1: %s", code, stdout, stderr, text)
	}
	checkDiagnosis(t, stdout, "a worker: rank 0 of 2")
}

func checkDiagnosis(t *testing.T, text, role string) {
	t.Helper()
	var d diagnosis
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	r := d.Ranks
	if len(d.Problems) > 0 || !strings.HasPrefix(d.Role, role) || r == nil || len(r.Ranks) != 2 || len(r.AllReduce) != len(transfers) {
		t.Fatalf("%s", text)
	}
	if r.Ranks[0].Pid == r.Ranks[1].Pid || r.Ranks[1].Rank != 1 || r.Ranks[0].Clock != 0 || max(r.Ranks[1].Clock, -r.Ranks[1].Clock) > clocksAgree {
		t.Errorf("ranks %+v", r.Ranks)
	}
	for _, a := range r.AllReduce {
		if a.Seconds <= 0 || a.Bandwidth != float64(a.Bytes)/a.Seconds || a.Bus != a.Bandwidth { // 2(n-1)/n of two is 1
			t.Errorf("%+v", a)
		}
	}
}

// What is wrong is named, with what to do, and the exit code is 1.
func TestDoctorProblems(t *testing.T) {
	needsTorch(t)
	l, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	taken := fmt.Sprint("127.0.0.1:", l.Addr().(*net.TCPAddr).Port)
	for name, tc := range map[string]struct {
		env, args []string
		want      []string
	}{
		"no libtorch":     {env: []string{"PPTSN_TORCH=" + filepath.Join(t.TempDir(), "absent")}, want: []string{"make torch"}},
		"half of a place": {env: []string{"RANK=1"}, want: []string{"RANK=1", "WORLD_SIZE", "not understood"}},
		"two places":      {env: []string{"PET_NPROC_PER_NODE=3"}, args: []string{"--nproc", "2"}, want: []string{"PET_NPROC_PER_NODE=3", "disagree"}},
		"port taken":      {args: []string{"--nnodes", "2", "--node_rank", "0", "--master", taken}, want: []string{"port ", "ss -ltnp", "towards host 0"}},
		"no such host":    {args: []string{"--nnodes", "2", "--node_rank", "1", "--master", "host.invalid:29500"}, want: []string{"host.invalid", "by its address"}},
		"no interface":    {env: []string{"GLOO_SOCKET_IFNAME=nope0"}, want: []string{"GLOO_SOCKET_IFNAME=nope0", "unset it"}},
		"nobody there":    {args: []string{"--nnodes", "2", "--node_rank", "1", "--master", fmt.Sprint("127.0.0.1:", testdata.FreePort(t)), "--timeout", "1s"}, want: []string{"nobody listens there yet", "did not come together"}},
	} {
		code, stdout, stderr, _ := outputs(t, child(t, tc.env, append([]string{"doctor"}, tc.args...)...), t.TempDir())
		for _, want := range tc.want {
			if code != 1 || !strings.Contains(stdout, want) || strings.Contains(stdout, "problems     none") {
				t.Errorf("%s: exit code %d, lacks %q: %s%s", name, code, want, stdout, stderr)
			}
		}
	}
}
