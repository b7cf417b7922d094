package main

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"loopmap/mapping/table"
)

// What is done to a table is a line for each kind of change: in words for people, unless they
// look for mistakes, and with all SQL where a machine keeps the log.
func TestTableChangesInTheLog(t *testing.T) {
	plan := table.Plan{
		Notes: []string{"creates table contacts with 5 columns", "gets 2 triggers", "gets 2 triggers"},
		SQL:   []string{"CREATE TABLE\n  contacts", "CREATE TRIGGER one", "CREATE TRIGGER two"},
	}
	a := &app{lookup: func(string) (string, bool) { return "", false }}
	shown := func(level slog.Level) string {
		var b strings.Builder
		logChanges(slog.New(&dressed{level: level, emit: func(l logged) { b.WriteString(a.dress().line(l, 80)) }}), plan)
		return b.String()
	}
	people := shown(slog.LevelInfo)
	for _, words := range []string{"the table: creates table contacts with 5 columns", "the table: gets 2 triggers"} {
		if strings.Count(people, words) != 1 {
			t.Errorf("%q is not said once:\n%s", words, people)
		}
	}
	if strings.Contains(people, "CREATE") || strings.Count(people, "\n") != 2 {
		t.Errorf("people see\n%s", people)
	}
	var kept bytes.Buffer
	logChanges(slog.New(slog.NewJSONHandler(&kept, nil)), plan)
	for _, sql := range []string{`"CREATE TABLE\n  contacts"`, `["CREATE TRIGGER one","CREATE TRIGGER two"]`} {
		if !strings.Contains(kept.String(), sql) {
			t.Errorf("the log lacks %s:\n%s", sql, kept.String())
		}
	}
	if debug := shown(slog.LevelDebug); strings.Count(debug, "CREATE") != 3 {
		t.Errorf("who looks for mistakes sees\n%s", debug)
	}
}
