package video

// DecodePlainly makes Frames decode every packet from the beginning.
func (f *File) DecodePlainly() { f.plain = true }

// WithCodec names the encoder.
func WithCodec(o WriterOptions, name string) WriterOptions {
	o.codec = name
	return o
}
