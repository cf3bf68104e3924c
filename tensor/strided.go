package tensor

// CopyStrided gathers elements of size bytes each into dst, row-major: the
// element at an index is the one of src at the sum of index times step, which
// counts elements. The caller has checked that src reaches that far.
func CopyStrided(dst, src []byte, shape, step []int, size int) {
	index := make([]int, len(shape))
	at := 0
	for i := 0; i < len(dst); i += size {
		copy(dst[i:i+size], src[at*size:])
		for axis := len(shape) - 1; axis >= 0; axis-- {
			index[axis]++
			at += step[axis]
			if index[axis] < shape[axis] {
				break
			}
			at -= step[axis] * shape[axis]
			index[axis] = 0
		}
	}
}
