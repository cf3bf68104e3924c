package video_test

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// clips are made with the ffmpeg tool: kinds of coding whose frames are easily
// numbered wrongly or decoded from the wrong place, and pixel formats.
var clips = []struct {
	name, args string
}{
	{"closed-gops.mp4", x264("keyint=12:min-keyint=12:scenecut=0:open-gop=0:bframes=2")},
	{"closed-gops.mkv", x264("keyint=12:min-keyint=12:scenecut=0:open-gop=0:bframes=2")},
	{"open-gops.mp4", x264("keyint=10:min-keyint=10:scenecut=0:open-gop=1:bframes=3:b-pyramid=normal")},
	{"open-gops.mkv", x264("keyint=10:min-keyint=10:scenecut=0:open-gop=1:bframes=3:b-pyramid=normal")},
	{"intra-refresh.mp4", x264("keyint=30:intra-refresh=1:bframes=0")},
	{"in-band-sets.mp4", x264("keyint=15:bframes=2:repeat-headers=1")},
	{"big.mp4", noise + " -c:v libx264 -qp 10 -preset ultrafast -x264-params keyint=5:scenecut=0:bframes=2"},
	{"big.mkv", noise + " -c:v libx264 -qp 10 -preset ultrafast -x264-params keyint=5:scenecut=0:bframes=2"},
	{"fields.mp4", x264("keyint=12:interlaced=1:bframes=2") + " -top 1"},
	{"fragments.mp4", x264("keyint=12:bframes=2") + " -movflags frag_keyframe+empty_moov"},
	{"two-slices.mp4", x264("keyint=25:slices=4:bframes=2")},
	{"cut.mp4", x264("keyint=250:bframes=2") + " -ss 0.5"},
	{"h264.avi", x264("keyint=25:bframes=2")},
	{"h264.flv", x264("keyint=25:bframes=2")},
	{"h264.ts", x264("keyint=25:bframes=2")},
	{"h264.264", x264("keyint=25:bframes=2")},
	{"closed-hevc.mp4", x265("keyint=10:min-keyint=10:scenecut=0:open-gop=0:bframes=3")},
	{"open-hevc.mkv", x265("keyint=10:min-keyint=10:scenecut=0:open-gop=1:bframes=3")},
	{"layers-hevc.mp4", x265("keyint=20:temporal-layers=3:b-adapt=0:bframes=3")},
	{"radl-hevc.mp4", x265("keyint=10:min-keyint=10:scenecut=0:open-gop=0:radl=2:bframes=3")},
	{"mpeg4-b.mp4", src + " -c:v mpeg4 -bf 2 -g 12 -q:v 5"},
	{"mpeg4-b.avi", src + " -c:v mpeg4 -bf 2 -g 12 -q:v 5"},
	{"packed-b.avi", src + " -c:v libxvid -bf 2 -g 12 -q:v 5"},
	{"interlaced-mpeg4.mp4", src + " -c:v mpeg4 -bf 2 -g 12 -q:v 5 -flags +ildct+ilme"},
	{"h263.3gp", "-f lavfi -i testsrc2=s=176x144:r=25:d=3 -c:v h263 -g 12 -q:v 5"},
	{"mpeg2.mpg", src + " -c:v mpeg2video -bf 2 -g 12 -q:v 5"},
	{"mpeg2.mkv", src + " -c:v mpeg2video -bf 2 -g 12 -q:v 5"},
	{"alternate-reference.webm", src + " -c:v libvpx -auto-alt-ref 1 -lag-in-frames 16 -arnr-maxframes 5 -g 25 -b:v 200k -deadline realtime -cpu-used 8"},
	{"vp9.webm", src + " -c:v libvpx-vp9 -auto-alt-ref 1 -lag-in-frames 16 -g 25 -b:v 200k -deadline realtime -cpu-used 8"},
	{"vp9-profile3.webm", src + " -t 1 -c:v libvpx-vp9 -pix_fmt yuv444p10le -g 10 -b:v 200k -deadline realtime -cpu-used 8"},
	{"av1.mp4", src + " -t 2 -c:v libsvtav1 -preset 12 -g 15 -pix_fmt yuv420p"},
	{"av1.mkv", src + " -t 1 -c:v libaom-av1 -cpu-used 8 -usage realtime -g 10 -pix_fmt yuv420p"},
	{"mjpeg.mov", noise + " -c:v mjpeg -q:v 2 -pix_fmt yuvj422p"},
	{"mjpeg.avi", src + " -c:v mjpeg -q:v 5"},
	{"prores-alpha.mov", src + " -t 1 -c:v prores_ks -profile:v 4 -pix_fmt yuva444p10le"},
	{"palette.gif", src + " -t 1 -vf split[a][b];[a]palettegen[p];[b][p]paletteuse"},
	{"palette.mov", src + " -t 1 -vf split[a][b];[a]palettegen[p];[b][p]paletteuse -c:v qtrle -pix_fmt pal8"},
	{"animated.png", src + " -t 1 -f apng -c:v apng"},
	{"rgb.mkv", src + " -t 1 -c:v libx264rgb -g 10"},
	{"raw-rgb555.avi", src + " -t 1 -c:v rawvideo -pix_fmt rgb555le"},
	{"raw-yuyv422.nut", src + " -t 1 -c:v rawvideo -pix_fmt yuyv422"},
	{"raw-nv12.nut", src + " -t 1 -c:v rawvideo -pix_fmt nv12"},
	{"raw-yuv410p.nut", src + " -t 1 -c:v rawvideo -pix_fmt yuv410p"},
	{"raw-gray16.nut", src + " -t 1 -c:v rawvideo -pix_fmt gray16le"},
	{"raw-mono.nut", src + " -t 1 -c:v rawvideo -pix_fmt monow"},
	{"raw-ya8.nut", src + " -t 1 -c:v rawvideo -pix_fmt ya8"},
	{"raw-rgb48.nut", src + " -t 1 -c:v rawvideo -pix_fmt rgb48be"},
	{"ffv1-gray10.mkv", src + " -t 1 -c:v ffv1 -pix_fmt gray10le"},
	{"odd-420.mkv", odd + " -c:v ffv1 -pix_fmt yuv420p"},
	{"odd-422-10.mkv", odd + " -c:v ffv1 -pix_fmt yuv422p10le"},
	{"odd-411.mkv", odd + " -c:v ffv1 -pix_fmt yuv411p"},
	{"odd-440.mkv", odd + " -c:v ffv1 -pix_fmt yuv440p"},
	{"odd-yuva420.mkv", odd + " -c:v ffv1 -pix_fmt yuva420p"},
	{"bt709.mp4", x264("keyint=25:colormatrix=bt709") + " -colorspace bt709"},
	{"bt709-full.mp4", x264("keyint=25") + " -colorspace bt709 -color_range pc"},
	{"bt2020-10.mp4", x264("keyint=25") + " -t 1 -pix_fmt yuv420p10le -colorspace bt2020nc"},
	{"smpte240-422.mkv", odd + " -c:v ffv1 -pix_fmt yuv422p -colorspace smpte240m -color_range pc"},
}

const (
	src   = "-f lavfi -i testsrc2=s=160x120:r=25:d=3"
	odd   = "-f lavfi -i testsrc2=s=161x91:r=25:d=0.4"
	noise = "-f lavfi -i testsrc2=s=320x240:r=25:d=3,noise=alls=40:allf=t"
)

func x264(params string) string {
	return src + " -c:v libx264 -preset veryfast -pix_fmt yuv420p -x264-params " + params
}

func x265(params string) string {
	return src + " -t 2 -c:v libx265 -preset ultrafast -pix_fmt yuv420p -x265-params log-level=none:" + params
}

func TestGeneratedClipsAgreeWithFFmpeg(t *testing.T) {
	for _, tc := range clips {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			agree(t, made(t, tc.name, tc.args))
		})
	}
}

// agree checks that a file has the frames that the ffmpeg tool finds in it, all
// together and in any choice.
func agree(t *testing.T, path string) {
	t.Helper()
	w := decoded(t, path)
	n := len(w.frames)
	f := open(t, path)
	compare(t, f, w, upTo(n))
	if f.Len() != n {
		t.Fatalf("Len is %d, ffmpeg decodes %d", f.Len(), n)
	}
	rng := rand.New(rand.NewPCG(1, uint64(n)))
	for _, k := range []int{2, 9} {
		f := open(t, path) // with nothing known of earlier calls
		pick := make([]int, min(k, n+1))
		for i := range pick {
			pick[i] = rng.IntN(n)
		}
		compare(t, f, w, pick)
		slices.Reverse(pick)
		compare(t, f, w, pick[:len(pick)/3])
	}
}
