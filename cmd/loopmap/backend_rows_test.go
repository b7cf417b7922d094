package main

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"loopmap/mapping"
	"loopmap/tui"
)

// How the columns of a table are set is kept among the user's settings, for that table of
// that database alone; a guest's is not.
func TestKeepTableLook(t *testing.T) {
	config := t.TempDir()
	a := &app{lookup: func(name string) (string, bool) {
		v, ok := map[string]string{"XDG_CONFIG_HOME": config, "HOME": config, "AppData": config}[name]
		return v, ok
	}}
	b := &backend{app: a, file: filepath.Join(t.TempDir(), "loopmap.yaml")}
	m, other := mapping.New("sqlite:contacts.db"), mapping.New("sqlite:other.db")
	want := tui.TableLook{Order: []string{"email"}, Hidden: []string{"plan"}, Wide: map[string]int{"email": 4}}
	guest := &backend{app: a, file: b.file, owner: "SHA256:x"}
	for _, step := range []struct {
		b *backend
		m *mapping.Mapping
		l tui.TableLook
	}{{b, m, want}, {b, other, tui.TableLook{Hidden: []string{"x"}}}, {guest, m, tui.TableLook{}}} {
		if err := step.b.KeepTableLook(t.Context(), step.m, step.l); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := (&backend{app: a, file: b.file}).TableLook(t.Context(), m); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := guest.TableLook(t.Context(), m); err != nil || !reflect.DeepEqual(got, tui.TableLook{}) {
		t.Errorf("a guest has %+v, %v", got, err)
	}
	a.lookup = func(string) (string, bool) { return "", false }
	if err := b.KeepTableLook(t.Context(), m, want); err != nil {
		t.Errorf("without a folder for settings: %v", err)
	}
	files, err := filepath.Glob(filepath.Join(config, "*", looksFile))
	if nested, _ := filepath.Glob(filepath.Join(config, "*", "*", looksFile)); err != nil || len(files)+len(nested) != 1 {
		t.Errorf("%v %v", files, nested)
	}
}

// Of a table that has not got the key yet it is said so, in the place of an error of SQL.
func TestRowsWithoutTheKey(t *testing.T) {
	dir := t.TempDir()
	execSQL(t, filepath.Join(dir, "contacts.db"), "CREATE TABLE contacts (email TEXT); INSERT INTO contacts VALUES ('a@example.com')")
	b := &backend{app: &app{now: time.Now, lookup: func(string) (string, bool) { return "", false }}, file: filepath.Join(dir, "loopmap.yaml")}
	m := mapping.New("sqlite:contacts.db")
	m.Key = "loops_id"
	view, err := b.Rows(t.Context(), m, tui.RowsQuery{Limit: 10})
	if err != nil || !strings.Contains(view.Problem, "no column loops_id yet") || len(view.Rows) > 0 {
		t.Errorf("%+v, %v", view, err)
	}
	m.Key = "EMAIL"
	view, err = b.Rows(t.Context(), m, tui.RowsQuery{Limit: 10, Column: "email", Where: `email == "a@example.com"`})
	if err != nil || len(view.Rows) != 1 || view.Rows[0].Key != "a@example.com" || view.Problem != "" || !view.End {
		t.Errorf("%+v, %v", view, err)
	}
	b.close()
}
