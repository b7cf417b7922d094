package column

import (
	"fmt"
	"strings"
	"unicode"

	"loopmap/mapping/body"
)

// ProposeName makes a column's name from a path: the words of its last steps in
// lower case, joined by underscores (contact.firstName: first_name). The
// envelopes contact and contactIdentity say nothing and are left out, an opaque
// id is cut to its beginning, and a name that is taken gets a number.
func ProposeName(p body.Path, d Dialect, taken func(string) bool) string {
	steps := p.Steps()
	if len(steps) > 1 && (steps[0].Key == "contact" || steps[0].Key == "contactIdentity") {
		if steps[0].Key == "contactIdentity" && len(steps) == 2 && steps[1].Key == "id" {
			steps[0].Key = "loops"
		} else {
			steps = steps[1:]
		}
	}
	var words []string
	for _, s := range steps {
		if s.IsIndex {
			words = append(words, fmt.Sprint(s.Index))
			continue
		}
		words = append(words, splitWords(s.Key)...)
	}
	name := cutName(strings.Join(words, "_"), maxName-4)
	switch {
	case name == "":
		name = "attribute"
	case name[0] >= '0' && name[0] <= '9':
		name = "_" + name
	}
	if Reserved(name) || d.CheckColumn(name) != nil {
		name = "contact_" + name
	}
	for base, n := name, 2; taken(d.Fold(name)); n++ {
		name = fmt.Sprintf("%s_%d", base, n)
	}
	return name
}

// splitWords takes camelCase, HTMLBody, plan name and company.name apart.
func splitWords(key string) []string {
	if isOpaque(key) {
		return []string{strings.ToLower(key[:5])}
	}
	var words []string
	var word []rune
	end := func() {
		if len(word) > 0 {
			words = append(words, strings.ToLower(string(word)))
			word = nil
		}
	}
	runes := []rune(cutName(key, 4*maxName))
	for i, r := range runes {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) {
			end()
			continue
		}
		if unicode.IsUpper(r) && i > 0 {
			before, after := runes[i-1], rune(0)
			if i+1 < len(runes) {
				after = runes[i+1]
			}
			if !unicode.IsUpper(before) || unicode.IsLower(after) {
				end()
			}
		}
		word = append(word, r)
	}
	end()
	return words
}

// isOpaque reports whether a key is an id made by a machine, such as Loops' ids
// of mailing lists: long, lower case, letters and digits mixed.
func isOpaque(key string) bool {
	digits := 0
	for i := range len(key) {
		switch c := key[i]; {
		case c >= '0' && c <= '9':
			digits++
		case c < 'a' || c > 'z':
			return false
		}
	}
	return len(key) >= 20 && digits >= 3
}

// cutName cuts s to at most n bytes without splitting a character.
func cutName(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xc0 == 0x80 {
		n--
	}
	return strings.TrimRight(s[:n], "_")
}

// ProposeType proposes a column's type from the kinds of values that were seen
// at a path and one of them. Numbers are proposed as number, since Loops knows
// one kind of number; a whole number today may have a fraction tomorrow.
func ProposeType(a *body.Attribute) Type {
	if s, _ := a.Path.Last(); a.Path.Len() == 1 && s.Key == "eventTime" {
		return Time
	}
	switch a.Kinds &^ body.KindNull {
	case body.KindNumber:
		return Number
	case body.KindBoolean:
		return Boolean
	case body.KindTime:
		return Time
	case body.KindObject, body.KindList, body.KindObject | body.KindList:
		return JSON
	default: // texts, and what the samples disagree on
		return Text
	}
}
