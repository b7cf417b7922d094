package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"loopmap/mapping"
)

// A table is the same one by whichever way it is named, and another one in another folder, in
// another database, or by another name.
func TestWorksOn(t *testing.T) {
	parse := func(database, name string) *mapping.Mapping {
		t.Helper()
		src := strings.NewReplacer("database: sqlite:contacts.db", "database: "+strings.Replace(database, "a:b@", "", 1), "table: contacts", "table: "+name).Replace(mapsContacts)
		m, err := mapping.Parse("m.yaml", []byte(src))
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	dir := t.TempDir()
	file, link := filepath.Join(dir, "m.yaml"), filepath.Join(t.TempDir(), "here")
	if err := os.Symlink(dir, link); err != nil {
		t.Skip(err)
	}
	of := func(database, table, file string) string { return worksOn(parse(database, table), database, file) }
	const lite, pg = "sqlite:contacts.db", "postgres://a:b@127.0.0.1/crm?sslmode=disable"
	for name, c := range map[string]struct {
		a, b string
		same bool
	}{
		"another file":     {of(lite, "contacts", file), of("sqlite:"+filepath.Join(dir, "contacts.db"), "Contacts", filepath.Join(dir, "n.yaml")), true},
		"a link":           {of(lite, "contacts", file), of(lite, "contacts", filepath.Join(link, "m.yaml")), true},
		"another folder":   {of(lite, "contacts", file), of(lite, "contacts", filepath.Join(dir, "x", "m.yaml")), false},
		"another table":    {of(lite, "contacts", file), of(lite, "leads", file), false},
		"a server's names": {of(pg, "contacts", file), of("postgres://c@localhost:5432/crm", "contacts", "m.yaml"), true},
		"another database": {of(pg, "contacts", file), of("postgres://a:b@127.0.0.1/shop", "contacts", file), false},
	} {
		if (c.a == c.b) != c.same {
			t.Errorf("%s: %q and %q", name, c.a, c.b)
		}
	}
}
