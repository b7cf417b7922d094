package column

import (
	"unicode/utf8"

	"loopmap/mapping/body"
)

// Field is a column of a table: its name, and the type of what it holds.
type Field struct {
	Name string
	Type Type
}

// Cell is a value of the column as a database gives it, written as JSON.
func (f Field) Cell(raw string, d Dialect) Cell {
	if err := body.CheckJSON([]byte(raw)); err != nil {
		return misfit("the database gives what is not a value: %v", err)
	}
	return f.Type.Read(body.Value(raw), d)
}

// TextCell is a value of the column that a database keeps as text. A column of json
// holds the JSON itself there.
func (f Field) TextCell(text string, d Dialect) Cell {
	switch {
	case !utf8.ValidString(text):
		return misfit("it holds bytes that are not text")
	case f.Type != JSON:
		return f.Cell(body.Quote(text), d)
	case body.CheckJSON([]byte(text)) != nil:
		return misfit("%s is not JSON", body.Excerpt(body.Value(body.Quote(text))))
	}
	return f.Cell(text, d)
}
