package main

import (
	"log/slog"

	"loopmap/mapping/table"
)

// changingTable is what the log says before a table is changed, with why and the SQL.
const changingTable = "changing the table"

// logChanges has a line for each kind of change that a plan makes, with all its statements.
func logChanges(log *slog.Logger, plan table.Plan) {
	for i := 0; i < len(plan.SQL); {
		why, from := plan.Notes[i], i
		for i < len(plan.SQL) && plan.Notes[i] == why {
			i++
		}
		log.Info(changingTable, "why", why, "sql", plan.SQL[from:i])
	}
}

// inWords is a line without the SQL of what is done to a table: a person is told in words.
func (l logged) inWords() logged {
	if l.words != changingTable {
		return l
	}
	out := logged{at: l.at, level: l.level, words: "the table"}
	for _, f := range l.facts {
		switch f.name {
		case "why":
			out.words += ": " + f.value
		case "sql":
		default:
			out.facts = append(out.facts, f)
		}
	}
	return out
}
