package ordered_test

import (
	"context"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pptsn/pptsn/internal/ordered"
)

func numbers(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

func TestGoroutinesKeepTheOrder(t *testing.T) {
	for _, workers := range []int{0, 1, 3, 16} {
		var got []int
		for v := range ordered.Map(context.Background(), slices.Values(numbers(200)), workers, 2, func(_ context.Context, i int) int {
			time.Sleep(time.Duration(rand.IntN(200)) * time.Microsecond)
			return i * i
		}) {
			got = append(got, v)
		}
		for i, v := range got {
			if v != i*i {
				t.Fatalf("%d workers: result %d is %d", workers, i, v)
			}
		}
		if len(got) != 200 {
			t.Errorf("%d workers: %d results", workers, len(got))
		}
	}
}

func TestGoroutinesTakeOnlySoManyItems(t *testing.T) {
	var taken atomic.Int64
	items := func(yield func(int) bool) {
		for i := 0; yield(i); i++ {
			taken.Add(1)
		}
	}
	n := 0
	for range ordered.Map(context.Background(), items, 2, 3, func(_ context.Context, i int) int { return i }) {
		if n++; n == 5 {
			time.Sleep(20 * time.Millisecond)
			break
		}
	}
	// 5 were consumed, 5 wait in the queue, one item may be on its way into it.
	if got := taken.Load(); got > 11 {
		t.Errorf("%d items were taken ahead", got)
	}
}

func TestCancelEndsAllGoroutines(t *testing.T) {
	before := runtime.NumGoroutine()
	ctx, cancel := context.WithCancel(context.Background())
	n := 0
	for range ordered.Map(ctx, slices.Values(numbers(1000)), 4, 4, func(ctx context.Context, i int) int {
		if i > 10 {
			<-ctx.Done()
		}
		return i
	}) {
		if n++; n == 5 {
			cancel()
		}
	}
	if n >= 1000 {
		t.Error("it went on")
	}
	if after := runtime.NumGoroutine(); after > before {
		t.Errorf("%d goroutines before, %d after", before, after)
	}
	cancel()
}
