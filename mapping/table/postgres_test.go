package table

import (
	"context"
	"strings"
	"testing"

	"loopmap/mapping"
)

// What holds for PostgreSQL alone.

// A table of the user's own: nothing is dropped or retyped, and what would change
// values is refused, with the SQL that would mend it.
func TestPostgresUsersTable(t *testing.T) {
	d := postgresDatabase(t)
	s := d.open()
	d.exec("CREATE TYPE plan AS ENUM ('free', 'pro')", `CREATE TABLE contacts (id varchar(40) PRIMARY KEY, "Name" text, short varchar(3), price numeric(10,2),
		ratio double precision, born date, at timestamptz(0), ok boolean, plan plan, n integer, made text GENERATED ALWAYS AS (short || '!') STORED,
		mine text NOT NULL DEFAULT 'keep')`)
	for column, says := range map[string]string{
		"ratio number contact.v": "binary fractions", "ok text contact.v": "true and false", "n number contact.v": "whole numbers",
		"made text contact.v": "computed by the database", "plan json contact.v": "does not know",
	} {
		p, err := s.Plan(context.Background(), d.mapping(column))
		if err != nil || len(p.Misfits) != 1 || !strings.Contains(p.Misfits[0], says) {
			t.Errorf("%s: %+v %v", column, p, err)
		}
		if name, _, _ := strings.Cut(column, " "); name == "n" && (len(p.Repairs) != 1 || p.Repairs[0] != `ALTER TABLE "contacts" ALTER COLUMN "n" TYPE numeric`) {
			t.Errorf("%s is mended by %q", column, p.Repairs)
		}
	}
	m := d.mapping("Name text contact.name", "name text contact.name", "short text contact.short", "plan text contact.plan", "n integer contact.n", "price number contact.price", "born time contact.born", "at time contact.at")
	ready(t, s, m)
	for id, c := range map[string]struct {
		attributes string
		want       mapping.Status
	}{
		"fits":     {`,"name":"N","short":"abc","plan":"pro","n":2147483647`, mapping.Applied},
		"too long": {`,"short":"abcd"`, mapping.Quarantined}, // a cast would cut it
		"unknown":  {`,"plan":"gold"`, mapping.Quarantined},
		"too big":  {`,"n":2147483648`, mapping.Quarantined},
		// What the column would round is not stored as something else.
		"exact":        {`,"price":12.340,"born":"2026-11-23","at":1763884800`, mapping.Applied},
		"price":        {`,"price":12.345`, mapping.Quarantined},
		"time of day":  {`,"born":"2026-11-23T08:00:00Z"`, mapping.Quarantined},
		"milliseconds": {`,"at":"2026-11-23T08:00:00.123Z"`, mapping.Quarantined},
	} {
		if out := commit(t, s, m, created(id, id, 0, c.attributes)); out[0].Status != c.want {
			t.Errorf("%s: %+v", id, out)
		}
	}
	if got := d.text(`SELECT "Name" || name || short || made || plan || n || mine || (SELECT count(*) FROM contacts) FROM contacts WHERE id = 'fits'`); got != "NNabcabc!pro2147483647keep2" {
		t.Errorf("got %s", got)
	}
}

// A standby, or a database that is read-only for another reason, refuses for now: the
// delivery is not lost and not quarantined.
func TestPostgresReadOnly(t *testing.T) {
	d := postgresDatabase(t)
	s, m := d.open(), d.mapping()
	ready(t, s, m)
	readOnly := *d
	readOnly.url += "&default_transaction_read_only=on"
	standby := readOnly.open()
	e := mapping.Enter(m, created("1", "x", 0, ""))
	if _, err := standby.Commit(context.Background(), []mapping.Entry{e}); err == nil || !strings.Contains(err.Error(), "takes no writes now") {
		t.Errorf("%v", err)
	}
	for _, failed := range []*mapping.Entry{nil, &e} {
		if err := standby.Ready(context.Background(), failed); err == nil || !strings.Contains(err.Error(), "takes no writes now") {
			t.Errorf("ready: %v", err)
		}
	}
	if out, err := s.Commit(context.Background(), []mapping.Entry{e}); err != nil || out[0].Duplicate || out[0].Status != mapping.Applied {
		t.Errorf("%+v %v", out, err)
	}
}

// Another session holds the table: the commit is given up in time for the sender's
// patience, and may come again.
func TestPostgresLocked(t *testing.T) {
	t.Parallel() // it waits most of the time
	d := postgresDatabase(t)
	s, m := d.open(), d.mapping()
	ready(t, s, m)
	tx, err := d.look.Begin()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec("LOCK TABLE contacts IN ACCESS EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	e := mapping.Enter(m, created("1", "x", 0, ""))
	if _, err := s.Commit(context.Background(), []mapping.Entry{e}); err == nil || !strings.Contains(err.Error(), "did not answer in time") {
		t.Errorf("%v", err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if out, err := s.Commit(context.Background(), []mapping.Entry{e}); err != nil || out[0].Status != mapping.Applied {
		t.Errorf("%+v %v", out, err)
	}
}

// A connection that the server ends is no failure of the delivery: the next one takes
// it.
func TestPostgresConnectionEnded(t *testing.T) {
	d := postgresDatabase(t)
	d.url += "&application_name=loopmap-ended"
	s, m := d.open(), d.mapping()
	ready(t, s, m)
	for i := range 5 {
		d.exec("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'loopmap-ended'")
		if out := commit(t, s, m, created(string(rune('a'+i)), "x", i, "")); out[0].Status != mapping.Applied || out[0].Duplicate {
			t.Errorf("%+v", out)
		}
	}
}
