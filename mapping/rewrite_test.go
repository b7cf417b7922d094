package mapping

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"loopmap/mapping/body"
	"loopmap/mapping/column"
)

// writtenFiles are files as people write them, in the styles that YAML has.
func writtenFiles() map[string]string {
	files := map[string]string{"example": example, "full": fullFile}
	for name, src := range pushFiles {
		files["push "+name] = src
	}
	files["braces"] = `version: 1
database: "sqlite:a" # why
table: t
key: k
receive: {events: [a], columns: [{name: k, type: text, from: contactIdentity.id}, {name: b, type: text, from: b}],
  rules: [{event: x, set: {c: 1}}]} # end
journal: {keep: 2w}
push: {}
`
	files["brackets"] = `version: 1
database: sqlite:a
table: t
key: k
receive:
  rules: []
  events: [
    a, # first
    b
  ]
  columns: [
    # above
    {name: k, type: text, from: contactIdentity.id}, # one
    {name: b,
     type: text, from: b}, {name: c, type: json, from: c},

    {
      name: d,   type: text,
      from: "d"
    },
  ] # end
push:
  contact: {
    email: b, # who
    properties: {plan: b,
      zip: {column: c, as: string} # last
    }
  }
  events: []
`
	files["blocks"] = `receive:
  columns:
  # above the first
  - name: k
    type: text
    from: contactIdentity.id

  # above the second
  - from: b

    # within
    name: b
    type: text
  - {name: c, type: json, from: c}
  # below
  events:
  - a

  # above b
  - b
  rules:
    # if it goes
    - event: x
      if:
        a.b: yes
        c: null
      set:
        b: gone # word
        new:
          from: c
          type: time
    - {event: y, delete: true}
version: 1
database: ${DATABASE_URL}
table: t
key: k
journal:
`
	return files
}

// randomChange changes one thing of a mapping.
func randomChange(r *rand.Rand, m *Mapping) *Mapping {
	n := m.Clone()
	n.Receive.Rules = slices.Clone(m.Receive.Rules)
	columns, rules := n.Receive.Columns, n.Receive.Rules
	i := r.IntN(len(columns))
	word := []string{"plan", "a b", "true", "12", "l'été", "x#y", "null", "a: b"}[r.IntN(8)]
	path := body.MakePath(body.Step{Key: "contact"}, body.Step{Key: word})
	switch r.IntN(16) {
	case 0:
		n.Table = word
	case 1:
		n.Database = []string{"sqlite:b c.db", "${DATABASE_URL}", "postgres://h/d"}[r.IntN(3)]
	case 2:
		n.Keep = time.Duration(r.IntN(3)) * 24 * time.Hour
	case 3:
		n.Key = columns[i].Name
	case 4:
		if n.Key == columns[i].Name {
			n.Key = word
		}
		columns[i].Name = word
	case 5:
		columns[i].Type = column.Types[r.IntN(len(column.Types))]
	case 6:
		columns[i].From = path
	case 7:
		r.Shuffle(len(columns), func(i, j int) { columns[i], columns[j] = columns[j], columns[i] })
	case 8:
		if len(columns) > 1 {
			n.Receive.Columns = slices.Delete(columns, i, i+1)
		}
	case 9:
		n.Receive.Columns = slices.Insert(columns, i, Column{word, column.JSON, path})
	case 10:
		n.Receive.Events = append(n.Receive.Events[r.IntN(2)%len(n.Receive.Events):], word)
	case 11:
		value := RuleValue{Column: "set", Type: column.Text, Value: `"a b"`}
		rules = append(rules, Rule{Event: word, If: []RuleCondition{{path, word}}, Set: []RuleValue{value}})
		n.Receive.Rules = rules
	case 12:
		n.Receive.Rules = slices.DeleteFunc(rules, func(Rule) bool { return r.IntN(2) == 0 })
	default:
		return randomEdit(r, m)
	}
	return n
}

// checkRewrite changes a file from the mapping that it says to another, and back.
func checkRewrite(t *testing.T, src string, m, n *Mapping) (out []byte, ok bool) {
	out, err := Rewrite("f", []byte(src), n)
	if err != nil {
		if _, whole := Rewrite("f", nil, n); whole == nil {
			t.Fatalf("%v\n%s\nwanted %s", err, src, n.settings().Inline())
		}
		return nil, false // it is no mapping
	}
	back, err := Parse("f", out)
	if err != nil || !back.Same(n) {
		t.Fatalf("it reads as something else: %v\n%s\nwanted %s", err, out, n.settings().Inline())
	}
	if again, err := Rewrite("f", out, n); err != nil || string(again) != string(out) {
		t.Fatalf("no change, and yet %v:\n%s\n%s", err, out, again)
	}
	if undone, err := Rewrite("f", out, m); err != nil {
		t.Fatalf("back again: %v\n%s\n%s", err, out, undone)
	}
	return out, true
}

// Whatever is changed, one thing or many, in whatever style: the file says it, and what is not
// changed is not touched.
func TestRewriteAnything(t *testing.T) {
	for name, src := range writtenFiles() {
		for _, end := range []string{"\n", "\r\n"} {
			for seed := range uint64(20) {
				r := rand.New(rand.NewPCG(seed, 2))
				file := strings.ReplaceAll(src, "\n", end)
				if seed%5 == 0 {
					file = strings.TrimSuffix(file, end)
				}
				m := mustParse(t, file)
				for range 1 + r.IntN(5) {
					n := randomChange(r, m)
					for range r.IntN(4) {
						n = randomChange(r, n)
					}
					out, ok := checkRewrite(t, file, m, n)
					if !ok {
						continue
					}
					lines := strings.Count(string(out), "\n")
					if strings.HasSuffix(file, "\n") != strings.HasSuffix(string(out), "\n") || lines != strings.Count(string(out), end) {
						t.Fatalf("%s, seed %d: the ends of lines have changed:\n%q", name, seed, out)
					}
					file, m = string(out), n
				}
			}
		}
	}
}

// A change of one word changes one line, and of that the word.
func TestRewriteOneWord(t *testing.T) {
	for name, src := range writtenFiles() {
		m := mustParse(t, src)
		for what, change := range map[string]func(n *Mapping){
			"table": func(n *Mapping) { n.Table = "zz" },
			"name":  func(n *Mapping) { n.Receive.Columns[len(n.Receive.Columns)-1].Name = "zz" },
			"type":  func(n *Mapping) { n.Receive.Columns[len(n.Receive.Columns)-1].Type = column.Integer },
		} {
			n := m.Clone()
			if change(n); n.column(n.Key).Name == "" {
				n.Key = "zz"
			}
			if what == "name" && n.Key == "zz" {
				continue // which stands twice
			}
			out, ok := checkRewrite(t, src, m, n)
			if !ok {
				t.Errorf("%s, %s: it is not taken", name, what)
				continue
			}
			was, is := strings.Split(src, "\n"), strings.Split(string(out), "\n")
			if len(was) != len(is) {
				t.Errorf("%s, %s: other lines:\n%s", name, what, out)
				continue
			}
			differ := 0
			for i := range was {
				if was[i] != is[i] {
					differ++
					if strings.Count(was[i], "#") != strings.Count(is[i], "#") || !strings.Contains(is[i], "zz") && !strings.Contains(is[i], "integer") {
						t.Errorf("%s, %s: %q was %q", name, what, is[i], was[i])
					}
				}
			}
			if differ != 1 {
				t.Errorf("%s, %s: %d lines differ:\n%s", name, what, differ, out)
			}
		}
	}
}

// FuzzRewrite: whatever the file that is read and whatever is changed of it, it is written as
// asked, or refused.
func FuzzRewrite(f *testing.F) {
	for _, src := range writtenFiles() {
		f.Add([]byte(src), uint64(1))
	}
	f.Fuzz(func(t *testing.T, src []byte, seed uint64) {
		m, err := Parse("f", src)
		if err != nil {
			return
		}
		if out, err := Rewrite("f", src, m); err != nil || string(out) != string(src) {
			t.Fatalf("no change, and yet %v:\n%q\n%q", err, src, out)
		}
		r := rand.New(rand.NewPCG(seed, 3))
		n := m
		for range 1 + r.IntN(4) {
			n = randomChange(r, n)
		}
		out, err := Rewrite("f", src, n)
		if err != nil {
			return
		}
		if back, err := Parse("f", out); err != nil || !back.Same(n) {
			t.Fatalf("it reads as something else: %v\n%s\nwanted %s", err, out, n.settings().Inline())
		}
		if again, err := Rewrite("f", out, n); err != nil || string(again) != string(out) {
			t.Fatalf("no change, and yet %v:\n%s\n%s", err, out, again)
		}
	})
}
