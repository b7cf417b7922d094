package table

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"

	"loopmap/mapping"
)

// What a trigger says of a contact reaches who asked, and no log.
func TestTroubleInTheLog(t *testing.T) {
	d := postgresDatabase(t)
	s, m := d.open(), d.mapping("email text contact.email")
	ready(t, s, m)
	d.exec(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no memory for %', row_to_json(new) USING ERRCODE = '53200', DETAIL = new.email; END $$`,
		"CREATE TRIGGER refuse BEFORE INSERT ON contacts FOR EACH ROW EXECUTE FUNCTION refuse()")
	_, err := s.Commit(context.Background(), []mapping.Entry{mapping.Enter(m, created("1", "x", 0, `,"email":"ada@example.com"`))})
	if err == nil || !strings.Contains(err.Error(), "ada@example.com") {
		t.Fatalf("%v", err)
	}
	for _, json := range []bool{false, true} {
		var b bytes.Buffer
		log := slog.New(slog.NewTextHandler(&b, nil))
		if json {
			log = slog.New(slog.NewJSONHandler(&b, nil))
		}
		log.Error("not stored", "error", err)
		if strings.Contains(b.String(), "ada@") || !strings.Contains(b.String(), "SQLSTATE 53200 (insufficient resources)") {
			t.Errorf("logged: %s", b.String())
		}
	}
}

func TestTroubleOfSQLite(t *testing.T) {
	d := sqliteDatabase(t)
	s, m := d.open(), d.mapping()
	ready(t, s, m)
	s.engine.(*sqliteEngine).writer.SetBusyTimeout(0)
	d.look.SetMaxOpenConns(1)
	d.exec("BEGIN IMMEDIATE")
	defer d.exec("ROLLBACK")
	_, err := s.Commit(context.Background(), []mapping.Entry{mapping.Enter(m, created("1", "x", 0, ""))})
	v, ok := err.(slog.LogValuer)
	if !ok {
		t.Fatalf("%T %v", err, err)
	}
	if got := v.LogValue().String(); !strings.HasPrefix(got, "another process holds the database locked: ") || !strings.HasSuffix(got, "SQLITE_BUSY") {
		t.Errorf("logged: %s", got)
	}
}
