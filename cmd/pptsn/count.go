package main

import (
	"fmt"
	"strings"
)

// countOf is "1 view", "25 views" or "2 classes".
func countOf[N int | int64](n N, what string) string {
	switch {
	case n == 1:
		return "1 " + what
	case strings.HasSuffix(what, "s"):
		what += "es"
	default:
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}
