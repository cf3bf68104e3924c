package prepare

// KineticsReport says what became of the rows.
type KineticsReport struct {
	Name    string          `json:"name"`   // that the files begin with: kinetics400, kinetics600, kinetics700 or kinetics
	Labels  string          `json:"labels"` // where the order of the classes is from
	Classes int             `json:"classes"`
	Splits  []KineticsSplit `json:"splits"`
	Missing []string        `json:"missing"` // split, label and name of the clip, with tabs between
	Extra   []string        `json:"extra"`   // videos that no row names
	Several []Several       `json:"several"` // clips with more than one file
	Folders []Misplaced     `json:"folders"` // files that lie in another class's folder
	Unclear []Problem       `json:"unclear"` // left out: rows of one video whose file does not say which clip it is
	Double  []Problem       `json:"double"`  // rows of a clip that an earlier row has
	Bad     []Problem       `json:"bad"`     // rows that cannot be used
	Unnamed []string        `json:"unnamed"` // names that cannot stand in a list
	Skipped Skipped         `json:"skipped"`
}

// KineticsSplit counts the clips of one split.
type KineticsSplit struct {
	Split     string `json:"split"`
	Rows      int    `json:"rows"` // without double ones
	Found     int    `json:"found"`
	Missing   int    `json:"missing"`
	Unlabeled int    `json:"unlabeled"` // clips without a label: in no list
}

// Several is a clip with more than one file.
type Several struct {
	Taken string   `json:"taken"`
	Left  []string `json:"left"`
}

// Misplaced is a file in the folder of another class than the CSV file says.
type Misplaced struct {
	File   string `json:"file"`
	Folder string `json:"folder"` // class of the folder
	Label  string `json:"label"`  // of the CSV file, which counts
}
