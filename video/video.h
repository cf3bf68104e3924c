// A thin layer over FFmpeg 5.1 to 7.1: C types only. What to decode is decided
// in Go; here is how. A call that can fail returns a negative number and fills
// in its own failure.
#ifndef PPTSN_VIDEO_H
#define PPTSN_VIDEO_H

#include <stdint.h>

typedef struct video video; // one open file and the decoder of its video stream

typedef struct {
	int code; // an AVERROR, or one of the codes below
	char text[400];
} failure;

enum {
	VIDEO_NO_STREAM   = -1000001, // opened, but without a video stream
	VIDEO_TEXT        = -1000002, // a text file that FFmpeg would draw as letters
	VIDEO_INTERRUPTED = -1000003, // by video_interrupt, or no bytes came for too long
};

enum { VIDEO_OK = 0, VIDEO_NONE = 1 }; // NONE: end of file, or no picture yet

typedef struct {
	char container[64], codec[32];
	int width, height; // as stored
	int rotation;      // degrees clockwise by which the picture is turned to be shown
	int known;         // size and pixel format are known
	int interlaced, intra_only;
	int delay;         // pictures that the decoder holds back to reorder them
	int64_t claimed;   // frames, by the container; 0 if it does not say
	int64_t duration;  // in ticks; 0 if unknown
	int timed;         // the file tells its duration, or FFmpeg finds it in its time stamps
	int rate_num, rate_den, tick_num, tick_den; // frames a second; seconds a tick
	const uint8_t *extra; // the decoder's set-up bytes, valid until the next open
	int extra_size;
} stream_info;

typedef struct {
	int64_t pts, dts, pos, duration; // ticks; VIDEO_NO_TIME if absent
	const uint8_t *data;             // valid until the next read
	int size;
	int key, discard, corrupt, side; // side: carries new decoder parameters
} packet_info;

#define VIDEO_NO_TIME INT64_MIN

typedef struct {
	int64_t pts;
	int damaged; // marked, or the decoder complained before
	int marked;  // by the decoder, as damaged or repaired
	int usual;   // of the size, pixel format and rotation that the container states
} frame_info;

video *video_new(void);
void video_close(video *v);
void video_interrupt(video *v, int on); // makes reading fail; callable at any time

// video_open opens the file, or opens it again from its beginning and leaves the
// decoder alone.
// stall_us bounds each later call's wait for bytes.
int video_open(video *v, const char *path, int64_t max_pixels, int64_t stall_us, stream_info *info, failure *f);
int video_read(video *v, packet_info *p, failure *f);
int video_seek(video *v, int64_t ts, failure *f); // to a key frame at or before ts

int video_begin(video *v, int threads, failure *f); // a fresh decoder
int video_send(video *v, int skip_nonref, failure *f); // the packet read last
int video_drain(video *v, failure *f);              // no more packets follow
int video_receive(video *v, frame_info *i, failure *f);
int video_complaints(video *v);                     // how many since video_begin, of whatever
void video_flush(video *v);                         // forget all; a key frame follows

void video_size(video *v, int *w, int *h); // of the picture received last, upright
void video_sum(video *v, uint8_t sum[16]); // hash of that picture as it was decoded
// That picture, upright, as RGB of w x h pixels: dst has room for 3 * w * h bytes.
int video_rgb(video *v, uint8_t *dst, int w, int h, failure *f);

#endif
