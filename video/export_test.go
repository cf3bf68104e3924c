package video

// DecodePlainly makes Frames decode every packet from the beginning.
func (f *File) DecodePlainly() { f.plain = true }
