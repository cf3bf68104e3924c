#include "handle.h"

static int64_t ticks(int64_t t) { return t == AV_NOPTS_VALUE ? VIDEO_NO_TIME : t; }

static int new_parameters(const AVPacket *pkt)
{
	for (int i = 0; i < pkt->side_data_elems; i++) {
		enum AVPacketSideDataType type = pkt->side_data[i].type;
		if (type == AV_PKT_DATA_NEW_EXTRADATA || type == AV_PKT_DATA_PARAM_CHANGE || type == AV_PKT_DATA_PALETTE)
			return 1;
	}
	return 0;
}

int video_read(video *v, packet_info *p, failure *f)
{
	AVPacket *pkt = v->pkt;
	int rc, tries = 0;
	video_start_call(v);
	do {
		av_packet_unref(pkt);
		rc = av_read_frame(v->fmt, pkt);
		if (rc == AVERROR(EAGAIN) && ++tries < 1000)
			continue;
		if (atomic_load(&v->stop) || v->stalled)
			return video_fail(v, f, VIDEO_INTERRUPTED, "read");
		if (rc == AVERROR_EOF)
			return VIDEO_NONE;
		if (rc < 0)
			return video_fail(v, f, rc, "read");
	} while (rc < 0 || pkt->stream_index != v->stream->index);

	p->pts = ticks(pkt->pts);
	p->dts = ticks(pkt->dts);
	p->pos = pkt->pos;
	p->duration = pkt->duration;
	p->data = pkt->data;
	p->size = pkt->size;
	p->key = !!(pkt->flags & AV_PKT_FLAG_KEY);
	p->discard = !!(pkt->flags & AV_PKT_FLAG_DISCARD);
	p->corrupt = !!(pkt->flags & AV_PKT_FLAG_CORRUPT);
	p->side = new_parameters(pkt);
	return VIDEO_OK;
}

int video_seek(video *v, int64_t ts, failure *f)
{
	video_start_call(v);
	int rc = avformat_seek_file(v->fmt, v->stream->index, INT64_MIN, ts, ts, 0);
	return rc < 0 ? video_fail(v, f, rc, "seek") : VIDEO_OK;
}

int video_begin(video *v, int threads, failure *f)
{
	const AVCodecParameters *par = v->stream->codecpar;
	const AVCodec *codec = avcodec_find_decoder(par->codec_id);
	video_start_call(v);
	avcodec_free_context(&v->dec);
	if (!codec) {
		snprintf(v->log, sizeof v->log, "this FFmpeg has no decoder for %s", avcodec_get_name(par->codec_id));
		return video_fail(v, f, AVERROR_DECODER_NOT_FOUND, "open the decoder");
	}
	if (!(v->dec = avcodec_alloc_context3(codec)))
		return video_fail(v, f, AVERROR(ENOMEM), "open the decoder");
	int rc = avcodec_parameters_to_context(v->dec, par);
	if (rc < 0)
		return video_fail(v, f, rc, "open the decoder");
	v->dec->opaque = v;
	atomic_store(&v->complaints, 0);
	v->dec->pkt_timebase = v->stream->time_base;
	v->dec->framerate = v->stream->avg_frame_rate;
	v->dec->thread_count = threads;
	v->dec->max_pixels = v->max_pixels;
#if LIBAVCODEC_VERSION_INT >= AV_VERSION_INT(61, 19, 0)
	v->dec->flags |= AV_CODEC_FLAG_UNALIGNED; // crop to the pixel, as the ffmpeg tool of 7.1 does
#endif
	if ((rc = avcodec_open2(v->dec, codec, NULL)) < 0)
		return video_fail(v, f, rc, "open the decoder");
	return VIDEO_OK;
}

int video_send(video *v, int skip_nonref, failure *f)
{
	video_start_call(v);
	v->dec->skip_frame = skip_nonref ? AVDISCARD_NONREF : AVDISCARD_DEFAULT;
	int rc = avcodec_send_packet(v->dec, v->pkt);
	return rc < 0 ? video_fail(v, f, rc, "decode") : VIDEO_OK;
}

int video_drain(video *v, failure *f)
{
	video_start_call(v);
	int rc = avcodec_send_packet(v->dec, NULL);
	return rc < 0 && rc != AVERROR_EOF ? video_fail(v, f, rc, "decode the last frames") : VIDEO_OK;
}

static int same_orientation(const video *v)
{
	orientation a = video_orientation(video_matrix(v, v->frame)), b = video_orientation(video_matrix(v, NULL));
	return a.transpose == b.transpose && a.flip_x == b.flip_x && a.flip_y == b.flip_y;
}

int video_receive(video *v, frame_info *i, failure *f)
{
	const AVCodecParameters *par = v->stream->codecpar;
	const AVFrame *frame = v->frame;
	int rc = avcodec_receive_frame(v->dec, v->frame);
	if (rc == AVERROR(EAGAIN) || rc == AVERROR_EOF)
		return VIDEO_NONE;
	if (rc < 0)
		return video_fail(v, f, rc, "decode");
	i->pts = ticks(frame->pts);
	i->marked = frame->decode_error_flags || (frame->flags & AV_FRAME_FLAG_CORRUPT);
	i->damaged = i->marked || video_complaints(v);
	i->usual = frame->width == par->width && frame->height == par->height &&
		frame->format == par->format && same_orientation(v);
	rc = video_crop(v, v->frame);
	return rc < 0 ? video_fail(v, f, rc, "crop") : VIDEO_OK;
}

int video_complaints(video *v) { return atomic_load(&v->complaints); }

void video_flush(video *v) { avcodec_flush_buffers(v->dec); }
