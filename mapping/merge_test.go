package mapping

import (
	"strings"
	"testing"

	"loopmap/mapping/column"
)

// columnsOf is a mapping whose columns are written "name type path", the first the key.
func columnsOf(t testing.TB, lines ...string) *Mapping {
	t.Helper()
	m := New("sqlite:x.db")
	m.Receive.Columns = nil
	for _, line := range lines {
		f := strings.Fields(line)
		p, err := ParsePath(f[2])
		if err != nil {
			t.Fatal(err)
		}
		m.Receive.Columns = append(m.Receive.Columns, Column{f[0], column.Type(f[1]), p})
	}
	m.Key = m.Receive.Columns[0].Name
	return m
}

func TestMerge(t *testing.T) {
	const id, mail, plan = "id text contactIdentity.id", "mail text contact.email", "plan text contact.plan"
	base := []string{id, mail, plan}
	tests := map[string]struct {
		mine, theirs []string
		want         string
		clash        string // a part of the only clash; "" for none
	}{
		"nothing":               {base, base, "id mail plan", ""},
		"only mine":             {[]string{id, mail}, base, "id mail", ""},
		"only theirs":           {base, []string{id, mail}, "id mail", ""},
		"both add":              {append(base[:3:3], "a text contact.a"), append(base[:3:3], "b text contact.b"), "id mail plan b a", ""},
		"both add the same":     {append(base[:3:3], "a text contact.a"), append(base[:3:3], "a text contact.a"), "id mail plan a", ""},
		"both add a name":       {append(base[:3:3], "a text contact.x.a"), append(base[:3:3], "a text contact.a"), "id mail plan a x_a", "both have added one"},
		"mine renames":          {[]string{id, "email text contact.email", plan}, append(base[:3:3], "b text contact.b"), "id email plan b", ""},
		"name and type":         {[]string{id, "email text contact.email", plan}, []string{id, "mail json contact.email", plan}, "id email:json plan", ""},
		"both rename":           {[]string{id, "email text contact.email", plan}, []string{id, "address text contact.email", plan}, "id email plan", "they say address, you say email"},
		"both retype":           {[]string{id, "mail json contact.email", plan}, []string{id, "mail time contact.email", plan}, "id mail:json plan", "they say time, you say json"},
		"dropped and changed":   {[]string{id, plan}, []string{id, "mail json contact.email", plan}, "id plan", "they have changed it, you have dropped it"},
		"changed and dropped":   {[]string{id, "mail json contact.email", plan}, []string{id, plan}, "id plan mail:json", "they have dropped it, you have changed it"},
		"both drop":             {[]string{id, plan}, []string{id, plan}, "id plan", ""},
		"mine moves":            {[]string{id, plan, mail}, append(base[:3:3], "b text contact.b"), "id plan mail b", ""},
		"theirs moves":          {append(base[:3:3], "b text contact.b"), []string{id, plan, mail}, "id plan mail b", ""},
		"the key is renamed":    {[]string{"key text contactIdentity.id", mail, plan}, append(base[:3:3], "b text contact.b"), "key mail plan b", ""},
		"they rename the key":   {append(base[:3:3], "b text contact.b"), []string{"key text contactIdentity.id", mail, plan}, "key mail plan b", ""},
		"another is the key":    {[]string{mail, id, plan}, base, "mail id plan", ""},
		"the path has changed":  {base, []string{id, mail, "plan text contact.tier"}, "id mail plan", ""},
		"both rename, and drop": {[]string{id, "email text contact.email"}, []string{id, "address text contact.email", plan}, "id email", "they say address"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			b := columnsOf(t, base...)
			got, clashes := Merge(b, columnsOf(t, test.mine...), columnsOf(t, test.theirs...))
			var words []string
			for _, c := range got.Receive.Columns {
				if c.Type != column.Text {
					c.Name += ":" + string(c.Type)
				}
				words = append(words, c.Name)
			}
			if s := strings.Join(words, " "); s != test.want {
				t.Errorf("got %s, want %s", s, test.want)
			}
			if got.column(got.Key).Name == "" {
				t.Errorf("the key %s is no column", got.Key)
			}
			if all := strings.Join(clashes, "\n"); test.clash == "" && all != "" || !strings.Contains(all, test.clash) {
				t.Errorf("clashes: %q", all)
			}
			if _, err := Rewrite("merged", nil, got); err != nil {
				t.Errorf("what is merged is no mapping: %v", err)
			}
		})
	}
}
