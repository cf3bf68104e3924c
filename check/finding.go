package check

import (
	"maps"
	"slices"
	"strings"
)

// A Level says how much a finding matters.
type Level string

// The levels. An error says that training should not start: it would fail, or its
// score would be wrong.
const (
	Error   Level = "error"
	Warning Level = "warning"
	Note    Level = "note"
)

// A Kind names what is wrong. The names are stable.
type Kind string

// The kinds.
const (
	BadLine       Kind = "bad-line"       // a line that is not as the format of the list wants it
	Missing       Kind = "missing"        // no file, no folder, no first picture
	Unreadable    Kind = "unreadable"     // empty, no video, no frame, a picture that does not decode, too slow
	Truncated     Kind = "truncated"      // bytes are missing at the end
	Damaged       Kind = "damaged"        // the decoder refuses or repairs pictures
	TooShort      Kind = "too-short"      // fewer frames than segments; an error below Options.MinFrames
	MissingFrames Kind = "missing-frames" // fewer pictures than the list says
	MoreFrames    Kind = "more-frames"    // more pictures than the list says
	SizeChange    Kind = "size-change"    // pictures of different sizes in a clip
	VariableRate  Kind = "variable-rate"
	Rotated       Kind = "rotated"
	Interlaced    Kind = "interlaced"
	NoDuration    Kind = "no-duration"
	FrameCountLie Kind = "frame-count-lie" // the header claims another number of frames than decode
	Duplicate     Kind = "duplicate"       // the same content twice in a list
	LabelConflict Kind = "label-conflict"  // the same content in a list with different labels
	Leak          Kind = "leak"            // the same content in training and in validation or test
	LabelRange    Kind = "label-range"     // a label that the network has no class for
	LabelMismatch Kind = "label-mismatch"  // folder or file name speak of another class
	FewClips      Kind = "few-clips"       // a class with fewer clips than Options.MinClips
	AbsentClass   Kind = "absent-class"    // a class without a clip
	Imbalance     Kind = "imbalance"       // the largest class is much larger than the smallest
	NoClips       Kind = "no-clips"        // a list without a single clip that can be used
	Changed       Kind = "changed"         // other content than at the last check
	Swapped       Kind = "swapped"         // content that another file had at the last check
)

var levels = map[Kind]Level{
	BadLine: Error, Missing: Error, Unreadable: Error, Truncated: Error, Damaged: Warning,
	TooShort: Warning, MissingFrames: Error, MoreFrames: Note, SizeChange: Warning,
	VariableRate: Note, Rotated: Note, Interlaced: Note, NoDuration: Note, FrameCountLie: Note,
	Duplicate: Warning, LabelConflict: Error, Leak: Error, LabelRange: Error, LabelMismatch: Warning,
	FewClips: Warning, AbsentClass: Warning, Imbalance: Note, NoClips: Error, Changed: Warning, Swapped: Warning,
}

func kindNames() string {
	var names []string
	for _, k := range slices.Sorted(maps.Keys(levels)) {
		names = append(names, string(k))
	}
	return strings.Join(names, ", ")
}

// A Finding is one thing about one line of a list, or about the list.
type Finding struct {
	Level   Level  `json:"level"`
	Kind    Kind   `json:"kind"`
	List    string `json:"list"`           // file
	Line    int    `json:"line,omitempty"` // from 1; 0: the list as a whole
	Use     string `json:"use"`
	Name    string `json:"name,omitempty"` // as in the list
	Path    string `json:"path,omitempty"`
	Label   int    `json:"label"` // -1: none
	Message string `json:"message"`
	Twin    string `json:"twin,omitempty"`   // LIST:LINE of the other clip, where there is one
	Frames  int    `json:"frames,omitempty"` // with MissingFrames and MoreFrames: how many follow each other from the first
}

// rank orders the levels, errors first.
func (l Level) rank() int { return slices.Index([]Level{Error, Warning, Note}, l) }

// level is that of a kind, with what is allowed.
func (r *run) level(k Kind) Level {
	l := levels[k]
	if l == Error && slices.Contains(r.Allow, k) {
		return Warning
	}
	return l
}

// unusable reports whether the line is left out of the clean list.
func (r *run) unusable(f Finding) bool {
	switch f.Kind {
	case Duplicate:
		return !slices.Contains(r.Allow, Duplicate)
	case MissingFrames:
		return f.Level == Error && f.Frames == 0 // else the number is put right
	}
	return f.Level == Error
}
