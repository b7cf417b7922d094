package main

import (
	"time"

	"loopmap/mapping"
	"loopmap/mapping/column"
	"loopmap/mapping/outgoing"
)

// requestsOf are what a row that has just been made would send: the table's other
// columns are NULL in it.
func requestsOf(m *mapping.Mapping, file string, fields []column.Field, row mapping.Row, now time.Time) (list []planned) {
	if m.Push == nil || row.Action != mapping.Upsert {
		return nil
	}
	sender, err := outgoing.NewSender(m, file, fields)
	if err != nil { // there is no table yet that could have its columns
		return []planned{{Kind: "push", Status: "not known", Reason: err.Error()}}
	}
	cells := map[string]column.Cell{}
	for i, c := range m.Columns() {
		cells[c.Name] = row.Cells[i]
	}
	for _, st := range sender.At(now).Steps(outgoing.Row{Key: row.Key, Cells: cells}, outgoing.Resend{}) {
		list = append(list, plannedOf(row.Key, st))
	}
	return list
}
