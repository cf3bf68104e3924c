package engine

// A choice is an engine and why it was taken.
type choice struct {
	kind    Kind
	reasons []string
}

// choose settles Auto.
func choose(o Options) (choice, error) {
	if o.Kind != Auto && o.Kind != "" {
		return choice{kind: o.Kind}, nil
	}
	return choice{kind: OneDNN, reasons: []string{"onednn: the fastest on a CPU"}}, nil
}
