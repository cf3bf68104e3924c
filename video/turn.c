// Rotation from the display matrix, as the ffmpeg tool does it (its "transpose",
// "hflip" and "vflip" filters): multiples of 90 degrees, mirrored or not. Other
// angles are left as stored.
#include <math.h>
#include <string.h>
#include <libavutil/display.h>
#include <libavutil/imgutils.h>
#include <libavutil/pixdesc.h>

#include "handle.h"

// A frame's own matrix counts before the stream's. frame may be NULL.
const int32_t *video_matrix(const video *v, const AVFrame *frame)
{
	if (frame) {
		const AVFrameSideData *side = av_frame_get_side_data(frame, AV_FRAME_DATA_DISPLAYMATRIX);
		if (side)
			return (const int32_t *)side->data;
	}
#if LIBAVCODEC_VERSION_INT >= AV_VERSION_INT(60, 31, 102) // FFmpeg 6.1
	const AVCodecParameters *par = v->stream->codecpar;
	const AVPacketSideData *side = av_packet_side_data_get(par->coded_side_data, par->nb_coded_side_data,
	                                                       AV_PKT_DATA_DISPLAYMATRIX);
	return side ? (const int32_t *)side->data : NULL;
#else
	return (const int32_t *)av_stream_get_side_data(v->stream, AV_PKT_DATA_DISPLAYMATRIX, NULL);
#endif
}

// Degrees clockwise, 0 to 359; fftools/cmdutils.c, get_rotation.
static double angle(const int32_t *matrix)
{
	double theta = matrix ? -round(av_display_rotation_get(matrix)) : 0;
	return theta - 360 * floor(theta / 360 + 0.9 / 360);
}

int video_rotation(const int32_t *matrix)
{
	double theta = angle(matrix);
	return isnan(theta) ? 0 : (int)lrint(theta);
}

orientation video_orientation(const int32_t *matrix)
{
	orientation o = {0, 0, 0};
	double theta = angle(matrix);
	if (!matrix)
		return o;
	if (fabs(theta - 90) < 1) {
		o.transpose = 1;
		o.flip_y = matrix[3] <= 0;
	} else if (fabs(theta - 180) < 1) {
		o.flip_x = matrix[0] < 0;
		o.flip_y = matrix[4] < 0;
	} else if (fabs(theta - 270) < 1) {
		o.transpose = 1;
		o.flip_x = 1;
		o.flip_y = matrix[3] < 0;
	} else if (fabs(theta) < 1) {
		o.flip_y = matrix[4] < 0;
	}
	return o;
}

// Whether the planes can be turned before the conversion to RGB; the formats
// that the filters take.
int video_turnable(enum AVPixelFormat format, orientation o)
{
	const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(format);
	if (d->flags & (AV_PIX_FMT_FLAG_PAL | AV_PIX_FMT_FLAG_HWACCEL | AV_PIX_FMT_FLAG_BITSTREAM))
		return 0;
	if (d->log2_chroma_w == d->log2_chroma_h)
		return 1;
	return !o.transpose && d->comp[0].plane != d->comp[1].plane;
}

// w and h are the size of dst in pixels of step bytes.
void video_turn_plane(uint8_t *dst, int dst_line, const uint8_t *src, int src_line,
                      int w, int h, int step, orientation o)
{
	ptrdiff_t along_x = step, along_y = src_line; // bytes in src from one pixel of dst to the next
	if (o.flip_x)
		src += (ptrdiff_t)step * ((o.transpose ? h : w) - 1);
	if (o.flip_y)
		src += (ptrdiff_t)src_line * ((o.transpose ? w : h) - 1);
	if (o.flip_x)
		along_x = -along_x;
	if (o.flip_y)
		along_y = -along_y;
	if (o.transpose) {
		ptrdiff_t t = along_x;
		along_x = along_y;
		along_y = t;
	}
	for (int y = 0; y < h; y++) {
		const uint8_t *s = src + y * along_y;
		uint8_t *d = dst + (ptrdiff_t)y * dst_line;
		if (along_x == step)
			memcpy(d, s, (size_t)w * step);
		else if (step == 1)
			for (int x = 0; x < w; x++, s += along_x)
				d[x] = *s;
		else
			for (int x = 0; x < w; x++, s += along_x, d += step)
				memcpy(d, s, step);
	}
}

int video_turn(AVFrame *dst, const AVFrame *src, orientation o)
{
	const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(src->format);
	int steps[4], components[4], rc;
	av_image_fill_max_pixsteps(steps, components, d);
	av_frame_unref(dst);
	dst->format = src->format;
	dst->width = o.transpose ? src->height : src->width;
	dst->height = o.transpose ? src->width : src->height;
	if ((rc = av_frame_get_buffer(dst, 0)) < 0 || (rc = av_frame_copy_props(dst, src)) < 0)
		return rc;
	for (int p = 0; p < av_pix_fmt_count_planes(src->format); p++) {
		int chroma = p == 1 || p == 2;
		int w = chroma ? AV_CEIL_RSHIFT(dst->width, o.transpose ? d->log2_chroma_h : d->log2_chroma_w) : dst->width;
		int h = chroma ? AV_CEIL_RSHIFT(dst->height, o.transpose ? d->log2_chroma_w : d->log2_chroma_h) : dst->height;
		video_turn_plane(dst->data[p], dst->linesize[p], src->data[p], src->linesize[p], w, h, steps[p], o);
	}
	return 0;
}
