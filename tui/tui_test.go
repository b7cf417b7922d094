package tui

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"loopmap/mapping"
	"loopmap/mapping/body"
	"loopmap/mapping/column"
	"loopmap/mapping/outgoing"
)

var update = flag.Bool("update", false, "write the golden files anew")

// fake is a backend without files and databases.
type fake struct {
	review  Review
	err     error
	saved   []*mapping.Mapping
	journal []Sample
	came    []Delivery
	dropped bool
	theirs  *mapping.Mapping
	pushes  RowsView
	catalog Catalog
	sent    int
	sending Sending
	asked   []RowsQuery
	story   Story
	look    TableLook
	looks   int // how many rows a condition is held against at once
	again   bool
	made    []mapping.Property

	replayed []string
	mapped   int
	counts   Counts
	tables   []Table
	keyring
}

func (f *fake) Review(context.Context, *mapping.Mapping) (Review, error) { return f.review, f.err }
func (f *fake) Read(name string) ([]Sample, error) {
	return []Sample{{From: name, Body: []byte(`{"eventName":"contact.created","contact":{"fromFile":1}}`)}}, f.err
}
func (f *fake) Journal(context.Context) ([]Sample, error) { return f.journal, f.err }
func (f *fake) Reread(context.Context) (Opened, error) {
	return Opened{Mapping: f.theirs, Database: "sqlite:contacts.db"}, f.err
}
func (f *fake) Catalog(_ context.Context, m *mapping.Mapping, _ []string) Catalog {
	if m.Push != nil && f.teams[m.Push.Connection].Team != "" {
		return f.teams[m.Push.Connection]
	}
	return f.catalog
}
func (f *fake) CreateProperty(_ context.Context, _ *mapping.Mapping, p mapping.Property) error {
	if f.err == nil {
		f.made = append(f.made, p)
		f.catalog.Properties = append(f.catalog.Properties, p)
	}
	return f.err
}
func (f *fake) Push(_ context.Context, s Sending, progress chan<- PushProgress) (string, error) {
	f.sending, f.sent, f.again = s, s.Rows, s.Failed
	n := s.Rows
	f.pushes.Rows = slices.Clone(f.pushes.Rows)
	if len(f.pushes.Rows) > 0 && len(f.pushes.Rows[0].Lines) == 0 {
		f.pushes.Rows[0].Lines = []outgoing.Line{{Kind: "contact", Status: outgoing.Sent, Code: 200}}
	}
	progress <- PushProgress{Done: 1, Requests: n, Left: time.Second, Outcomes: []PushOutcome{{"own-1", outgoing.Line{Kind: "contact", Status: outgoing.Sent, Code: 200}}}}
	return fmt.Sprintf("%d sent", n), f.err
}
func (f *fake) DropDraft() error { f.dropped = true; return f.err }
func (f *fake) Deliveries(_ context.Context, mark int64) ([]Delivery, int64, error) {
	if mark == int64(len(f.came))+1 {
		return nil, mark, f.err // the real one waits
	}
	list := append([]Delivery{}, f.came...)
	for i := range list {
		list[i].Body = nil
	}
	return list, int64(len(f.came)) + 1, f.err
}
func (f *fake) Delivery(_ context.Context, id string) (Delivery, error) {
	i := slices.IndexFunc(f.came, func(d Delivery) bool { return d.ID == id })
	if i < 0 {
		return Delivery{}, errors.New("no delivery has this id")
	}
	return f.came[i], f.err
}
func (f *fake) Search(_ context.Context, match func(Delivery) bool) (map[string]bool, error) {
	ids := map[string]bool{}
	for _, d := range f.came {
		ids[d.ID] = match(d)
	}
	return ids, f.err
}
func (f *fake) Save(_ context.Context, m *mapping.Mapping) (Saved, error) {
	if f.err == nil {
		f.saved = append(f.saved, m)
	}
	return Saved{Words: "saved loopmap.yaml"}, f.err
}
func (f *fake) Misfit(t column.Type, c TableColumn) string {
	if c.Type == "INTEGER" && t == column.Text {
		return `it would turn the text "007" into 7`
	}
	return ""
}

func sampleBody(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("../mapping/loops/samples/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// driver feeds keys to a mapper and runs what it wants done.
type driver struct {
	t    testing.TB
	m    *Model
	fake *fake
}

func start(t testing.TB, w, h int, change func(*Config)) *driver {
	t.Helper()
	f := &fake{review: Review{
		Diff:  "--- loopmap.yaml\n+++ loopmap.yaml\n@@ -9,1 +9,2 @@\n     - {name: loops_id, type: text, from: contactIdentity.id}\n+    - {name: email, type: text, from: contact.email}\n",
		Notes: []string{"adds column email (TEXT)"},
		SQL:   []string{`ALTER TABLE "contacts" ADD COLUMN "email" TEXT`},
	}}
	cfg := Config{
		File: "loopmap.yaml", New: true, Mapping: mapping.New("sqlite:contacts.db"), Database: "sqlite:contacts.db",
		Listen:  Listen{URL: "http://127.0.0.1:8787/webhooks/loops", Secrets: 1, Ways: ways},
		Example: Sample{From: "the built-in example", Body: sampleBody(t, "contact.created")},
		Backend: f,
	}
	publishing(&cfg)
	if change != nil {
		change(&cfg)
	}
	d := &driver{t, New(context.Background(), cfg), f}
	d.m.rhythm.beat = 0
	clock := time.Unix(0, 0)
	d.m.rhythm.now = func() time.Time { clock = clock.Add(time.Second); return clock } // keys of a hand
	d.send(tea.WindowSizeMsg{Width: w, Height: h})
	return d
}

// withSample starts on the map of the built-in sample.
func withSample(c *Config) { c.Samples = []Sample{c.Example} }

func (d *driver) send(msg tea.Msg) {
	d.t.Helper()
	_, cmd := d.m.Update(msg)
	came, running := make(chan tea.Msg), 0
	start := func(cmd tea.Cmd) {
		if cmd != nil {
			running++
			go func() { came <- cmd() }()
		}
	}
	start(cmd)
	for ; running > 0; running-- {
		switch msg := (<-came).(type) {
		case nil, tea.QuitMsg:
		case tea.BatchMsg:
			for _, cmd := range msg {
				start(cmd)
			}
		default:
			_, cmd := d.m.Update(msg)
			start(cmd)
		}
	}
}

var named = map[string]rune{
	"enter": tea.KeyEnter, "esc": tea.KeyEscape, "tab": tea.KeyTab, "up": tea.KeyUp, "down": tea.KeyDown, "left": tea.KeyLeft,
	"right": tea.KeyRight, "pgdown": tea.KeyPgDown, "pgup": tea.KeyPgUp, "home": tea.KeyHome, "end": tea.KeyEnd, "backspace": tea.KeyBackspace,
}

// keys presses keys: names as above, space, ctrl+x, shift+tab; all else is typed.
func (d *driver) keys(keys ...string) *driver {
	d.t.Helper()
	for _, k := range keys {
		switch {
		case k == "space":
			d.send(tea.KeyPressMsg{Code: tea.KeySpace, Text: " "})
		case k == "shift+tab":
			d.send(tea.KeyPressMsg{Code: tea.KeyTab, Mod: tea.ModShift})
		case strings.HasPrefix(k, "ctrl+"):
			d.send(tea.KeyPressMsg{Code: rune(k[5]), Mod: tea.ModCtrl})
		case named[k] != 0:
			d.send(tea.KeyPressMsg{Code: named[k]})
		default:
			for _, r := range k {
				d.send(tea.KeyPressMsg{Code: r, Text: string(r)})
			}
		}
	}
	return d
}

func (d *driver) screen() string { return ansi.Strip(d.m.Screen()) }

func (d *driver) has(texts ...string) *driver {
	d.t.Helper()
	for _, s := range texts {
		if !strings.Contains(d.screen(), s) {
			d.t.Errorf("the screen lacks %q:\n%s", s, d.screen())
		}
	}
	return d
}

func (d *driver) lacks(texts ...string) *driver {
	d.t.Helper()
	for _, s := range texts {
		if strings.Contains(d.screen(), s) {
			d.t.Errorf("the screen has %q:\n%s", s, d.screen())
		}
	}
	return d
}

func (d *driver) columns() string {
	var list []string
	for _, c := range d.m.draft.Receive.Columns {
		list = append(list, fmt.Sprintf("%s %s %s", c.Name, c.Type, c.From))
	}
	return strings.Join(list, "\n")
}

// The excerpt that --help shows is the screen itself.
func TestPicture(t *testing.T) {
	d := start(t, 76, 18, func(c *Config) { withSample(c); c.ASCII = true }) // for every terminal
	d.keys("/", "contact.email", "enter", "space", "esc", "/", "companyN", "enter", "space", "esc", "/", "trialEnds", "enter", "space", "esc")
	hold(t, "picture", d.screen()+"\n")
	if Picture != d.screen()+"\n" {
		t.Error("the embedded picture is an old one: build again")
	}
}

func TestCaptureSaysWhereItStands(t *testing.T) {
	at := time.Date(2026, 11, 23, 8, 3, 20, 0, time.UTC)
	created := sampleBody(t, "contact.created")
	for name, c := range map[string]struct {
		listen Listen
		a      *Arrival
		want   string
	}{
		"waiting":    {Listen{Secrets: 1}, nil, "waiting for the first webhook"},
		"port taken": {Listen{Problem: "address already in use"}, nil, "address already in use"},
		"verified": {Listen{Secrets: 1}, &Arrival{At: at, Event: "contact.created", Email: "a@b.example", Signed: true, Code: 200, Body: created},
			"contact.created received and verified, kept in the journal. Enter maps it"},
		"wrong": {Listen{Secrets: 1}, &Arrival{At: at, Code: 401, Problem: "webhook-timestamp is 412 s old"},
			"received, but webhook-timestamp is 412 s old"},
		"test event": {Listen{Secrets: 1}, &Arrival{At: at, Event: mapping.TestEvent, Signed: true, Code: 200, Body: sampleBody(t, mapping.TestEvent)},
			"test event received, signature verified: good. Now create a contact"},
		"unsigned": {Listen{}, &Arrival{At: at, Event: "contact.created", Code: 503, Problem: "taken as a sample, not stored", Body: created},
			"not verified: set LOOPS_SIGNING_SECRET"},
		"no JSON": {Listen{Secrets: 1}, &Arrival{At: at, Signed: true, Code: 200, Body: []byte("\x1b[2Jhello")},
			"cannot be mapped: the body is not JSON"},
	} {
		d := start(t, 160, 30, func(cfg *Config) { c.listen.URL = cfg.Listen.URL; cfg.Listen = c.listen })
		if c.a != nil {
			d.send(arrivalMsg{*c.a})
		}
		if !strings.Contains(d.screen(), c.want) {
			t.Errorf("%s: the screen lacks %q:\n%s", name, c.want, d.screen())
		}
	}
	open := start(t, 120, 30, func(cfg *Config) {
		cfg.Listen = Listen{URL: "http://0.0.0.0:8787/", Problem: "without LOOPS_SIGNING_SECRET only this machine may send"}
	})
	open.has("not listening", "Nothing arrives here", "Set LOOPS_SIGNING_SECRET to")
	taken := start(t, 120, 30, func(cfg *Config) {
		cfg.Listen = Listen{URL: "http://127.0.0.1:8787/", Secrets: 1, Problem: "127.0.0.1:8787 is taken"}
	})
	if s := taken.has("not listening", "built-in sample").screen(); strings.Contains(s, "Create a contact") || strings.Contains(s, "is verified") {
		t.Errorf("nothing can arrive, and it is promised:\n%s", s)
	}
	d := start(t, 80, 24, nil)
	d.keys("enter").has("nothing to map by yet")
	d.send(arrivalMsg{Arrival{At: at, Event: "contact.created", Signed: true, Code: 200, Body: created}})
	d.keys("enter").has("─ contact ─", "firstName")
	d.send(arrivalMsg{Arrival{At: at, Event: "contact.created", Signed: true, Code: 200, Body: sampleBody(t, "contact.created.edge-values")}})
	d.has("a new contact.created has arrived")
	d.keys("r", "enter").has("1 sample merged", "2 samples")
}

func TestWaysToASample(t *testing.T) {
	d := start(t, 80, 24, nil)
	d.send(tea.PasteMsg{Content: " " + string(sampleBody(t, "contact.created")) + "\n"})
	d.has("the clipboard", "firstName")

	d = start(t, 80, 24, nil)
	d.send(tea.PasteMsg{Content: "no json"})
	d.has("the clipboard: the body is not JSON", "A sample ─")

	d = start(t, 80, 24, nil)
	d.keys("f", "x.json", "enter").has("x.json", "fromFile")

	d = start(t, 80, 24, nil)
	d.keys("w").has("the journal has no deliveries yet")
	d.fake.journal = []Sample{{From: "the journal", Body: sampleBody(t, "contact.created")}, {From: "the journal", Body: sampleBody(t, "contact.created.minimal")}}
	d.keys("w").has("2 samples merged")
}

func TestPickAndUndo(t *testing.T) {
	d := start(t, 80, 24, withSample)
	const key = "loops_id text contactIdentity.id"
	d.keys("/", "firstName", "enter", "space", "esc")
	if got := d.columns(); got != key+"\nfirst_name text contact.firstName" {
		t.Errorf("got %s", got)
	}
	d.keys("space")
	if got := d.columns(); got != key {
		t.Errorf("a second space drops it: %s", got)
	}
	d.keys("u").has("✓ firstName", "undone")
	d.keys("ctrl+r").has("  firstName", "redone")
	d.keys("u", "u", "u").has("nothing to be undone")

	// A whole object: its leaves, or one column.
	d.keys("/", "mailingLists", "enter", "up", "space", "esc")
	if got := d.columns(); !strings.HasSuffix(got, "mailing_lists_cml41 boolean contact.mailingLists.cml41product000123456789a\n"+
		"mailing_lists_cml42 boolean contact.mailingLists.cml42invest0000123456789a") {
		t.Errorf("got %s", got)
	}
	d.has("mailingLists ✓", "contact -")
	d.keys("space", "o")
	if got := d.columns(); got != key+"\nmailing_lists json contact.mailingLists" {
		t.Errorf("got %s", got)
	}
	// The key stays.
	d.keys("/", "contactIdentity.id", "enter", "space").has("is the key")
	if !strings.HasPrefix(d.columns(), key) {
		t.Error("the key column is gone")
	}
}

func TestProposals(t *testing.T) {
	d := start(t, 120, 40, func(c *Config) {
		c.Samples = []Sample{{From: "x", Body: sampleBody(t, "contact.created.edge-values")}, c.Example}
	})
	d.keys("home", "/", "contact", "enter", "a", "esc")
	got := "\n" + d.columns() + "\n"
	for _, want := range []string{
		"event_time time eventTime", "email text contactIdentity.email", "email_2 text contact.email", "user_id text contactIdentity.userId",
		"external_ref text contact.externalRef", "seat_count number contact.seatCount", "churned boolean contact.churned",
		"renewal_date text contact.renewalDate", `company_name text contact["company.name"]`, `plan_name text contact["plan name"]`,
		"company_name_2 text contact.companyName", "trial_ends_at time contact.trialEndsAt", "lifetime_value number contact.lifetimeValue",
	} {
		if want == "event_time time eventTime" {
			continue // it does not match the search
		}
		if !strings.Contains(got, "\n"+want+"\n") {
			t.Errorf("%s is missing in %s", want, got)
		}
	}
}

func TestColumnEdits(t *testing.T) {
	d := start(t, 80, 24, func(c *Config) {
		withSample(c)
		c.Columns = []TableColumn{{"loops_id", "TEXT"}, {"given_name", "TEXT"}, {"team", "INTEGER"}}
	})
	d.keys("/", "firstName", "enter", "space", "esc", "/", "teamSize", "enter", "space", "esc", "tab")
	d.keys("enter").has("Rename team_size", "given_name", "team  INTEGER")
	d.keys("ctrl+u", "loops_id").has("no: another column has this name")
	d.keys("enter").has("Rename team_size") // not taken
	d.keys("ctrl+u", "LOOPS_ID").has("ignores case")
	d.keys("ctrl+u", "order").has("a word of SQL")
	d.keys("ctrl+u", "rowid").has("no: rowid is SQLite's own name")
	d.keys("ctrl+u").has("no: a name is needed")
	d.keys("tea", "down").has("> team", "ok: the table has it, INTEGER")
	d.keys("enter")
	if got := d.columns(); !strings.HasSuffix(got, "team number contact.teamSize") {
		t.Errorf("got %s", got)
	}
	d.keys("up", "enter", "ctrl+u", "team").has("no: another column has this name")
	d.keys("esc")
	// A text column onto one of whole numbers does not fit.
	d.keys("down", "t", "t", "t", "t")
	if got := d.columns(); !strings.HasSuffix(got, "team text contact.teamSize") {
		t.Fatalf("t goes through the types: %s", got)
	}
	d.has("text !", `would turn the text "007" into 7`)
	d.keys("t").lacks("text !")
	d.keys("K").has("> team")
	if got := d.columns(); !strings.HasSuffix(got, "team integer contact.teamSize\nfirst_name text contact.firstName") {
		t.Errorf("K moves up: %s", got)
	}
	d.keys("d").has("dropped team")
	d.keys("home", "d").has("is the key")
	d.keys("end", "*").has("first_name tells rows apart now", "first_name key")
}

func TestMisfitIsShown(t *testing.T) {
	d := start(t, 120, 40, withSample)
	d.keys("/", "companyName", "enter", "space", "esc", "tab", "t").has("integer !", `! "Northwind Traders" is not a whole number`, "no row: column company_name")
}

// Where a secret is to be had is named before anything else speaks of it.
func TestCaptureNamesThePage(t *testing.T) {
	for _, trial := range []bool{true, false} {
		d := start(t, 140, 40, func(c *Config) { c.Listen.Secrets, c.Listen.Trial = 0, trial })
		d.has("under Settings, Webhooks in Loops (whsec_...)").lacks("that page")
	}
}

// The built-in contact has come from nowhere: a save by it alone says that it is no row.
func TestSaveByTheBuiltIn(t *testing.T) {
	d := start(t, 100, 24, withSample)
	save := func(mapped int) string {
		d.send(savedMsg{d.m.draft, Saved{Columns: []TableColumn{{"email", "TEXT"}}, Words: "saved it. Next: loopmap sync", Mapped: mapped}, nil})
		return d.screen()
	}
	const is = "saved it. Next: loopmap sync (the built-in contact is no row)"
	if s := save(0); !strings.Contains(s, is) {
		t.Errorf("it is not said:\n%s", s)
	}
	if s := save(1); strings.Contains(s, "no row)") {
		t.Errorf("a delivery waited, and became one:\n%s", s)
	}
	d.m.use(Sample{From: "a file", Body: sampleBody(t, "contact.deleted")})
	if s := save(0); strings.Contains(s, "no row)") {
		t.Errorf("there is another sample:\n%s", s)
	}
}

func TestSave(t *testing.T) {
	d := start(t, 80, 24, withSample)
	d.keys("/", "email", "enter", "space", "esc", "s").has("FILE loopmap.yaml", "adds column email (TEXT)", `ALTER TABLE "contacts" ADD COLUMN "email" TEXT;`, "enter write")
	d.keys("esc").has("Contact ─", " •")
	d.keys("s", "enter").has("saved loopmap.yaml").lacks(" •")
	if len(d.fake.saved) != 1 || d.m.Unsaved() {
		t.Errorf("saved %d times", len(d.fake.saved))
	}
	d.keys("space", "s")
	d.fake.err = errors.New("disk full")
	d.keys("enter").has("disk full")
	if d.m.review.writing {
		t.Error("it failed and still counts as being written")
	}
	if !d.m.Unsaved() {
		t.Error("it failed and counts as saved")
	}
	d.fake.err = nil
	d.fake.review.Refused = "the file was changed by someone else"
	d.keys("esc", "s").has("CANNOT BE SAVED", "changed by someone else")
	d.keys("enter")
	if len(d.fake.saved) != 1 {
		t.Error("what is refused was written")
	}
}

// What is new since the mapping was saved, and what is not seen any more.
func TestDrift(t *testing.T) {
	saved := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	with := func(c *Config) {
		c.New, c.SavedAt = false, saved
		n := c.Mapping.Add(&body.Attribute{Path: body.MakePath(body.Step{Key: "contact"}, body.Step{Key: "gone"}), Kinds: body.KindText})
		c.Mapping = n
		c.Samples = []Sample{
			{From: "x", Body: sampleBody(t, "contact.created.minimal"), At: saved.Add(-time.Hour)},
			{From: "x", Body: sampleBody(t, "contact.created.double-opt-in"), At: saved.Add(time.Hour)},
		}
	}
	d := start(t, 120, 40, with)
	d.has("4 new attributes since the mapping was saved (+ shows them), 1 column not seen in any sample", "gone", "text ?")
	d.keys("+").has("favoriteColor", "blue", "new ", "4 new attributes").lacks("firstName")
	d.keys("a").has("4 columns added", "favorite_color")
	d.keys("esc").has("firstName")
	d.keys("tab", "home", "down").has("! not seen in any sample")
	// Samples of unknown age say nothing of what is new.
	d = start(t, 120, 40, func(c *Config) { with(c); c.Samples[0].At = time.Time{} })
	d.lacks("new attribute").keys("+").has("nothing is new")
}

// Someone else has saved meanwhile: both changes are shown, nothing is written
// over unseen.
func TestTheirs(t *testing.T) {
	d := start(t, 80, 40, withSample)
	d.keys("/", "email", "enter", "space", "esc")
	mine := d.columns()
	d.fake.theirs = d.m.saved.MakeKey(0).Retype(0, column.Integer)
	d.fake.review.Refused = "the file was changed by someone else since it was read"
	d.fake.review.Theirs = "@@ -1 +1 @@\n-old\n+theirs\n"
	d.keys("s").has("CANNOT BE SAVED", "THEIRS", "+theirs", "YOURS", "contact.email}")
	d.keys("T").has("theirs is taken")
	if strings.Contains(d.columns(), "email") || d.m.Unsaved() {
		t.Errorf("got %s", d.columns())
	}
	d.keys("u")
	if d.columns() != mine || !d.m.Unsaved() {
		t.Errorf("u brings mine back: %s", d.columns())
	}
}

func TestDraft(t *testing.T) {
	with := func(c *Config) {
		withSample(c)
		n := c.Mapping.Add(&body.Attribute{Path: body.MakePath(body.Step{Key: "contact"}, body.Step{Key: "email"}), Kinds: body.KindText})
		c.Draft = n
	}
	d := start(t, 80, 24, with)
	d.has("ended unsaved (2 columns): take what it left?", "enter take it", "x throw it away").keys("enter").has("✓ email", "the draft is taken")
	d.keys("u").lacks("✓ email")
	d = start(t, 80, 24, with)
	d.keys("space", "down", "x").has("thrown away").lacks("✓ email")
	if !d.fake.dropped {
		t.Error("the draft is still there")
	}
	d = start(t, 80, 24, func(c *Config) { withSample(c); c.Draft = c.Mapping })
	d.lacks("draft")
}

func TestDeliveries(t *testing.T) {
	d := start(t, 80, 24, withSample)
	d.keys("4").has("what Loops sends", "none yet")
	d.keys("esc").has("Contact ─")
	at := time.Date(2026, 11, 23, 8, 3, 20, 0, time.UTC)
	d.fake.came = []Delivery{
		{At: at, ID: "msg_2", Event: "contact.created", Email: "lee@fabrikam.example", Status: "quarantined", Reason: "column size (integer)", Body: sampleBody(t, "contact.created.minimal")},
		{At: at, ID: "msg_1", Event: "contact.deleted", Email: "dana@x.example", Status: "ignored", Reason: "not listed", Body: sampleBody(t, "contact.deleted")},
		{At: at, ID: "msg_0", Event: "", Status: "quarantined", Reason: "the body is not JSON", Body: []byte("\x1b[2J<hello>")},
	}
	d.keys("4").has("3 deliveries", "> 11-23 08:03:20", "lee@fabrikam.example", "column size")
	d.keys("enter").has("Delivery msg_2", "status    quarantined", "ROW by the mapping", "loops_id", "cmc7x2rb1u002jm0123456789", "BODY", "  \"eventName\"")
	d.keys("tab", "down", "down").has("> ", "webhookSchemaVersion", "▾ contact")
	d.keys("tab", "G").has("optInStatus")
	d.keys("esc", "/", "delet").has("1 of 3", "contact.deleted").lacks("lee@")
	d.keys("enter", "esc").has("lee@")
	d.keys("G", "enter").has("␛[2J<hello>", "no row: the body is not JSON")
	d.keys("m").has("delivery msg_0: the body is not JSON")
	d.keys("esc", "home", "m").has("1 sample merged", "2 samples", "Contact ─")

	// What comes while the list is open does not move the cursor.
	d.keys("4", "down")
	d.fake.came = append([]Delivery{{At: at, ID: "msg_3", Event: "contact.created"}}, d.fake.came...)
	d.m.came.mark = 0
	d.send(d.m.readDeliveries()())
	d.has("4 deliveries")
	if got := d.m.came.current().ID; got != "msg_1" {
		t.Errorf("the cursor went to %s", got)
	}
}

func TestWholeValue(t *testing.T) {
	d := start(t, 80, 24, func(c *Config) {
		c.Samples = []Sample{{From: "x", Body: []byte(`{"contact":{"long":"` + strings.Repeat("word ", 400) + `end","o":{"a":[1,"<b>"]}}}`)}}
	})
	d.keys("/", "long", "enter", "enter").has("contact.long", "word word")
	d.keys("G").has("end").keys("esc").has("Contact ─")
	d.keys("esc", "/", "contact.o.a", "enter", "v").has("contact.o.a", `  "<b>"`)
}

func TestQuit(t *testing.T) {
	d := start(t, 80, 24, withSample)
	if d.keys("q"); !d.m.quit {
		t.Error("q does not quit when all is saved")
	}
	d = start(t, 80, 24, withSample)
	d.keys("end", "space", "q").has("not saved: quit all the same?")
	if d.keys("n"); d.m.quit {
		t.Error("n quits")
	}
	if d.keys("q", "esc"); d.m.quit {
		t.Error("esc quits")
	}
	if d.keys("esc", "esc", "esc"); d.m.quit || !d.m.Unsaved() {
		t.Error("esc loses work")
	}
	if d.keys("ctrl+c"); d.m.quit {
		t.Error("one ctrl+c quits with something unsaved")
	}
	if d.keys("ctrl+c"); !d.m.quit {
		t.Error("two ctrl+c do not quit")
	}
	d = start(t, 80, 24, withSample)
	if d.keys("end", "space", "q", "y"); !d.m.quit {
		t.Error("y does not quit")
	}
	d = start(t, 20, 5, withSample)
	if d.has("terminal is too").keys("q"); !d.m.quit {
		t.Error("a screen too small does not quit")
	}
}

// On a screen too small to see anything, q leaves whatever was open, and nothing
// else does anything.
func TestTooSmall(t *testing.T) {
	d := start(t, 80, 24, withSample)
	d.keys("end", "space", "/")
	before := d.columns()
	d.send(tea.WindowSizeMsg{Width: 20, Height: 5})
	d.keys("space", "x", "enter", "q").has("not saved: y quits")
	d.keys("n").has("terminal is too").keys("q", "y")
	if !d.m.quit || d.columns() != before {
		t.Error("q, y does not leave, or something was done unseen")
	}
}

// Null, absent and differing types are told apart.
func TestNullAbsentMixed(t *testing.T) {
	sample := func(contact string) Sample {
		return Sample{From: "x", Body: []byte(`{"eventName":"contact.created","contactIdentity":{"id":"x"},"contact":{` + contact + `}}`)}
	}
	d := start(t, 120, 40, func(c *Config) {
		c.Samples = []Sample{sample(`"a":null,"b":1,"c":"NULL"`), sample(`"a":"Ada","b":"one","c":null`), sample(`"a":null`)}
	})
	d.has("(2 null) Ada", "mixed ! (text|number) one", "2 of 3", "(1 null) NULL")
	d.keys("/", "contact.b", "enter", "enter").has("text|number, in 2 of 3 samples", "SAMPLE 3, from x", "absent", "SAMPLE 1")
	d.keys("esc", "esc", "/", "NULL", "enter", "space", "esc", "tab", "tab").has("sample 3", "sample 2").keys("right", "right").has(`"NULL"`)
	d.fake.came = []Delivery{{ID: "msg_1", Event: "contact.created", Status: "applied", Body: d.m.samples[2].Body}}
	d.keys("4", "enter").has("c                        absent: the row keeps what it has")
}

func TestHelpRunsTheKey(t *testing.T) {
	d := start(t, 80, 40, withSample)
	d.keys("end", "?").has("All keys", "> space")
	d.keys("enter").lacks("All keys").has("2 columns", " •")
	for _, w := range []where{onCapture, inTree, inColumns, inRow, onReview} {
		seen := map[string]action{}
		for _, b := range keysAt(w) {
			for _, k := range b.Keys() {
				if other, ok := seen[k]; ok && other != b.action {
					t.Errorf("%s means two things at %d", k, w)
				}
				seen[k] = b.action
			}
		}
	}
}

func TestFolding(t *testing.T) {
	d := start(t, 80, 24, withSample)
	d.keys("C").lacks("firstName").has("▸ contact")
	d.keys("E").has("firstName")
	d.keys("[", "[", "[", "[", "[", "[", "[", "[", "[").lacks("firstName")
	d.keys("]").has("firstName").lacks("cml41product")
	d.keys("home", "/", "firstName", "enter", "esc", "left", "left").lacks("firstName").has("> ▸ contact")
	d.keys("right").has("firstName")
	d.keys("right").has("> ", "contact.id")
}

func TestSearch(t *testing.T) {
	d := start(t, 80, 24, withSample)
	for query, want := range map[string]string{
		"firstname": "firstName", "frstnm": "firstName", "Northwind": "companyName", "list cml41": "cml41product", "contact.team": "teamSize",
	} {
		d.keys("/", "ctrl+u", query, "enter").has(want)
		if d.m.tree.hits == 0 || d.m.tree.hits > 3 {
			t.Errorf("%q finds %d", query, d.m.tree.hits)
		}
		d.keys("esc")
	}
	d.keys("/", "NORTHWIND").has("0 of 23")
	d.keys("esc").has("firstName")
	d.keys("/", "userId", "enter", "a", "esc", "/", "plan", "enter").has("3 picks hidden")
}

func TestNextHit(t *testing.T) {
	d := start(t, 80, 24, withSample)
	d.keys("/", "id", "enter")
	var seen []string
	for range d.m.tree.hits {
		seen = append(seen, d.m.tree.path())
		d.keys("n")
	}
	if d.m.tree.path() != seen[0] || slices.Contains(seen, "contactIdentity") || len(slices.Compact(slices.Sorted(slices.Values(seen)))) != len(seen) {
		t.Errorf("n goes over %q, then to %s", seen, d.m.tree.path())
	}
	d.keys("N")
	if got := d.m.tree.path(); got != seen[len(seen)-1] {
		t.Errorf("N goes to %s", got)
	}
}

func TestCopy(t *testing.T) {
	d := start(t, 80, 24, withSample)
	d.keys("/", "firstName", "enter", "esc", "y").has("clipboard: contact.firstName")
	d.keys("Y").has(`clipboard: "Dana"`)
}

// What comes from outside reaches the screen as text alone, and no line is wider
// than the screen or taller than it.
func TestHostileText(t *testing.T) {
	evil := "\\u001b]52;c;aGk=\\u0007\\u001b[2J\\u009b31m\\u202e\\u200b\\r\\u0008\U000e0041"
	raw := `{"eventName":"contact.created","contactIdentity":{"id":"x"},"contact":{"` + evil + `":"` + evil + `",
		"wide":"東京タワー東京タワー東京タワー東京タワー","zalgo":"e` + strings.Repeat("\u0301", 60) + `","family":"👨‍👩‍👧‍👦👨‍👩‍👧‍👦","hindi":"नमस्ते","rtl":"שלום עליכם","tab":"a\tb",
		"long":"` + strings.Repeat("x", 5000) + `","a":1,"a":2}}`
	raw = strings.ReplaceAll(raw, "a\tb", `a\tb`)
	if err := body.CheckBody([]byte(raw)); err != nil {
		t.Fatal(err)
	}
	for _, size := range [][2]int{{80, 24}, {120, 40}, {40, 12}} {
		d := start(t, size[0], size[1], func(c *Config) {
			c.Samples = []Sample{{From: "\x1b[31mfile", Body: []byte(raw)}}
			c.File, c.Database = "\x1b]0;x\x07.yaml", "sqlite:\x9b.db"
			c.Columns = []TableColumn{{"\x1b[5mcol", "\x1b[6mTYPE"}}
		})
		for _, keys := range []string{"a", "E", "tab", "enter", "down", "esc", "tab", "s", "esc", "?", "esc", "shift+tab", "d", "/", "x", "enter", "y", "Y"} {
			d.keys(keys)
			if d.fake.review.Diff = "+\x1b[2Jx\n"; strings.ContainsAny(ansi.Strip(d.m.Screen()), "\x1b\x07\x08\r\u009b\u202e\u200b\t") {
				t.Fatalf("after %s a control character reaches the screen:\n%q", keys, d.m.Screen())
			}
			checkSize(t, d.m)
		}
	}
}

// checkSize makes sure that a screen has h lines of exactly w cells, and no other
// escape sequences than those that set the looks of text.
func checkSize(t testing.TB, m *Model) {
	t.Helper()
	lines := strings.Split(m.Screen(), "\n")
	if len(lines) != max(1, m.h) && !m.quit {
		t.Fatalf("%d lines on a screen of %d:\n%s", len(lines), m.h, m.Screen())
	}
	for _, line := range lines {
		if w := ansi.StringWidth(line); w > max(1, m.w) {
			t.Fatalf("a line of %d cells on a screen of %d: %q", w, m.w, line)
		}
		for rest := line; ; {
			_, after, ok := strings.Cut(rest, "\x1b")
			if !ok {
				break
			}
			if end := strings.IndexFunc(after, func(r rune) bool { return r >= '@' && r != '[' }); end < 0 || after[0] != '[' || after[end] != 'm' {
				t.Fatalf("an escape sequence that is no style: %q", line)
			}
			rest = after
		}
	}
}

// FuzzUpdate: whatever is pressed on whatever size, nothing breaks.
func FuzzUpdate(f *testing.F) {
	f.Add([]byte("jj /name\r as\r"), uint16(80), uint16(24))
	f.Add([]byte("\t\r\x15x\rtKJd*u\x12\x1b?\rq"), uint16(120), uint16(40))
	f.Add([]byte("bfwr\x03\x03"), uint16(40), uint16(10))
	f.Add([]byte("3a.R5\r\t\tjj\x1bd0tcy,/em\ri x\r\ru12?run\rD\re"), uint16(100), uint16(30))
	f.Add([]byte("3jjj\rplan == \"pro\"\rGkkk\rup\rjjjj\r\rs3"), uint16(80), uint16(24))
	f.Fuzz(func(t *testing.T, keys []byte, w, h uint16) {
		d := start(t, int(w%300), int(h%100), func(c *Config) {
			if len(keys)%2 == 0 {
				withSample(c)
			}
			c.Columns = []TableColumn{{"team", "INTEGER"}}
		})
		withTable(d)
		for i, b := range keys {
			switch {
			case b == '\r':
				d.keys("enter")
			case b == '\t':
				d.keys("tab")
			case b == 0x1b:
				d.keys("esc")
			case b == ' ':
				d.keys("space")
			case b < 0x20:
				d.keys("ctrl+" + string(rune(b+'a'-1)))
			case b >= 0xf0:
				d.send(tea.WindowSizeMsg{Width: int(b) * i % 300, Height: int(w) % 100})
			case b >= 0x80:
				d.keys([]string{"up", "down", "left", "right", "pgup", "pgdown", "home", "end", "shift+tab", "backspace"}[b%10])
			default:
				d.keys(string(rune(b)))
			}
			checkSize(t, d.m)
			if d.m.quit {
				return
			}
		}
	})
}
