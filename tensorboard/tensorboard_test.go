package tensorboard

import (
	"bytes"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// golden was put together by testdata/events.py.
func golden(t testing.TB) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/events.golden")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func at(second int64) func() time.Time {
	return func() time.Time { return time.Unix(second, 250e6) }
}

func TestWriterGivesTheBytesOfTheScript(t *testing.T) {
	w, err := create(t.TempDir(), at(1700000000))
	if err != nil {
		t.Fatal(err)
	}
	path := w.Path()
	for _, err := range []error{
		w.Restart(301),
		w.Scalar("train/loss", 301, 5.99146),
		w.Scalar("train/lr", 100000, 0.005),
		w.Close(),
		w.Close(),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, golden(t)) {
		t.Errorf("file differs from testdata/events.golden:\n%q\n%q", got, golden(t))
	}
}

func TestReadFile(t *testing.T) {
	events, err := ReadFile("testdata/events.golden")
	if err != nil {
		t.Fatal(err)
	}
	want := []Event{
		{WallTime: 1700000000.25, FileVersion: "brain.Event:2"},
		{WallTime: 1700000000.25, Step: 301, Start: true},
		{WallTime: 1700000000.25, Step: 301, Scalars: []Scalar{{"train/loss", 5.99146}}},
		{WallTime: 1700000000.25, Step: 100000, Scalars: []Scalar{{"train/lr", 0.005}}},
	}
	if !slices.EqualFunc(events, want, equal) {
		t.Errorf("read %+v\nwant %+v", events, want)
	}
}

func equal(a, b Event) bool {
	same := func(a, b Scalar) bool {
		return a.Tag == b.Tag && math.Float32bits(a.Value) == math.Float32bits(b.Value)
	}
	return math.Float64bits(a.WallTime) == math.Float64bits(b.WallTime) && a.Step == b.Step &&
		a.FileVersion == b.FileVersion && a.Start == b.Start && slices.EqualFunc(a.Scalars, b.Scalars, same)
}

// A flipped bit anywhere must be seen: all bytes are under one of the sums.
func TestReadSeesEveryFlippedByte(t *testing.T) {
	b := golden(t)
	for i := range b {
		bad := bytes.Clone(b)
		bad[i] ^= 0x10
		if _, err := Read(bytes.NewReader(bad)); err == nil {
			t.Errorf("byte %d changed: no error", i)
		}
	}
}

func TestReadKeepsWhatPrecedesACut(t *testing.T) {
	b := golden(t)
	events, err := Read(bytes.NewReader(b[:len(b)-3]))
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("error %v, want %v", err, io.ErrUnexpectedEOF)
	}
	if len(events) != 3 {
		t.Errorf("%d events, want 3", len(events))
	}
}

// Runs that start within one second must not be read in the wrong order.
func TestNamesSortInTheOrderOfWriting(t *testing.T) {
	dir := t.TempDir()
	var names []string
	for range 12 {
		w, err := create(dir, at(999999999))
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, filepath.Base(w.Path()))
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.IsSorted(names) || len(slices.Compact(slices.Clone(names))) != 12 {
		t.Errorf("names %v", names)
	}
	if !strings.HasPrefix(names[0], "events.out.tfevents.0999999999.") {
		t.Errorf("first name %s", names[0])
	}
}

func FuzzRead(f *testing.F) {
	f.Add(golden(f))
	f.Add(golden(f)[:20])
	f.Fuzz(func(t *testing.T, b []byte) {
		events, err := Read(bytes.NewReader(b))
		if err != nil {
			return
		}
		var again []byte
		for _, e := range events {
			again = appendRecord(again, appendEvent(nil, e))
		}
		back, err := Read(bytes.NewReader(again))
		if err != nil || !slices.EqualFunc(events, back, equal) {
			t.Errorf("%+v came back as %+v, %v", events, back, err)
		}
	})
}

func FuzzParseEvent(f *testing.F) {
	f.Add(appendEvent(nil, Event{WallTime: 1, Step: 2, Scalars: []Scalar{{"a", 1}}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := parseEvent(b)
		if err != nil {
			return
		}
		if back, err := parseEvent(appendEvent(nil, e)); err != nil || !equal(e, back) {
			t.Errorf("%+v came back as %+v, %v", e, back, err)
		}
	})
}
