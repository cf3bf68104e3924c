// Package video decodes chosen frames of a video file with FFmpeg.
//
// Frame i is the i-th picture, counted from 0 in presentation order, that
//
//	ffmpeg -i FILE -fps_mode passthrough -f rawvideo -pix_fmt rgb24 -
//
// writes, byte for byte: the same stream, edit lists obeyed, variable frame
// rates left alone, rotation applied, and all frames of the first one's size.
// No more is decoded than the chosen frames need, as long as that provably
// changes nothing; see [File.Frames].
//
// What FFmpeg has to say goes into the errors: its log, which is one for the
// whole process, no longer writes to stderr once a file was opened here.
package video

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"github.com/pptsn/pptsn/frame"
)

// Options tunes decoding. The zero value decodes with one thread.
type Options struct {
	Threads int           // decoder threads; 0 means 1. Many files at a time use the cores better
	Stall   time.Duration // how long to wait for bytes of the file before giving up; 0 means 30 s
	// Index is what File.Index gave for the same file: Open then does not read
	// through it. One of another stream is not used. One of a file that is
	// another by now costs time: frames that do not agree with it are decoded from
	// the beginning.
	Index *Index
}

func (o Options) threads() int { return max(o.Threads, 1) }

func (o Options) stall() time.Duration {
	if o.Stall <= 0 {
		return 30 * time.Second
	}
	return o.Stall
}

// maxPackets bounds the index: 38 hours at 60 frames a second.
const maxPackets = 1 << 23

// maxPixels bounds the size of a picture, and so what a hostile file can make
// the decoder allocate: four times 8K.
const maxPixels = 4 * 7680 * 4320

// A File is an open video. It may be used by several goroutines, one at a time
// is served.
type File struct {
	path  string
	o     Options
	leak  runtime.Cleanup
	turn  chan struct{} // holds a token while nobody uses what follows
	h     *handle       // nil once closed
	s     stream
	x     index
	next  int  // position of the packet that is read next
	held  bool // that packet was read already
	lost  bool // next is not known
	plain bool // the shortcuts of chosen.go did not work out for this file
	exact bool // frames is what a full decode gave

	frames atomic.Int64
}

// Open opens the video at path, which must be a regular file, and reads through
// it once without decoding, to number its frames. The caller closes it.
//
// Errors: what os.Open says of a path that cannot be read; [ErrEmpty],
// [ErrNoVideoStream], [ErrNoFrames]; an [*OpenError]; the context's error.
func Open(ctx context.Context, path string, o Options) (*File, error) {
	size, err := readable(path)
	if err != nil {
		return nil, fmt.Errorf("video: %w", err)
	}
	h, err := newHandle()
	if err != nil {
		return nil, fmt.Errorf("video: open %s: %w", path, err)
	}
	f := &File{path: path, o: o, h: h, turn: make(chan struct{}, 1)}
	if err := f.openInTime(ctx, size); err != nil {
		return nil, err
	}
	f.leak = runtime.AddCleanup(f, reportLeak, path)
	f.turn <- struct{}{}
	return f, nil
}

func reportLeak(path string) { slog.Warn("video: file was never closed", "path", path) }

// openInTime is open that does not outlast ctx by more than a second: a hostile
// header can keep FFmpeg busy for long without a read that could be made to
// fail. After an error it sees to it that the handle is closed.
func (f *File) openInTime(ctx context.Context, size int64) error {
	done := make(chan error, 1)
	go func() { done <- f.open(ctx, size) }()
	late := make(chan struct{})
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(time.Second, func() { close(late) }) })
	defer stop()
	select {
	case err := <-done:
		if err != nil {
			f.h.close()
		}
		return err
	case <-late:
		go func() {
			<-done
			f.h.close()
		}()
		return fmt.Errorf("video: open %s: %w", f.path, ctx.Err())
	}
}

func (f *File) open(ctx context.Context, size int64) error {
	defer f.h.watch(ctx)()
	s, err := f.h.open(f.path, f.o)
	if err != nil {
		return f.openError(ctx, err)
	}
	if x := f.o.Index; x != nil && x.fits(s) {
		f.s, f.x = s, newIndex(s, slices.Clone(x.packets))
	}
	if f.x.frames == 0 { // no index, or one that cannot be of this file
		packets, err := f.scan(ctx, s, size)
		if err != nil {
			return f.openError(ctx, err)
		}
		f.s, f.x, f.next = s, newIndex(s, packets), len(packets)
	}
	if f.x.frames == 0 {
		return fmt.Errorf("video: open %s: %w", f.path, ErrNoFrames)
	}
	if err := f.h.begin(f.o.threads()); err != nil {
		return f.openError(ctx, err)
	}
	f.frames.Store(int64(f.x.frames))
	if s.known {
		return nil
	}
	// Nothing of the first packets could be decoded: is there anything at all?
	if err := f.full(ctx, nil); err != nil {
		return err
	}
	if f.Len() == 0 {
		return fmt.Errorf("video: open %s: %w", f.path, ErrNoFrames)
	}
	return nil
}

// scan reads all packets. size is that of the file in bytes: a file that gives
// more packets than it has bytes never ends.
func (f *File) scan(ctx context.Context, s stream, size int64) ([]packet, error) {
	look := lookFor(s)
	var packets []packet
	for {
		p, data, ok, err := f.h.read()
		var bad *failure
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case errors.As(err, &bad) && !bad.interrupted():
			return packets, nil // a damaged tail ends the file, as in the ffmpeg tool
		case err != nil:
			return nil, err
		case !ok:
			return packets, nil
		case int64(len(packets)) >= min(size, maxPackets):
			return nil, errors.New("there is no end of packets")
		}
		if look != nil && p.size > 0 {
			p.traits = look(data)
		}
		packets = append(packets, p)
	}
}

// Close frees the decoder and closes the file. It may be called twice.
func (f *File) Close() error {
	<-f.turn
	defer func() { f.turn <- struct{}{} }()
	if f.h != nil {
		f.leak.Stop()
		f.h.close()
		f.h = nil
	}
	return nil
}

// Len is the number of frames as far as is known: what the file's packets
// promise, and after a full decode what was really there. So it changes at most
// once, during Count or a call of Frames that returns a [*LenError].
func (f *File) Len() int { return int(f.frames.Load()) }

// enter waits until the file is free. leave gives it back.
func (f *File) enter(ctx context.Context) (leave func(), err error) {
	select {
	case <-f.turn:
	case <-ctx.Done():
		return nil, fmt.Errorf("video: %s: %w", f.path, ctx.Err())
	}
	err = ctx.Err()
	if f.h == nil {
		err = os.ErrClosed
	}
	if err != nil {
		f.turn <- struct{}{}
		return nil, fmt.Errorf("video: %s: %w", f.path, err)
	}
	release := f.h.watch(ctx)
	return func() {
		release()
		f.turn <- struct{}{}
	}, nil
}

// Count decodes the whole file and returns how many frames come out, which is
// then also Len.
func (f *File) Count(ctx context.Context) (int, error) {
	leave, err := f.enter(ctx)
	if err != nil {
		return 0, err
	}
	defer leave()
	if !f.exact {
		if err := f.full(ctx, nil); err != nil {
			return 0, err
		}
	}
	return f.Len(), nil
}

// Frames returns one picture for each index, in the order asked for. Equal
// indices share a picture.
//
// Where the container (MP4, Matroska) and the codec allow it, pictures that no
// chosen one refers to are skipped and decoding begins at key frames from which
// it is self-contained. All that comes out must then agree with the numbering;
// at the first doubt the file is decoded in full instead, which settles Len.
// Damage goes unnoticed in a picture that nobody needs, or where the decoder
// itself does not notice; what is then left of a picture may depend on the choice.
//
// Errors: an [*IndexError] for an index outside [0, Len()); a [*LenError] once
// Len turned out to be wrong, after which the caller chooses again;
// [ErrNoFrames]; a [*DecodeError]; the context's error.
func (f *File) Frames(ctx context.Context, indices []int) ([]*frame.RGB, error) {
	leave, err := f.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	if err := f.check(indices); err != nil {
		return nil, err
	}
	pictures := make(map[int]*frame.RGB, len(indices))
	for _, i := range indices {
		pictures[i] = nil
	}
	promised := f.Len()
	if err := f.fill(ctx, pictures); err != nil {
		return nil, err
	}
	switch n := f.Len(); {
	case n == 0:
		return nil, fmt.Errorf("video: %s: %w", f.path, ErrNoFrames)
	case n != promised:
		return nil, &LenError{Path: f.path, Was: promised, Is: n}
	}
	out := make([]*frame.RGB, len(indices))
	for k, i := range indices {
		out[k] = pictures[i]
	}
	return out, nil
}

// check says whether all indices are in range.
func (f *File) check(indices []int) error {
	n := f.Len()
	for _, i := range indices {
		switch {
		case n == 0:
			return fmt.Errorf("video: %s: %w", f.path, ErrNoFrames)
		case i < 0 || i >= n:
			return &IndexError{Path: f.path, Index: i, Len: n}
		}
	}
	return nil
}

// fill decodes the frames that are the keys of pictures.
func (f *File) fill(ctx context.Context, pictures map[int]*frame.RGB) error {
	if len(pictures) == 0 {
		return nil
	}
	if f.x.clean && !f.plain {
		err := f.chosen(ctx, pictures)
		if !errors.Is(err, errDoubt) {
			return err
		}
		f.plain = true
		for i := range pictures {
			pictures[i] = nil
		}
	}
	return f.full(ctx, pictures)
}
