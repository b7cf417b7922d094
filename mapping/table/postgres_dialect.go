package table

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"loopmap/mapping/column"
)

type postgresDialect struct{}

func (postgresDialect) writers() int { return postgresWriters }

func (postgresDialect) typeOf(declared string) column.Type {
	if t, ok := commonType(declared); ok {
		return t
	}
	switch modifier.ReplaceAllString(declared, "") {
	case "smallint", "integer", "bigint":
		return column.Integer
	case "numeric", "real", "double precision":
		return column.Number
	}
	return column.Text
}

// misfit is [dialect]'s. declared is the type beneath any domain. A type that PostgreSQL
// does not come with (citext, an enumeration) takes texts and refuses what it does not
// hold.
func (postgresDialect) misfit(t column.Type, declared string) string {
	base := modifier.ReplaceAllString(declared, "") // of numeric(10,2), timestamp(3) with time zone
	why, ok := builtinPostgres[base]
	switch {
	case ok:
		return why(t)
	case strings.HasSuffix(base, "[]"):
		return "it holds arrays"
	case strings.HasSuffix(base, "range"):
		return "it writes ranges in its own way"
	case t != column.Text:
		return "loopmap does not know what it holds"
	}
	return ""
}

func (postgresDialect) narrows(t column.Type, declared string) string {
	base := modifier.ReplaceAllString(declared, "")
	limited := base != declared
	switch {
	case base == "date" && t == column.Time:
		return "it drops the time of day"
	case limited && (base == "numeric" || strings.HasPrefix(base, "timestamp")):
		return "it rounds"
	case limited && base == "character varying":
		return "it cuts blanks"
	}
	return ""
}

func (postgresDialect) keyMisfit(c Column) string {
	if collation, ok := strings.CutPrefix(c.Compare, "collation "); ok {
		return "by its collation " + collation + " different texts are equal, and there is no one text to name a row by"
	}
	switch base := modifier.ReplaceAllString(c.base(), ""); base {
	case "text", "character varying", "citext", "uuid", "smallint", "integer", "bigint":
	default:
		if knownPostgres(base) {
			return "its values are written in more than one way"
		}
	}
	return ""
}

func (postgresDialect) otherSchema(schema, name string) string {
	return fmt.Sprintf("for table %s of schema %s write table: %[1]s, and add ?search_path=%[2]s to the database's URL", name, schema)
}

func (postgresDialect) ifMissing() string { return "IF NOT EXISTS " }

// shortName is [dialect]'s: PostgreSQL cuts names after 63 bytes.
func (postgresDialect) shortName(name string) string {
	if len(name) <= 63 {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	return strings.ToValidUTF8(name[:50], "") + fmt.Sprintf("_%x", sum[:5])
}

func (postgresDialect) nullable(table, column string) string {
	return fmt.Sprintf("ALTER TABLE %s ALTER COLUMN %s DROP NOT NULL", quote(table), quote(column))
}

func (postgresDialect) retype(table, column, declared string) string {
	return fmt.Sprintf("ALTER TABLE %s ALTER COLUMN %s TYPE %s", quote(table), quote(column), declared)
}

// tableNames leaves the parts of partitioned tables out: rows go into the whole.
func (postgresDialect) tableNames() string {
	return `SELECT relname::text FROM pg_class WHERE relkind IN ('r', 'p', 'f') AND NOT relispartition AND pg_table_is_visible(oid)
		AND relnamespace::regnamespace::text NOT IN ('pg_catalog', 'information_schema') ORDER BY relname`
}

func (postgresDialect) hasTable(name string) string {
	return "SELECT 1 WHERE to_regclass('" + name + "') IS NOT NULL"
}

func (postgresDialect) inOrder(column string) string { return column + ` COLLATE "C"` }
func (postgresDialect) keyText(key string) string    { return quote(key) + "::text" }
func (postgresDialect) hasKey(key string) string     { return quote(key) + " IS NOT NULL" }

func (postgresDialect) isKey(key, column string) string {
	return quote(key) + "::text = " + column
}

// compared is [dialect]'s: without limits, which a cast would cut to.
func (postgresDialect) compared(c Column) string { return castPostgres(c.base()) }

func (postgresDialect) among(column, declared string, texts []string) (string, []any) {
	return column + " " + operator("=", declared) + " ANY(?::text[]::" + declared + "[])", []any{castable(declared, texts)}
}

// castable leaves out what cannot be of a column's type, and is not a key then.
func castable(declared string, texts []string) []string {
	bits := map[string]int{"smallint": 16, "integer": 32, "bigint": 64}[declared]
	return slices.DeleteFunc(slices.Clone(texts), func(text string) bool {
		switch {
		case bits > 0:
			_, err := strconv.ParseInt(text, 10, bits)
			return err != nil
		case declared == "uuid":
			_, ok := uuidOf(text)
			return !ok
		}
		return false
	})
}

func (postgresDialect) against(column, op, declared string) string {
	return column + " " + operator(op, declared) + " ?::text::" + declared
}

func (postgresDialect) whole(declared string) bool {
	return declared == "smallint" || declared == "integer" || declared == "bigint"
}

func (postgresDialect) plain(declared string) bool {
	return declared == "text" || declared == "character varying" || declared == "varchar"
}

func (postgresDialect) guess(table string) string {
	return "SELECT nullif(reltuples::bigint, -1) FROM pg_class WHERE oid = to_regclass('" + strings.ReplaceAll(quote(table), "'", "''") + "')"
}

func (postgresDialect) noKey(key string) string { return quote(key) + " IS NULL" }

// asked is [dialect]'s: PostgreSQL writes values as JSON.
func (postgresDialect) asked(f column.Field, declared string) string {
	if f.Type == column.JSON && !strings.HasPrefix(declared, "json") {
		return quote(f.Name) + "::text"
	}
	return "to_json(" + quote(f.Name) + ")::text"
}

func (postgresDialect) cell(f column.Field, v stored, declared string) column.Cell {
	switch {
	case v.kind == storedNull:
		return column.Cell{State: column.Null}
	case declared == "bytea":
		return holdsBytes
	case f.Type == column.JSON && !strings.HasPrefix(declared, "json"):
		return f.TextCell(v.text, column.Postgres)
	}
	return f.Cell(v.text, column.Postgres)
}

func (postgresDialect) secondsAgo(n int) (then, now string) {
	return fmt.Sprintf("now() - interval '%d seconds'", n), "now()"
}

func (postgresDialect) sequence() string { return "seq" }
