package main

import (
	"fmt"

	"loopmap/mapping"
)

// judged is what the condition of one event of the push part says of a sample's row.
type judged struct {
	Event  string `json:"event"`
	Met    bool   `json:"met"`
	Reason string `json:"reason,omitempty"` // why not
}

// judge asks the conditions about a row that has just been made: the table's other
// columns are NULL in it.
func judge(m *mapping.Mapping, fields []mapping.Field, row mapping.Row) (list []judged) {
	if m.Push == nil || row.Action != mapping.Upsert {
		return nil
	}
	cells := map[string]mapping.Cell{}
	for i, c := range m.Columns() {
		cells[c.Name] = row.Cells[i]
	}
	for _, e := range m.Push.Events {
		if e.OnlyRunIf == "" {
			continue
		}
		j := judged{Event: e.Name}
		if c, err := mapping.CompileRunIf(e.OnlyRunIf, fields); err != nil { // there is no table yet that could have them
			j.Reason = err.Error()
		} else {
			j.Met, j.Reason = c.Met(fields, cells)
		}
		list = append(list, j)
	}
	return list
}

func (j judged) String() string {
	if j.Met {
		return fmt.Sprintf("event %s: only_run_if is met", j.Event)
	}
	return fmt.Sprintf("event %s: only_run_if is not met: %s", j.Event, j.Reason)
}
