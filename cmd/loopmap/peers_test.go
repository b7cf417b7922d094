//go:build unix

package main

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"text/tabwriter"
	"time"
)

// What loopmap is held against: programs that do the same work, measured in turn with
// it on one machine, so that their ratios mean something. The programs of Node want
// `npm install` in their folder, Benthos `go build -mod=mod` in its own, and PostgreSQL
// psql.
//
//	go test ./cmd/loopmap -run '^$' -bench Peers -peers testdata/peers
var (
	peersDir      = flag.String("peers", "", "measure loopmap against the programs in this folder: testdata/peers")
	peersRounds   = flag.Int("peers.rounds", 5, "rounds, of which the medians count")
	peersTime     = flag.Duration("peers.time", 3*time.Second, "how long each round sends at each number of connections")
	peersLines    = flag.Int("peers.lines", 1_000_000, "deliveries in the file of BenchmarkPeersBulk")
	peersPostgres = flag.String("peers.postgres", "", "measure on PostgreSQL too, in a database made beside the one of this URL")
)

const peersMapping = `version: 1
database: ${DATABASE_URL}
table: contacts
key: loops_id
receive:
  events: [contact.created]
  columns:
    - {name: loops_id,   type: text, from: contactIdentity.id}
    - {name: email,      type: text, from: contact.email}
    - {name: first_name, type: text, from: contact.firstName}
    - {name: last_name,  type: text, from: contact.lastName}
    - {name: source,     type: text, from: contact.source}
    - {name: user_group, type: text, from: contact.userGroup}
    - {name: signed_up,  type: time, from: eventTime}
    - {name: company,    type: text, from: contact.companyName}
`

// peer is a program that is measured, and what was measured of it.
type peer struct {
	name     string
	args     []string // its command line, with $PORT and the database's $URL
	postgres bool
	stores   bool    // it keeps rows, which are counted
	ours     *peer   // loopmap at the same work
	failed   bool    // and is left out from then on
	figures  figures // of all rounds
}

// figures are what was measured, by name: a figure a round.
type figures map[string][]float64

func (f figures) add(name string, value float64) { f[name] = append(f[name], value) }

func (f figures) median(name string) float64 {
	list := slices.Sorted(slices.Values(f[name]))
	if len(list) == 0 {
		return 0
	}
	return (list[(len(list)-1)/2] + list[len(list)/2]) / 2
}

// span is a median and what it lies between.
func (f figures) span(name string) string {
	if len(f[name]) == 0 {
		return "-"
	}
	return fmt.Sprintf("%.0f (%.0f..%.0f)", f.median(name), slices.Min(f[name]), slices.Max(f[name]))
}

// times says how many times theirs ours is.
func times(ours, theirs float64) string {
	if ours == 0 || theirs == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2fx", ours/theirs)
}

// BenchmarkPeers measures how many signed webhooks a second loopmap acknowledges, row
// on disk, against what else could receive them, with one connection and with 64.
func BenchmarkPeers(b *testing.B) {
	if !peersWanted(b) {
		return
	}
	bare, load := build(b, "./testdata/peers/bare"), build(b, "./testdata/peers/load")
	ours := &peer{name: "loopmap", args: []string{build(b, "."), "sync", "--listen", "127.0.0.1:$PORT"}, stores: true}
	peers := []*peer{ours, {name: "bare net/http", args: []string{bare}, ours: ours}}
	if js := script(b, "fastify.js"); js != nil {
		peers = append(peers, &peer{name: "fastify", args: js, stores: true, ours: ours})
	}
	benthos := built(b, "benthos/benthos", "-c", "benthos/benthos.yaml")
	if benthos != nil {
		peers = append(peers, &peer{name: "benthos", args: benthos, stores: true, ours: ours})
	}
	if *peersPostgres != "" {
		pg := &peer{name: "loopmap, pg", args: ours.args, stores: true, postgres: true}
		peers = append(peers, pg)
		if js := script(b, "express-pg.js"); js != nil {
			peers = append(peers, &peer{name: "express, pg", args: js, stores: true, postgres: true, ours: pg})
		}
		if benthos != nil {
			args := slices.Clone(benthos)
			for _, set := range []string{"driver=postgres", "dsn=$URL", "conn_max_idle=64", "max_in_flight=64"} {
				args = append(args, "--set", "output.sql_insert."+set)
			}
			peers = append(peers, &peer{name: "benthos, pg", args: args, stores: true, postgres: true, ours: pg})
		}
	}
	connections := []int{1, 64}
	rounds(b, peers, func(p *peer) error { return receiveRound(b, p, load, connections) })
	for _, c := range connections {
		at := strconv.Itoa(c)
		report("\n"+at+" connections\tacked/s\tp50 ms\tp99 ms\trefused\tRSS MB\tloopmap: acked/s\tp99", peers, func(p *peer) string {
			f, rate, p99 := p.figures, "", ""
			if p.ours != nil && !p.ours.failed {
				rate = times(p.ours.figures.median("rate"+at), f.median("rate"+at))
				p99 = times(p.ours.figures.median("p99"+at), f.median("p99"+at))
			}
			return fmt.Sprintf("%s\t%.2f\t%.2f\t%.0f\t%.0f\t%s\t%s", f.span("rate"+at), f.median("p50"+at), f.median("p99"+at),
				slices.Max(f["refused"+at]), f.median("rss"+at), rate, p99)
		})
	}
}

// receiveRound starts a receiver on an empty database, loads it, and holds the rows
// that it leaves against what it acknowledged.
func receiveRound(b *testing.B, p *peer, load string, connections []int) error {
	port, err := freePort()
	if err != nil {
		return err
	}
	x, err := p.start(b, port)
	if err != nil {
		return err
	}
	defer x.remove()
	if err := x.ready("http://127.0.0.1:" + port + "/readyz"); err != nil {
		return err
	}
	acked := 0
	send := func(args ...string) (r loaded, err error) {
		c := exec.Command(load, append(args, "-addr", "127.0.0.1:"+port)...)
		c.Env = append(os.Environ(), "LOOPS_SIGNING_SECRET="+testSecret)
		out, err := c.Output()
		if err == nil {
			err = json.Unmarshal(out, &r)
		}
		if err == nil && r.Error != "" {
			err = errors.New(r.Error)
		}
		acked += r.Acked
		return r, err
	}
	if _, err := send("-n", "300"); err != nil {
		return err
	}
	for _, c := range connections {
		at := strconv.Itoa(c)
		r, err := send("-c", at, "-time", peersTime.String())
		if err != nil {
			return fmt.Errorf("%d connections: %w%s", c, err, x.said())
		}
		p.figures.add("rate"+at, r.Rate)
		p.figures.add("p50"+at, r.P50)
		p.figures.add("p99"+at, r.P99)
		p.figures.add("refused"+at, float64(r.Refused))
		p.figures.add("rss"+at, x.peak())
	}
	x.stop()
	if !p.stores {
		return nil
	}
	rows, err := x.query("SELECT count(*) FROM contacts")
	if err == nil && rows != strconv.Itoa(acked) {
		err = fmt.Errorf("%d were acknowledged, and %s rows are there", acked, rows)
	}
	return err
}

// loaded is what testdata/peers/load prints.
type loaded struct {
	Acked, Refused int
	Rate, P50, P99 float64
	Error          string
}

// BenchmarkPeersBulk measures how long loopmap takes to load a file of deliveries into
// SQLite, with the journal and without, against a program that does only that.
func BenchmarkPeersBulk(b *testing.B) {
	if !peersWanted(b) {
		return
	}
	file := filepath.Join(b.TempDir(), "deliveries.ndjson")
	if err := printTo(file, build(b, "./testdata/peers/load"), "-lines", strconv.Itoa(*peersLines)); err != nil {
		b.Fatal(err)
	}
	loopmap, js := build(b, "."), script(b, "bulk.js")
	var peers []*peer
	for _, v := range []struct {
		name string
		args []string
	}{{"journal and rows", nil}, {"rows alone", []string{"--no-journal"}}} {
		args := append([]string{"--from", file}, v.args...)
		ours := &peer{name: "loopmap, " + v.name, args: append([]string{loopmap, "replay"}, args...)}
		peers = append(peers, ours)
		if js != nil {
			peers = append(peers, &peer{name: "node, " + v.name, args: append(slices.Clone(js), args...), ours: ours})
		}
	}
	want := ""
	rounds(b, peers, func(p *peer) error {
		began := time.Now()
		x, err := p.start(b, "")
		if err != nil {
			return err
		}
		defer x.remove()
		peak := 0.0
		for ended := false; !ended; {
			select {
			case <-x.ended:
				ended = true
			case <-time.After(10 * time.Millisecond):
				peak = max(peak, x.peak())
			}
		}
		took := time.Since(began).Seconds()
		if x.err != nil {
			return fmt.Errorf("%w%s", x.err, x.said())
		}
		got, err := x.query(`SELECT count(*) || ' rows of ' || sum(length(loops_id || email || first_name || last_name
			|| source || user_group || company)) || ' letters' FROM contacts`)
		if err != nil {
			return err
		}
		if want == "" {
			want = got
		}
		if got != want || !strings.HasPrefix(got, strconv.Itoa(*peersLines)+" ") {
			return fmt.Errorf("it left %s; %d rows as those of %s were to be (%s)", got, *peersLines, peers[0].name, want)
		}
		p.figures.add("rate", float64(*peersLines)/took)
		p.figures.add("seconds", took)
		p.figures.add("rss", peak)
		return nil
	})
	report("\n"+strconv.Itoa(*peersLines)+" deliveries\trows/s\tseconds\tRSS MB\tloopmap: rows/s", peers, func(p *peer) string {
		rate := ""
		if p.ours != nil && !p.ours.failed {
			rate = times(p.ours.figures.median("rate"), p.figures.median("rate"))
		}
		return fmt.Sprintf("%s\t%.2f\t%.0f\t%s", p.figures.span("rate"), p.figures.median("seconds"), p.figures.median("rss"), rate)
	})
}

// peersWanted says whether to measure: it takes minutes, and is asked for by -peers.
func peersWanted(b *testing.B) bool {
	b.ReportMetric(0, "ns/op") // which says nothing here
	if *peersDir == "" && b.N == 1 {
		b.Log("measured with -peers testdata/peers only")
	}
	return *peersDir != ""
}

// rounds measures each peer in turn, each round beginning with another one.
func rounds(b *testing.B, peers []*peer, measure func(*peer) error) {
	for _, p := range peers {
		p.figures = figures{}
	}
	for i := range *peersRounds {
		for j := range peers {
			p := peers[(i+j)%len(peers)]
			if p.failed {
				continue
			}
			if err := measure(p); err != nil {
				p.failed = true
				b.Errorf("%s: %v", p.name, err)
			}
		}
	}
}

// report prints a table, a line a peer that was measured.
func report(head string, peers []*peer, line func(*peer) string) {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 3, ' ', 0)
	fmt.Fprintln(w, head)
	for _, p := range peers {
		if !p.failed {
			fmt.Fprintf(w, "%s\t%s\n", p.name, line(p))
		}
	}
	_ = w.Flush()
}

// build makes a program of this module.
func build(b *testing.B, pkg string) string {
	b.Helper()
	file := filepath.Join(b.TempDir(), "program")
	if out, err := exec.Command("go", "build", "-o", file, pkg).CombinedOutput(); err != nil {
		b.Fatalf("go build %s: %v\n%s", pkg, err, out)
	}
	return file
}

// script is how one of the programs of Node starts; nil when it cannot.
func script(b *testing.B, name string) []string {
	if !peerIsThere(b, "node_modules", name, "npm install") {
		return nil
	}
	return []string{"node", inPeers(b, name)}
}

// built is how a peer that was built starts; nil when it was not. Arguments with a
// slash name its files.
func built(b *testing.B, name string, args ...string) []string {
	if !peerIsThere(b, name, name, "go build -mod=mod") {
		return nil
	}
	list := []string{inPeers(b, name)}
	for _, a := range args {
		if strings.Contains(a, "/") {
			a = inPeers(b, a)
		}
		list = append(list, a)
	}
	return list
}

func peerIsThere(b *testing.B, file, name, wants string) bool {
	file = inPeers(b, file)
	if _, err := os.Stat(file); err != nil {
		b.Logf("%s is left out: it wants `%s` in %s", name, wants, filepath.Dir(file))
		return false
	}
	return true
}

func inPeers(b *testing.B, name string) string {
	file, err := filepath.Abs(filepath.Join(*peersDir, name))
	if err != nil {
		b.Fatal(err)
	}
	return file
}

func printTo(file, program string, args ...string) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	c := exec.Command(program, args...)
	c.Stdout, c.Stderr = f, os.Stderr
	return errors.Join(c.Run(), f.Sync(), f.Close())
}

// process is a peer that runs, in a folder and with a database of its own.
type process struct {
	cmd      *exec.Cmd
	dir, url string
	ended    chan struct{} // closed when it has ended
	err      error         // how it ended
	stop     func()        // ends it, if need be, and waits for it
}

func (p *peer) start(b *testing.B, port string) (*process, error) {
	x := &process{dir: b.TempDir(), url: "sqlite:contacts.db", ended: make(chan struct{})}
	if p.postgres {
		var err error
		if x.url, err = emptyDatabase(b); err != nil {
			return nil, err
		}
	}
	if err := os.WriteFile(filepath.Join(x.dir, defaultFile), []byte(peersMapping), 0o600); err != nil {
		return nil, err
	}
	log, err := os.Create(filepath.Join(x.dir, "log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	var args []string
	for _, a := range p.args {
		args = append(args, strings.NewReplacer("$PORT", port, "$URL", x.url).Replace(a))
	}
	x.cmd = exec.CommandContext(b.Context(), args[0], args[1:]...)
	x.cmd.Dir, x.cmd.Stdout, x.cmd.Stderr = x.dir, log, log
	x.cmd.Env = append(os.Environ(), "PORT="+port, "DATABASE_URL="+x.url, "LOOPS_SIGNING_SECRET="+testSecret, "NODE_ENV=production")
	if err := x.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		x.err = x.cmd.Wait()
		close(x.ended)
	}()
	x.stop = sync.OnceFunc(func() {
		_ = x.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-x.ended:
		case <-time.After(20 * time.Second):
			_ = x.cmd.Process.Kill()
			<-x.ended
		}
	})
	return x, nil
}

// ready waits until the process answers, whatever it says but that it cannot yet.
func (x *process) ready(url string) error {
	for range 1000 {
		r, err := http.Get(url)
		if err == nil {
			_ = r.Body.Close()
			if r.StatusCode != http.StatusServiceUnavailable {
				return nil
			}
		}
		select {
		case <-x.ended:
			return fmt.Errorf("it ended (%v)%s", x.err, x.said()) //nolint:errorlint // it may be nil
		case <-time.After(20 * time.Millisecond):
		}
	}
	return errors.New("it does not answer" + x.said())
}

// said is the end of what the process printed.
func (x *process) said() string {
	text, _ := os.ReadFile(filepath.Join(x.dir, "log"))
	return "\n" + string(text[max(0, len(text)-1000):])
}

// peak is the most memory that the process has held so far, in MB; 0 where there is
// no /proc. (The kernel's figure at the end would count the parent's memory too.)
func (x *process) peak() float64 {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", x.cmd.Process.Pid))
	_, after, _ := bytes.Cut(text, []byte("VmHWM:"))
	kb := 0.0
	_, _ = fmt.Sscan(string(after), &kb)
	return kb / 1024
}

// remove ends the process and removes what it left, which may be large.
func (x *process) remove() {
	x.stop()
	_ = os.RemoveAll(x.dir)
}

// query is the one value that a statement finds in the process's database.
func (x *process) query(statement string) (value string, err error) {
	if strings.HasPrefix(x.url, "postgres") {
		return psql(x.url, statement)
	}
	db, err := sql.Open("sqlite", filepath.Join(x.dir, "contacts.db"))
	if err != nil {
		return "", err
	}
	defer db.Close()
	err = db.QueryRow(statement).Scan(&value)
	return value, err
}

// emptyDatabase makes the benchmark's database in PostgreSQL anew.
func emptyDatabase(b *testing.B) (string, error) {
	u, err := url.Parse(*peersPostgres)
	if err != nil {
		return "", err
	}
	name := "loopmap_peers_" + strconv.Itoa(os.Getpid())
	drop := "DROP DATABASE IF EXISTS " + name + " WITH (FORCE)"
	for _, s := range []string{drop, "CREATE DATABASE " + name} {
		if _, err := psql(*peersPostgres, s); err != nil {
			return "", err
		}
	}
	b.Cleanup(func() { _, _ = psql(*peersPostgres, drop) })
	u.Path = "/" + name
	return u.String(), nil
}

func psql(url, statement string) (string, error) {
	c := exec.Command("psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", statement)
	out, err := c.Output()
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		return "", fmt.Errorf("psql: %w: %s", err, failed.Stderr)
	}
	return strings.TrimSpace(string(out)), err
}
