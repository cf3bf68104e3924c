#include "encode.h"

#include <string.h>
#include <libavutil/imgutils.h>
#include <libavutil/opt.h>

#include "handle.h"

struct writer {
	video *v; // for FFmpeg's words, its packet, and its picture in RGB
	AVFormatContext *fmt;
	AVStream *stream;
	AVCodecContext *enc;
	AVFrame *frame;
	struct SwsContext *sws;
	int src_width, src_height; // what sws was made for
	int64_t last, step;        // ticks: time of the last picture, distance from the one before
	int64_t pictures, packets;
};

// Ticks a second. The first is a multiple of all usual rates, 1000/1001 of them
// and milliseconds included; MPEG-4 allows no more than 65535.
enum { H264_RATE = 120000, MPEG4_RATE = 60000 };

// What is assumed of the rate where it must be known in advance: it decides the
// H.264 level, and how long a single picture is shown.
static const AVRational usual = {30, 1};

writer *writer_new(void)
{
	writer *w = av_mallocz(sizeof *w);
	if (!w)
		return NULL;
	if (!(w->v = video_new()) || !(w->frame = av_frame_alloc())) {
		writer_free(w);
		return NULL;
	}
	return w;
}

void writer_free(writer *w)
{
	avcodec_free_context(&w->enc);
	if (w->fmt)
		avio_closep(&w->fmt->pb);
	avformat_free_context(w->fmt);
	av_frame_free(&w->frame);
	sws_freeContext(w->sws);
	if (w->v)
		video_close(w->v);
	av_free(w);
}

int64_t writer_rate(const writer *w) { return w->enc->time_base.den; }

// The colours are said, so that no reader has to guess: those of television,
// BT.601 for small pictures and BT.709 for large ones.
static void set_colours(AVCodecContext *c)
{
	int hd = c->height >= 720;
	c->pix_fmt = AV_PIX_FMT_YUV420P;
	c->color_range = AVCOL_RANGE_MPEG;
	c->colorspace = hd ? AVCOL_SPC_BT709 : AVCOL_SPC_SMPTE170M;
	c->color_primaries = hd ? AVCOL_PRI_BT709 : AVCOL_PRI_SMPTE170M;
	c->color_trc = hd ? AVCOL_TRC_BT709 : AVCOL_TRC_SMPTE170M;
	c->chroma_sample_location = AVCHROMA_LOC_LEFT;
}

// MPEG-4 has no CRF; its quantiser doubles about every 6 steps as well.
static int quantiser(int crf)
{
	int q = (crf - 12) / 3;
	return q < 1 ? 1 : q > 31 ? 31 : q;
}

static int open_encoder(writer *w, const writer_options *o, failure *f)
{
	const AVCodec *codec = avcodec_find_encoder_by_name(o->codec ? o->codec : "libx264");
	if (!codec && !o->codec)
		codec = avcodec_find_encoder(AV_CODEC_ID_MPEG4);
	if (!codec)
		return video_fail(w->v, f, AVERROR_ENCODER_NOT_FOUND, "open the encoder");
	AVCodecContext *c = w->enc = avcodec_alloc_context3(codec);
	if (!c)
		return video_fail(w->v, f, AVERROR(ENOMEM), "open the encoder");
	int h264 = codec->id == AV_CODEC_ID_H264;
	c->opaque = w->v;
	c->width = o->width;
	c->height = o->height;
	set_colours(c);
	c->time_base = (AVRational){1, h264 ? H264_RATE : MPEG4_RATE};
	c->framerate = usual;
	c->sample_aspect_ratio = (AVRational){1, 1};
	c->gop_size = o->gop;
	c->max_b_frames = 0; // a file plays from any key frame, and dts is pts
	c->thread_count = o->threads;
	c->flags |= AV_CODEC_FLAG_GLOBAL_HEADER | AV_CODEC_FLAG_BITEXACT;
	if (h264) {
		av_opt_set_double(c->priv_data, "crf", o->crf, 0);
		av_opt_set(c->priv_data, "preset", o->preset, 0);
		if (o->fast_decode) // no CABAC, no deblocking, no weighted prediction
			av_opt_set(c->priv_data, "tune", "fastdecode", 0);
		av_opt_set_int(c->priv_data, "sc_threshold", 0, 0); // key frames at even distances
		// With mbtree x264 164 gives, on CPUs with AVX-512, now and then other bytes for
		// the same pictures. To do without it costs 8 % more bytes at equal quality.
		av_opt_set_int(c->priv_data, "mbtree", 0, 0);
	} else {
		c->flags |= AV_CODEC_FLAG_QSCALE;
		c->global_quality = FF_QP2LAMBDA * quantiser(o->crf);
	}
	int rc = avcodec_open2(c, codec, NULL);
	return rc < 0 ? video_fail(w->v, f, rc, "open the encoder") : VIDEO_OK;
}

static int open_output(writer *w, const char *url, failure *f)
{
	AVDictionary *options = NULL;
	int rc = avformat_alloc_output_context2(&w->fmt, NULL, "mp4", url);
	if (rc < 0)
		return video_fail(w->v, f, rc, "open");
	w->fmt->opaque = w->v;
	w->fmt->flags |= AVFMT_FLAG_BITEXACT; // no version, no date
	if (!(w->stream = avformat_new_stream(w->fmt, NULL)))
		return video_fail(w->v, f, AVERROR(ENOMEM), "open");
	w->stream->time_base = w->enc->time_base;
	w->stream->sample_aspect_ratio = w->enc->sample_aspect_ratio;
	if ((rc = avcodec_parameters_from_context(w->stream->codecpar, w->enc)) < 0 ||
	    (rc = avio_open(&w->fmt->pb, url, AVIO_FLAG_WRITE)) < 0)
		return video_fail(w->v, f, rc, "open");
	av_dict_set(&options, "movflags", "+faststart", 0);
	rc = avformat_write_header(w->fmt, &options);
	av_dict_free(&options);
	return rc < 0 ? video_fail(w->v, f, rc, "write the header") : VIDEO_OK;
}

int writer_open(writer *w, const char *url, const writer_options *o, failure *f)
{
	video_start_call(w->v);
	int rc = open_encoder(w, o, f);
	if (rc >= 0)
		rc = open_output(w, url, f);
	if (rc < 0)
		return rc;
	w->frame->format = w->enc->pix_fmt;
	w->frame->width = w->enc->width;
	w->frame->height = w->enc->height;
	w->frame->color_range = w->enc->color_range;
	w->frame->colorspace = w->enc->colorspace;
	rc = av_frame_get_buffer(w->frame, 0);
	return rc < 0 ? video_fail(w->v, f, rc, "open") : VIDEO_OK;
}

// The converse of convert.c: chroma where that looks for it.
static int new_scaler(writer *w, int width, int height)
{
	sws_freeContext(w->sws);
	struct SwsContext *s = w->sws = sws_alloc_context();
	if (!s)
		return AVERROR(ENOMEM);
	av_opt_set_int(s, "srcw", width, 0);
	av_opt_set_int(s, "srch", height, 0);
	av_opt_set_int(s, "src_format", AV_PIX_FMT_RGB24, 0);
	av_opt_set_int(s, "dstw", w->enc->width, 0);
	av_opt_set_int(s, "dsth", w->enc->height, 0);
	av_opt_set_int(s, "dst_format", AV_PIX_FMT_YUV420P, 0);
	av_opt_set_int(s, "sws_flags", SWS_BICUBIC | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INP, 0);
	av_opt_set_int(s, "dst_v_chr_pos", 128, 0);
	int rc = sws_init_context(s, NULL, NULL);
	if (rc < 0)
		return rc;
	const int *table = sws_getCoefficients(w->enc->colorspace);
	rc = sws_setColorspaceDetails(s, table, 1, table, 0, 0, 1 << 16, 1 << 16);
	if (rc < 0)
		return AVERROR(EINVAL);
	AVFrame *in = w->v->rgb;
	av_frame_unref(in);
	in->format = AV_PIX_FMT_RGB24;
	in->width = w->src_width = width;
	in->height = w->src_height = height;
	return av_frame_get_buffer(in, 0);
}

// Writes the packets that the encoder has ready.
static int drain(writer *w)
{
	AVPacket *pkt = w->v->pkt;
	int rc;
	while ((rc = avcodec_receive_packet(w->enc, pkt)) >= 0) {
		pkt->stream_index = w->stream->index;
		pkt->duration = w->step; // counts for the last one: it is shown as long as the one before
		av_packet_rescale_ts(pkt, w->enc->time_base, w->stream->time_base);
		if ((rc = av_write_frame(w->fmt, pkt)) < 0)
			return rc;
		w->packets++;
	}
	return rc == AVERROR(EAGAIN) || rc == AVERROR_EOF ? 0 : rc;
}

int writer_write(writer *w, const uint8_t *rgb, int width, int height, int64_t ticks, failure *f)
{
	int rc = 0;
	video_start_call(w->v);
	if (width != w->src_width || height != w->src_height)
		rc = new_scaler(w, width, height);
	if (rc >= 0)
		rc = av_frame_make_writable(w->frame);
	if (rc < 0)
		return video_fail(w->v, f, rc, "convert from RGB");
	// Vector code of swscale reads past the end of rows: they are copied to where it may.
	const AVFrame *in = w->v->rgb;
	av_image_copy_plane(in->data[0], in->linesize[0], rgb, 3 * width, 3 * width, height);
	sws_scale(w->sws, (const uint8_t *const *)in->data, in->linesize, 0, height, w->frame->data, w->frame->linesize);
	w->step = w->pictures ? ticks - w->last : w->enc->time_base.den / usual.num;
	w->last = w->frame->pts = ticks;
	w->frame->pict_type = AV_PICTURE_TYPE_NONE;
	w->pictures++;
	if ((rc = avcodec_send_frame(w->enc, w->frame)) < 0)
		return video_fail(w->v, f, rc, "encode");
	rc = drain(w);
	return rc < 0 ? video_fail(w->v, f, rc, "write") : VIDEO_OK;
}

int writer_finish(writer *w, failure *f)
{
	int rc, closed;
	video_start_call(w->v);
	if ((rc = avcodec_send_frame(w->enc, NULL)) < 0)
		return video_fail(w->v, f, rc, "encode the last pictures");
	if ((rc = drain(w)) < 0 || (rc = av_write_trailer(w->fmt)) < 0)
		return video_fail(w->v, f, rc, "write");
	rc = w->fmt->pb->error;
	closed = avio_closep(&w->fmt->pb);
	if (rc < 0 || (rc = closed) < 0)
		return video_fail(w->v, f, rc, "write");
	if (w->packets != w->pictures) {
		snprintf(w->v->log, sizeof w->v->log, "of %lld pictures the encoder made %lld",
		         (long long)w->pictures, (long long)w->packets);
		return video_fail(w->v, f, AVERROR_EXTERNAL, "encode");
	}
	return VIDEO_OK;
}
