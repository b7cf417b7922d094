package table

import (
	"context"
	"fmt"
	"strings"

	"loopmap/mapping"
	"loopmap/mapping/column"
)

// Column is a column that the table has.
type Column struct {
	Name      string
	Type      string // as declared
	Base      string // of a domain the type beneath it; "" of all others
	Key       bool   // tells rows apart by itself: the primary key or a unique index
	Generated bool   // computed by the database, not to be written
	Required  bool   // NOT NULL, and neither a default nor a trigger could fill it
	Compare   string // SQLite's collation, "citext", "uuid", or "collation NAME"; "" compares bytes
	Never     string // why no index can keep it unique; "" where one can
}

// base is the type beneath any domain.
func (c Column) base() string {
	if c.Base != "" {
		return c.Base
	}
	return c.Type
}

// Columns are the columns of a table; none when there is no such table.
func (s *Store) Columns(ctx context.Context, table string) ([]Column, error) {
	list, err := s.engine.columns(ctx, table)
	return list, s.explain(err)
}

// Plan is what the table needs before a mapping can fill it.
type Plan struct {
	Notes []string // the change in words
	SQL   []string // the statements that make it, in order
	Lacks []string // the same as what the table lacks as it is
	// Misfits are columns that would change the mapped values, in words. loopmap
	// retypes nothing: the mapping or the table must be changed by hand.
	Misfits []string
	// Repairs are statements that would mend the misfits, where there are such: for
	// people to run who mean it.
	Repairs []string
}

// Plan compares a mapping with the table as it is, and with what the database's user may
// do to it.
func (s *Store) Plan(ctx context.Context, m *mapping.Mapping) (Plan, error) {
	p, err := s.Shape(ctx, m)
	if err == nil {
		err = s.explain(s.addRights(ctx, m, &p))
	}
	return p, err
}

// Shape is Plan without the user's rights.
func (s *Store) Shape(ctx context.Context, m *mapping.Mapping) (Plan, error) {
	columns, err := s.Columns(ctx, m.Table)
	if err != nil {
		return Plan{}, err
	}
	b := s.engine.first()
	_ = b.fit(m, columns) // which the plan says
	plan := MakePlan(m, columns)
	b.narrowed(&plan, m, columns)
	return plan, nil
}

// MakePlan compares a mapping with the columns of its table, none when there is
// no table yet.
func MakePlan(m *mapping.Mapping, columns []Column) (p Plan) {
	if len(columns) == 0 {
		return planTable(m)
	}
	d, have, mapped := dialectOf(m.Dialect), map[string]Column{}, map[string]bool{}
	for _, c := range columns {
		have[m.Dialect.Fold(c.Name)] = c
	}
	for _, c := range m.Columns() {
		mapped[m.Dialect.Fold(c.Name)] = true
	}
	for _, c := range columns {
		if c.Required && m.Receives() && !mapped[m.Dialect.Fold(c.Name)] {
			p.Misfits = append(p.Misfits, fmt.Sprintf("column %s is NOT NULL without a default, and the mapping does not fill it: the table "+
				"would refuse every row", c.Name))
			p.repair(d.nullable(m.Table, c.Name))
		}
	}
	for _, c := range m.Columns() {
		old, ok := have[m.Dialect.Fold(c.Name)]
		switch {
		case !ok:
			p.Notes = append(p.Notes, fmt.Sprintf("adds column %s (%s); rows that are there stay NULL in it until loopmap replay", c.Name,
				c.Type.SQL(m.Dialect)))
			p.Lacks = append(p.Lacks, fmt.Sprintf("it lacks column %s (renamed? then rename it back)", c.Name))
			p.SQL = append(p.SQL, fmt.Sprintf("ALTER TABLE %s ADD COLUMN %s%s %s", quote(m.Table), d.ifMissing(), quote(c.Name),
				c.Type.SQL(m.Dialect)))
		case old.Generated:
			p.Misfits = append(p.Misfits, fmt.Sprintf("column %s is computed by the database and cannot be written", c.Name))
		default:
			if why := d.misfit(c.Type, old.base()); why != "" {
				p.repair(d.retype(m.Table, c.Name, c.Type.SQL(m.Dialect)))
				p.Misfits = append(p.Misfits, fmt.Sprintf("column %s is %s in the table, which does not hold %s: %s", c.Name, old.Type, c.Type, why))
			}
		}
	}
	key, there := have[m.Dialect.Fold(m.Key)]
	if there {
		if why := keyMisfit(m, typeOfColumn(m, m.Key), key); why != "" {
			p.Misfits = append(p.Misfits, why)
		}
	}
	switch {
	case !there && !m.Receives():
		p.Misfits = append(p.Misfits, fmt.Sprintf("it has no column %s, which is the key: its rows cannot be told apart", m.Key))
	case key.Never != "":
		p.Misfits = append(p.Misfits, fmt.Sprintf("key %s cannot be kept unique, and rows are told apart by it: %s", m.Key, key.Never))
	case !key.Key:
		p.Notes = append(p.Notes, fmt.Sprintf("makes %s unique, since it tells rows apart", m.Key))
		p.Lacks = append(p.Lacks, fmt.Sprintf("nothing keeps %s unique", m.Key))
		// An index that has the name already is taken for ours.
		p.SQL = append(p.SQL, fmt.Sprintf("CREATE UNIQUE INDEX %s%s ON %s (%s)", d.ifMissing(),
			quote(d.shortName(m.Table+"_"+m.Key+"_loopmap")), quote(m.Table), quote(m.Key)))
	}
	return p
}

// typeOfColumn is the type that the mapping gives a column.
func typeOfColumn(m *mapping.Mapping, name string) column.Type {
	for _, c := range m.Columns() {
		if c.Name == name {
			return c.Type
		}
	}
	return column.Text
}

func planTable(m *mapping.Mapping) Plan {
	if why := keyMisfit(m, typeOfColumn(m, m.Key), Column{Name: m.Key, Type: "text"}); why != "" {
		return Plan{Misfits: []string{why}}
	}
	if why := otherSchema(m); why != "" {
		return Plan{Misfits: []string{why}}
	}
	if !m.Receives() {
		return Plan{Misfits: []string{fmt.Sprintf("table %s is not there, and a mapping that only sends makes none", m.Table)}}
	}
	d := dialectOf(m.Dialect)
	var b strings.Builder
	fmt.Fprintf(&b, "CREATE TABLE %s%s (\n", d.ifMissing(), quote(m.Table))
	for i, c := range m.Columns() {
		if i > 0 {
			b.WriteString(",\n")
		}
		fmt.Fprintf(&b, "  %s %s", quote(c.Name), c.Type.SQL(m.Dialect))
		if c.Name == m.Key {
			b.WriteString(" NOT NULL PRIMARY KEY")
		}
	}
	b.WriteString("\n)")
	n := len(m.Columns())
	note := fmt.Sprintf("creates table %s with %d columns", m.Table, n)
	if n == 1 {
		note = fmt.Sprintf("creates table %s with 1 column", m.Table)
	}
	lacks := fmt.Sprintf("table %s is not there; once it is, loopmap replay fills it with what the journal has", m.Table)
	return Plan{Notes: []string{note}, SQL: []string{b.String()}, Lacks: []string{lacks}}
}

// otherSchema says how a table of another schema is named, where the mapping names it as
// SQL does: the table of that very name is not there.
func otherSchema(m *mapping.Mapping) string {
	schema, name, ok := strings.Cut(m.Table, ".")
	if !ok || schema == "" || name == "" {
		return ""
	}
	how := dialectOf(m.Dialect).otherSchema(schema, name)
	if how == "" {
		return ""
	}
	return fmt.Sprintf("table %s is not there, and a name is one name here: %s", m.Table, how)
}

// Err is the plan's misfits as one error, or nil.
func (p Plan) Err() error {
	if len(p.Misfits) == 0 {
		return nil
	}
	return fmt.Errorf("the table does not fit the mapping: %s", strings.Join(p.Misfits, "; "))
}

// Unfit says in words and SQL why rows cannot be written as things are; "" when
// they can.
func (p Plan) Unfit() string {
	if len(p.Misfits) == 0 && len(p.SQL) == 0 {
		return ""
	}
	msg := "the table does not fit the mapping: " + strings.Join(append(append([]string(nil), p.Misfits...), p.Lacks...), "; ")
	if sql := append(append([]string(nil), p.Repairs...), p.SQL...); len(sql) > 0 {
		msg += "; run: " + strings.Join(sql, "; ") + ";"
	}
	return msg
}

// repair adds a statement that mends a misfit, where there is one.
func (p *Plan) repair(sql string) {
	if sql != "" {
		p.Repairs = append(p.Repairs, sql)
	}
}

// Apply makes the change, whole or not at all.
func (s *Store) Apply(ctx context.Context, p Plan) error {
	if err := p.Err(); err != nil {
		return err
	}
	s.setHold(hold{})
	return s.explain(s.change(ctx, p.SQL))
}

// Misfit says why a column of the table, by its declared type, would change the
// values of a mapped type; "" when it keeps them.
func Misfit(d column.Dialect, t column.Type, declared string) string {
	return dialectOf(d).misfit(t, declared)
}

// quote writes a name so that SQL takes it as a name, whatever it holds.
func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
