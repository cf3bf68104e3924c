// Conversion to RGB with the settings that the ffmpeg tool's "scale" filter has
// by default, so that the bytes are the same.
#include <string.h>
#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>

#include "handle.h"

// Where chroma samples lie, in 1/256 of a luma pixel; -513 is swscale's default.
static void chroma_position(enum AVPixelFormat format, int *h, int *v)
{
	*h = *v = -513;
#if LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(59, 39, 0) // FFmpeg 7.1: centred in every format
	const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(format);
	if (d->log2_chroma_w)
		*h = 128 * ((1 << d->log2_chroma_w) - 1);
	if (d->log2_chroma_h)
		*v = 128 * ((1 << d->log2_chroma_h) - 1);
#else
	if (format == AV_PIX_FMT_YUV420P)
		*v = 128;
#endif
}

static int new_scaler(struct SwsContext *s, const AVFrame *src, int w, int h)
{
	int chroma_h, chroma_v;
	chroma_position(src->format, &chroma_h, &chroma_v);
	av_opt_set_int(s, "srcw", src->width, 0);
	av_opt_set_int(s, "srch", src->height, 0);
	av_opt_set_int(s, "src_format", src->format, 0);
	av_opt_set_int(s, "dstw", w, 0);
	av_opt_set_int(s, "dsth", h, 0);
	av_opt_set_int(s, "dst_format", AV_PIX_FMT_RGB24, 0);
	av_opt_set_int(s, "sws_flags", SWS_BICUBIC, 0);
	av_opt_set_int(s, "src_h_chr_pos", chroma_h, 0);
	av_opt_set_int(s, "src_v_chr_pos", chroma_v, 0);
	if (src->color_range != AVCOL_RANGE_UNSPECIFIED)
		av_opt_set_int(s, "src_range", src->color_range == AVCOL_RANGE_JPEG, 0);
	int rc = sws_init_context(s, NULL, NULL);
	if (rc < 0)
		return rc;

	int *in, *out, in_full, out_full, brightness, contrast, saturation;
	sws_getColorspaceDetails(s, &in, &in_full, &out, &out_full, &brightness, &contrast, &saturation);
	int matrix = src->colorspace;
	if (matrix < 1 || matrix > 10 || matrix == 8)
		matrix = AVCOL_SPC_BT470BG;
	const int *table = sws_getCoefficients(matrix);
	sws_setColorspaceDetails(s, table, in_full, table, out_full, brightness, contrast, saturation);
	return 0;
}

// Makes the scaler for such a picture, unless the last one fits.
static int scaler_for(video *v, const AVFrame *src, int w, int h)
{
	const int key[8] = {src->width, src->height, src->format, src->color_range, src->colorspace, w, h, 1};
	if (!memcmp(key, v->sws_key, sizeof key))
		return 0;
	v->sws_key[7] = 0;
	sws_freeContext(v->sws);
	if (!(v->sws = sws_alloc_context()))
		return AVERROR(ENOMEM);
	int rc = new_scaler(v->sws, src, w, h);
	if (rc < 0)
		return rc;
	memcpy(v->sws_key, key, sizeof key);

	av_frame_unref(v->rgb); // rows padded as vector code wants them
	v->rgb->format = AV_PIX_FMT_RGB24;
	v->rgb->width = w;
	v->rgb->height = h;
	if ((rc = av_frame_get_buffer(v->rgb, 0)) < 0)
		v->sws_key[7] = 0;
	return rc;
}

void video_size(video *v, int *w, int *h)
{
	int across = video_orientation(video_matrix(v, v->frame)).transpose;
	*w = across ? v->frame->height : v->frame->width;
	*h = across ? v->frame->width : v->frame->height;
}

int video_rgb(video *v, uint8_t *dst, int w, int h, failure *f)
{
	const AVFrame *src = v->frame;
	orientation o = video_orientation(video_matrix(v, v->frame));
	int rc;
	video_start_call(v);
	if ((o.transpose || o.flip_x || o.flip_y) && video_turnable(src->format, o)) {
		if ((rc = video_turn(v->turned, src, o)) < 0)
			return video_fail(v, f, rc, "rotate");
		src = v->turned;
		o = (orientation){0, 0, 0};
	}
	if ((rc = scaler_for(v, src, o.transpose ? h : w, o.transpose ? w : h)) < 0 ||
	    (rc = sws_scale_frame(v->sws, v->rgb, src)) < 0)
		rc = video_fail(v, f, rc, "convert to RGB");
	else
		video_turn_plane(dst, 3 * w, v->rgb->data[0], v->rgb->linesize[0], w, h, 3, o);
	av_frame_unref(v->turned);
	return rc < 0 ? rc : VIDEO_OK;
}
