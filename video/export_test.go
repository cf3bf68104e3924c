package video

// DecodePlainly makes Frames decode every packet from the beginning.
func (f *File) DecodePlainly() { f.plain = true }

// WithCodec names the encoder.
func WithCodec(o WriterOptions, name string) WriterOptions {
	o.codec = name
	return o
}

// HideAll makes an index say that no packet is shown.
func (x *Index) HideAll() {
	for i := range x.packets {
		x.packets[i].discard = true
	}
}
