package table

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"loopmap/mapping"
)

// ErrNoEmail is returned by [Store.KeysOf] where no column holds the contact's email.
var ErrNoEmail = errors.New("the mapping has no column for the contact's email")

// KeysOf are the keys of the rows that have this email, in whatever case it is written.
func (s *Store) KeysOf(ctx context.Context, m *mapping.Mapping, email string) ([]string, error) {
	column := emailColumn(m)
	if column == "" {
		return nil, ErrNoEmail
	}
	columns, err := s.columns(ctx, m.Table)
	if err != nil || len(columns) == 0 {
		return nil, s.explain(err)
	}
	keys := []string{}
	for _, same := range []string{"%s = ?", "lower(%s) = lower(?)"} { // the first may have an index of the user's
		text := fmt.Sprintf("SELECT %s FROM %s WHERE %s IS NOT NULL AND "+same, s.keyText(m.Key), quote(m.Table), quote(m.Key), quote(column))
		err = s.ask(ctx, text, []any{email}, func(v []stored) error {
			keys = append(keys, v[0].text)
			return nil
		})
		if err != nil || len(keys) > 0 {
			break
		}
	}
	if err == nil {
		keys, err = s.canonicalKeys(ctx, m, keys)
	}
	return keys, s.explain(err)
}

// emailColumn is the column that holds the contact's email, as it comes or as it is sent; ""
// when none does.
func emailColumn(m *mapping.Mapping) string {
	for _, path := range []string{"contactIdentity.email", "contact.email"} {
		if i := slices.IndexFunc(m.Receive.Columns, func(c mapping.Column) bool { return c.From.String() == path }); i >= 0 {
			return m.Receive.Columns[i].Name
		}
	}
	if m.Push == nil {
		return ""
	}
	email := ""
	if m.Push.Contact != nil {
		email = m.Push.Contact.Email
	}
	for _, e := range m.Push.Events {
		email = cmp.Or(email, e.Email)
	}
	return email
}

// FindByEmail are the deliveries about an email that f wants, newest first: those of the
// rows that have it now, and those that wait or are quarantined.
func (s *Store) FindByEmail(ctx context.Context, m *mapping.Mapping, email string, f Filter, each func(Record) error) error {
	keys, err := s.KeysOf(ctx, m, email)
	if err != nil && !errors.Is(err, ErrNoEmail) {
		return err
	}
	var list []Record
	seen := map[string]bool{}
	add := func(r Record) error {
		if !seen[r.ID] {
			seen[r.ID], list = true, append(list, r)
		}
		return nil
	}
	if f.Keys = keys; keys != nil {
		if err := s.Each(ctx, f, add); err != nil {
			return err
		}
	}
	f.Keys = nil
	for _, status := range []mapping.Status{mapping.Quarantined, mapping.Pending} {
		if f.Status != "" && f.Status != status {
			continue
		}
		waiting := f
		waiting.Status, waiting.Limit, waiting.Head = status, 0, 0
		err := s.Each(ctx, waiting, func(r Record) error {
			if !strings.EqualFold(mapping.FactsOf(r.Body).Email, email) {
				return nil
			}
			return add(r)
		})
		if err != nil {
			return err
		}
	}
	slices.SortFunc(list, func(a, b Record) int { return cmp.Compare(b.Seq, a.Seq) })
	if f.Limit > 0 && len(list) > f.Limit {
		list = list[:f.Limit]
	}
	for _, r := range list {
		if err := each(r); err != nil {
			return err
		}
	}
	return nil
}
