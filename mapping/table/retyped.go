package table

import (
	"errors"
	"fmt"
	"sync"

	"loopmap/mapping"
)

// A table's columns may be retyped while they are written: the database would turn the
// values into the new type without a word, a time into a date, a text into one of ten
// characters. Each transaction looks whether the columns are those that it was made for.

// errRetyped says that the columns are others than those that a transaction was made for.
var errRetyped = errors.New("the table's columns have changed meanwhile")

// beginning is what the columns of a mapping's table were when they were first written.
type beginning struct {
	mu      sync.Mutex
	mapping *mapping.Mapping
	columns map[string]Column
}

func (b *beginning) first() *beginning { return b }

// fit is asked whenever columns are read to be written. The error is an [unfitError].
func (b *beginning) fit(m *mapping.Mapping, columns []Column) error {
	p := MakePlan(m, columns)
	if b.narrowed(&p, m, columns); p.Unfit() != "" {
		return &unfitError{m, p.Unfit()}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.mapping != m {
		b.mapping, b.columns = m, byName(columns)
	}
	return nil
}

// narrowed adds to a plan the columns that keep fewer values to the letter than those
// that the mapping began with. A mapping that begins with such columns is held to them
// value by value; one that did not, waits: who has retyped them may not have meant it.
func (b *beginning) narrowed(p *Plan, m *mapping.Mapping, columns []Column) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.mapping != m {
		return
	}
	d, now := dialectOf(m.Dialect), byName(columns)
	for _, c := range m.Columns() {
		was, is := b.columns[c.Name], now[c.Name]
		why := d.narrows(c.Type, is.base())
		if why == "" || was.base() == is.base() || d.misfit(c.Type, is.base()) != "" {
			continue
		}
		p.Misfits = append(p.Misfits, fmt.Sprintf("column %s was %s and has become %s: %s", c.Name, was.Type, is.Type, why))
		p.repair(d.retype(m.Table, c.Name, was.Type))
	}
}

func byName(columns []Column) map[string]Column {
	by := make(map[string]Column, len(columns))
	for _, c := range columns {
		by[c.Name] = c
	}
	return by
}
