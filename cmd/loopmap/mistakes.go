package main

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"

	"loopmap/mapping"
	"loopmap/mapping/body"
	"loopmap/mapping/loops"
)

// The words of a mistake that can be made in several commands are here, so that they are the
// same in each.

// oneOf says that a value is none of those that there are.
func oneOf(what, got string, list []string) error {
	last := len(list) - 1
	err := fmt.Sprintf("%s wants %s or %s, not %q", what, strings.Join(list[:last], ", "), list[last], got)
	if near := body.Nearest(got, list); near != "" {
		err += "\nhint: did you mean " + near + "?"
	}
	return usage("%s", err)
}

// atLeast says that a number is too small.
func atLeast(flag string, least, got int, without string) error {
	return usage("%s wants %d or more, not %d\nhint: %s", flag, least, got, without)
}

// together says that flags were given which exclude each other.
func together(flags ...string) error {
	last := len(flags) - 1
	return usage("%s and %s exclude each other\nhint: give one of them", strings.Join(flags[:last], ", "), flags[last])
}

// lacking says that an argument is missing, and how the command is called with it.
func lacking(c *cobra.Command, name string) error {
	example, _, _ := strings.Cut(strings.TrimSpace(c.Example), "\n")
	return usage("%s is missing\nhint: for example %s; %s --help tells more", name, example, c.CommandPath())
}

// noColumn says that a table or a mapping has no column of that name.
func noColumn(of, name string, columns []string) error {
	return usage("%s has no column %s\nhint: %s", of, name, meant(name, "the columns are ", columns))
}

// noEvent says that Loops has no event of that name.
func noEvent(name string) error {
	return usage("%q is not one of Loops' events\nhint: %s", name, meant(name, "they are ", loops.Events))
}

// meant is the word that was probably meant, else all that there are.
func meant(got, before string, list []string) string {
	if near := body.Nearest(got, list); near != "" {
		return "did you mean " + near + "?"
	}
	if len(list) == 0 {
		return "there are none yet"
	}
	return before + strings.Join(list, ", ")
}

// notYet says that a database or a table is not there, and what is not possible without.
func notYet(what, so string) error {
	return usage("%s is not there yet, so %s\nhint: loopmap sync makes it", what, so)
}

// noneMade says that a table, or its database, is not there where rows are only sent: then
// neither is made.
func noneMade(what string) error {
	return usage("%s is not there, so there are no rows to send\nhint: a mapping that only sends makes none: name a table that there is", what)
}

// noRow says that no row has a key.
func noRow(m *mapping.Mapping, key string) error {
	return usage("table %s has no row with %s %q\nhint: loopmap rows shows the rows", m.Table, m.Key, key)
}

// unread says why a file that was named cannot be read.
func unread(file string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return usage("%s is not there", file)
	}
	return usage("%v", err)
}
