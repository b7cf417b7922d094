package tui

import (
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"loopmap/mapping"
)

// What a session begins ends with it: nothing here makes a context out of nothing.
func TestContextsAreTheSessions(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) < 20 {
		t.Fatal(files, err)
	}
	set := token.NewFileSet()
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(set, file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok && (s.Sel.Name == "Background" || s.Sel.Name == "TODO" || s.Sel.Name == "WithoutCancel") {
				if x, ok := s.X.(*ast.Ident); ok && x.Name == "context" {
					t.Errorf("%v: context.%s", set.Position(s.Pos()), s.Sel.Name)
				}
			}
			return true
		})
	}
}

// lasting is a backend whose every call lasts until its context ends.
type lasting struct {
	*fake
	calls chan string
}

func (l *lasting) wait(ctx context.Context, what string) {
	l.calls <- what
	<-ctx.Done()
	l.calls <- what + " ended"
}

func (l *lasting) Review(ctx context.Context, _ *mapping.Mapping) (r Review, err error) {
	l.wait(ctx, "review")
	return r, ctx.Err()
}
func (l *lasting) Journal(ctx context.Context) ([]Sample, error) {
	l.wait(ctx, "journal")
	return nil, ctx.Err()
}
func (l *lasting) Deliveries(ctx context.Context, _ int64) ([]Delivery, int64, error) {
	l.wait(ctx, "deliveries")
	return nil, 0, ctx.Err()
}
func (l *lasting) Rows(ctx context.Context, _ *mapping.Mapping, _ RowsQuery) (RowsView, error) {
	l.wait(ctx, "rows")
	return RowsView{}, ctx.Err()
}
func (l *lasting) Catalog(ctx context.Context, _ *mapping.Mapping, _ []string) (c Catalog) {
	l.wait(ctx, "catalog")
	return c
}
func (l *lasting) Reread(ctx context.Context) (o Opened, err error) {
	l.wait(ctx, "reread")
	return o, ctx.Err()
}
func (l *lasting) Save(ctx context.Context, _ *mapping.Mapping) (s Saved, err error) {
	l.wait(ctx, "save")
	return s, ctx.Err()
}
func (l *lasting) Push(ctx context.Context, _ Sending, _ chan<- PushProgress) (string, error) {
	l.wait(ctx, "push")
	return "", ctx.Err()
}
func (l *lasting) CreateProperty(ctx context.Context, _ *mapping.Mapping, _ mapping.Property) error {
	l.wait(ctx, "create")
	return ctx.Err()
}

func TestSessionEndsItsWork(t *testing.T) {
	ctx, end := context.WithCancel(context.Background())
	l := &lasting{&fake{}, make(chan string, 100)}
	m := New(ctx, Config{File: "loopmap.yaml", Mapping: mapping.New("sqlite:contacts.db"), Backend: l})
	m.review.text, m.review.refused, m.review.read, m.over = []string{"x"}, false, true, []screen{reviewScreen{}}
	for _, cmd := range []func() tea.Cmd{
		m.startWriting, m.startSaving, m.readJournal, m.startListing, m.startPush,
		func() tea.Cmd { return m.readAgain(taken) },
		func() tea.Cmd { m.input = newInput(typingCount, "3"); return m.run("3") },
	} {
		begin(cmd())
	}
	const all = 8 // the push screen asks for two things
	told := func(what string) {
		t.Helper()
		seen := map[string]bool{}
		for range all {
			select {
			case call := <-l.calls:
				seen[call] = true
			case <-time.After(30 * time.Second):
				t.Fatalf("only %v %s", seen, what)
			}
		}
	}
	told("began")
	end()
	told("ended with the session")
}

// begin does what a command says, without what it tells.
func begin(cmd tea.Cmd) {
	go func() {
		if batch, ok := cmd().(tea.BatchMsg); ok {
			for _, c := range batch {
				begin(c)
			}
		}
	}()
}

// What the mapper does not edit is the file's: what somebody else has changed of the
// rules and of journal.keep is what the preview works by, and undoing takes nothing of
// it back.
func TestFollowsWhatIsNotEdited(t *testing.T) {
	theirs := func(d *driver) *mapping.Mapping {
		n, err := mapping.Parse("loopmap.yaml", []byte(`version: 1
database: sqlite:contacts.db
table: contacts
key: loops_id
journal: {keep: 30d}
receive:
  events: [contact.created]
  columns:
    - {name: loops_id, type: text, from: contactIdentity.id}
  rules:
    - {event: contact.deleted, delete: true}
`))
		if err != nil {
			d.t.Fatal(err)
		}
		return n
	}
	follows := func(d *driver, when string) {
		d.t.Helper()
		if m := d.m.draft; len(m.Receive.Rules) != 1 || m.Keep == 0 {
			d.t.Errorf("%s: %d rules, bodies are kept for %v", when, len(m.Receive.Rules), m.Keep)
		}
	}
	d := start(t, 120, 40, withSample)
	d.fake.theirs = theirs(d)
	d.send(newsMsg{News{Words: "ada has saved", Changed: true}})
	if follows(d, "nothing unsaved"); d.m.Unsaved() {
		t.Error("it is unsaved")
	}
	for _, key := range []string{"M", "T"} {
		d = start(t, 120, 40, withSample)
		d.keys("/", "email", "enter", "space", "esc", "down", "space", "u")
		d.fake.theirs = theirs(d)
		d.fake.review.Theirs = "+theirs\n"
		d.keys("s", key)
		follows(d, key)
		d.keys("esc", "u")
		follows(d, key+", undone")
		d.keys("u", "u", "ctrl+r")
		follows(d, key+", undone and redone")
	}
}
