package config

// dali checks DALI_LOADER, a section of the reference's second training program
// that reads videos on the GPU. It is not used here.
func (d *decoder) dali(s *section) bool {
	if s == nil {
		return false
	}
	batchSize(s, "batch_size", 8)
	s.string("file_path", "")
	s.segments("num_seg", 1)
	s.only("seglen", "one frame is taken from each segment", 1.0)
	s.pixels("short_size", 256)
	s.pixels("target_size", 224)
	s.channels("mean")
	s.channels("std")
	s.done()
	d.unused = append(d.unused, "DALI_LOADER")
	return true
}
