package video

/*
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libswscale/swscale.h>
*/
import "C"

import "fmt"

// Versions names the FFmpeg libraries that are in use, such as
// "libavformat 59.27.100, libavcodec 59.37.100, libswscale 6.7.100". Others may
// decode a damaged file to other frames.
func Versions() string {
	dotted := func(v C.unsigned) string { return fmt.Sprintf("%d.%d.%d", v>>16, v>>8&0xff, v&0xff) }
	return fmt.Sprintf("libavformat %s, libavcodec %s, libswscale %s",
		dotted(C.avformat_version()), dotted(C.avcodec_version()), dotted(C.swscale_version()))
}
