package mapping

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"sync"
	"time"

	"loopmap/mapping/body"
	"loopmap/mapping/column"
	"loopmap/mapping/yamledit"
)

// Version is the version of the mapping file that this package reads and writes.
const Version = 1

// Path leads from the root of a webhook's body to one value.
type Path = body.Path

// ParsePath reads a path as people write it: contact.firstName, contact.tags[0],
// contact["fav.color"]. The error is a *[body.PathError].
func ParsePath(s string) (Path, error) { return body.ParsePath(s) }

// Mapping is a mapping file, read and checked. It is not changed once it is in
// use: who edits takes a [Mapping.Clone].
type Mapping struct {
	Version  int
	Database string         // as written: sqlite:FILE, postgres://..., or with ${NAME} in it
	Dialect  column.Dialect // of the database; SQLite while a ${NAME} hides it
	Table    string
	Key      string        // the column that tells rows apart
	Receive  Receive       // says nothing in a file that only sends: see [Mapping.Receives]
	Keep     time.Duration // how long the journal keeps bodies; 0: for ever
	Push     *Push         // nil when the file has none
	Hash     string        // of the file's bytes, 12 hexadecimal digits; names the version

	source *source // of a file whose database the environment names; nil once it is known

	ready *ready
}

// ready is a mapping made ready once, when it is first asked for. Each copy has its own.
type ready struct {
	once sync.Once
	plan *plan

	saidOnce sync.Once
	said     *yamledit.Node
}

// Receive says what webhooks do to the table.
type Receive struct {
	Events  []string // that fill the columns
	Columns []Column
	Rules   []Rule // what these or other events do besides
}

// Receives reports whether webhooks become rows; else rows are only sent, of a table that is
// there.
func (m *Mapping) Receives() bool { return len(m.Receive.Columns) > 0 }

// Lists reports whether an event fills the columns.
func (r *Receive) Lists(event string) bool { return slices.Contains(r.Events, event) }

// Column is one column and where its value comes from.
type Column struct {
	Name string
	Type column.Type
	From Path
}

// Equal reports whether two columns are the same in all three.
func (c Column) Equal(d Column) bool {
	return c.Name == d.Name && c.Type == d.Type && c.From.Equal(d.From)
}

// New is the mapping that a person starts with.
func New(database string) *Mapping {
	d, err := column.DialectOf(database)
	if err != nil {
		d = column.SQLite
	}
	return &Mapping{
		ready: new(ready), Version: Version, Database: database, Dialect: d, Table: "contacts", Key: "loops_id",
		Receive: Receive{
			Events:  []string{ContactCreated},
			Columns: []Column{{"loops_id", column.Text, body.MakePath(body.Step{Key: "contactIdentity"}, body.Step{Key: "id"})}},
		},
	}
}

// Clone returns a copy that can be changed without changing m. The rules and the push part
// are read only: [Mapping.EditPush] changes a copy.
func (m *Mapping) Clone() *Mapping {
	n := *m
	n.Receive.Events, n.Receive.Columns = slices.Clone(m.Receive.Events), slices.Clone(m.Receive.Columns)
	n.source, n.ready = nil, new(ready) // it is of no file any more
	return &n
}

// HashOf is what a mapping file's bytes are called by: [Mapping.Hash].
func HashOf(src []byte) string { return fmt.Sprintf("%x", sha256.Sum256(src))[:12] }

// Adopt returns m with what the mapper does not edit as file says it: so that what is
// shown is what a save leaves in force.
func (m *Mapping) Adopt(file *Mapping) *Mapping {
	n := m.Clone()
	n.Database, n.Dialect, n.Receive.Rules, n.Keep = file.Database, file.Dialect, file.Receive.Rules, file.Keep
	return n
}

// Same reports whether m and n say the same, whatever their files look like.
func (m *Mapping) Same(n *Mapping) bool { return yamledit.Equal(m.said(), n.said()) }

// said are the settings, made once: who draws a screen asks often whether two are the same.
func (m *Mapping) said() *yamledit.Node {
	m.ready.saidOnce.Do(func() { m.ready.said = m.settings() })
	return m.ready.said
}

func (m *Mapping) compiled() *plan {
	m.ready.once.Do(func() { m.ready.plan = newPlan(m) })
	return m.ready.plan
}

func (m *Mapping) column(name string) Column {
	for _, c := range m.Receive.Columns {
		if c.Name == name {
			return c
		}
	}
	return Column{}
}
