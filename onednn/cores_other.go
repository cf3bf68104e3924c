//go:build !linux

package onednn

// physicalCores is not known.
func physicalCores() int { return 0 }
