package tui

import (
	"strings"
	"unicode"

	"charm.land/lipgloss/v2"
)

// JSON, YAML and SQL in colours, line by line: of text that is fit for the screen. What a
// line cannot tell, such as a string that goes on from the line before, stays plain.

// json colours a line of JSON; inside says that it begins within a string.
func (t *theme) json(line string, inside bool) string {
	var b strings.Builder
	for i := 0; i < len(line); {
		switch c := line[i]; {
		case inside || c == '"':
			end := i + 1
			if inside {
				end = i
			}
			for end < len(line) && line[end] != '"' {
				if line[end] == '\\' {
					end++
				}
				end++
			}
			end = min(end+1, len(line))
			look := t.plain
			if rest := strings.TrimLeft(line[end:], " "); !inside && strings.HasPrefix(rest, ":") {
				look = t.name
			}
			b.WriteString(render(look, line[i:end]))
			i, inside = end, false
		case c == '-' || c >= '0' && c <= '9':
			i = t.run(&b, t.number, line, i, func(r byte) bool { return strings.IndexByte("+-.eE0123456789", r) >= 0 })
		case c >= 'a' && c <= 'z':
			look := t.boolean
			if strings.HasPrefix(line[i:], "null") {
				look = t.faint
			}
			i = t.run(&b, look, line, i, func(r byte) bool { return r >= 'a' && r <= 'z' })
		default:
			b.WriteByte(c)
			i++
		}
	}
	return b.String()
}

// run writes the bytes from i on for which more holds, the first in any case, in a look.
func (t *theme) run(b *strings.Builder, look lipgloss.Style, line string, i int, more func(byte) bool) int {
	end := i + 1
	for end < len(line) && more(line[end]) {
		end++
	}
	b.WriteString(render(look, line[i:end]))
	return end
}

// yaml colours a line of a mapping file: its keys, what is quoted, and a comment.
func (t *theme) yaml(line string) string {
	var b strings.Builder
	for i := 0; i < len(line); {
		c := line[i]
		switch {
		case c == '#' && (i == 0 || line[i-1] == ' '):
			b.WriteString(t.faint.Render(line[i:]))
			return b.String()
		case c == '\'' || c == '"':
			end := i + 1
			for end < len(line) && line[end] != c {
				end++
			}
			end = min(end+1, len(line))
			b.WriteString(line[i:end])
			i = end
		case isWord(c):
			end := i
			for end < len(line) && (isWord(line[end]) || line[end] == '.' || line[end] == '-') {
				end++
			}
			look := t.plain
			if end < len(line) && line[end] == ':' && (end+1 == len(line) || line[end+1] == ' ') {
				look = t.name
			}
			b.WriteString(render(look, line[i:end]))
			i = end
		default:
			b.WriteByte(c)
			i++
		}
	}
	return b.String()
}

func isWord(c byte) bool {
	return c == '_' || c >= 0x80 || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// sql colours a line of SQL: its words in capitals, its texts and names.
func (t *theme) sql(line string) string {
	var b strings.Builder
	for i := 0; i < len(line); {
		c := line[i]
		switch {
		case strings.HasPrefix(line[i:], "--"):
			b.WriteString(t.faint.Render(line[i:]))
			return b.String()
		case c == '\'' || c == '"':
			end := i + 1
			for end < len(line) && line[end] != c {
				end++
			}
			end = min(end+1, len(line))
			look := t.plain
			if c == '\'' {
				look = t.good
			}
			b.WriteString(render(look, line[i:end]))
			i = end
		case isWord(c):
			end := i
			for end < len(line) && isWord(line[end]) {
				end++
			}
			word, look := line[i:end], t.plain
			if strings.IndexFunc(word, unicode.IsLower) < 0 && strings.IndexFunc(word, unicode.IsUpper) >= 0 {
				look = t.name
			}
			b.WriteString(render(look, word))
			i = end
		default:
			b.WriteByte(c)
			i++
		}
	}
	return b.String()
}
