package check

import (
	"fmt"
	"hash/maphash"
)

// maxFolders bounds for how many folders labels are counted.
const maxFolders = 100_000

// folders counts the labels of each folder's clips. Where there is a folder for
// each class, a clip with the label of another folder is suspicious.
type folders struct {
	seed  maphash.Seed
	by    map[uint64]*folder
	homes map[int]bool // labels that nearly all clips of some folder have; made by settle
	full  bool         // there were too many folders
}

// A folder holds the counts of its first few labels: one with more is no class's.
type folder struct {
	n      int64
	labels [4]struct{ label, n int32 }
	used   uint8
	mixed  bool
}

func newFolders() *folders {
	return &folders{seed: maphash.MakeSeed(), by: map[uint64]*folder{}}
}

func (s *folders) count(dir string, label int) {
	k := maphash.String(s.seed, dir)
	f := s.by[k]
	if f == nil {
		if len(s.by) == maxFolders {
			s.full = true
			return
		}
		f = &folder{}
		s.by[k] = f
	}
	f.count(int32(label))
}

func (f *folder) count(label int32) {
	f.n++
	for i := range f.labels[:f.used] {
		if f.labels[i].label == label {
			f.labels[i].n++
			return
		}
	}
	if int(f.used) == len(f.labels) {
		f.mixed = true
		return
	}
	f.labels[f.used].label, f.labels[f.used].n = label, 1
	f.used++
}

// main is the label of all clips of a folder but one in ten, or but one of at
// least four.
func (f *folder) main() (label int, n int64, ok bool) {
	if f.mixed {
		return 0, 0, false
	}
	top := f.labels[0]
	for _, l := range f.labels[1:f.used] {
		if l.n > top.n {
			top = l
		}
	}
	n = int64(top.n)
	others := f.n - n
	return int(top.label), n, others == 0 || f.n >= 4 && others <= max(1, f.n/10)
}

// settle comes when all is counted.
func (s *folders) settle() {
	s.homes = map[int]bool{}
	for _, f := range s.by {
		if label, n, ok := f.main(); ok && n > 1 {
			s.homes[label] = true
		}
	}
}

// stranger says why a clip's label is suspicious in its folder; "": it is not.
// Its own class must have another folder: else the folders do not stand for
// classes.
func (r *run) stranger(dir string, label int) string {
	f := r.folders.by[maphash.String(r.folders.seed, dir)]
	if f == nil {
		return ""
	}
	common, n, ok := f.main()
	if !ok || common == label || !r.folders.homes[label] {
		return ""
	}
	return fmt.Sprintf("label %s, but %d of the %d clips in its folder have %s", r.class(label), n, f.n, r.class(common))
}
