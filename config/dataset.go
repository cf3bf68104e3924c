package config

import (
	"strings"

	"github.com/pptsn/pptsn/clip"
)

// A Use is what clips are read for. Its value is the reference's key.
type Use string

// The uses that have a pipeline of their own.
const (
	Train Use = "train"
	Valid Use = "valid" // during training
	Test  Use = "test"
)

var uses = []Use{Train, Valid, Test}

// Data is DATASET.<use>: which clips, and how many at a time.
type Data struct {
	List   string // file with one clip a line
	Prefix string // folder before each path of the list; "": none

	// Frames says that a line names a folder of pictures ("dir frames label",
	// FrameDataset), else a video file ("path label", VideoDataset).
	Frames bool
	// Suffix is added to each path of a video, such as .avi. With Frames it is
	// how pictures are named, such as img_{:05}.jpg, and Pattern what it means.
	Suffix  string
	Pattern clip.Pattern

	Batch   int // clips in a batch on one device; default 8, for validation that of training
	Workers int // goroutines that decode; 0: none besides the caller's
}

// Data is the list of clips for a use.
func (c *Config) Data(use Use) (Data, error) {
	data, ok := c.data[use]
	if !ok {
		return Data{}, c.missing("DATASET." + string(use))
	}
	return data, nil
}

func (d *decoder) dataset(s *section, c *Config) {
	c.data = map[Use]Data{}
	if s == nil {
		return
	}
	batch := batchSize(s, "batch_size", 8)
	batches := map[Use]int{
		Train: batch,
		Valid: batchSize(s, "valid_batch_size", batch),
		Test:  batchSize(s, "test_batch_size", 8),
	}
	n := workers(s, "num_workers", 0)
	counts := map[Use]int{Train: n, Valid: workers(s, "valid_num_workers", n), Test: workers(s, "test_num_workers", n)}
	s.only("shuffle_valid", "validation keeps the order of its list", false)
	for _, use := range uses {
		if inner := s.section(string(use)); inner != nil {
			data := inner.data()
			data.Batch, data.Workers = batches[use], counts[use]
			c.data[use] = data
		}
	}
	s.done()
}

func batchSize(s *section, key string, otherwise int) int {
	return s.intWithin(key, otherwise, 1, 65536)
}

func workers(s *section, key string, otherwise int) int {
	return s.intWithin(key, otherwise, 0, 1024)
}

func (s *section) data() Data {
	s.require("format", "file_path")
	data := Data{
		List:   s.string("file_path", ""),
		Prefix: s.string("data_prefix", ""),
		Frames: s.oneOf("format", "", "VideoDataset", "FrameDataset") == "FrameDataset",
	}
	s.check("file_path", data.List != "", "a path")
	if !data.Frames {
		data.Suffix = s.string("suffix", "")
	} else {
		var err error
		data.Suffix = s.string("suffix", "img_{:05}.jpg")
		if data.Pattern, err = clip.ParsePattern(data.Suffix); err != nil {
			s.fail("suffix", "%s", strings.TrimPrefix(err.Error(), "clip: "))
		}
	}
	s.ignore("num_retries") // the reference tries other clips in place of a bad one; we never do
	s.lookup("test_mode")   // the reference's programs set it themselves
	s.done()
	return data
}
