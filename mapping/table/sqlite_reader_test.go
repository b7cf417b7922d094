package table

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"loopmap/mapping"
)

// A reader that goes on lets the WAL grow, which is known; once it ends the WAL is truncated.
func TestTendWAL(t *testing.T) {
	d := sqliteDatabase(t)
	s, m := d.open(), d.mapping("a text contact.a")
	ready(t, s, m)
	ctx := context.Background()
	if w, err := s.TendWAL(ctx); err != nil || w.Held || w.Cut > 0 {
		t.Errorf("at first: %+v %v", w, err)
	}
	reader := d.holds("SELECT count(*) FROM contacts")
	var n int
	if err := reader.QueryRow("SELECT count(*) FROM contacts").Scan(&n); err != nil {
		t.Fatal(err)
	}
	large := strings.Repeat("x", 1<<20)
	write := func(from int) {
		for i := range 3 + longWAL>>21 { // a body and a cell are 2 MB
			commit(t, s, m, created(fmt.Sprint("msg_", from+i), fmt.Sprint("c", from+i), 0, `,"a":"`+large+`"`))
		}
	}
	write(0)
	w, err := s.TendWAL(ctx)
	if err != nil || !w.Held || w.Bytes < longWAL || w.Cut > 0 {
		t.Errorf("while it is read: %+v %v", w, err)
	}
	if o := commit(t, s, m, created("beside", "c", 0, "")); o[0].Status != mapping.Applied {
		t.Errorf("%+v", o)
	}
	if err := reader.Rollback(); err != nil {
		t.Fatal(err)
	}
	if w, err = s.TendWAL(ctx); err != nil || w.Held || w.Cut < longWAL || w.Bytes > longWAL/4 {
		t.Errorf("once it has ended: %+v %v", w, err)
	}
	if n, ok := s.WALBytes(); !ok || n > longWAL/4 {
		t.Errorf("%d bytes, %v", n, ok)
	}
	if got := d.text("PRAGMA integrity_check") + d.text("SELECT count(*) FROM contacts"); got != fmt.Sprint("ok", 3+longWAL>>21+1) {
		t.Error(got)
	}
}

func TestNoWAL(t *testing.T) {
	s := postgresDatabase(t).open()
	if w, err := s.TendWAL(context.Background()); err != nil || w != (WAL{}) {
		t.Errorf("%+v %v", w, err)
	}
	if _, ok := s.WALBytes(); ok {
		t.Error("PostgreSQL's is not ours to tend")
	}
}
