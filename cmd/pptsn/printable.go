package main

import (
	"strings"
	"unicode"
)

// printable is a text that may have come out of a file, without what a terminal
// would obey: all that is neither printed nor an end of a line or a tab is shown
// as the replacement character.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) || r == '\n' || r == '\t' {
			return r
		}
		return unicode.ReplacementChar
	}, s)
}
