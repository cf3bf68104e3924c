#include <string.h>
#include <libavutil/opt.h>
#include <libavutil/time.h>

#include "handle.h"

// FFmpeg's messages go to the handle that they are about, never to stderr: its
// return codes alone say little more than "invalid data".
static void on_log(void *obj, int level, const char *format, va_list args)
{
	if (!obj || level > AV_LOG_ERROR)
		return;
	const AVClass *class = *(const AVClass **)obj;
	video *v = NULL;
	if (class == avformat_get_class())
		v = ((AVFormatContext *)obj)->opaque;
	else if (class == avcodec_get_class() && (v = ((AVCodecContext *)obj)->opaque))
		atomic_fetch_add(&v->complaints, 1);
	if (!v)
		return;
	pthread_mutex_lock(&v->log_lock);
	if (!v->log[0]) {
		vsnprintf(v->log, sizeof v->log, format, args);
		v->log[strcspn(v->log, "\n")] = 0;
	}
	pthread_mutex_unlock(&v->log_lock);
}

static int interrupted(void *opaque)
{
	video *v = opaque;
	if (atomic_load(&v->stop))
		return 1;
	if (av_gettime_relative() > v->stall_at)
		v->stalled = 1;
	return v->stalled;
}

// A reference inside the file may name other files: none is opened.
static int refuse(AVFormatContext *s, AVIOContext **pb, const char *url, int flags, AVDictionary **o)
{
	av_log(s, AV_LOG_ERROR, "the file refers to another one (%s), which is not opened\n", url);
	return AVERROR(EACCES);
}

void video_start_call(video *v)
{
	v->log[0] = 0;
	v->stalled = 0;
	v->stall_at = av_gettime_relative() + v->stall_us;
}

int video_fail(video *v, failure *f, int code, const char *what)
{
	char text[AV_ERROR_MAX_STRING_SIZE];
	av_strerror(code, text, sizeof text);
	pthread_mutex_lock(&v->log_lock);
	if (v->stalled)
		snprintf(f->text, sizeof f->text, "%s: no bytes came for %d s", what, (int)(v->stall_us / 1000000));
	else if (v->log[0])
		snprintf(f->text, sizeof f->text, "%s: %s", what, v->log);
	else
		snprintf(f->text, sizeof f->text, "%s: %s", what, text);
	pthread_mutex_unlock(&v->log_lock);
	return f->code = code;
}

video *video_new(void)
{
	video *v = av_mallocz(sizeof *v);
	if (!v)
		return NULL;
	pthread_mutex_init(&v->log_lock, NULL);
	v->pkt = av_packet_alloc();
	v->frame = av_frame_alloc();
	v->turned = av_frame_alloc();
	v->rgb = av_frame_alloc();
	if (!v->pkt || !v->frame || !v->turned || !v->rgb) {
		video_close(v);
		return NULL;
	}
	av_log_set_callback(on_log);
	return v;
}

static void close_input(video *v)
{
	avformat_close_input(&v->fmt);
	avio_closep(&v->io);
	v->stream = NULL;
}

void video_close(video *v)
{
	close_input(v);
	avcodec_free_context(&v->dec);
	av_packet_free(&v->pkt);
	av_frame_free(&v->frame);
	av_frame_free(&v->turned);
	av_frame_free(&v->rgb);
	sws_freeContext(v->sws);
	pthread_mutex_destroy(&v->log_lock);
	av_free(v);
}

void video_interrupt(video *v, int on) { atomic_store(&v->stop, on); }

// The stream that the ffmpeg tool chooses by itself: the largest, or the one
// marked as default where that is not much smaller, and never cover art.
static AVStream *choose(AVFormatContext *fmt)
{
	AVStream *best = NULL;
	int64_t best_score = 0;
	for (unsigned i = 0; i < fmt->nb_streams; i++) {
		AVStream *st = fmt->streams[i];
		int64_t score = (int64_t)st->codecpar->width * st->codecpar->height +
			100000000 * !!(st->event_flags & AVSTREAM_EVENT_FLAG_NEW_PACKETS) +
			5000000 * !!(st->disposition & AV_DISPOSITION_DEFAULT);
		st->discard = AVDISCARD_ALL;
		if (st->codecpar->codec_type == AVMEDIA_TYPE_VIDEO &&
		    !(st->disposition & AV_DISPOSITION_ATTACHED_PIC) && score > best_score) {
			best = st;
			best_score = score;
		}
	}
	if (best)
		best->discard = AVDISCARD_DEFAULT;
	return best;
}

static int open_input(video *v, const char *url, failure *f)
{
	AVDictionary *options = NULL;
	const AVIOInterruptCB on_wait = {interrupted, v};
	av_dict_set(&options, "protocol_whitelist", "file", 0);
	int rc = avio_open2(&v->io, url, AVIO_FLAG_READ, &on_wait, &options);
	av_dict_free(&options);
	if (rc < 0)
		return video_fail(v, f, rc, "open");

	if (!(v->fmt = avformat_alloc_context()))
		return video_fail(v, f, AVERROR(ENOMEM), "open");
	v->fmt->opaque = v;
	v->fmt->interrupt_callback = on_wait;
	v->fmt->io_open = refuse;
	v->fmt->pb = v->io;
	av_dict_set(&options, "protocol_whitelist", "none", 0); // nor by demuxers of playlists
	av_dict_set(&options, "scan_all_pmts", "1", 0); // as the ffmpeg tool does
	rc = avformat_open_input(&v->fmt, url, NULL, &options);
	av_dict_free(&options);
	if (rc < 0)
		return video_fail(v, f, rc, "read the header");
	if (!strcmp(v->fmt->iformat->name, "tty"))
		return video_fail(v, f, VIDEO_TEXT, "read the header");
	return VIDEO_OK;
}

static int find_streams(video *v, failure *f)
{
	unsigned n = v->fmt->nb_streams;
	AVDictionary **options = n ? av_calloc(n, sizeof *options) : NULL;
	for (unsigned i = 0; options && i < n; i++)
		av_dict_set_int(&options[i], "max_pixels", v->max_pixels, 0);
	int rc = avformat_find_stream_info(v->fmt, options);
	for (unsigned i = 0; options && i < n; i++)
		av_dict_free(&options[i]);
	av_free(options);
	if (rc < 0 && (rc == AVERROR_EXIT || !v->fmt->nb_streams))
		return video_fail(v, f, rc, "look for streams");
	if (!(v->stream = choose(v->fmt)))
		return video_fail(v, f, VIDEO_NO_STREAM, "look for streams");
	return VIDEO_OK;
}

static void describe(const video *v, stream_info *info)
{
	const AVStream *st = v->stream;
	const AVCodecParameters *par = st->codecpar;
	const AVCodecDescriptor *codec = avcodec_descriptor_get(par->codec_id);
	AVRational rate = st->avg_frame_rate;
	memset(info, 0, sizeof *info);
	snprintf(info->container, sizeof info->container, "%s", v->fmt->iformat->name);
	snprintf(info->codec, sizeof info->codec, "%s", avcodec_get_name(par->codec_id));
	info->width = par->width;
	info->height = par->height;
	video_crop_size(v, &info->width, &info->height);
	info->rotation = video_rotation(video_matrix(v, NULL));
	info->known = par->width > 0 && par->height > 0 && par->format != AV_PIX_FMT_NONE;
	info->interlaced = par->field_order > AV_FIELD_PROGRESSIVE;
	info->intra_only = codec && (codec->props & AV_CODEC_PROP_INTRA_ONLY);
	info->delay = par->video_delay;
	info->claimed = st->nb_frames;
	if (st->duration != AV_NOPTS_VALUE)
		info->duration = st->duration;
	else if (v->fmt->duration != AV_NOPTS_VALUE)
		info->duration = av_rescale_q(v->fmt->duration, AV_TIME_BASE_Q, st->time_base);
	info->timed = info->duration > 0 &&
		(st->duration != AV_NOPTS_VALUE || v->fmt->duration_estimation_method != AVFMT_DURATION_FROM_BITRATE);
	info->rate_num = rate.num;
	info->rate_den = rate.den;
	info->tick_num = st->time_base.num;
	info->tick_den = st->time_base.den;
	info->extra = par->extradata;
	info->extra_size = par->extradata_size;
}

int video_open(video *v, const char *url, int64_t max_pixels, int64_t stall_us, stream_info *info, failure *f)
{
	close_input(v);
	v->max_pixels = max_pixels;
	v->stall_us = stall_us;
	video_start_call(v);
	int rc = open_input(v, url, f);
	if (rc >= 0)
		rc = find_streams(v, f);
	if (rc < 0)
		return rc;
	describe(v, info);
	return VIDEO_OK;
}
