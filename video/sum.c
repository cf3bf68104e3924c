// A fingerprint of a decoded picture.
#include <string.h>
#include <libavutil/imgutils.h>
#include <libavutil/murmur3.h>
#include <libavutil/pixdesc.h>

#include "handle.h"

void video_sum(video *v, uint8_t sum[16])
{
	const AVFrame *f = v->frame;
	const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(f->format);
	struct AVMurMur3 *hash = av_murmur3_alloc();
	const int32_t head[3] = {f->width, f->height, f->format};
	memset(sum, 0, 16);
	if (!hash || !d) {
		av_free(hash);
		return;
	}
	av_murmur3_init(hash);
	av_murmur3_update(hash, (const uint8_t *)head, sizeof head);
	for (int plane = 0; plane < 4 && f->data[plane]; plane++) {
		int chroma = plane == 1 || plane == 2;
		int rows = chroma ? AV_CEIL_RSHIFT(f->height, d->log2_chroma_h) : f->height;
		int bytes = av_image_get_linesize(f->format, f->width, plane);
		if (bytes <= 0) // a palette
			break;
		for (int y = 0; y < rows; y++)
			av_murmur3_update(hash, f->data[plane] + (ptrdiff_t)y * f->linesize[plane], bytes);
	}
	av_murmur3_final(hash, sum);
	av_free(hash);
}
