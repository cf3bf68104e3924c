package dataset

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
)

// statters look for files at a time: on a network each takes a round trip.
const statters = 16

// Missing looks whether the files of all samples are there, without opening
// them: each video, and the first picture of each folder. It returns the first
// of those that are not, at most limit, and how many there are. When ctx ends, so
// does the search.
func (s *Set) Missing(ctx context.Context, limit int) (missing []Sample, total int) {
	var next atomic.Int64
	var mu sync.Mutex
	var wg sync.WaitGroup
	var found []int
	for range statters {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < s.Len() && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				if !s.there(i) {
					mu.Lock()
					found = append(found, i)
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	slices.Sort(found)
	for _, i := range found[:min(max(limit, 0), len(found))] {
		missing = append(missing, s.Sample(i))
	}
	return missing, len(found)
}

func (s *Set) there(i int) bool {
	path := s.Sample(i).Path
	if s.o.Frames {
		path = filepath.Join(path, s.o.Pattern.Name(1))
	}
	info, err := os.Stat(path)
	return err == nil && !info.IsDir()
}
