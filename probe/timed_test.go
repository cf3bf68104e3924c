package probe_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pptsn/pptsn/probe"
)

func TestWorkThatHangsIsLeftBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin, release := time.Now(), make(chan struct{})
		defer close(release)
		_, err := probe.Timed(context.Background(), time.Minute, func(context.Context) (int, error) {
			<-release // as a file system that does not answer, whatever becomes of the context
			return 1, nil
		})
		if !errors.Is(err, probe.ErrLate) {
			t.Errorf("%v, want %v", err, probe.ErrLate)
		}
		if took := time.Since(begin); took != time.Minute+probe.Grace {
			t.Errorf("left behind after %v", took)
		}
	})
}

func TestWorkWithinTheGraceCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, err := probe.Timed(context.Background(), time.Minute, func(context.Context) (int, error) {
			time.Sleep(time.Minute + time.Second)
			return 7, nil
		})
		if n != 7 || err != nil {
			t.Errorf("%d, %v, want 7", n, err)
		}
	})
}

func TestPanicOfADecoderIsAnError(t *testing.T) {
	_, err := probe.Timed(context.Background(), time.Minute, func(context.Context) (int, error) { panic("odd packet") })
	if err == nil || !strings.Contains(err.Error(), "panic: odd packet") {
		t.Errorf("%v, want what it panicked with", err)
	}
}
