package main

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"loopmap/mapping"
	"loopmap/mapping/column"
)

// masker puts other values in the place of people's, of the same type and length, so that
// conditions judge them alike: NULL and booleans stay, a number keeps its sign, its first
// digit and how many it has, a time its year and month, an email is one at example.com, and
// what a condition of the mapping compares with stays as it is. A value is masked alike
// wherever it stands, and two are masked apart as far as there are others.
type masker struct {
	key   []byte          // of one rehearsal: what is masked cannot be found by trying
	keep  map[string]bool // what stands in the mapping hides nothing
	known map[string]string
	taken map[string]bool
}

func newMasker(m *mapping.Mapping) *masker {
	k := &masker{key: make([]byte, 32), keep: literals(m), known: map[string]string{}, taken: map[string]bool{}}
	_, _ = rand.Read(k.key) // never fails
	return k
}

// literal is a text or a number of a condition.
var literal = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[0-9]+(?:\.[0-9]+)?`)

func literals(m *mapping.Mapping) map[string]bool {
	list := map[string]bool{}
	var conditions []string
	if m.Push != nil {
		if m.Push.Contact != nil {
			conditions = append(conditions, m.Push.Contact.OnlyRunIf)
		}
		for _, e := range m.Push.Events {
			conditions = append(conditions, e.OnlyRunIf)
		}
	}
	for _, c := range conditions {
		for _, text := range literal.FindAllString(c, -1) {
			if text[0] == '\'' {
				text = `"` + strings.ReplaceAll(text[1:len(text)-1], `"`, `\"`) + `"`
			}
			if plain, err := strconv.Unquote(text); err == nil {
				text = plain
			}
			list[text] = true
		}
	}
	return list
}

// cell is a cell of a type, masked.
func (k *masker) cell(t column.Type, c column.Cell) column.Cell {
	if c.State != column.Present || t == column.Boolean {
		return c
	}
	switch t {
	case column.Integer, column.Number:
		c.Text = k.mask(c.Text, number)
	case column.Time:
		c.Text = k.mask(c.Text, moment)
	case column.JSON:
		c.Text = k.json(c.Text)
	default:
		c.Text = k.text(c.Text)
	}
	return c
}

func (k *masker) text(s string) string {
	if email.MatchString(s) {
		return k.mask(s, address)
	}
	return k.mask(s, words)
}

// mask is a value that alike makes of random bytes, another one than any before.
func (k *masker) mask(s string, alike func(s string, next func() byte) string) string {
	if k.keep[s] {
		return s
	}
	if to, ok := k.known[s]; ok {
		return to
	}
	to := ""
	for try := range 100 {
		h := hmac.New(sha256.New, append([]byte{byte(try)}, k.key...))
		h.Write([]byte(s)) // never fails
		sum, at := h.Sum(nil), 0
		to = alike(s, func() byte {
			if at == len(sum) {
				next := sha256.Sum256(sum)
				sum, at = next[:], 0
			}
			at++
			return sum[at-1]
		})
		if !k.taken[to] && to != s {
			break
		}
	}
	k.known[s], k.taken[to] = to, true
	return to
}

// words are other letters and digits in the place of each.
func words(s string, next func() byte) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsUpper(r):
			return 'A' + rune(next()%26)
		case unicode.IsLetter(r):
			return 'a' + rune(next()%26)
		case unicode.IsDigit(r):
			return '0' + rune(next()%10)
		}
		return r
	}, s)
}

var email = regexp.MustCompile(`^[^@\s]+@[^@\s]+$`)

// address is an email at example.com, as long as before where that is long enough.
func address(s string, next func() byte) string {
	const domain = "@example.com"
	n := len([]rune(s)) - len(domain)
	if n < 6 { // else many would be alike
		n = max(6, n)
	}
	local := make([]byte, n)
	for i := range local {
		local[i] = 'a' + next()%26
	}
	return string(local) + domain
}

// number is one of as many digits, of which the first stays, and what is no digit, too.
func number(s string, next func() byte) string {
	first, exponent := true, false
	return strings.Map(func(r rune) rune {
		switch {
		case r == 'e' || r == 'E':
			exponent = true
		case exponent || r < '0' || r > '9' || first && r == '0':
		case first:
			first = false
		default:
			return '0' + rune(next()%10)
		}
		return r
	}, s)
}

// moment is another day and time of the same month, written alike.
func moment(s string, next func() byte) string {
	b := []byte(s)
	two := func(at, from, n int) {
		if at+1 < len(b) && isDigit(b[at]) && isDigit(b[at+1]) {
			v := from + int(next())%n
			b[at], b[at+1] = '0'+byte(v/10), '0'+byte(v%10)
		}
	}
	two(8, 1, 28)
	two(11, 0, 24)
	two(14, 0, 60)
	two(17, 0, 60)
	for i := 20; i < len(b) && isDigit(b[i]); i++ { // of a second
		b[i] = '0' + next()%10
	}
	return string(b)
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// jsonToken is a string of JSON, with the colon behind it where it is a name, or a number.
var jsonToken = regexp.MustCompile(`"(?:[^"\\]|\\.)*"(\s*:)?|-?[0-9][0-9.eE+-]*`)

// json is JSON of the same form: names stay, and true, false and null.
func (k *masker) json(s string) string {
	return jsonToken.ReplaceAllStringFunc(s, func(t string) string {
		var text string
		switch {
		case t[0] != '"':
			return k.mask(t, number)
		case t[len(t)-1] == ':' || json.Unmarshal([]byte(t), &text) != nil:
			return t
		}
		out, _ := json.Marshal(k.text(text)) // text always encodes
		return string(out)
	})
}

// masked are rows with other values in them.
func masked(m *mapping.Mapping, fields []column.Field, rows []map[string]column.Cell) {
	k := newMasker(m)
	for _, row := range rows {
		for name, c := range row {
			if i := slices.IndexFunc(fields, func(f column.Field) bool { return f.Name == name }); i >= 0 {
				row[name] = k.cell(fields[i].Type, c)
			}
		}
	}
}
