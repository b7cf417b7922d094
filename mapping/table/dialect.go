package table

import (
	"fmt"

	"loopmap/mapping/column"
)

// dialect is what a kind of database has its own way of, and what needs no connection to
// be known. What is asked of a [Store] it has from its engine.
type dialect interface {
	// writers is how many transactions are worth while beside each other.
	writers() int

	// typeOf is the type of a column by its declaration; text where nothing else is sure.
	typeOf(declared string) column.Type
	// misfit says why a column of a declared type would change the values of a mapped
	// type; "" when it keeps them.
	misfit(t column.Type, declared string) string
	// narrows says what a declared type does to some values of a mapped type.
	narrows(t column.Type, declared string) string
	// keyMisfit says why rows cannot be told apart by a column: its texts must read in one
	// way alone, and be found again by what they read as.
	keyMisfit(c Column) string
	// otherSchema says how a table of another schema is named, where it can be.
	otherSchema(schema, name string) string

	// What follows is SQL.

	// ifMissing lets several processes make the same change at once; "" where it is not
	// said, or not needed.
	ifMissing() string
	// shortName is a name that is not cut.
	shortName(name string) string
	// nullable and retype are statements that change a column; "" where none does.
	nullable(table, column string) string
	retype(table, column, declared string) string

	// tableNames finds the tables that rows can be written into, by their names.
	tableNames() string
	// hasTable finds one of loopmap's own tables.
	hasTable(name string) string
	// inOrder is a text of loopmap's tables, ordered as Go does.
	inOrder(column string) string
	// isKey compares a key with a text of loopmap's tables.
	isKey(key, column string) string
	// keyText is a key as it names its row.
	keyText(key string) string
	// hasKey is whether a row's key names it, and noKey whether it does not; an index of the
	// key answers both.
	hasKey(key string) string
	noKey(key string) string
	// compared is the type that a text is cast to before it is compared with a column.
	compared(c Column) string
	// among says that a column is one of texts; declared is its type as compared.
	among(column, declared string, texts []string) (condition string, args []any)
	// against compares a column with a value by an operator of SQL.
	against(column, op, declared string) string
	// whole reports whether a declared type holds nothing but whole numbers or NULL, and plain
	// whether it compares texts as they are written.
	whole(declared string) bool
	plain(declared string) bool
	// sequence numbers the lines of the journal as they came.
	sequence() string
	// guess estimates how many rows a table has without reading it; NULL where it cannot.
	guess(table string) string
	// asked is how a column's values are asked for, and cell reads one.
	asked(f column.Field, declared string) string
	cell(f column.Field, v stored, declared string) column.Cell
	// secondsAgo is a moment of the past by the database's own clock, and now.
	secondsAgo(n int) (then, now string)
}

// dialectOf is the dialect of a mapping's database.
func dialectOf(d column.Dialect) dialect {
	switch d {
	case column.SQLite:
		return sqliteDialect{}
	case column.Postgres:
		return postgresDialect{}
	}
	panic(fmt.Sprintf("no dialect %q", d)) // mapping.DialectOf knows no other
}
