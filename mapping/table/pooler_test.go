package table

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"loopmap/mapping"
	"loopmap/mapping/outgoing"
)

// pooled is the same database by way of a PgBouncer that hands its connections out
// transaction by transaction. Where there is none the test is skipped; with
// LOOPMAP_TEST_ALL it fails.
func (d *database) pooled() *database {
	d.t.Helper()
	program, err := exec.LookPath("pgbouncer")
	if err != nil {
		if program = "/usr/sbin/pgbouncer"; !isFile(program) {
			if os.Getenv("LOOPMAP_TEST_ALL") != "" {
				d.t.Fatal("no PgBouncer: install the package pgbouncer")
			}
			d.t.Skip("no PgBouncer is installed")
		}
	}
	u, err := url.Parse(d.url)
	if err != nil {
		d.t.Fatal(err)
	}
	// Below the ports that systems give to clients, so that none of them gets it first.
	var l net.Listener
	for range 100 {
		if l, err = net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 20000+rand.IntN(12000))); err == nil {
			break
		}
	}
	if err != nil {
		d.t.Fatal(err)
	}
	address := l.Addr().(*net.TCPAddr)
	l.Close()
	dir, err := os.MkdirTemp("", "pooler")
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { os.RemoveAll(dir) })
	config := fmt.Sprintf("[databases]\n* = host=%s port=%s connect_query='SET search_path TO %s; SET synchronous_commit TO off'\n"+
		"[pgbouncer]\nlisten_addr=127.0.0.1\nlisten_port=%d\nauth_type=trust\nauth_file=%s\npool_mode=transaction\ndefault_pool_size=3\nunix_socket_dir=\n",
		u.Hostname(), portOf(u), u.Query().Get("search_path"), address.Port, filepath.Join(dir, "users"))
	for name, text := range map[string]string{"config": config, "users": fmt.Sprintf("%q \"\"\n", u.User.Username())} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			d.t.Fatal(err)
		}
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		d.t.Fatal(err)
	}
	c := exec.Command(program, filepath.Join(dir, "config"))
	if os.Getuid() == 0 { // which PgBouncer refuses to be
		c.SysProcAttr = &syscall.SysProcAttr{Credential: nobody(d.t)}
	}
	if err := c.Start(); err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { _, _ = c.Process.Kill(), c.Wait() })
	u.Host, u.RawQuery = address.String(), "sslmode=disable"
	for try := 0; ; try++ {
		if conn, err := net.Dial("tcp", address.String()); err == nil {
			conn.Close()
			break
		} else if try == 200 {
			d.t.Fatal(err)
		}
		time.Sleep(50 * time.Millisecond)
	}
	p := *d
	p.url = u.String()
	return &p
}

func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular()
}

func portOf(u *url.URL) string {
	if u.Port() != "" {
		return u.Port()
	}
	return "5432"
}

func nobody(t testing.TB) *syscall.Credential {
	u, err := user.Lookup("nobody")
	if err != nil {
		t.Skip("there is no user nobody to run PgBouncer as")
	}
	id, _ := strconv.Atoi(u.Uid)
	group, _ := strconv.Atoi(u.Gid)
	return &syscall.Credential{Uid: uint32(id), Gid: uint32(group)}
}

// Behind a pooler all works as without, what is written is durable, and others who are
// handed the same connections find them as they were.
func TestBehindAPooler(t *testing.T) {
	d := postgresDatabase(t)
	p := d.pooled()
	ctx := context.Background()
	m := d.mapping("n integer contact.n")
	d.exec("CREATE TABLE contacts (id text PRIMARY KEY, n bigint, durable text DEFAULT current_setting('synchronous_commit'))")
	for start := range 3 {
		s, err := Open(ctx, Options{URL: p.url, Write: true})
		if err != nil {
			t.Fatalf("start %d: %v", start, err)
		}
		if !s.engine.(*postgresEngine).pooled {
			t.Fatal("the pooler is taken for the database")
		}
		if start == 0 {
			d.exec("ALTER TABLE loopmap_pushes ADD COLUMN durable text DEFAULT current_setting('synchronous_commit')")
		}
		ready(t, s, m)
		install(t, s, m)
		var all sync.WaitGroup
		for w := range 4 {
			all.Go(func() {
				for i := range 20 {
					id := fmt.Sprintf("%d-%d-%d", start, w, i)
					out, err := s.Commit(ctx, []mapping.Entry{mapping.Enter(m, created(id, id, i, `,"n":1`)), mapping.Enter(m, created(id+"late", id, i-1, `,"n":2`))})
					if err != nil || out[0].Status != mapping.Applied {
						t.Errorf("%s: %+v %v", id, out, err)
					}
				}
			})
		}
		all.Wait()
		line := outgoing.Line{Kind: "contact", Status: outgoing.Sent, UpdatedAt: time.Now()}
		if err := s.SavePushes(ctx, "contacts", []outgoing.Save{{RowKey: fmt.Sprint(start), Kind: "contact", Line: line}}); err != nil {
			t.Error(err)
		}
		if newest, _, err := s.PushesSince(ctx, "contacts"); err != nil || time.Since(newest) > time.Minute {
			t.Error(newest, err)
		}
		if _, _, err := s.Waiting(ctx); err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if got := d.text("SELECT count(*) || ' ' || sum(n) || ' ' || string_agg(DISTINCT durable, ',') FROM contacts"); got != "240 240 on" {
		t.Errorf("rows: %s", got)
	}
	if got := d.text("SELECT string_agg(DISTINCT durable, ',') FROM loopmap_pushes"); got != "on" {
		t.Errorf("outcomes are written with synchronous_commit %s", got)
	}
	// Only one sends at a time, and who is gone holds nothing.
	a, b := p.open(), p.open()
	held, unlock, ok, err := a.TryLockPushes(ctx)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	if _, _, ok, err := b.TryLockPushes(ctx); ok || err != nil {
		t.Errorf("two hold the lock: %v", err)
	}
	if unlock(); held.Err() == nil {
		t.Error("held goes on")
	}
	if _, unlock, ok, err := b.TryLockPushes(ctx); !ok || err != nil {
		t.Errorf("the lock stays: %v", err)
	} else {
		unlock()
	}
	for range 20 { // whichever connection it is
		if got := p.pooledText("SELECT current_setting('statement_timeout') || current_setting('lock_timeout') || current_setting('idle_in_transaction_session_timeout')"); got != "000" {
			t.Fatalf("settings are left behind: %s", got)
		}
	}
	if got := d.text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = 1819242352 AND objid = hashtext(current_schema())::bigint & 4294967295"); got != "0" {
		t.Errorf("%s locks are left behind", got)
	}
}

// pooledText asks as another client of the pooler does.
func (d *database) pooledText(query string) (text string) {
	d.t.Helper()
	ctx := context.Background()
	c, err := pgx.Connect(ctx, d.url)
	if err != nil {
		d.t.Fatal(err)
	}
	defer c.Close(ctx)
	if err := c.QueryRow(ctx, query, pgx.QueryExecModeSimpleProtocol).Scan(&text); err != nil {
		d.t.Fatal(err)
	}
	return text
}
