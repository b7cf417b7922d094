package mapping

import (
	"regexp"
	"strings"
)

// ConnectionMisfit says why an API key cannot be kept under a name; "" when it can. What
// looks like a key itself is no name: it would stand where everybody may read it. The
// words do not repeat it.
func ConnectionMisfit(name string) string {
	switch {
	case !connectionName.MatchString(name):
		return "a connection is named by small letters, digits, . _ and -, 40 at most, a letter or a digit first"
	case keyLike.MatchString(name):
		return "that looks like an API key, not like the name of one: it has no place here"
	}
	return ""
}

// The schema has the same two patterns.
var (
	connectionName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,39}$`)
	keyLike        = regexp.MustCompile(`^[0-9a-f]{20,}$`)
)

// ConnectionName makes the name of a team into one that its API key can be kept under, or
// "default".
func ConnectionName(team string) string {
	plain := strings.Trim(otherThanNames.ReplaceAllString(strings.ToLower(team), "-"), "-")
	if len(plain) > 40 {
		plain = strings.TrimRight(plain[:40], "-")
	}
	if ConnectionMisfit(plain) != "" {
		return "default"
	}
	return plain
}

var otherThanNames = regexp.MustCompile(`[^a-z0-9]+`)
