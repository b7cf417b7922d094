package body

import "github.com/agnivade/levenshtein"

// Nearest is the word that s was probably meant to be, or "" when none is near.
func Nearest(s string, words []string) string {
	best, at := "", 1+len(s)/3
	for _, w := range words {
		if d := levenshtein.ComputeDistance(s, w); d <= at && d < len(w) {
			best, at = w, d-1
		}
	}
	return best
}
