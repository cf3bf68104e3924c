// Cropping that the container asks for (Matroska's PixelCrop, QuickTime's clap),
// which the ffmpeg tool obeys since 7.1, with its "crop" filter.
#include <libavutil/intreadwrite.h>
#include <libavutil/pixdesc.h>

#include "handle.h"

#if LIBAVCODEC_VERSION_INT >= AV_VERSION_INT(61, 19, 0)

// The visible part of a w x h picture; zero if there is nothing to crop.
static int visible(const video *v, int format, int *x, int *y, int *w, int *h)
{
	const AVCodecParameters *par = v->stream->codecpar;
	const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(format);
	const AVPacketSideData *side = av_packet_side_data_get(par->coded_side_data, par->nb_coded_side_data,
	                                                       AV_PKT_DATA_FRAME_CROPPING);
	if (!d || !side || side->size < 16)
		return 0;
	int64_t top = AV_RL32(side->data), bottom = AV_RL32(side->data + 4);
	int64_t left = AV_RL32(side->data + 8), right = AV_RL32(side->data + 12);
	if (!(top | bottom | left | right) || left + right >= *w || top + bottom >= *h)
		return 0;
	*w = (*w - left - right) & ~((1 << d->log2_chroma_w) - 1); // to whole chroma samples
	*h = (*h - top - bottom) & ~((1 << d->log2_chroma_h) - 1);
	*x = left & ~((1 << d->log2_chroma_w) - 1);
	*y = top & ~((1 << d->log2_chroma_h) - 1);
	return *w > 0 && *h > 0;
}

#else

static int visible(const video *v, int format, int *x, int *y, int *w, int *h) { return 0; }

#endif

void video_crop_size(const video *v, int *w, int *h)
{
	int x, y, cw = *w, ch = *h;
	if (visible(v, v->stream->codecpar->format, &x, &y, &cw, &ch)) {
		*w = cw;
		*h = ch;
	}
}

int video_crop(const video *v, AVFrame *frame)
{
	int x, y, w = frame->width, h = frame->height;
	if (!visible(v, frame->format, &x, &y, &w, &h))
		return 0;
	frame->crop_left = x;
	frame->crop_top = y;
	frame->crop_right = frame->width - x - w;
	frame->crop_bottom = frame->height - y - h;
	return av_frame_apply_cropping(frame, AV_FRAME_CROP_UNALIGNED);
}
