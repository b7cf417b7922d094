package table

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"loopmap/mapping"
)

// holds is a transaction beside loopmap.
func (d *database) holds(statements ...string) *sql.Tx {
	d.t.Helper()
	tx, err := d.look.Begin()
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { _ = tx.Rollback() })
	for _, s := range statements {
		if _, err := tx.Exec(s); err != nil {
			d.t.Fatal(err)
		}
	}
	return tx
}

// Whoever waits for a locked row waits alone, whatever it is locked by: its delivery is kept
// and answered, the others of its group are written, and once the lock is gone so is it.
func TestLockedRowWaitsAlone(t *testing.T) {
	t.Parallel() // it waits most of the time
	// Other tests, on the same server, may not wait for these.
	c := fmt.Sprintf("c%08x_", rand.Uint32())
	for name, x := range map[string]struct {
		locks   []string
		waiting int // of the deliveries
	}{
		"for update":      {[]string{"SELECT FROM contacts WHERE id = '" + c + "3' FOR UPDATE"}, 1},
		"updated":         {[]string{"UPDATE contacts SET a = 'x' WHERE id = '" + c + "3'"}, 1},
		"deleted":         {[]string{"DELETE FROM contacts WHERE id = '" + c + "3'"}, 1},
		"made":            {[]string{"INSERT INTO contacts (id) VALUES ('" + c + "7')"}, 1},
		"many":            {[]string{"SELECT FROM contacts WHERE id IN ('" + c + "1', '" + c + "2', '" + c + "3') FOR UPDATE", "INSERT INTO contacts (id) VALUES ('" + c + "7')"}, 4},
		"another process": {[]string{"SELECT pg_advisory_xact_lock(OF ROW)"}, 1},
		"by a trigger's row": {[]string{"CREATE TABLE other (id int PRIMARY KEY); INSERT INTO other VALUES (1)",
			`CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF new.id = '` + c + `3' THEN PERFORM FROM other FOR UPDATE; END IF; RETURN new; END $$`,
			"CREATE TRIGGER touch BEFORE INSERT OR UPDATE ON contacts FOR EACH ROW EXECUTE FUNCTION touch()", "COMMIT; BEGIN", "SELECT FROM other FOR UPDATE"}, 1},
		"referred to": {[]string{"CREATE TABLE refers (id text REFERENCES contacts)", "COMMIT; BEGIN", "INSERT INTO refers VALUES ('" + c + "3')"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			d := postgresDatabase(t)
			s, m := d.open(), d.mapping("a text contact.a")
			ready(t, s, m)
			for i := range 5 {
				commit(t, s, m, created(fmt.Sprint("old_", i), fmt.Sprint(c, i), 0, ""))
			}
			for i, text := range x.locks {
				x.locks[i] = strings.Replace(text, "OF ROW", fmt.Sprint(s.engine.(*postgresEngine).lockOf("contacts", c+"3")), 1)
			}
			lock := d.holds(x.locks...)
			var list []mapping.Delivery
			for i := range 10 {
				list = append(list, created(fmt.Sprint("new_", i), fmt.Sprint(c, i), 1, `,"a":"new"`))
			}
			count := func(out []mapping.Outcome, want mapping.Status) (n int) {
				for _, o := range out {
					if o.Status == want && !o.Duplicate {
						n++
					}
				}
				return n
			}
			out := commit(t, s, m, list...)
			if n := count(out, mapping.Pending); n != x.waiting || count(out, mapping.Applied) != 10-n {
				t.Fatalf("%d wait, want %d: %+v", n, x.waiting, out)
			}
			if n, err := mapAll(s, m); err != nil || n != 0 {
				t.Errorf("%d applied while locked, %v", n, err)
			}
			// The next one of a locked row does not wait for the lock again.
			if x.waiting > 0 {
				begun := time.Now()
				for i := range 20 {
					key := c + "3"
					if name == "made" {
						key = c + "7"
					}
					if o := commit(t, s, m, created(fmt.Sprint("more_", i), key, 2+i, `,"a":"more"`)); o[0].Status != mapping.Pending || o[0].Reason != rowLocked {
						t.Fatalf("%+v", o)
					}
				}
				if took := time.Since(begun); took > 20*rowWait {
					t.Errorf("20 deliveries of a locked row take %v", took)
				}
			}
			if err := lock.Rollback(); err != nil && !errors.Is(err, sql.ErrTxDone) {
				t.Fatal(err)
			}
			time.Sleep(triedFor + 10*time.Millisecond) // as the keeper does, and more
			if _, err := mapAll(s, m); err != nil {
				t.Error(err)
			}
			if n, err := mapAll(s, m); err != nil || n != 0 {
				t.Errorf("%d waited still, %v", n, err)
			}
			if got := d.text("SELECT count(*) FROM contacts WHERE a IN ('new', 'more')"); got != "10" {
				t.Errorf("%s rows are as they should be", got)
			}
			if x.waiting > 0 { // and what comes is written at once
				if o := commit(t, s, m, created("last", c+"3", 99, "")); o[0].Status != mapping.Applied {
					t.Errorf("%+v", o)
				}
			}
		})
	}
}

// Three senders on one locked row hold nobody up: neither here nor in another process.
func TestLockedRowAmongSenders(t *testing.T) {
	key := fmt.Sprintf("locked%08x", rand.Uint32())
	d := postgresDatabase(t)
	one, m := d.open(), d.mapping("a text contact.a")
	ready(t, one, m)
	two := d.open()
	commit(t, one, m, created("old", key, 0, ""))
	d.holds("SELECT FROM contacts WHERE id = '" + key + "' FOR UPDATE")
	ctx, stop := context.WithCancel(context.Background())
	var senders sync.WaitGroup
	defer senders.Wait()
	defer stop()
	for i := range 3 {
		senders.Go(func() {
			s := []*Store{one, two}[i%2]
			for n := 0; ctx.Err() == nil; n++ {
				e := mapping.Enter(m, created(fmt.Sprintf("locked_%d_%d", i, n), key, n, ""))
				other := mapping.Enter(m, created(fmt.Sprintf("beside_%d_%d", i, n), fmt.Sprintf("%s_beside_%d", key, i), n, ""))
				if _, err := s.Commit(context.Background(), []mapping.Entry{e, other}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	begun := time.Now()
	for n := range 200 {
		s := []*Store{one, two}[n%2]
		if o := commit(t, s, m, created(fmt.Sprint("other_", n), fmt.Sprint(key, n), 0, "")); o[0].Status != mapping.Applied {
			t.Errorf("%+v", o)
		}
	}
	if took := time.Since(begun); took > 30*time.Second { // each would wait for the lock
		t.Errorf("200 deliveries of other rows take %v", took)
	} else {
		t.Logf("200 deliveries of other rows take %v", took)
	}
}

// A lock on the whole table is waited for as before: it fails, or is gone in time.
func TestLockedTable(t *testing.T) {
	t.Parallel() // it waits most of the time
	for _, name := range []string{"contacts", "loopmap_deliveries"} {
		d := postgresDatabase(t)
		s, m := d.open(), d.mapping()
		ready(t, s, m)
		commit(t, s, m, created("0", "a", 0, ""))
		lock := d.holds("LOCK TABLE " + name + " IN ACCESS EXCLUSIVE MODE")
		time.AfterFunc(6*rowWait, func() { _ = lock.Rollback() })
		if o := commit(t, s, m, created("1", "a", 1, ""), event("2", "contact.other", "b", 1, "")); o[0].Status != mapping.Applied {
			t.Errorf("%s: %+v", name, o)
		}
	}
}
