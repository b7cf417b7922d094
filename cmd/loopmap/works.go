package main

import (
	"net/url"
	"path/filepath"

	"loopmap/mapping"
	"loopmap/mapping/column"
	"loopmap/mapping/table"
)

// worksOn names the table that a loopmap works on, so that two can be told apart. The server
// of a PostgreSQL database does not count, which has several names.
func worksOn(m *mapping.Mapping, database, file string) string {
	name := ""
	if m.Dialect == column.SQLite {
		name, _ = table.FileOf(database, folder(file)) // what is none was refused before
		if dir, err := filepath.EvalSymlinks(filepath.Dir(name)); err == nil {
			name = filepath.Join(dir, filepath.Base(name))
		}
	} else if u, err := url.Parse(database); err == nil {
		name = u.Path
	}
	return name + "\n" + m.Dialect.Fold(m.Table)
}

// works is worksOn of the mapping that is saved, or of a new one.
func (b *backend) works() string {
	m := b.mapping()
	database, err := b.app.databaseURL(m)
	if err != nil {
		return ""
	}
	return worksOn(m, database, b.file)
}
