package tui

import (
	"strings"
	"unicode"
)

// matcher decides which attributes a search shows. Each word must stand in the
// path or in the sample value. When that finds nothing at all, it is enough that
// a word's letters stand close together in the path, in their order (frstnm:
// firstName); so that "pick all that is shown" picks nothing by accident. Upper
// case in the search makes it case-sensitive.
type matcher struct {
	words []string
	exact bool
}

func newMatcher(query string) matcher {
	m := matcher{exact: strings.IndexFunc(query, unicode.IsUpper) >= 0}
	if !m.exact {
		query = strings.ToLower(query)
	}
	m.words = strings.Fields(query)
	return m
}

func (m matcher) empty() bool { return len(m.words) == 0 }

func (m matcher) match(path, value string, fuzzy bool) bool {
	if !m.exact {
		path, value = strings.ToLower(path), strings.ToLower(value)
	}
	for _, w := range m.words {
		if !strings.Contains(path, w) && !strings.Contains(value, w) && !(fuzzy && near(path, w)) {
			return false
		}
	}
	return true
}

// near reports whether the letters of w stand in s in their order, within three
// times their number.
func near(s, w string) bool {
	text, want := []rune(s), []rune(w)
	if len(want) < 2 {
		return false
	}
	for start, r := range text {
		if r != want[0] {
			continue
		}
		at := 1
		for i := start + 1; i < len(text) && i < start+3*len(want) && at < len(want); i++ {
			if text[i] == want[at] {
				at++
			}
		}
		if at == len(want) {
			return true
		}
	}
	return false
}
