//go:build unix

package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"loopmap/mapping/table/tabletest"
)

// proxy stands between the program and PostgreSQL, and does what networks do.
type proxy struct {
	listener net.Listener
	to       string
	done     sync.WaitGroup

	mu       sync.Mutex
	pairs    map[*pair]bool
	refusing bool          // new connections are closed at once
	delay    time.Duration // of whatever is forwarded
	resume   chan struct{} // closed when a stall ends; nil when there is none
	commits  int           // how many COMMITs are to be cut off from their answers
	cuts     int           // how many were
}

// pair is one connection of the program and the one to the server behind it.
type pair struct {
	client, server net.Conn
	once           sync.Once
	closed         chan struct{}
	mute           chan struct{} // closed when the server's words no longer go to the client
	heard          chan struct{} // the server has said something since
}

func startProxy(t testing.TB, to string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: l, to: to, pairs: map[*pair]bool{}}
	p.done.Go(p.accept)
	t.Cleanup(func() {
		l.Close()
		p.refuse(true)
		p.cut()
		p.done.Wait()
	})
	return p
}

func (p *proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		} else if err != nil {
			time.Sleep(10 * time.Millisecond)
			continue
		}
		p.done.Go(func() { p.join(client) })
	}
}

func (p *proxy) join(client net.Conn) {
	server, err := net.Dial("tcp", p.to)
	if err != nil {
		client.Close()
		return
	}
	c := &pair{client: client, server: server, closed: make(chan struct{}), mute: make(chan struct{}), heard: make(chan struct{}, 1)}
	p.mu.Lock()
	p.pairs[c] = true
	refusing := p.refusing
	p.mu.Unlock()
	if refusing {
		c.close()
	}
	var both sync.WaitGroup
	both.Go(func() { p.pump(c, server, client, true) })
	both.Go(func() { p.pump(c, client, server, false) })
	both.Wait()
	p.mu.Lock()
	delete(p.pairs, c)
	p.mu.Unlock()
}

// close ends both connections hard, as a lost network or a killed peer does.
func (c *pair) close() {
	c.once.Do(func() {
		close(c.closed)
		for _, conn := range []net.Conn{c.client, c.server} {
			_ = conn.(*net.TCPConn).SetLinger(rand.IntN(2) - 1) // by RST or FIN, as chance will
			conn.Close()
		}
	})
}

// commit matches the statement, not the word within a name.
var commit = regexp.MustCompile(`(?i)\bcommit\b`)

func (p *proxy) pump(c *pair, to, from net.Conn, isClient bool) {
	defer c.close()
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		p.mu.Lock()
		delay, resume := p.delay, p.resume
		cut := isClient && p.commits > 0 && commit.Match(buf[:n])
		if cut {
			p.commits, p.cuts = p.commits-1, p.cuts+1
			close(c.mute)
		}
		p.mu.Unlock()
		time.Sleep(delay)
		if resume != nil {
			select {
			case <-resume:
			case <-c.closed:
				return
			}
		}
		if !isClient {
			select {
			case <-c.mute:
				select {
				case c.heard <- struct{}{}:
				default:
				}
				continue
			default:
			}
		}
		fate := rand.IntN(3)
		if cut && fate == 0 {
			return // the server never gets it
		}
		if _, err := to.Write(buf[:n]); err != nil {
			return
		}
		if cut {
			// Either the server has surely answered, or nobody knows how far it is.
			if fate == 1 {
				select {
				case <-c.heard:
				case <-c.closed:
				case <-time.After(time.Second):
				}
			}
			return
		}
	}
}

// cut ends all connections.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.pairs {
		c.close()
	}
}

// refuse ends new connections before they can be used.
func (p *proxy) refuse(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refusing = on
}

// stall forwards nothing until it is called again, and keeps what is open open.
func (p *proxy) stall(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if on && p.resume == nil {
		p.resume = make(chan struct{})
	} else if !on && p.resume != nil {
		close(p.resume)
		p.resume = nil
	}
}

func (p *proxy) slow(by time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delay = by
}

// cutCommits cuts the next n COMMITs off from their answers: the connection ends
// before the server has got the COMMIT, or after it was sent, or after the server
// has answered. The client cannot tell these apart.
func (p *proxy) cutCommits(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.commits = n
}

// commitsCut is how many were cut, and how many are still to be.
func (p *proxy) commitsCut() (done, left int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cuts, p.commits
}

// through is db with the proxy before its server.
func through(t testing.TB, db campaignDB) (campaignDB, *proxy) {
	t.Helper()
	u, err := url.Parse(strings.TrimPrefix(db.env[0], "DATABASE_URL="))
	if err != nil {
		t.Fatal(err)
	}
	port := u.Port()
	if port == "" {
		port = "5432"
	}
	p := startProxy(t, net.JoinHostPort(u.Hostname(), port))
	u.Host = p.listener.Addr().String()
	db.env = []string{"DATABASE_URL=" + u.String()}
	return db, p
}

// A 200 is kept whatever happens on the way to the database, and the program finds
// back by itself; also when it was not told whether its COMMIT came through.
func TestCrashProxy(t *testing.T) {
	t.Parallel() // it waits most of the time
	db, wire := through(t, postgresCampaign(t, tabletest.Server(t)))
	dir, addr := newFolder(t)
	p := startProgram(t, dir, addr, db)
	p.ready()
	c := newCampaign(t, addr)
	c.begin()
	begun := time.Now()
	some := func(most int) { time.Sleep(time.Duration(rand.IntN(most)+1) * time.Millisecond) }
	faults := []func(){
		wire.cut,
		func() { wire.stall(true); some(300); wire.stall(false) },
		func() { wire.stall(true); some(300); wire.cut(); wire.stall(false) },
		func() { wire.slow(time.Duration(rand.IntN(20)+1) * time.Millisecond); some(300); wire.slow(0) },
		func() { wire.refuse(true); wire.cut(); some(300); wire.refuse(false) },
		func() {
			wire.cutCommits(1 + rand.IntN(3))
			for deadline := time.Now().Add(campaignPatience); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
				if _, left := wire.commitsCut(); left == 0 {
					return
				}
			}
			t.Error("no COMMIT passes by")
		},
	}
	for n := range *kills {
		some(100)
		if n%len(faults) == 0 {
			rand.Shuffle(len(faults), func(i, j int) { faults[i], faults[j] = faults[j], faults[i] })
		}
		faults[n%len(faults)]()
	}
	told, took := c.answered(), time.Since(begun)
	p.ready()
	c.finish()
	db.settled(t)
	p.stop()
	cuts, _ := wire.commitsCut()
	c.compare(db, fmt.Sprintf("faults %d, COMMITs without an answer %d", *kills, cuts), float64(told)/took.Seconds())
}

// The same while PostgreSQL itself dies and recovers, again and again.
func TestCrashServer(t *testing.T) {
	t.Parallel() // it waits most of the time
	server := startPostgres(t)
	db := postgresCampaign(t, server.address)
	dir, addr := newFolder(t)
	p := startProgram(t, dir, addr, db)
	p.ready()
	c := newCampaign(t, addr)
	c.begin()
	begun := time.Now()
	restarts := max(*kills/3, 1)
	for range restarts {
		p.ready()
		time.Sleep(time.Duration(rand.IntN(300)) * time.Millisecond)
		server.ctl("stop", "-m", "immediate")
		server.start()
	}
	told, took := c.answered(), time.Since(begun)
	p.ready()
	c.finish()
	db.settled(t)
	p.stop()
	c.compare(db, fmt.Sprintf("restarts of the server %d", restarts), float64(told)/took.Seconds())
}

// cluster is a PostgreSQL server of the test's own.
type cluster struct {
	t       testing.TB
	bin     string
	data    string // its folder
	port    string
	address string
	as      *syscall.SysProcAttr // its user: PostgreSQL does not run as root
}

// startPostgres makes a cluster and starts it, and skips the test where PostgreSQL
// is not installed.
func startPostgres(t testing.TB) *cluster {
	t.Helper()
	s := &cluster{t: t, bin: postgresBin(t)}
	// Not t.TempDir: the server's user could not reach it.
	dir, err := os.MkdirTemp("", "loopmap-postgres-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if os.Geteuid() == 0 {
		account, err := user.Lookup("postgres")
		if err != nil {
			t.Skipf("PostgreSQL does not run as root, and there is no user postgres: %v", err)
		}
		uid, uidErr := strconv.ParseUint(account.Uid, 10, 32)
		gid, gidErr := strconv.ParseUint(account.Gid, 10, 32)
		if err := errors.Join(uidErr, gidErr, os.Chown(dir, int(uid), int(gid))); err != nil {
			t.Fatal(err)
		}
		s.as = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	}
	s.data = filepath.Join(dir, "data")
	s.run("initdb", "-D", s.data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
	if s.port, err = freePort(); err != nil {
		t.Fatal(err)
	}
	s.address = "postgres://postgres@127.0.0.1:" + s.port + "/postgres?sslmode=disable"
	t.Cleanup(func() { _ = s.command("pg_ctl", "-D", s.data, "-m", "immediate", "stop").Run() })
	s.start()
	return s
}

func postgresBin(t testing.TB) string {
	t.Helper()
	if found, err := exec.LookPath("initdb"); err == nil {
		if found, err = filepath.EvalSymlinks(found); err == nil {
			if _, err := os.Stat(filepath.Join(filepath.Dir(found), "pg_ctl")); err == nil {
				return filepath.Dir(found)
			}
		}
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/pg_ctl")
	if len(found) == 0 {
		t.Skip("initdb and pg_ctl are not found: PostgreSQL's server is not installed here")
	}
	slices.Sort(found)
	return filepath.Dir(found[len(found)-1])
}

func (s *cluster) command(name string, args ...string) *exec.Cmd {
	c := exec.Command(filepath.Join(s.bin, name), args...)
	c.Dir, c.SysProcAttr = filepath.Dir(s.data), s.as
	c.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
	return c
}

func (s *cluster) run(name string, args ...string) {
	s.t.Helper()
	// To a file: the server would keep a pipe open.
	out, err := os.CreateTemp(s.t.TempDir(), name)
	if err != nil {
		s.t.Fatal(err)
	}
	defer out.Close()
	c := s.command(name, args...)
	c.Stdout, c.Stderr = out, out
	if err := c.Run(); err != nil {
		said, _ := os.ReadFile(out.Name())
		log, _ := os.ReadFile(s.data + ".log")
		s.t.Fatalf("%s %v: %v\n%s%s", name, args, err, said, log)
	}
}

func (s *cluster) ctl(args ...string) {
	s.t.Helper()
	s.run("pg_ctl", append([]string{"-D", s.data, "-w", "-t", "120"}, args...)...)
}

func (s *cluster) start() {
	s.t.Helper()
	s.ctl("-l", s.data+".log", "-o", "-p "+s.port+" -c listen_addresses=127.0.0.1 -c unix_socket_directories=''", "start")
}
