package config

import (
	"fmt"
	"strings"
)

// hint ends a message about an unknown word: the known word that was probably
// meant, else all of them.
func hint(word string, known []string) string {
	if near := nearest(word, known); near != "" {
		return fmt.Sprintf("did you mean %s?", near)
	}
	if len(known) == 0 {
		return "none is known here"
	}
	return "known here: " + strings.Join(known, ", ")
}

// nearest returns the known word that is at most a third of its letters away
// from word, or "".
func nearest(word string, known []string) string {
	best, found := 0, ""
	for _, k := range known {
		d := editDistance(strings.ToLower(word), strings.ToLower(k))
		if d <= max(1, len(k)/3) && (found == "" || d < best) {
			best, found = d, k
		}
	}
	return found
}

// editDistance is Levenshtein's: insertions, deletions and replacements of
// bytes. Words that differ much in length are far apart whatever they hold, so
// a long one costs nothing.
func editDistance(a, b string) int {
	if diff := max(len(a)-len(b), len(b)-len(a)); diff > len(b) {
		return diff
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replace := diagonal
			if a[i] != b[j] {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(replace, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
