package yamledit

import (
	"regexp"
	"strings"

	"loopmap/mapping/body"
)

var plainYAML = regexp.MustCompile(`^[A-Za-z_$][A-Za-z0-9_.$/:-]*$`)

// Quote writes a scalar, plain where that reads back as the same text both
// in block and in flow style.
func Quote(s string) string {
	switch strings.ToLower(s) {
	case "null", "true", "false", "yes", "no", "on", "off", "y", "n", "nan", "inf":
		return "'" + s + "'"
	}
	switch {
	case plainYAML.MatchString(s) && !strings.HasSuffix(s, ":"), bareVariable.MatchString(s):
		return s
	case body.IsPrintable(s):
		return "'" + strings.ReplaceAll(s, "'", "''") + "'"
	}
	var b strings.Builder
	body.WriteQuoted(&b, s)
	return b.String()
}

// bareVariable is a database that is all in the environment. Outside of flow
// style, where it is only ever written, it needs no quotes.
var bareVariable = regexp.MustCompile(`^\$\{[A-Z_]+\}$`)
