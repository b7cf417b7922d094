package table

import (
	"context"
	"testing"
	"time"

	"loopmap/mapping"
)

// The probe leaves nothing behind.
func TestReady(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		s, m := d.open(), d.mapping("a text contact.a")
		ready(t, s, m)
		commit(t, s, m, created("1", "there", 0, `,"a":"1"`))
		for _, contact := range []string{"", "new", "there"} { // the first is none
			e := mapping.Enter(m, created("2", contact, 0, `,"a":"2"`))
			failed := &e
			if contact == "" {
				failed = nil
			}
			for range 2 {
				if err := s.Ready(context.Background(), failed); err != nil {
					t.Error(err)
				}
			}
		}
		if got := d.text("SELECT count(*) FROM loopmap_deliveries"); got != "1" {
			t.Errorf("the probe left %s lines", got)
		}
		if got := d.text("SELECT count(*) FROM contacts") + d.text("SELECT a FROM contacts"); got != "11" {
			t.Errorf("the probe left rows: %s", got)
		}
	})
}

// Whatever keeps deliveries from being stored keeps the probe red: also what is about the
// user's table alone.
func TestReadyIsThorough(t *testing.T) {
	t.Parallel() // it waits most of the time
	for name, x := range map[string]struct{ breaks, mends string }{
		"trigger": {`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no memory' USING ERRCODE = '53200'; END $$;
			CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON contacts FOR EACH ROW EXECUTE FUNCTION refuse()`, "DROP TRIGGER refuse ON contacts; DROP FUNCTION refuse"},
		"rights": {"", ""},
		"locked": {"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			d := postgresDatabase(t)
			owner, m := d.open(), d.mapping()
			ready(t, owner, m)
			s := owner
			if name == "rights" {
				role := d.text("SELECT current_schema()") // a name of this test's own
				schema := role
				d.exec("CREATE ROLE "+role+" LOGIN", "GRANT USAGE ON SCHEMA "+schema+" TO "+role, "GRANT ALL ON ALL TABLES IN SCHEMA "+schema+" TO "+role, "GRANT ALL ON ALL SEQUENCES IN SCHEMA "+schema+" TO "+role)
				t.Cleanup(func() { d.exec("DROP OWNED BY "+role, "DROP ROLE "+role) })
				as := *d
				as.url += "&options=-c%20role%3D" + role
				s = as.open()
				x.breaks, x.mends = "REVOKE INSERT ON contacts FROM "+role, "GRANT INSERT ON contacts TO "+role
			}
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			e := mapping.Enter(m, created("1", "x", 0, ""))
			undo := func() { d.exec(x.mends) }
			if name == "locked" {
				tx, err := d.look.Begin()
				if err != nil {
					t.Fatal(err)
				}
				if _, err := tx.Exec("LOCK TABLE contacts IN SHARE MODE"); err != nil {
					t.Fatal(err)
				}
				undo = func() { _ = tx.Rollback() }
			} else {
				d.exec(x.breaks)
			}
			if out, err := s.Commit(ctx, []mapping.Entry{e}); err == nil {
				t.Fatalf("it is stored: %+v", out)
			}
			if err := s.Ready(ctx, &e); err == nil {
				t.Error("ready, while nothing can be stored")
			}
			undo()
			if err := s.Ready(ctx, &e); err != nil {
				t.Errorf("not ready, though all is well: %v", err)
			}
		})
	}
}
