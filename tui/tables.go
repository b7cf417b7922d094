package tui

import (
	"slices"

	tea "charm.land/bubbletea/v2"

	"loopmap/mapping"
	"loopmap/mapping/body"
	"loopmap/mapping/column"
	"loopmap/tui/slots"
)

// Table is a table that the database has. Its columns are read when it is looked at.
type Table struct {
	Name    string
	New     bool // it is not there yet
	Columns []TableColumn
	Keys    []string // columns that tell its rows apart by themselves: the primary key, unique ones
}

// size says how many columns a table has, as far as that is known.
func (x Table) size() string {
	switch {
	case x.New:
		return "new"
	case x.Columns == nil:
		return ""
	}
	return plural(len(x.Columns), "column")
}

// tableList is where the database, the table and its key are chosen.
type tableList struct {
	read     bool
	database string // whose tables they are
	list     []Table
	shown    []int // indexes into list of what the search shows
	cursor   int
	top      int
	problem  string
	asked    string   // the table whose columns are being read
	keys     []string // of the table that was taken: one of them is being chosen; nil before
	key      int
}

type tablesMsg struct {
	turn     int
	database string
	name     string // for the screen, without a password
	list     []string
	err      error
}

type tableMsg struct {
	turn  int
	table Table
	err   error
}

// tablesScreen lies on Map while a table is chosen.
type tablesScreen struct{ quiet }

func (m *Model) startTables() tea.Cmd {
	m.lay(tablesScreen{})
	return m.readTables(m.draft.Database)
}

func (m *Model) readTables(database string) tea.Cmd {
	m.turn++
	m.tables = tableList{database: database}
	turn, b, ctx := m.turn, m.cfg.Backend, m.ctx
	return func() tea.Msg {
		name, list, err := b.Tables(ctx, database)
		return tablesMsg{turn, database, name, list, err}
	}
}

func (m *Model) sawTables(msg tablesMsg) {
	if msg.turn != m.turn || !m.shows(tablesScreen{}) {
		return
	}
	t := &m.tables
	t.read = true
	for _, name := range msg.list {
		t.list = append(t.list, Table{Name: name})
	}
	if m.names == nil {
		m.names = map[string]string{}
	}
	m.names[msg.database] = msg.name
	if msg.err != nil {
		t.problem = msg.err.Error()
	}
	if !slices.ContainsFunc(t.list, func(x Table) bool { return x.Name == m.draft.Table }) {
		t.list = append(t.list, Table{Name: m.draft.Table, New: true})
	}
	t.find("")
	t.cursor = max(0, slices.IndexFunc(t.shown, func(i int) bool { return t.list[i].Name == m.draft.Table }))
}

// database is what the draft's database is called on the screen.
func (m *Model) database() string {
	if m.draft.Database == m.saved.Database {
		return m.cfg.Database
	}
	return m.named(m.draft.Database)
}

func (t *tableList) find(query string) {
	match := newMatcher(query)
	t.shown, t.cursor = nil, 0
	for i, x := range t.list {
		if match.match(x.Name, "", false) {
			t.shown = append(t.shown, i)
		}
	}
}

// lookAtTable reads the columns of the table under the cursor, once.
func (m *Model) lookAtTable() tea.Cmd {
	t := &m.tables
	x := t.current()
	if !m.shows(tablesScreen{}) || x == nil || x.New || x.Columns != nil || t.asked == x.Name {
		return nil
	}
	t.asked = x.Name
	turn, database, name, b, ctx := m.turn, t.database, x.Name, m.cfg.Backend, m.ctx
	return func() tea.Msg {
		x, err := b.Table(ctx, database, name)
		return tableMsg{turn, x, err}
	}
}

func (m *Model) sawTable(msg tableMsg) {
	t := &m.tables
	if msg.turn != m.turn {
		return
	}
	if t.asked = ""; msg.err != nil {
		t.asked = msg.table.Name // not again and again
		m.complain(msg.err)
		return
	}
	if msg.table.Columns == nil { // so that it is not asked for again
		msg.table.Columns = []TableColumn{}
	}
	for i := range t.list {
		if t.list[i].Name == msg.table.Name {
			t.list[i] = msg.table
		}
	}
}

func (t *tableList) current() *Table {
	if t.cursor >= len(t.shown) {
		return nil
	}
	return &t.list[t.shown[t.cursor]]
}

func (tablesScreen) where(*Model) where { return onTables }

func (tablesScreen) move(m *Model, by int) {
	if t := &m.tables; t.keys != nil {
		t.key = clamp(t.key+by, len(t.keys))
	} else {
		t.cursor = clamp(t.cursor+by, len(t.shown))
	}
}

func (tablesScreen) back(m *Model) bool {
	was := m.tables.keys != nil
	m.tables.keys = nil
	return was
}

func (tablesScreen) settle(m *Model) {
	t := &m.tables
	t.top = window(t.top, t.cursor, len(t.shown), rows(m.room().h))
}

func (tablesScreen) click(m *Model, x, y int) action {
	left, right := m.tablesLayout()
	t := &m.tables
	if i := t.top + y - left.y - 1; t.keys == nil && left.has(x, y) && y > left.y && i < len(t.shown) {
		t.cursor = i
		return selected
	}
	if i := y - right.y - 1; t.keys != nil && right.has(x, y) && i >= 0 && i < len(t.keys) {
		t.key = i
		return selected
	}
	return none
}

func (tablesScreen) do(m *Model, a action) tea.Cmd {
	t := &m.tables
	switch a {
	case find:
		m.startSearch()
	case edit:
		m.input = newInput(typingDatabase, t.database)
	case enter:
		x := t.current()
		switch {
		case x == nil || t.problem != "":
			m.say("there is no table to take: %s names another database", keyFor(edit))
		case !x.New && x.Columns == nil:
			m.say("looking at %s", safe(x.Name))
		case t.keys != nil:
			m.takeTable(*x, t.keys[t.key])
		default:
			m.chooseKey(*x)
		}
	}
	return nil
}

// named is what a database that has been looked at is called on the screen.
func (m *Model) named(database string) string {
	if name := m.names[database]; name != "" {
		return name
	}
	return database
}

// takeDatabase looks at the tables of another database.
func (m *Model) takeDatabase(database string) tea.Cmd {
	if _, good := m.verdict(); !good || database == "" {
		return nil // it stands beside the field
	}
	m.input = nil
	return m.readTables(database)
}

// chooseKey goes on to the column that tells the table's rows apart, where there is a
// choice.
func (m *Model) chooseKey(x Table) {
	t := &m.tables
	switch t.keys, t.key = x.Keys, 0; len(x.Keys) {
	case 0:
		m.takeTable(x, m.draft.Key)
		if len(x.Columns) > 0 {
			m.say("%s has no column that tells its rows apart: %s stays the key, and saving adds what it needs there",
				safe(x.Name), safe(m.draft.Key))
		}
	default:
		t.key = max(0, slices.Index(x.Keys, m.draft.Key))
	}
}

// takeTable makes a table the one that is mapped onto, and a column its key. The key's
// own column takes what a webhook has to tell contacts apart.
func (m *Model) takeTable(x Table, key string) {
	n := m.draft.Clone()
	if d, err := column.DialectOf(m.tables.database); err == nil {
		n.Dialect = d
	}
	n.Database, n.Table = m.tables.database, x.Name
	if n.Key != key {
		was := n.Key
		n.Key = key
		if n.Receives() && !slices.ContainsFunc(n.Receive.Columns, func(c mapping.Column) bool { return c.Name == key }) {
			n.Receive.Columns = append([]mapping.Column{m.keyColumn(x, key)}, n.Receive.Columns...)
		}
		if there := slices.ContainsFunc(x.Columns, func(c TableColumn) bool { return c.Name == was }); !there && m.cfg.New {
			n.Receive.Columns = slices.DeleteFunc(n.Receive.Columns, func(c mapping.Column) bool { return c.Name == was })
		}
	}
	m.lift()
	m.cfg.Columns = x.Columns
	m.change(n)
	m.draft = n
	m.recompute()
	m.focus = columnsPane
	if !n.Receives() {
		m.say("rows of %s are sent; %s tells them apart", safe(x.Name), safe(n.Key))
		return
	}
	m.say("rows go to %s; %s tells them apart, from %s", safe(x.Name), safe(n.Key), safe(columnOf(n, n.Key).From.String()))
}

func columnOf(m *mapping.Mapping, name string) mapping.Column {
	for _, c := range m.Receive.Columns {
		if c.Name == name {
			return c
		}
	}
	return mapping.Column{}
}

// keyColumn is what fills a key: the email or the user's id where its name says so, else
// Loops' own id of the contact.
func (m *Model) keyColumn(x Table, key string) mapping.Column {
	from := "id"
	switch name := slots.Letters(key); {
	case name == "email" || name == "emailaddress" || name == "mail":
		from = "email"
	case name == "id" || name == "userid" || name == "uid" || name == "externalid" || name == "customerid":
		from = "userId"
	}
	c := mapping.Column{Name: key, Type: column.Text, From: body.MakePath(body.Step{Key: "contactIdentity"}, body.Step{Key: from})}
	for _, have := range x.Columns {
		if have.Name == key && m.cfg.Backend.Misfit(c.Type, have) != "" && m.cfg.Backend.Misfit(column.Integer, have) == "" {
			c.Type = column.Integer
		}
	}
	return c
}

// tablesLayout is where the tables stand, and the columns of one.
func (m *Model) tablesLayout() (tables, columns rect) {
	switch r := m.room(); {
	case m.onePane() && m.tables.keys != nil:
		return rect{}, r
	case m.onePane():
		return r, rect{}
	default:
		return r.left(r.w * 2 / 5)
	}
}

func (tablesScreen) draw(m *Model) []string {
	tables, columns := m.tablesLayout()
	return compose(m.room(), part{tables, m.drawTables}, part{columns, m.drawTable})
}

// drawTables draws the list of tables.
func (m *Model) drawTables(w, h int) []string {
	t, st, inner := &m.tables, &m.st, w-2
	note := 0
	if inner > 34 {
		note = 12
	}
	var lines []string
	for i := t.top; i < len(t.shown) && len(lines) < rows(h); i++ {
		x := t.list[t.shown[i]]
		look := st.plain
		if x.Name == m.draft.Table && t.database == m.draft.Database {
			look = st.good
		}
		name := inner - note - 4
		lines = append(lines, st.line(i == t.cursor && t.keys == nil, inner,
			cell{text: middle(safe(x.Name), name), w: name, look: look}, cell{text: x.size(), w: note, look: st.faint, right: true}))
	}
	f := framed{title: "Tables", focused: t.keys == nil, top: t.top, at: t.cursor, all: len(t.shown)}
	f.figure = cut(safe(m.named(t.database)), 30)
	if !t.read {
		f.figure = "looking"
	}
	if t.problem != "" {
		lines = lines[:0]
		for _, s := range wrap(safe(t.problem), inner-2) {
			lines = append(lines, " "+st.bad.Render(s))
		}
		lines = append(lines, "", " "+st.faint.Render(keyFor(edit)+" names another database"))
	}
	return st.frame(f, lines, w, h)
}

// drawTable draws the columns of the table under the cursor, or those of them that could
// be its key.
func (m *Model) drawTable(w, h int) []string {
	t, st := &m.tables, &m.st
	x := t.current()
	if x == nil {
		return st.frame(framed{title: "Columns"}, nil, w, h)
	}
	inner := w - 2
	var lines []string
	if t.keys != nil {
		name := 8
		for _, key := range t.keys {
			name = max(name, min(inner/2, width(safe(key))))
		}
		for i, key := range t.keys {
			from := ""
			if m.draft.Receives() {
				from = "from " + m.keyColumn(*x, key).From.String()
			}
			lines = append(lines, st.line(i == t.key, inner, cell{text: middle(safe(key), name), w: name},
				cell{text: from, w: inner - name - 3, look: st.faint}))
		}
		return st.frame(framed{title: "Which column tells rows apart?", figure: safe(x.Name), focused: true}, lines, w, h)
	}
	name := 12
	for _, c := range x.Columns {
		name = max(name, min(inner/2, width(safe(c.Name))))
	}
	for _, c := range x.Columns {
		note := ""
		if slices.Contains(x.Keys, c.Name) {
			note = "key"
		}
		lines = append(lines, st.line(false, inner, cell{text: middle(safe(c.Name), name), w: name},
			cell{text: safe(c.Type), w: inner - name - 9, look: st.faint}, cell{text: note, w: 4, look: st.accent}))
	}
	figure := x.size()
	if x.New {
		lines, figure = m.empty(inner, "This table is not there yet.", "Saving the mapping makes it."), "new"
	} else if len(x.Keys) == 0 {
		figure += ", none unique"
	}
	return st.frame(framed{title: safe(x.Name), figure: figure}, lines, w, h)
}
