package main

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"loopmap/mapping"
	"loopmap/mapping/table"
)

// sendOnlyMapping is a file that receives nothing.
const sendOnlyMapping = "version: 1\ndatabase: sqlite:contacts.db\ntable: contacts\nkey: loops_id\njournal: {keep: 30d}\npush:\n  every: 1h\n" +
	"  contact: {email: loops_id}\n"

// A running sync does not begin to receive, nor end to: that needs a restart, and is said.
func TestReloadWhatOnlySends(t *testing.T) {
	ctx := context.Background()
	r, _, log := liveReload(t)
	before := r.current.Load()
	writeFile(t, r.file, sendOnlyMapping)
	if err := r.load(ctx); err == nil || !strings.Contains(err.Error(), "it receives nothing any more: restart") || r.current.Load() != before {
		t.Errorf("%v", err)
	}
	m, _, err := r.app.readMapping(r.file)
	if err != nil {
		t.Fatal(err)
	}
	r.current.Store(m)
	writeFile(t, r.file, strings.Replace(sendOnlyMapping, "every: 1h", "auto: false", 1))
	if err := r.load(ctx); err != nil || !strings.Contains(log.String(), "nothing is sent until one of them is") {
		t.Errorf("%v\n%s", err, log)
	}
	writeMapping(t, r.file, "")
	if err := r.load(ctx); err == nil || !strings.Contains(err.Error(), "it receives webhooks now: restart") {
		t.Errorf("%v", err)
	}
}

// Who only sends leaves alone what another has in the journal.
func TestSendOnlyLeavesTheJournal(t *testing.T) {
	ctx := context.Background()
	r, dir, log := liveReload(t)
	log.Reset()
	execSQL(t, filepath.Join(dir, "contacts.db"), "INSERT INTO loopmap_deliveries (id, event, received_at, body, status) VALUES "+
		"('a', 'contact.created', '2020-01-01T00:00:00.000Z', x'7b7d', 'pending'), ('b', 'contact.created', '2020-01-01T00:00:00.000Z', x'7b7d', 'applied')")
	writeFile(t, r.file, sendOnlyMapping)
	m, _, err := r.app.readMapping(r.file)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := mapWaiting(ctx, r.store, m, r.log); n != 0 || err != nil {
		t.Error(n, err)
	}
	if err := (&keeper{store: r.store, mapping: func() *mapping.Mapping { return m }, now: time.Now, log: r.log}).round(ctx); err != nil {
		t.Error(err)
	}
	list, err := r.store.Deliveries(ctx, table.Filter{Status: mapping.Pending})
	if err != nil || len(list) != 1 || log.Len() > 0 {
		t.Errorf("%+v %v\n%s", list, err, log)
	}
	if list, err = r.store.Deliveries(ctx, table.Filter{Status: mapping.Applied}); err != nil || len(list) != 1 || list[0].Forgotten {
		t.Errorf("%+v %v", list, err)
	}
	if got := strings.Join(warnings(m, places{}), "\n"); !strings.Contains(got, "journal.keep is about what is received, and nothing is") {
		t.Errorf("check says %q", got)
	}
}
