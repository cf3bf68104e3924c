// What the C files share and Go does not see.
#ifndef PPTSN_VIDEO_HANDLE_H
#define PPTSN_VIDEO_HANDLE_H

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libswscale/swscale.h>
#include <pthread.h>
#include <stdatomic.h>

#include "video.h"

struct video {
	AVFormatContext *fmt;
	AVIOContext *io;
	AVStream *stream;
	AVCodecContext *dec;
	AVPacket *pkt;
	AVFrame *frame, *turned, *rgb;
	struct SwsContext *sws;
	int sws_key[8];       // what sws was made for
	int64_t max_pixels;

	atomic_int stop;
	int64_t stall_us, stall_at; // stall_at: clock at which waiting for bytes ends
	int stalled;

	atomic_int complaints; // of the decoder, since video_begin
	pthread_mutex_t log_lock;
	char log[256];        // FFmpeg's first complaint in this call
};

// An orientation says which stored pixel is shown at (x, y):
// (u, v) = transpose ? (y, x) : (x, y), then u or v is counted from the far end.
typedef struct {
	int transpose, flip_x, flip_y;
} orientation;

void video_start_call(video *v);
int video_fail(video *v, failure *f, int code, const char *what);

void video_crop_size(const video *v, int *w, int *h);
int video_crop(const video *v, AVFrame *frame);

const int32_t *video_matrix(const video *v, const AVFrame *frame);
int video_rotation(const int32_t *matrix);
orientation video_orientation(const int32_t *matrix);
int video_turnable(enum AVPixelFormat format, orientation o);
int video_turn(AVFrame *dst, const AVFrame *src, orientation o);
void video_turn_plane(uint8_t *dst, int dst_line, const uint8_t *src, int src_line,
                      int w, int h, int step, orientation o);

#endif
