package table

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"loopmap/mapping"
	"loopmap/mapping/column"
	"loopmap/mapping/condition"
	"loopmap/mapping/outgoing"
)

// Page says which rows are wanted: some in an order, from a row on. Whatever is asked, the
// rows that the database reads for it are about as many as Limit, as long as it has an
// index of what they are ordered by; the key always has one.
type Page struct {
	Column string // what the rows are ordered by, those without a value last; "" for the key
	Down   bool   // the greatest first
	From   string // Mark of a row, behind which they begin; "" at the end of the order
	With   bool   // and that row, too
	Back   bool   // towards the begin of the order: the nearest come first
	Limit  int    // 1 or more

	// Failed takes only rows that have something that could not be sent, in the order of their
	// keys as loopmap writes them; Column and Down do not count then.
	Failed bool

	// Where is a condition that the rows meet; nil takes all. Then no more than Most rows
	// are looked at, of those that an SQL of the condition's has let through.
	Where *condition.Condition
	Now   time.Time // what now() is in it
	Most  int
}

// Rows are a part of a table.
type Rows struct {
	List   []PlacedRow
	Mark   string // where to go on
	End    bool   // there are no more in this direction
	Looked int    // how many rows the condition was held against
}

// PlacedRow is a row and where it stands.
type PlacedRow struct {
	outgoing.Row
	Mark string // for Page.From: of what the rows are ordered by, and the key
	Came Came
}

// Came is the last delivery about a row; the zero value where there is none.
type Came struct {
	ID       string
	Status   mapping.Status
	Received time.Time
	seq      int64 // of those that were received in one moment
}

// before reports whether another delivery came later.
func (c Came) before(d Came) bool {
	return cmp.Or(c.Received.Compare(d.Received), cmp.Compare(c.seq, d.seq)) < 0
}

// rowMark is a place in an order, as [Page] goes by it.
type rowMark struct {
	Rest  bool       `json:"r,omitempty"` // among those without a value
	Value storedMark `json:"v"`           // of what the rows are ordered by, where that is not the key
	Key   storedMark `json:"k"`
}

type storedMark struct {
	Number bool   `json:"n,omitempty"`
	Text   string `json:"t"`
}

func markOf(v stored) storedMark { return storedMark{v.kind == storedNumber, v.text} }

func (m storedMark) arg() any {
	if m.Number {
		return keyArg(stored{storedNumber, m.Text})
	}
	return m.Text
}

func (m rowMark) String() string {
	text, _ := json.Marshal(m) // which strings and booleans do not fail
	return string(text)
}

// TableRows reads rows of m's table with what became of them: the cells of fields, which the
// table must have, and all that decides what they send.
func (s *Store) TableRows(ctx context.Context, m *mapping.Mapping, fields []column.Field, p Page) (Rows, error) {
	rows, err := s.page(ctx, m, fields, p)
	return rows, s.explain(err)
}

func (s *Store) page(ctx context.Context, m *mapping.Mapping, fields []column.Field, p Page) (out Rows, err error) {
	columns, err := s.columns(ctx, m.Table)
	if err != nil {
		return out, err
	}
	if len(columns) == 0 {
		return out, fmt.Errorf("table %s is not there any more", m.Table)
	}
	r := &pageReader{Store: s, m: m, fields: fields, p: p, declared: map[string]string{}}
	for _, c := range columns {
		r.declared[m.Dialect.Fold(c.Name)] = s.compared(c)
	}
	if m.Dialect.Fold(p.Column) == m.Dialect.Fold(m.Key) {
		r.p.Column = ""
	}
	if p.Where != nil {
		r.fields = slices.DeleteFunc(slices.Clone(fields), func(f column.Field) bool { return !slices.Contains(p.Where.Columns(), f.Name) })
	}
	read := r.read
	if p.Failed {
		read = r.failed
	}
	found, err := read(ctx, &out)
	if err != nil || len(found) == 0 {
		return out, err
	}
	keys := make([]string, len(found))
	for i, f := range found {
		keys[i] = f.key
	}
	if keys, err = s.canonicalKeys(ctx, m, keys); err != nil {
		return out, err
	}
	cells := make(map[string]map[string]column.Cell, len(found))
	for i, key := range keys {
		cells[key] = found[i].cells
	}
	if p.Where != nil || p.Failed {
		if cells, _, err = s.cells(ctx, m, fields, columns, keys, outgoing.Query{}); err != nil {
			return out, err
		}
	}
	rows, came, err := s.sendingOf(ctx, m, keys, cells)
	if err == nil {
		err = s.cameNowhere(ctx, keys, came)
	}
	for i, row := range rows {
		if !row.Gone {
			out.List = append(out.List, PlacedRow{row, found[i].mark.String(), came[row.Key]})
		}
	}
	return out, err
}

// pageReader reads a page.
type pageReader struct {
	*Store
	m        *mapping.Mapping
	fields   []column.Field // that are read
	declared map[string]string
	p        Page
}

// foundRow is a row that was read.
type foundRow struct {
	key   string
	mark  rowMark
	cells map[string]column.Cell
}

// lookTogether is how many rows a condition is held against at once.
const lookTogether = 2000

// read goes through the parts of the order: the rows that have a value, and the rest.
func (r *pageReader) read(ctx context.Context, out *Rows) (list []foundRow, err error) {
	var at *rowMark
	if r.p.From != "" {
		at = &rowMark{}
		if err := json.Unmarshal([]byte(r.p.From), at); err != nil {
			return nil, fmt.Errorf("the place of a row is not one: %w", err)
		}
	}
	parts := []bool{false}
	if r.p.Column != "" {
		parts = []bool{false, true}
	}
	if r.p.Back {
		slices.Reverse(parts)
	}
	if at != nil {
		parts = parts[max(0, slices.Index(parts, at.Rest)):]
	}
	bytes := bytesAtOnce
	for len(parts) > 0 {
		want := r.p.Limit - len(list)
		if r.p.Where != nil {
			want = min(lookTogether, r.p.Most-out.Looked)
		}
		rows, cut, err := r.part(ctx, parts[0], at, want, &bytes)
		if err != nil {
			return nil, err
		}
		r.p.With = false
		for _, row := range rows {
			out.Looked++
			at, out.Mark = &row.mark, row.mark.String()
			if r.meets(row) {
				if list = append(list, row); len(list) == r.p.Limit {
					return list, nil
				}
			}
		}
		switch {
		case cut, r.p.Where != nil && out.Looked >= r.p.Most:
			return list, nil
		case len(rows) < want:
			parts, at = parts[1:], nil
		}
	}
	out.End = true
	return list, nil
}

func (r *pageReader) meets(row foundRow) bool {
	if r.p.Where == nil {
		return true
	}
	met, _ := r.p.Where.Met(r.fields, row.cells, r.p.Now)
	return met
}

// part reads rows of one part of the order behind a mark; cut says that there were so many
// bytes in them that no more were read.
func (r *pageReader) part(ctx context.Context, rest bool, at *rowMark, limit int, bytes *int) (list []foundRow, cut bool, err error) {
	key, by := quote(r.m.Key), quote(r.p.Column)
	keyType, byType := r.declared[r.m.Dialect.Fold(r.m.Key)], r.declared[r.m.Dialect.Fold(r.p.Column)]
	order := []string{key}
	var where []string
	var args []any
	valued, op, last := r.p.Column != "" && !rest, ">", ""
	if valued {
		order = []string{by, key}
	}
	if r.p.Down != r.p.Back {
		op = "<"
	}
	if at == nil || op == ">" { // what is less than a value has one itself, and two bounds on one side mislead SQLite
		where = append(where, r.hasKey(r.m.Key))
		if valued {
			where = append(where, r.hasKey(r.p.Column))
		}
	}
	if rest {
		where = append(where, "("+r.noKey(r.p.Column)+")")
	}
	if at != nil {
		if r.p.With {
			last = "="
		}
		behind := r.against(key, op+last, keyType)
		if valued {
			where = append(where, r.against(by, op+"=", byType))
			behind = "(" + r.against(by, op, byType) + " OR " + behind + ")"
			args = append(args, at.Value.arg(), at.Value.arg())
		}
		where, args = append(where, behind), append(args, at.Key.arg())
	}
	if needs, list := r.needs(); needs != "" {
		where, args = append(where, needs), append(args, list...)
	}
	if r.p.Down != r.p.Back {
		for i := range order {
			order[i] += " DESC"
		}
	}
	names := []string{r.keyText(r.m.Key) + " AS loopmap_key", key + " AS loopmap_raw"}
	if valued {
		names = append(names, by+" AS loopmap_by")
	}
	own := len(names)
	for _, f := range r.fields {
		names = append(names, r.asked(f, r.declared[r.m.Dialect.Fold(f.Name)]))
	}
	text := fmt.Sprintf("SELECT %s FROM %s WHERE %s ORDER BY %s LIMIT %d", strings.Join(names, ", "), quote(r.m.Table),
		strings.Join(where, " AND "), strings.Join(order, ", "), limit)
	err = r.Store.ask(ctx, text, args, func(v []stored) error {
		row := foundRow{key: v[0].text, mark: rowMark{Rest: rest, Key: markOf(v[1])}, cells: make(map[string]column.Cell, len(r.fields))}
		if valued {
			row.mark.Value = markOf(v[2])
		}
		for i, f := range r.fields {
			row.cells[f.Name] = r.cell(f, v[own+i], r.declared[r.m.Dialect.Fold(f.Name)])
			*bytes -= len(v[own+i].text)
		}
		if list = append(list, row); *bytes <= 0 {
			return errFull
		}
		return nil
	})
	if errors.Is(err, errFull) {
		return list, true, nil
	}
	return list, false, err
}

// failed are the rows that have something that could not be sent: an index has them.
func (r *pageReader) failed(ctx context.Context, out *Rows) (list []foundRow, err error) {
	out.End = true
	if there, err := r.has(ctx, "loopmap_pushes"); err != nil || !there {
		return nil, err
	}
	at, order, op := r.inOrder("row_key"), "", " > ?"
	if r.p.Back {
		order, op = " DESC", " < ?"
	}
	text, args := "SELECT DISTINCT "+at+" FROM loopmap_pushes WHERE table_name = ? AND status = 'failed'", []any{r.m.Table}
	if r.p.With {
		op = strings.Replace(op, " ?", "= ?", 1)
	}
	if r.p.From != "" {
		var mark rowMark
		if err := json.Unmarshal([]byte(r.p.From), &mark); err != nil {
			return nil, fmt.Errorf("the place of a row is not one: %w", err)
		}
		text, args = text+" AND "+at+op, append(args, mark.Key.Text)
	}
	err = r.Store.ask(ctx, fmt.Sprintf("%s ORDER BY 1%s LIMIT %d", text, order, r.p.Limit), args, func(v []stored) error {
		list = append(list, foundRow{key: v[0].text, mark: rowMark{Key: storedMark{Text: v[0].text}}})
		out.Mark = list[len(list)-1].mark.String()
		return nil
	})
	out.End = len(list) < r.p.Limit
	return list, err
}

// needs is what SQL can ask of the rows that meet the condition: no row that meets it is
// left out.
func (r *pageReader) needs() (where string, args []any) {
	var all []string
	for _, n := range r.p.Where.Needs() {
		i := slices.IndexFunc(r.fields, func(f column.Field) bool { return f.Name == n.Column })
		if i < 0 {
			continue
		}
		f, declared := r.fields[i], r.declared[r.m.Dialect.Fold(n.Column)]
		whole := (f.Type == column.Integer || f.Type == column.Number) && r.whole(declared)
		plain := f.Type == column.Text && r.plain(declared)
		switch {
		case n.Op == "nil" && (whole || plain):
			all = append(all, quote(n.Column)+" IS NULL")
		case n.Op == "nil":
		case n.Texts != nil && plain:
			one, list := r.among(quote(n.Column), declared, n.Texts)
			all, args = append(all, one), append(args, list...)
		case n.Texts == nil && whole:
			all = append(all, fmt.Sprintf("%s %s %d", quote(n.Column), n.Op, n.Number))
		}
	}
	return strings.Join(all, " AND "), args
}

// cameNowhere adds the deliveries about rows that changed nothing in them, where these came
// last.
func (s *Store) cameNowhere(ctx context.Context, keys []string, last map[string]Came) error {
	if there, err := s.has(ctx, "loopmap_deliveries"); err != nil || !there {
		return err
	}
	where, args := s.among("row_key", "text", keys)
	text := "SELECT row_key, id, status, received_at, " + s.sequence() + " FROM loopmap_deliveries WHERE status <> 'applied' AND " + where
	return s.ask(ctx, text, args,
		func(v []stored) error {
			seq, err := strconv.ParseInt(v[4].text, 10, 64)
			if c := (Came{v[1].text, mapping.Status(v[2].text), readClock(v[3]), seq}); last[v[0].text].before(c) {
				last[v[0].text] = c
			}
			return err
		})
}

// Guess estimates how many rows a table has, without reading it; ok is false where nothing
// can be said.
func (s *Store) Guess(ctx context.Context, table string) (n int, ok bool) {
	err := s.ask(ctx, s.guess(table), nil, func(v []stored) (err error) {
		n, err = strconv.Atoi(v[0].text)
		ok = err == nil
		return nil
	})
	return n, ok && err == nil
}
