package dataset

// The parts of mixing, for a forced blend, permutation and box.
var (
	Mixup  = mixup
	Cutmix = cutmix
	CutBox = cutBox
	Beta   = beta
)

// ParseList is what Open does with the text of a list.
func ParseList(file, text string, frames bool, classes int) (int, error) {
	entries, err := parseList(file, text, frames, classes)
	return len(entries), err
}
