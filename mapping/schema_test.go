package mapping

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"loopmap/mapping/column"
	"loopmap/mapping/yamledit"
)

// meant are mistakes that only the parser knows, and why JSON Schema cannot say them.
var meant = map[string]string{
	"is not one of the columns":   "one part of the file names another",
	"stands here twice":           "members of a list are told apart by their names",
	"to SQLite, which ignores":    "names are the same to a database",
	"SQLite's own name":           "which names may be used depends on the database",
	"names no database":           "a database's URL has a grammar of its own",
	"a password has no place":     "a database's URL has a grammar of its own",
	"is not expanded here":        "what a variable is for is in its name",
	"path, character":             "paths have a grammar of their own",
	"only_run_if: ":               "conditions have a grammar of their own",
	"every is a time between":     "times between runs and cron lines have a grammar of their own",
	"stands among the properties": "it is said in two places",
	"is the key: it tells":        "one part of the file names another",
	"cannot delete it too":        "one part of the file names another",
	"has no type":                 "whether a type is needed depends on the columns",
	"null alone does not say":     "whether a type is needed depends on the columns",
	"and boolean elsewhere":       "a column has one type in all of the file",
	"column subscribed (boolean)": "what a column takes depends on its type",
	"which contact.deleted does":  "one part of the file names another",
}

var compiledSchema = sync.OnceValues(func() (*jsonschema.Schema, error) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("mapping.json", doc); err != nil {
		return nil, err
	}
	return c.Compile("mapping.json")
})

// parsed is Parse, as all tests read files: what it takes the schema takes, and what it
// refuses the schema refuses, but for what is meant.
func parsed(t testing.TB, name string, src []byte) (*Mapping, error) {
	t.Helper()
	m, err := Parse(name, src)
	root, broken := yamledit.Read(yamledit.UnixLines(src))
	if broken != nil { // it is not a document that a schema could judge
		return m, err
	}
	schema, wrong := compiledSchema()
	if wrong != nil {
		t.Fatal(wrong)
	}
	wrong = schema.Validate(asJSON(root))
	switch {
	case err == nil && wrong != nil:
		t.Errorf("the schema refuses what is read: %v\n%s", wrong, src)
	case err != nil && wrong == nil && !isMeant(err):
		t.Errorf("the schema takes what is refused: %v", err)
	}
	return m, err
}

// isMeant reports whether all that is wrong is among what a schema cannot say.
func isMeant(err error) bool {
	for line := range strings.Lines(err.Error()) {
		known := false
		for part := range meant {
			known = known || strings.Contains(line, part)
		}
		if !known {
			return false
		}
	}
	return true
}

// asJSON is YAML as an editor shows it to a schema.
func asJSON(n *yamledit.Node) any {
	switch n.Kind {
	case yamledit.Map:
		m := map[string]any{}
		for _, member := range n.Members {
			m[member.Key.Text] = asJSON(member.Value)
		}
		return m
	case yamledit.List:
		list := []any{}
		for _, item := range n.Items {
			list = append(list, asJSON(item.Value))
		}
		return list
	case yamledit.Empty, yamledit.Scalar:
	}
	d := json.NewDecoder(strings.NewReader(scalarJSON(n)))
	d.UseNumber()
	var v any
	_ = d.Decode(&v) // scalarJSON writes JSON
	return v
}

// A key of the file stands in the parser and in the schema, or in neither.
func TestSchemaHasTheParsersKeys(t *testing.T) {
	const none = "zzzzzzzzzzzz"
	src := `zzzzzzzzzzzz: 1
version: 1
database: sqlite:a
table: t
key: id
receive:
  zzzzzzzzzzzz: 1
  events: [e]
  columns: [{zzzzzzzzzzzz: 1, name: id, type: text, from: contactIdentity.id}]
  rules: [{zzzzzzzzzzzz: 1, event: a, set: {x: {zzzzzzzzzzzz: 1, from: b, type: text}}}]
journal: {zzzzzzzzzzzz: 1, keep: 9d}
push:
  zzzzzzzzzzzz: 1
  contact: {zzzzzzzzzzzz: 1, email: email, properties: {plan: {zzzzzzzzzzzz: 1, column: plan}}}
  events: [{zzzzzzzzzzzz: 1, name: a}]
`
	_, err := parsed(t, "f", []byte(src))
	var inParser []string
	for line := range strings.Lines(err.Error()) {
		if _, keys, ok := strings.Cut(strings.TrimSpace(line), "; it has "); ok && strings.Contains(line, none) {
			list := strings.Split(keys, ", ")
			slices.Sort(list)
			inParser = append(inParser, strings.Join(list, " "))
		}
	}
	var inSchema []string
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, e := range v {
				walk(e)
			}
		case map[string]any:
			if keys, ok := v["properties"].(map[string]any); ok && v["additionalProperties"] == false {
				inSchema = append(inSchema, strings.Join(slices.Sorted(maps.Keys(keys)), " "))
			}
			for _, e := range v {
				walk(e)
			}
		}
	}
	var doc any
	if err := json.Unmarshal(Schema, &doc); err != nil {
		t.Fatal(err)
	}
	walk(doc)
	slices.Sort(inParser)
	slices.Sort(inSchema)
	if !slices.Equal(inParser, inSchema) {
		t.Errorf("the parser knows\n%s\nthe schema\n%s", strings.Join(inParser, "\n"), strings.Join(inSchema, "\n"))
	}
}

// The schema names the types, and the names that Loops keeps for itself, as the code does.
func TestSchemaHasTheCodesWords(t *testing.T) {
	var schema struct {
		Properties struct {
			Receive struct {
				Properties struct {
					Columns struct {
						Items struct {
							Properties struct{ Type struct{ Enum []column.Type } }
						}
					}
				}
			}
		}
		Defs struct {
			Properties struct {
				PropertyNames struct {
					Not struct{ Enum []string }
				}
			}
		} `json:"$defs"`
	}
	if err := json.Unmarshal(Schema, &schema); err != nil {
		t.Fatal(err)
	}
	if got := schema.Properties.Receive.Properties.Columns.Items.Properties.Type.Enum; !slices.Equal(got, column.Types) {
		t.Errorf("types: %v", got)
	}
	names := schema.Defs.Properties.PropertyNames.Not.Enum
	if len(names) == 0 {
		t.Error("no names are kept")
	}
	for _, name := range names {
		if Unwritable(name) == "" {
			t.Errorf("%s can be written", name)
		}
	}
}
