package main

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"loopmap/mapping"
	"loopmap/mapping/loops"
	"loopmap/mapping/table"
)

// What is seen decides what is said: how it stands, in which words, and what to do next.
func TestDoctorJudges(t *testing.T) {
	now := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	m, err := mapping.Parse("loopmap.yaml", []byte(mapsContacts))
	if err != nil {
		t.Fatal(err)
	}
	sending := m.EditPush(func(p *mapping.Push) { p.Auto = true })
	alone, err := mapping.Parse("m.yaml", []byte("version: 1\ndatabase: sqlite:contacts.db\ntable: contacts\nkey: loops_id\npush:\n  contact:\n    email: email\n"))
	if err != nil {
		t.Fatal(err)
	}
	with := func(id string, waiting ...int64) journalFacts {
		j := journalFacts{known: true, last: table.Record{Delivery: mapping.Delivery{ID: id, Received: now.Add(-5 * time.Minute)}}}
		if len(waiting) > 0 {
			j.quarantined, j.pending = waiting[0], waiting[1]
		}
		return j
	}
	data := func(edit func(*databaseFacts)) databaseFacts {
		f := databaseFacts{file: "loopmap.yaml", m: m, name: "sqlite:contacts.db", there: true, journal: with("msg_1")}
		edit(&f)
		return f
	}
	public := func(url string, said called) publicFacts {
		p, err := parsePublic(url)
		if err != nil {
			t.Fatal(err)
		}
		return publicFacts{public: p, port: portFacts{listen: "0.0.0.0:8787", instance: "A"}, said: said, now: now}
	}
	set := secretFacts{from: "LOOPS_SIGNING_SECRET", all: 1, journal: with("msg_1"), now: now}
	secret := func(edit func(*secretFacts)) finding {
		f := set
		edit(&f)
		return f.judge()
	}
	key := func(f loopsFacts) finding {
		f.mapped, f.none = true, (&app{lookup: func(string) (string, bool) { return "", false }}).noKey()
		return f.judgeKey(portFacts{})
	}
	clock := func(ahead time.Duration) finding {
		return loopsFacts{clock: clockFacts{asked: "app.loops.so", known: true, ahead: ahead}}.judgeClock()
	}
	for name, c := range map[string]struct {
		got      finding
		state    standing
		what, do string
	}{
		"file":                {fileFacts{name: "m.yaml", m: m, mode: 0o644}.judge(), stateOK, "m.yaml maps contact.created to 3 columns of table contacts", ""},
		"file, sending":       {fileFacts{name: "m.yaml", m: sending}.judge(), stateOK, "and sends rows back", ""},
		"file, sending alone": {fileFacts{name: "m.yaml", m: alone}.judge(), stateOK, "m.yaml sends rows of table contacts to Loops", ""},
		"database, no rows":   {data(func(f *databaseFacts) { f.m, f.missing = alone, true }).judge(), stateTrouble, "is not there", "name the database that has the rows"},
		"table, no rows":      {data(func(f *databaseFacts) { f.m, f.there = alone, false }).judgeTable(), stateTrouble, "is not there", "name another by table: in loopmap.yaml"},
		"secret, not needed":  {secretFacts{}.judge().unless(true), stateSkipped, "the mapping receives nothing", ""},
		"file, remarks":       {fileFacts{name: "m.yaml", m: m, remarks: 2}.judge(), stateOK, "", "loopmap check has 2 remarks"},
		"file, open":          {fileFacts{name: "m.yaml", m: m, mode: 0o666}.judge(), stateWarning, "everybody on this machine may change it (0666)", "chmod o-w m.yaml"},
		"file, gone":          {fileFacts{err: usage("m.yaml is not there\nhint: make it")}.judge(), stateTrouble, "m.yaml is not there", "make it"},
		"file, wrong":         {fileFacts{name: "m.yaml", err: errors.New("m.yaml:3:1: no\nm.yaml:4:1: no")}.judge(), stateTrouble, "m.yaml:3:1: no; m.yaml:4:1: no", "mend m.yaml there"},
		"database":            {data(func(*databaseFacts) {}).judge(), stateOK, "sqlite:contacts.db", ""},
		"database, none yet":  {data(func(f *databaseFacts) { f.missing = true }).judge(), stateWarning, "is not there yet", "loopmap sync makes it"},
		"database, away":      {data(func(f *databaseFacts) { f.err = errors.New("refused") }).judge(), stateTrouble, "refused", "mend that, or database: in loopmap.yaml"},
		"database, unnamed":   {databaseFacts{}.judge(), stateSkipped, "the mapping file names it", ""},
		"table":               {data(func(*databaseFacts) {}).judgeTable(), stateOK, "table contacts has the columns", ""},
		"table, unseen":       {data(func(f *databaseFacts) { f.missing = true }).judgeTable(), stateSkipped, "without the database", ""},
		"table, none yet":     {data(func(f *databaseFacts) { f.there = false }).judgeTable(), stateWarning, "not there yet", "loopmap sync makes it"},
		"table, misfit": {data(func(f *databaseFacts) { f.shape.Misfits, f.shape.Repairs = []string{"x is DATE"}, []string{"ALTER x"} }).judgeTable(), stateTrouble,
			"x is DATE", "ALTER x;"},
		"table, misfit, no SQL": {data(func(f *databaseFacts) { f.shape.Misfits = []string{"x is DATE"} }).judgeTable(), stateTrouble, "x is DATE", "retypes nothing"},
		"table, lacks": {data(func(f *databaseFacts) { f.shape.Lacks, f.shape.SQL = []string{"it has no column x"}, []string{"ALTER"} }).judgeTable(), stateWarning,
			"it has no column x", "loopmap check shows the SQL"},
		"rights": {data(func(*databaseFacts) {}).judgeRights(), stateOK, "can be written", ""},
		"rights, none": {data(func(f *databaseFacts) { f.lacks, f.grants = []string{"may not insert"}, []string{"GRANT INSERT"} }).judgeRights(), stateTrouble,
			"may not insert", "GRANT INSERT;"},
		"rights, no SQL":      {data(func(f *databaseFacts) { f.lacks = []string{"cannot be written"} }).judgeRights(), stateTrouble, "", "let the user"},
		"push, none":          {data(func(*databaseFacts) {}).judgePush(), stateSkipped, "sends nothing back", ""},
		"push, auto":          {data(func(f *databaseFacts) { f.m = sending }).judgePush(), stateOK, "note each row that changes", ""},
		"push, no triggers":   {data(func(f *databaseFacts) { f.m, f.triggers = sending, true }).judgePush(), stateWarning, "triggers", "loopmap sync makes them"},
		"push, wrong":         {data(func(f *databaseFacts) { f.m, f.wrong = sending, []string{"no column x"} }).judgePush(), stateTrouble, "no column x", "push part of loopmap.yaml"},
		"push, schedule":      {data(func(f *databaseFacts) { f.m = m.EditPush(func(p *mapping.Push) { p.Every = "1h" }) }).judgePush(), stateOK, "on a schedule: 1h", ""},
		"push, by hand":       {data(func(f *databaseFacts) { f.m = m.EditPush(func(p *mapping.Push) { p.Contact = &mapping.PushContact{} }) }).judgePush(), stateOK, "by hand", ""},
		"journal":             {data(func(*databaseFacts) {}).judgeJournal(), stateOK, "no delivery waits", ""},
		"journal, quarantine": {data(func(f *databaseFacts) { f.journal = with("", 1, 3) }).judgeJournal(), stateWarning, "1 delivery in quarantine", "--status quarantined"},
		"journal, pending":    {data(func(f *databaseFacts) { f.journal = with("", 0, 2) }).judgeJournal(), stateWarning, "2 deliveries", "--status pending"},

		"secret":            {set.judge(), stateOK, "1 signing secret is set in LOOPS_SIGNING_SECRET; the last webhook verified 5 min ago", ""},
		"secrets":           {secret(func(f *secretFacts) { f.all = 2 }), stateOK, "2 signing secrets are set", ""},
		"secret, wrong":     {secret(func(f *secretFacts) { f.err = usage("it is empty\nhint: copy it") }), stateTrouble, "it is empty", "copy it"},
		"secret, none":      {secret(func(f *secretFacts) { f.all = 0 }), stateTrouble, "not set", "copy the secret (whsec_...)"},
		"secret, elsewhere": {secret(func(f *secretFacts) { f.all, f.running.loopmap = 0, true }), stateWarning, "not set here; the loopmap that runs", "environment of sync"},
		"secret, refused":   {secret(func(f *secretFacts) { f.running.refused = 3 }), stateWarning, "3 requests were refused since", "compare LOOPS_SIGNING_SECRET"},
		"secret, bare":      {secret(func(f *secretFacts) { f.bare = 1 }), stateWarning, "", "begins with whsec_"},
		"secret, unused":    {secret(func(f *secretFacts) { f.journal.last = table.Record{} }), stateWarning, "no webhook has verified yet", "test event"},
		"secret, unsigned":  {secret(func(f *secretFacts) { f.journal = with("unsigned_1") }), stateWarning, "without a signature", "test event"},
		"secret, unknown":   {secret(func(f *secretFacts) { f.journal = journalFacts{} }), stateOK, "LOOPS_SIGNING_SECRET", ""},

		"key, not needed": {key(loopsFacts{}), stateOK, "none is needed", ""},
		"key, by hand":    {key(loopsFacts{pushes: true}), stateWarning, "there is no API key", "loopmap connect"},
		"key, none":       {key(loopsFacts{pushes: true, sends: true}), stateTrouble, "there is no API key", "loopmap connect"},
		"key, elsewhere":  {loopsFacts{mapped: true, pushes: true, sends: true, none: usage("no key")}.judgeKey(portFacts{loopmap: true}), stateWarning, "the loopmap that runs may have one", "loopmap connect"},
		"key, offline":    {key(loopsFacts{there: true, name: "acme", offline: true}), stateOK, "the API key of connection acme is there; it was not tried", ""},
		"key, refused": {key(loopsFacts{there: true, found: &connection{Host: "h", refused: true, Trouble: "401"}}), stateTrouble, "h does not know the API key: 401",
			"copy it again"},
		"key, no network": {key(loopsFacts{there: true, found: &connection{Host: "h", Trouble: "no route"}}), stateWarning, "could not be tried at h: no route", "HTTPS_PROXY"},
		"key, misfit":     {key(loopsFacts{there: true, found: &connection{Host: "h", Team: "A", Misfits: []string{"no plan"}}}), stateTrouble, "team A; the push part does not fit", "Loops, Settings"},
		"key":             {key(loopsFacts{there: true, found: &connection{Host: "h", Team: "A"}}), stateOK, "the API key is of team A (h)", ""},
		"key, unread":     {key(loopsFacts{err: usage("no\nhint: do")}), stateTrouble, "no", "do"},

		"clock":          {clock(time.Second), stateOK, "agree", ""},
		"clock, ahead":   {clock(2 * time.Minute), stateWarning, "2m0s ahead of that of app.loops.so", "set-ntp"},
		"clock, behind":  {clock(-301 * time.Second), stateTrouble, "5m1s behind", "set-ntp"},
		"clock, edge":    {clock(loops.Tolerance), stateWarning, "5m0s ahead", "set-ntp"},
		"clock, unknown": {loopsFacts{clock: clockFacts{asked: "h"}}.judgeClock(), stateWarning, "h has not said", "off by more than 5 minutes"},
		"clock, offline": {loopsFacts{offline: true}.judgeClock(), stateSkipped, "--offline", ""},

		"port":            {portFacts{listen: "127.0.0.1:1", free: true}.judge(), stateOK, "is free", ""},
		"port, ours":      {portFacts{listen: "127.0.0.1:1", loopmap: true, ready: true}.judge(), stateOK, "a loopmap runs at 127.0.0.1:1, and would store", ""},
		"port, not ready": {portFacts{loopmap: true, why: "no disk"}.judge(), stateTrouble, "would store no delivery now: no disk", "its log"},
		"port, another":   {portFacts{listen: "127.0.0.1:1", loopmap: true, another: true, why: "no disk"}.judge(), stateTrouble, "another loopmap runs at 127.0.0.1:1, on another table", "--listen"},
		"port, taken":     {portFacts{listen: "127.0.0.1:81"}.judge(), stateTrouble, "is taken", "lsof -i :81"},
		"port, not ours":  {portFacts{listen: "10.0.0.1:1", err: errors.New("cannot assign")}.judge(), stateTrouble, "cannot assign", "--listen"},

		"disk":          {diskFacts{known: true, dir: "/d", sized: true, free: 20 << 30}.judge(), stateOK, "20 GiB free in /d", ""},
		"disk, little":  {diskFacts{known: true, dir: "/d", sized: true, free: diskLittle - 1}.judge(), stateWarning, "1023 MiB free", "make room"},
		"disk, full":    {diskFacts{known: true, dir: "/d", sized: true, free: diskNone - 1}.judge(), stateTrouble, "63 MiB free", "make room"},
		"disk, shut":    {diskFacts{known: true, dir: "/d", err: errors.New("read-only")}.judge(), stateTrouble, "read-only", "write in /d"},
		"disk, unsized": {diskFacts{known: true, dir: "/d"}.judge(), stateOK, "does not say", ""},
		"disk, server":  {diskFacts{remote: true}.judge(), stateSkipped, "a server's", ""},
		"disk, unknown": {diskFacts{}.judge(), stateSkipped, "mapping file", ""},

		"public":           {public("https://h.example/x", called{status: 200, instance: "A"}).judge(), stateOK, "https://h.example/x/webhooks/loops answers, and leads here", ""},
		"public, open":     {public("http://h.example", called{status: 200, instance: "A"}).judge(), stateWarning, "others can read", "HTTPS"},
		"public, another":  {public("https://h.example", called{status: 200, instance: "B"}).judge(), stateWarning, "leads to a loopmap, which is another", "let it lead to http://127.0.0.1:8787"},
		"public, not ours": {publicFacts{public: public("https://h.example", called{}).public, port: portFacts{instance: "A", another: true}, said: called{status: 200, instance: "A"}}.judge(), stateTrouble, "works on another table", "to this one"},
		"public, moved":    {public("https://h.example", called{status: 301, location: "https://www.h.example/"}).judge(), stateTrouble, "sends on to https://www.h.example/", "as --public-url"},
		"public, 404":      {public("https://h.example", called{status: 404}).judge(), stateTrouble, "404", "path and all"},
		"public, login":    {public("https://h.example", called{status: 403}).judge(), stateTrouble, "403", "let /webhooks/loops through"},
		"public, 502":      {public("https://h.example", called{status: 502}).judge(), stateTrouble, "finds nothing behind it", "let it lead to"},
		"public, a page":   {public("https://h.example", called{status: 200}).judge(), stateTrouble, "not as loopmap does", "let it lead to"},
		"public, away":     {public("https://h.example", called{err: errors.New("no such host")}).judge(), stateTrouble, "no such host", "does the tunnel or the proxy run?"},
		"public, not said": {publicFacts{port: portFacts{listen: ":8787"}}.judge(), stateWarning, "not given", "cloudflared tunnel --url http://127.0.0.1:8787"},
		"public, seen":     {publicFacts{journal: with("msg_1"), now: now}.judge(), stateSkipped, "the last delivery came 5 min ago", ""},
		"public, offline":  {publicFacts{public: public("https://h.example", called{}).public, offline: true}.judge(), stateSkipped, "--offline", ""},
	} {
		do := strings.Join(c.got.Do, "\n")
		if c.got.State != c.state || !strings.Contains(c.got.What, c.what) || !strings.Contains(do, c.do) || c.do == "" && do != "" {
			t.Errorf("%s: %s %q %q; want %s %q %q", name, c.got.State, c.got.What, c.got.Do, c.state, c.what, c.do)
		}
		if c.got.State == stateTrouble && do == "" {
			t.Errorf("%s: nothing is said of what to do", name)
		}
	}
}

// A Date has whole seconds, and the answer takes a while: what both allow is no difference.
func TestAheadOf(t *testing.T) {
	at := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct{ sent, came, said, want time.Duration }{
		{0, 0, 0, 0}, {900 * time.Millisecond, 2 * time.Second, 0, 0}, {0, 8 * time.Second, 5 * time.Second, 0},
		{10 * time.Minute, 10 * time.Minute, 0, 10*time.Minute - time.Second}, {0, 2 * time.Second, 10 * time.Minute, -10*time.Minute + 2*time.Second},
	} {
		if got := aheadOf(at.Add(c.sent), at.Add(c.came), at.Add(c.said)); got != c.want {
			t.Errorf("%v %v %v: %v, want %v", c.sent, c.came, c.said, got, c.want)
		}
	}
}

func TestAgo(t *testing.T) {
	now := time.Now()
	for d, want := range map[time.Duration]string{-time.Second: "0 s ago", 90 * time.Second: "90 s ago", 5 * time.Minute: "5 min ago", 3 * time.Hour: "3 h ago", 72 * time.Hour: "3 days ago"} {
		if got := ago(now.Add(-d), now); got != want {
			t.Errorf("%v: %s", d, got)
		}
	}
}

// Doctor looks at real things, one after another put in order: a file that is not there, then
// no secret, a clock that is wrong, a port that another has, and a sync to which a proxy leads.
func TestDoctor(t *testing.T) {
	x := startTeams(t, map[string]string{keyOfA: "Acme"})
	env := home(t, x)
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	addr, file := "127.0.0.1:"+port, filepath.Join(env["HOME"], "m.yaml")
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		to, err := http.NewRequestWithContext(q.Context(), q.Method, "http://"+addr+q.URL.Path, q.Body)
		if err != nil {
			t.Error(err)
			return
		}
		to.Header = q.Header
		p, err := http.DefaultTransport.RoundTrip(to)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer p.Body.Close()
		for name, list := range p.Header {
			w.Header()[name] = list
		}
		w.WriteHeader(p.StatusCode)
	}))
	defer proxy.Close()
	look := func(want int, args ...string) map[string]finding {
		t.Helper()
		text, code := said(t, env, append([]string{"doctor", file, "--listen", addr, "-o", "json"}, args...)...)
		var out struct{ Checks []finding }
		if err := json.NewDecoder(strings.NewReader(text)).Decode(&out); err != nil || code != want {
			t.Errorf("exit status %d, want %d: %v\n%s", code, want, err, text)
		}
		if strings.Contains(text, keyOfA) || strings.Contains(text, strings.TrimPrefix(testSecret, "whsec_")) {
			t.Errorf("a secret is shown:\n%s", text)
		}
		by := map[string]finding{}
		for _, f := range out.Checks {
			by[f.Check] = f
		}
		return by
	}
	holds := func(by map[string]finding, check string, state standing, what string) {
		t.Helper()
		if f := by[check]; f.State != state || !strings.Contains(f.What, what) {
			t.Errorf("%s: %+v, want %s %q", check, f, state, what)
		}
	}
	by := look(3)
	holds(by, "file", stateTrouble, "m.yaml is not there")
	holds(by, "secret", stateTrouble, "LOOPS_SIGNING_SECRET is not set")
	holds(by, "clock", stateOK, "agree")

	if err := os.WriteFile(file, []byte(mapsContacts+"\npush:\n  auto: true\n  contact:\n    email: email\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	env["LOOPS_SIGNING_SECRET"], env["LOOPS_API_KEY"] = testSecret, keyOfB
	by = look(3, "--public-url", proxy.URL)
	holds(by, "file", stateOK, "3 columns")
	holds(by, "database", stateWarning, "not there yet")
	holds(by, "key", stateTrouble, "does not know the API key")
	holds(by, "port", stateOK, "is free")
	holds(by, "disk", by["disk"].State, "free in "+env["HOME"])
	holds(by, "public URL", stateOK, "leads here") // doctor itself was there
	if _, err := os.Stat(filepath.Join(env["HOME"], "contacts.db")); err == nil {
		t.Error("doctor made the database")
	}
	if left, err := os.ReadDir(env["HOME"]); err != nil || len(left) != 1 {
		t.Errorf("doctor leaves something behind: %v %v", left, err)
	}

	env["LOOPS_API_KEY"] = keyOfA
	taken := httptest.NewServer(http.NotFoundHandler())
	defer taken.Close()
	by = look(3, "--listen", taken.Listener.Addr().String(), "--public-url", taken.URL)
	holds(by, "port", stateTrouble, "is taken, and not by")
	holds(by, "public URL", stateTrouble, "404")
	holds(by, "key", stateOK, "team Acme")

	stop := startApp(t, env, addr, "sync", file, "--listen", addr)
	defer stop()
	body, _ := loops.Example(loops.ContactCreated)
	q, err := loops.NewWebhook(t.Context(), "http://"+addr+"/webhooks/loops", testSecret, "msg_1", time.Now(), body)
	if err != nil {
		t.Fatal(err)
	}
	if p, err := http.DefaultClient.Do(q); err != nil || p.StatusCode != http.StatusOK {
		t.Fatalf("%v %v", p, err)
	}
	by = look(0, "--public-url", proxy.URL)
	for _, check := range []string{"file", "database", "table", "rights", "push", "journal", "secret", "key", "port", "clock", "public URL"} {
		holds(by, check, stateOK, "")
	}
	holds(by, "secret", stateOK, "the last webhook verified")
	holds(by, "port", stateOK, "a loopmap runs at "+addr)

	// The one that runs is no other mapping's, nor does what is known of it count for that.
	other := filepath.Join(env["HOME"], "other.yaml")
	writeFile(t, other, strings.Replace(mapsContacts, "table: contacts", "table: leads", 1))
	delete(env, "LOOPS_SIGNING_SECRET")
	text, code := said(t, env, "doctor", other, "--listen", addr, "--offline")
	for _, words := range []string{"another loopmap runs at " + addr + ", on another table or database", "LOOPS_SIGNING_SECRET is not set, so nothing"} {
		if code != 3 || !strings.Contains(text, words) {
			t.Errorf("exit status %d, and this lacks %s:\n%s", code, words, text)
		}
	}
	env["LOOPS_SIGNING_SECRET"] = testSecret

	// For people it stands in lines, and one that nobody asks is not asked.
	calls := len(x.by[keyOfA].Calls())
	text, code = said(t, env, "doctor", file, "--listen", addr, "--offline")
	if code != 0 || !slices.Contains(strings.Split(text, "\n"), "ok       key         the API key is there; it was not tried, which --offline says") {
		t.Errorf("exit status %d\n%s", code, text)
	}
	if n := len(x.by[keyOfA].Calls()); n != calls {
		t.Errorf("offline Loops is asked %d times", n-calls)
	}
}

// startApp runs a command that serves at addr, in this process, until stop.
func startApp(t *testing.T, env map[string]string, addr string, args ...string) (stop func()) {
	t.Helper()
	var out heard
	env = maps.Clone(env) // it is read all the time
	a := &app{stdin: strings.NewReader(""), stdout: &out, stderr: &out, now: time.Now,
		lookup: func(name string) (string, bool) { v, ok := env[name]; return v, ok }}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan int, 1)
	go func() { done <- run(ctx, a, args) }()
	for range 1500 {
		if call(ctx, http.DefaultTransport, "http://"+addr+"/readyz").status == http.StatusOK {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	return func() {
		t.Helper()
		cancel()
		if code := <-done; code != 0 {
			t.Errorf("%v: exit status %d\n%s", args, code, out.said())
		}
	}
}
