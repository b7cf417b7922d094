package tui

import (
	"testing"

	tea "charm.land/bubbletea/v2"

	"loopmap/mapping"
)

// onlySending starts with a saved mapping that receives nothing, over a table that is there.
func onlySending(t *testing.T) *driver {
	t.Helper()
	m, err := mapping.Parse("loopmap.yaml", []byte("version: 1\ndatabase: sqlite:contacts.db\ntable: contacts\nkey: loops_id\npush: {contact: {email: email}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	return withTable(start(t, 112, 30, func(c *Config) { c.New, c.Mapping = false, m }))
}

// begun runs what a model begins with, but for what waits.
func (d *driver) begun() *driver {
	for _, cmd := range d.m.Init()().(tea.BatchMsg) {
		if msg, ok := cmd().(tea.BatchMsg); ok {
			for _, cmd := range msg {
				d.send(cmd())
			}
		}
	}
	return d
}

// A mapping that only sends opens on Send, with the rows of its table, and is saved as it
// is.
func TestOpensOnSend(t *testing.T) {
	d := onlySending(t).begun()
	d.has("[3 Send]", "PUT /v1/contacts/update", "ada@example.com", "goes out next").lacks("awaits a sample")
	if d.m.Unsaved() || d.m.draft.Receives() {
		t.Errorf("%+v", d.m.draft)
	}
	d.keys("esc").has("[3 Send]")
	d.to("plan").keys("space").has("✓ plan")
	if d.m.draft.Receives() || !d.m.Unsaved() {
		t.Errorf("%+v", d.m.draft)
	}
	d.keys("u", "1").has("[1 Map]", "0 columns", "This mapping only sends").keys("tab", "d", "t", "K", "J", "n", "y", "enter", "x")
	d.keys("2").has("[2 Table]", "ada@example.com")
}

// Of a table that is empty, or not there, it is not said that webhooks or a save make it.
func TestEmptyTableOfWhatOnlySends(t *testing.T) {
	d := onlySending(t)
	d.fake.pushes.Rows = nil
	d.keys("2").has("Your own programs fill it").lacks("loopmap sync")
	d.fake.pushes.Problem = "table contacts is not there"
	d.keys("1", "2").has("Table contacts is not there.").lacks("on Map")
}

// Its table can be another, whose key is a column of that one.
func TestTableOfWhatOnlySends(t *testing.T) {
	d := onlySending(t)
	d.fake.tables = []Table{{Name: "people", Columns: []TableColumn{{"nr", "INTEGER"}}, Keys: []string{"nr"}}}
	d.keys("1", "D").has("people").keys("up", "enter").has("Which column tells rows apart?", "> nr").lacks("contactIdentity")
	d.keys("enter").has("rows of people are sent; nr tells them apart")
	if m := d.m.Mapping(); m.Table != "people" || m.Key != "nr" || m.Receives() {
		t.Errorf("%+v", m)
	}
}

// An attribute that is picked makes it receive, too, with the key from where its name says.
func TestBeginsToReceive(t *testing.T) {
	d := onlySending(t)
	d.m.use(d.m.cfg.Example)
	d.has("[1 Map]", "0 columns").keys("down", "down", "space").has("2 columns", "loops_id key")
	if !d.m.draft.Receives() {
		t.Error("it only sends")
	}
	d.keys("u").has("0 columns", "This mapping only sends")
}
