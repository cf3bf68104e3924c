package video

import "testing"

// The bytes are written by hand after the specifications that coded.go names.
func TestLook(t *testing.T) {
	avcC := stream{codec: "h264", extra: []byte{1, 100, 0, 30, 0xff, 0xe1, 0, 0}}
	hvcC := stream{codec: "hevc", extra: append([]byte{1}, append(make([]byte, 20), 0xff, 0, 0)...)}
	for _, tc := range []struct {
		what string
		s    stream
		data []byte
		want traits
	}{
		{"H.264 IDR slice", avcC, []byte{0, 0, 0, 2, 0x65, 0x88}, traits{start: true}},
		{"H.264 P slice, a reference", avcC, []byte{0, 0, 0, 2, 0x41, 0x9a}, traits{}},
		{"H.264 B slice, no reference", avcC, []byte{0, 0, 0, 2, 0x01, 0x9e}, traits{nonref: true}},
		{"H.264 slice of type 10", avcC, []byte{0, 0, 0, 3, 0x41, 0x8b, 0xff}, traits{odd: true}},
		{"H.264 unit longer than the packet", avcC, []byte{0, 0, 0, 9, 0x65, 0x88}, traits{odd: true}},
		{"H.264 without a slice", avcC, []byte{0, 0, 0, 2, 9, 0xf0}, traits{odd: true}},
		{"H.264 film grain", avcC, []byte{0, 0, 0, 5, 6, 19, 1, 0, 0x80, 0, 0, 0, 2, 0x65, 0x88}, traits{odd: true}},
		{"H.264 other message", avcC, []byte{0, 0, 0, 5, 6, 5, 1, 0, 0x80, 0, 0, 0, 2, 0x65, 0x88}, traits{start: true}},
		{"H.264 Annex B", stream{codec: "h264", extra: []byte{0, 0, 0, 1, 0x67, 1, 2}}, []byte{0, 0, 0, 1, 0x65, 0x88}, traits{odd: true}},
		{"HEVC IDR_W_RADL", hvcC, []byte{0, 0, 0, 3, 19 << 1, 1, 0x80}, traits{start: true}},
		{"HEVC CRA", hvcC, []byte{0, 0, 0, 3, 21 << 1, 1, 0x80}, traits{}},
		{"HEVC TRAIL_N, layer 1", hvcC, []byte{0, 0, 0, 3, 0 << 1, 2, 0x80}, traits{nonref: true, layer: 1}},
		{"HEVC TRAIL_R", hvcC, []byte{0, 0, 0, 3, 1 << 1, 1, 0x80}, traits{}},
		{"MPEG-4 I", stream{codec: "mpeg4", width: 64, height: 64}, []byte{0, 0, 1, 0xb6, 0x10, 0}, traits{start: true}},
		{"MPEG-4 P", stream{codec: "mpeg4", width: 16, height: 16}, []byte{0, 0, 1, 0xb6, 0x50, 0}, traits{}},
		{"MPEG-4 P without a picture", stream{codec: "mpeg4", width: 320, height: 240}, []byte{0, 0, 1, 0xb6, 0x50, 0}, traits{more: -1}},
		{"MPEG-4 P and B", stream{codec: "mpeg4", width: 16, height: 16}, []byte{0, 0, 1, 0xb6, 0x50, 0, 0, 1, 0xb6, 0x90}, traits{odd: true, more: 1, nonref: true}},
		{"VP8 key frame", stream{codec: "vp8"}, []byte{0x10, 0, 0}, traits{start: true}},
		{"VP8 hidden frame", stream{codec: "vp8"}, []byte{0x01, 0, 0}, traits{more: -1}},
		{"VP9 key frame", stream{codec: "vp9"}, []byte{0x82, 0x49}, traits{start: true}},
		{"VP9 other frame", stream{codec: "vp9"}, []byte{0x86, 0x00}, traits{}},
		{"VP9 shown again", stream{codec: "vp9"}, []byte{0x88, 0x00}, traits{}},
		{"VP9 profile 3 key frame", stream{codec: "vp9"}, []byte{0xb1, 0x49}, traits{start: true}},
		{"ProRes", stream{codec: "prores", intraOnly: true}, []byte{0}, traits{start: true}},
		{"unknown", stream{codec: "indeo3"}, []byte{0}, traits{odd: true}},
	} {
		if got := lookFor(tc.s)(tc.data); got != tc.want {
			t.Errorf("%s: %+v, want %+v", tc.what, got, tc.want)
		}
	}

	av1 := lookFor(stream{codec: "av1"})
	sequence := []byte{0x0a, 1, 0} // a sequence header of one byte
	if got := av1(append(sequence, 0x32, 1, 0x10)); !got.start || got.odd {
		t.Errorf("AV1 key frame: %+v", got)
	}
	if got := av1([]byte{0x32, 1, 0x10}); got.start || got.odd {
		t.Errorf("AV1 key frame without sequence header: %+v", got)
	}
	if got := av1(append(sequence, 0x32, 1, 0x30)); got.start || got.odd {
		t.Errorf("AV1 inter frame: %+v", got)
	}
}

// FuzzLook: no packet makes the readers of coded pictures panic.
func FuzzLook(f *testing.F) {
	f.Add(0, []byte{0, 0, 0, 2, 0x65, 0x88})
	f.Add(1, []byte{0, 0, 0, 5, 39 << 1, 1, 255, 255, 19})
	f.Add(2, []byte{0, 0, 1, 0xb6, 0x50, 0})
	f.Add(5, []byte{0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	streams := []stream{
		{codec: "h264", extra: []byte{1, 0, 0, 0, 3, 0, 0, 0}},
		{codec: "hevc", extra: append([]byte{1}, make([]byte, 22)...)},
		{codec: "mpeg4", width: 320, height: 240}, {codec: "vp8"}, {codec: "vp9"}, {codec: "av1"},
	}
	f.Fuzz(func(t *testing.T, codec int, data []byte) {
		if len(data) > 0 { // as scan promises
			lookFor(streams[uint(codec)%uint(len(streams))])(data)
		}
	})
}
