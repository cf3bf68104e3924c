package prepare

import (
	"fmt"
	"syscall"
)

// foreseen is how many videos must be made before their size says how much the
// others will take.
const foreseen = 8

// foresee warns once where the disk will not suffice, going by the mean of what
// was made so far.
func (r *run) foresee(left int) {
	if r.warned || r.sum.Made < foreseen {
		return
	}
	var fs syscall.Statfs_t
	if syscall.Statfs(r.o.Out, &fs) != nil {
		return
	}
	need, free := r.sum.Bytes/int64(r.sum.Made)*int64(left), int64(fs.Bavail)*int64(fs.Bsize)
	if need > free {
		r.warned = true
		r.warn("%s will be full before all is made: %s more are needed, %s are free", r.o.Out, megabytes(need), megabytes(free))
	}
}

func megabytes(n int64) string {
	if n < 10e9 {
		return fmt.Sprintf("%d MB", n/1e6)
	}
	return fmt.Sprintf("%d GB", n/1e9)
}
