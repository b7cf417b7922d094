package mapping

import (
	"bytes"
	"errors"
	"fmt"

	"loopmap/mapping/yamledit"
)

// newFile is what a mapping file begins as.
const newFile = `# How Loops webhooks become rows: "loopmap check" reads this file over,
# "loopmap sync" keeps the table in step by it.
version:
database:
table:
key:   # the column that tells rows apart
`

const newReceive = `
receive:
  events:
  columns:
`

// Rewrite brings a mapping file to say what m says, and changes no more than
// that: comments, order, blank lines and the look of all other lines stay. With
// no source it writes a new file. The result is read back before it is
// returned: it says what m says, or there is an error and no result.
func Rewrite(name string, src []byte, m *Mapping) ([]byte, error) {
	var doc *document
	var err error
	if len(bytes.TrimSpace(src)) > 0 {
		doc, err = readFile(name, src)
	} else {
		text := newFile
		if m.Receives() {
			text += newReceive
		}
		src, doc = []byte(text), &document{}
		doc.root, err = yamledit.Read(src)
	}
	if err != nil {
		return nil, err
	}
	out, err := yamledit.Edit(src, doc.root, doc.mapping.settings(), m.settings())
	if errors.Is(err, yamledit.ErrByHand) {
		return nil, fmt.Errorf("%s is %w", name, err)
	} else if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	back, err := Parse(name, out)
	if err != nil {
		return nil, fmt.Errorf("the mapping cannot be saved: %w", err)
	}
	if !back.Same(m) {
		return nil, fmt.Errorf("%s is %w", name, yamledit.ErrByHand)
	}
	return out, nil
}
