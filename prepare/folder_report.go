package prepare

import (
	"fmt"
	"math"
)

// FolderReport says how the clips were split.
type FolderReport struct {
	Classes   []FolderClass `json:"classes"`
	Clips     int           `json:"clips"`
	Sides     []string      `json:"sides"`              // train, val, test: those that Split counts
	Split     []int         `json:"split"`              // clips of each side
	Shares    []float64     `json:"shares"`             // of each side
	Wanted    []float64     `json:"wanted"`             // shares that were asked for; nil if the CSV file has them all
	Groups    int           `json:"groups"`             // 0: not grouped
	Ungrouped []string      `json:"ungrouped"`          // clips in whose names GroupBy finds nothing: each is its own group
	Torn      []string      `json:"torn"`               // groups that the CSV file itself has on several sides
	Furthest  *Deviation    `json:"furthest,omitempty"` // the class whose shares are furthest from those wanted
	Thin      []string      `json:"thin"`               // classes that lack clips on a side, as text
	Stray     []string      `json:"stray"`              // videos outside of the folders of classes
	Missing   []string      `json:"missing"`            // that the CSV file names
	Unnamed   []string      `json:"unnamed"`            // names that cannot stand in a list
	Bad       []Problem     `json:"bad"`                // rows of the CSV file that cannot be used
	Skipped   Skipped       `json:"skipped"`
}

// FolderClass is a class and its clips.
type FolderClass struct {
	Name  string `json:"name"`
	Clips int    `json:"clips"`
	Split []int  `json:"split"` // clips of each side
}

// Deviation is a share of a class's clips that is not as wanted.
type Deviation struct {
	Class  string  `json:"class"`
	Side   string  `json:"side"`
	Share  float64 `json:"share"`
	Wanted float64 `json:"wanted"`
}

// deviation finds Furthest.
func (r *FolderReport) deviation() {
	if r.Wanted == nil {
		return
	}
	most := 0.0
	for _, c := range r.Classes {
		for side, n := range c.Split {
			share := float64(n) / float64(max(c.Clips, 1))
			if off := math.Abs(share - r.Wanted[side]); c.Clips > 0 && off > most+1e-9 {
				most, r.Furthest = off, &Deviation{c.Name, sideNames[side], math.Round(1e4*share) / 1e4, r.Wanted[side]}
			}
		}
	}
}

// thin notes the classes that a side has no clip of, though it has others.
func (r *FolderReport) thin() {
	for _, c := range r.Classes {
		if c.Clips == 0 {
			r.Thin = append(r.Thin, c.Name+" has no clips at all")
			continue
		}
		for side, n := range c.Split {
			wanted := r.Split[side] > 0 || r.Wanted != nil && r.Wanted[side] > 0
			if n == 0 && wanted {
				r.Thin = append(r.Thin, fmt.Sprintf("%s has none in %s, of %d", c.Name, sideNames[side], c.Clips))
			}
		}
	}
}
