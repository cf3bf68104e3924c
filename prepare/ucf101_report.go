package prepare

// UCF101Report says what became of the clips of the annotations.
type UCF101Report struct {
	Classes int           `json:"classes"`
	Clips   int           `json:"clips"`  // that the annotations name
	Splits  []UCF101Split `json:"splits"` // those that have annotations
	Suffix  string        `json:"suffix"` // to set for the lists of videos: the extension that their names lack
	Missing []string      `json:"missing"`
	Extra   []string      `json:"extra"`   // clips that no annotation names
	Renamed []Renamed     `json:"renamed"` // found under another name or place
	Double  []string      `json:"double"`  // not taken: more than one file fits, none exactly
	Bad     []BadClip     `json:"bad"`     // left out
	Odd     []Problem     `json:"odd"`     // lines of the annotations: repeated, or a clip in train and test
	Skipped Skipped       `json:"skipped"`
}

// UCF101Split counts the lines of one split's lists.
type UCF101Split struct {
	Split        int `json:"split"` // from 1
	Train        int `json:"train"`
	Val          int `json:"val"`
	MissingTrain int `json:"missing_train"`
	MissingVal   int `json:"missing_val"`
}

// Renamed is a clip whose file is named otherwise than in the annotations.
type Renamed struct {
	Annotation string `json:"annotation"`
	File       string `json:"file"`
}

// BadClip is a folder of pictures that cannot be used, or a file whose name
// cannot stand in a list.
type BadClip struct {
	Name string `json:"name"`
	Err  string `json:"error"`
}
