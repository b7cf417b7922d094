package table

import (
	"fmt"
	"strconv"
	"strings"

	"loopmap/mapping/column"
)

type sqliteDialect struct{}

func (sqliteDialect) writers() int { return 1 } // as many as SQLite has

func (sqliteDialect) typeOf(declared string) column.Type {
	if t, ok := commonType(declared); ok {
		return t
	}
	switch affinityOf(declared) {
	case affInteger:
		return column.Integer
	case affNumeric, affReal:
		return column.Number
	case affText, affBlob:
	}
	return column.Text
}

func (sqliteDialect) misfit(t column.Type, declared string) string {
	a := affinityOf(declared)
	switch {
	case t == column.Text && (a == affNumeric || a == affInteger || a == affReal):
		return `it would turn the text "007" into 7`
	case (t == column.Time || t == column.JSON) && (a == affInteger || a == affReal):
		return "it holds numbers"
	case t == column.Integer && a == affReal:
		return "it rounds whole numbers beyond 2^53"
	}
	return ""
}

func (sqliteDialect) narrows(column.Type, string) string { return "" } // it has no limits

func (sqliteDialect) keyMisfit(c Column) string {
	switch c.Compare {
	case "", "BINARY", "NOCASE", "RTRIM":
	default:
		return "it compares by the collation " + c.Compare + ", which loopmap does not know"
	}
	if a := affinityOf(c.Type); a == affReal || a == affNumeric {
		return "it turns texts that look like numbers into numbers"
	}
	return ""
}

func (sqliteDialect) otherSchema(schema, name string) string {
	if !strings.EqualFold(schema, "main") {
		return ""
	}
	return "write table: " + name
}

func (sqliteDialect) ifMissing() string                     { return "" } // one writes at a time, and looks first
func (sqliteDialect) shortName(name string) string          { return name }
func (sqliteDialect) nullable(_, _ string) string           { return "" }
func (sqliteDialect) retype(_, _, _ string) string          { return "" }
func (sqliteDialect) inOrder(column string) string          { return column }
func (sqliteDialect) keyText(key string) string             { return "CAST(" + quote(key) + " AS TEXT)" }
func (sqliteDialect) isKey(key, column string) string       { return quote(key) + " = " + column }
func (sqliteDialect) compared(c Column) string              { return c.Type }
func (sqliteDialect) asked(f column.Field, _ string) string { return quote(f.Name) }

func (sqliteDialect) tableNames() string {
	return `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\' ORDER BY name`
}

func (sqliteDialect) hasTable(name string) string {
	return "SELECT 1 FROM sqlite_schema WHERE name = '" + name + "'"
}

// hasKey is [dialect]'s: bytes come behind all numbers and texts, in an index too.
func (sqliteDialect) hasKey(key string) string { return quote(key) + " < x''" }

func (sqliteDialect) against(column, op, _ string) string { return column + " " + op + " ?" }

// whole is [dialect]'s: an INTEGER column of SQLite may hold texts, which come behind all
// numbers and meet nothing.
func (sqliteDialect) whole(declared string) bool { return affinityOf(declared) == affInteger }
func (sqliteDialect) plain(declared string) bool { return affinityOf(declared) == affText }

// guess is [dialect]'s: rowids are handed out one by one, mostly.
func (sqliteDialect) guess(table string) string {
	// Each of the two by itself is a look.
	return "SELECT (SELECT max(rowid) FROM " + quote(table) + ") - (SELECT min(rowid) FROM " + quote(table) + ") + 1"
}

func (sqliteDialect) noKey(key string) string {
	return quote(key) + " IS NULL OR " + quote(key) + " >= x''"
}

func (sqliteDialect) among(column, declared string, texts []string) (string, []any) {
	args := make([]any, 0, len(texts))
	for _, text := range texts {
		args = append(args, text)
		// A column without a type may hold a number, which the text alone would not find.
		if n, err := strconv.ParseInt(text, 10, 64); err == nil && affinityOf(declared) == affBlob && strconv.FormatInt(n, 10) == text {
			args = append(args, n)
		}
	}
	return column + " IN (?" + strings.Repeat(", ?", len(args)-1) + ")", args
}

func (sqliteDialect) cell(f column.Field, v stored, _ string) column.Cell {
	switch {
	case v.kind == storedNull:
		return column.Cell{State: column.Null}
	case v.kind == storedBytes:
		return holdsBytes
	case v.kind == storedText:
		return f.TextCell(v.text, column.SQLite)
	case f.Type == column.Boolean && (v.text == "0" || v.text == "1"):
		return f.Cell(strconv.FormatBool(v.text == "1"), column.SQLite)
	}
	return f.Cell(v.text, column.SQLite)
}

func (sqliteDialect) secondsAgo(n int) (then, now string) {
	const form = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now'"
	return fmt.Sprintf("%s, '-%d seconds')", form, n), form + ")"
}

func (sqliteDialect) sequence() string { return "rowid" }
