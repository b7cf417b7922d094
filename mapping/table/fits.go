package table

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"loopmap/mapping/column"
)

// limits are the numbers behind a type's name: numeric(10,2), timestamp(3) with time zone.
var limits = regexp.MustCompile(`\((-?\d+)(?:,(-?\d+))?\)`)

// fits says why a column of PostgreSQL would store another value than the cell's, where
// PostgreSQL would not say so itself: it rounds numbers and times to a column's digits
// without a word (PostgreSQL, Numeric Types and Date/Time Types). declared is the type
// beneath any domain.
func fits(declared string, t column.Type, text string) string {
	base := modifier.ReplaceAllString(declared, "")
	digits := limits.FindStringSubmatch(declared)
	switch {
	case base == "numeric" && digits != nil:
		scale, _ := strconv.Atoi(digits[2]) // none is 0
		if least, ok := exponentOf(text); ok && least < -scale {
			return fmt.Sprintf("%s has more digits than %s keeps: it would be rounded", text, declared)
		}
	case base == "date" && t == column.Time:
		if at, err := time.Parse(time.RFC3339Nano, text); err == nil && !at.Equal(at.UTC().Truncate(24*time.Hour)) {
			return text + " is not midnight UTC, and a date keeps no time of day"
		}
	case strings.HasPrefix(base, "timestamp") && digits != nil && t == column.Time:
		places, _ := strconv.Atoi(digits[1])
		unit := time.Second
		for range places {
			unit /= 10
		}
		if at, err := time.Parse(time.RFC3339Nano, text); err == nil && unit > 0 && at.Nanosecond()%int(unit) != 0 {
			return fmt.Sprintf("%s is finer than %s keeps: it would be rounded", text, declared)
		}
	}
	return ""
}

// exponentOf is the power of ten of a JSON number's last digit that is not zero.
func exponentOf(number string) (int, bool) {
	mantissa, exponent, _ := strings.Cut(strings.ToLower(number), "e")
	power, err := strconv.Atoi(exponent)
	if exponent != "" && err != nil {
		return 0, false
	}
	whole, fraction, _ := strings.Cut(strings.TrimPrefix(mantissa, "-"), ".")
	digits := whole + fraction
	trimmed := strings.TrimRight(digits, "0")
	if trimmed == "" {
		return 0, false // zero, which all keep
	}
	return power - len(fraction) + len(digits) - len(trimmed), true
}
