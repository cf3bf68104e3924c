package dataset

// The parts of mixing, for a forced blend, permutation and box.
var (
	Mixup  = mixup
	Cutmix = cutmix
	CutBox = cutBox
	Beta   = beta
)

// Parse is Open for a list in memory.
func Parse(o Options, text string) (*Set, error) {
	entries, err := parseList(o, text)
	if err != nil {
		return nil, err
	}
	return &Set{o: o, entries: entries}, nil
}
