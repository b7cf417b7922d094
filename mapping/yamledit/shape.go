package yamledit

import (
	"bytes"
	"unicode/utf8"

	"loopmap/mapping/body"
)

// The library takes memory and time for what is nested by the square, and a kilobyte for
// each sign: what no mapping file is like is refused before it sees it.

const (
	maxRun   = 16      // lists and keys that begin on one line: "- - - - a"
	maxKeys  = 10_000  // one below the other
	maxSigns = 200_000 // that mean something in YAML; 10,000 rules have some 100,000
)

// checkShape refuses what is nested too deep or has too many parts.
func checkShape(src []byte) error {
	depth, signs, run, begin := 0, 0, 0, true
	for i, c := range src {
		switch c {
		case '[', '{':
			depth++
		case ']', '}':
			depth = max(0, depth-1)
		}
		switch c {
		case '\n':
			run, begin = 0, true
		case ' ':
		case '-', '?':
			if begin = begin && (i+1 == len(src) || src[i+1] == ' ' || src[i+1] == '\n'); begin {
				run++
			}
		default:
			begin = false
		}
		switch c {
		case '[', ']', '{', '}', ',', ':', '-', '?', '&', '*', '!', '|', '>', '%', '@', '`', '"', '\'', '#':
			signs++
		}
		switch {
		case depth > body.MaxDepth:
			return fail(placeAt(src, i), "brackets are nested too deep")
		case run > maxRun:
			return fail(placeAt(src, i), "lists are nested too deep")
		case signs > maxSigns:
			return fail(placeAt(src, i), "the file has too many parts (%d signs of YAML); no mapping file needs them", maxSigns)
		}
	}
	return checkBlocks(src)
}

// checkBlocks refuses a block of too many keys, by the lines that begin as far to the right
// as each other with none further to the left between them.
func checkBlocks(src []byte) error {
	type block struct{ indent, lines int }
	var open []block
	start := 0
	for line := range bytes.Lines(src) {
		text := bytes.TrimLeft(line, " ")
		indent := len(line) - len(text)
		if item := bytes.HasPrefix(text, []byte("-")); len(bytes.TrimSpace(text)) > 0 && text[0] != '#' {
			for len(open) > 0 && (open[len(open)-1].indent > indent || item && open[len(open)-1].indent == indent) {
				open = open[:len(open)-1]
			}
			if len(open) == 0 || open[len(open)-1].indent < indent {
				open = append(open, block{indent: indent})
			}
			if last := &open[len(open)-1]; !item {
				if last.lines++; last.lines > maxKeys {
					return fail(placeAt(src, start+indent), "a block of more than %d keys; no mapping file needs one", maxKeys)
				}
			}
		}
		start += len(line)
	}
	return nil
}

// longest is how much of what stands in the file a message quotes.
const longest = 200

// Cut is a text that is short enough for a message.
func Cut(text string) string {
	if len(text) <= longest {
		return text
	}
	end := longest
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "…"
}
