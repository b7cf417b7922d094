package table

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"loopmap/mapping"
	"loopmap/mapping/column"
)

// keyForm is how the table compares keys. Journal, outbox and outcomes have one text for
// each row, whichever way its key was written: the canonical one of its form.
type keyForm uint8

const (
	exactKeys keyForm = iota // as bytes
	asciiKeys                // SQLite's NOCASE: ASCII letters in any case are the same
	trimKeys                 // SQLite's RTRIM: blanks at the end do not count
	uuidKeys                 // PostgreSQL's uuid
	lowerKeys                // PostgreSQL's citext: as lower() of the database's collation
)

// formOf reads [Column.Compare].
func formOf(c Column) keyForm {
	switch c.Compare {
	case "NOCASE":
		return asciiKeys
	case "RTRIM":
		return trimKeys
	case "uuid":
		return uuidKeys
	case "citext":
		return lowerKeys
	}
	return exactKeys
}

// canonical is a key as its form has it; [Store.canonicalKeys] does citext's.
func (f keyForm) canonical(key string) string {
	switch f {
	case asciiKeys:
		return column.SQLite.Fold(key)
	case trimKeys:
		return strings.TrimRight(key, " ")
	case uuidKeys:
		if u, ok := uuidOf(key); ok {
			return u
		}
	case exactKeys, lowerKeys:
	}
	return key
}

// uuidOf is how PostgreSQL writes a uuid, of all the forms that it reads.
func uuidOf(key string) (string, bool) {
	hex := strings.ReplaceAll(strings.TrimSuffix(strings.TrimPrefix(key, "{"), "}"), "-", "")
	if len(hex) != 32 || strings.Trim(hex, "0123456789abcdefABCDEF") != "" {
		return "", false
	}
	hex = strings.ToLower(hex)
	return hex[:8] + "-" + hex[8:12] + "-" + hex[12:16] + "-" + hex[16:20] + "-" + hex[20:], true
}

// same reports whether two keys name one row, as far as it can be told without the
// database.
func (f keyForm) same(a, b string) bool {
	if f == lowerKeys {
		return strings.EqualFold(a, b)
	}
	return f.canonical(a) == f.canonical(b)
}

// CanonicalKeys are keys as journal and outcomes have them, whichever way they are written.
func (s *Store) CanonicalKeys(ctx context.Context, m *mapping.Mapping, keys []string) ([]string, error) {
	keys, err := s.canonicalKeys(ctx, m, keys)
	return keys, s.explain(err)
}

// canonicalKeys are keys of a mapping's table in their canonical form.
func (s *Store) canonicalKeys(ctx context.Context, m *mapping.Mapping, keys []string) ([]string, error) {
	form, err := s.keyForm(ctx, m)
	if err != nil || form == exactKeys || len(keys) == 0 {
		return keys, err
	}
	if form == lowerKeys {
		return s.lowered(ctx, keys)
	}
	keys = slices.Clone(keys)
	for i, key := range keys {
		keys[i] = form.canonical(key)
	}
	return keys, nil
}

// canonical brings the entries' keys to their canonical form. Their cells keep what the
// deliveries say.
func (s *Store) canonical(ctx context.Context, entries []mapping.Entry) ([]mapping.Entry, error) {
	by := map[*mapping.Mapping][]int{}
	var keys []string
	cloned := false
	for i, e := range entries {
		if (e.Status == mapping.Applied || e.Row.Event == mapping.ContactDeleted) && e.Mapping != nil && e.Row.Key != "" {
			by[e.Mapping] = append(by[e.Mapping], i)
		}
	}
	for m, which := range by {
		form, err := s.keyForm(ctx, m)
		if err != nil {
			return nil, err
		}
		if form == exactKeys {
			continue
		}
		keys = keys[:0]
		for _, i := range which {
			keys = append(keys, entries[i].Row.Key)
		}
		brought, err := s.canonicalKeys(ctx, m, keys)
		if err != nil {
			return nil, err
		}
		if !cloned {
			entries, cloned = slices.Clone(entries), true
		}
		for j, i := range which {
			entries[i].Row.Key = brought[j]
		}
	}
	return entries, nil
}

// keyMisfit says why rows cannot be told apart by a column: a key must read in one way
// alone, and be found again by what it reads as.
func keyMisfit(m *mapping.Mapping, t column.Type, c Column) string {
	if t != column.Text && t != column.Integer {
		return fmt.Sprintf("key %s is %s in the mapping, and rows are told apart by text or integer: what is written in more than one way "+
			"would not be found again", c.Name, t)
	}
	why := dialectOf(m.Dialect).keyMisfit(c)
	if why == "" {
		return ""
	}
	return fmt.Sprintf("column %s (%s) cannot tell rows apart: %s; take a column of text, uuid or integer as the key", c.Name,
		orUntyped(c.Type), why)
}

func orUntyped(declared string) string {
	if declared == "" {
		return "without a type"
	}
	return declared
}
