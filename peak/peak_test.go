package peak_test

import (
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/pptsn/pptsn/peak"
)

// The kernels that this processor has are those that Linux says it has.
func TestInstructions(t *testing.T) {
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil || !strings.Contains(string(info), "flags\t") {
		t.Skip("the system does not tell what an x86-64 processor can do")
	}
	has := func(flag string) bool { return strings.Contains(string(info), " "+flag+" ") }
	fp32, bf16, int8 := "", "", ""
	switch {
	case has("avx512f"):
		fp32 = "vfmadd231ps zmm"
	case has("avx2") && has("fma"):
		fp32 = "vfmadd231ps ymm"
	}
	if has("avx512_bf16") && !has("amx_bf16") {
		bf16 = "vdpbf16ps zmm"
	}
	switch {
	case has("amx_int8"):
	case has("avx512_vnni"):
		int8 = "vpdpbusd zmm"
	case has("avx_vnni"):
		int8 = "vpdpbusd ymm"
	}
	for _, tc := range []struct {
		name string
		find func() (peak.Instruction, bool)
		want string
	}{{"FP32", peak.FP32, fp32}, {"BF16", peak.BF16, bf16}, {"INT8", peak.INT8, int8}} {
		i, known := tc.find()
		if i.Name != tc.want || known != (tc.want != "") {
			t.Errorf("%s is %q, %v: want %q", tc.name, i.Name, known, tc.want)
		}
	}
}

// A core has done at least 10^8 and at most 10^14 operations a second, whatever
// instruction it has and however busy the machine is.
func TestSpeed(t *testing.T) {
	for _, find := range []func() (peak.Instruction, bool){peak.FP32, peak.BF16, peak.INT8} {
		i, known := find()
		if !known {
			continue
		}
		for _, threads := range []int{1, 2, 5} {
			t.Run(fmt.Sprint(i.Name, threads), func(t *testing.T) {
				speed := i.Speed(threads, 10*time.Millisecond)
				if math.IsNaN(speed) || speed < 1e7 || speed > 1e14*float64(threads) {
					t.Errorf("%g operations a second", speed)
				}
			})
		}
	}
}

func BenchmarkSpeed(b *testing.B) {
	for _, find := range []func() (peak.Instruction, bool){peak.FP32, peak.BF16, peak.INT8} {
		i, known := find()
		if !known {
			continue
		}
		for _, threads := range []int{1, 2} {
			b.Run(fmt.Sprintf("%s/threads=%d", i.Name, threads), func(b *testing.B) {
				best := 0.0
				for b.Loop() {
					best = max(best, i.Speed(threads, 20*time.Millisecond))
				}
				b.ReportMetric(best/1e9, "GFLOP/s")
			})
		}
	}
}
