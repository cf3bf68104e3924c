package atomicfile

import "strings"

// suffix ends the names of temporary files: .NAME.DIGITS.tmp
const suffix = ".tmp"

// Leftover says whether a file of that name is a temporary one of this package,
// and of which file. One that no process is writing was left by a process that
// was killed.
func Leftover(name string) (of string, ok bool) {
	rest, dot := strings.CutPrefix(name, ".")
	rest, tmp := strings.CutSuffix(rest, suffix)
	i := strings.LastIndexByte(rest, '.')
	if !dot || !tmp || i <= 0 || i+1 == len(rest) || strings.Trim(rest[i+1:], "0123456789") != "" {
		return "", false
	}
	return rest[:i], true
}
