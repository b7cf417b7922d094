package main

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// offers are what a shell is told for the last of args.
func offers(t *testing.T, env map[string]string, args ...string) []string {
	t.Helper()
	text, code := said(t, env, append([]string{"__complete"}, args...)...)
	if code != 0 {
		t.Errorf("%v: exit status %d\n%s", args, code, text)
	}
	list, _, _ := strings.Cut(text, "\n:") // and then how it is to be used
	if list, _ = strings.CutPrefix("\n"+list, "\n"); strings.HasPrefix(list, ":") {
		return nil
	}
	return strings.Split(list, "\n")
}

// A shell offers what the flags and arguments can be: of the mapping, the journal and Loops.
func TestCompletion(t *testing.T) {
	env := exampleFolder(t, "http://127.0.0.1:1")
	for line, want := range map[string]string{
		"deliveries --status ":               "applied ignored quarantined pending",
		"deliveries --status q":              "quarantined",
		"deliveries --event contact":         "contact.created contact.unsubscribed contact.deleted contact.mailingList.subscribed contact.mailingList.unsubscribed",
		"trigger contact.c":                  "contact.created",
		"trigger --set contact.f":            "contact.firstName=",
		"trigger email.opened --set email.s": "email.subject=",
		"add contact.x --type ":              "text integer number boolean time json",
		"add contact.x --type b":             "boolean",
		"rows -o ":                           "text json",
		"sync --output j":                    "json",
		"add contact.l":                      "contact.lastName", // firstName is a column
		"drop ":                              "email first_name plan signed_up",
		"drop f":                             "first_name",
		"why own-1 p":                        "plan",
		"rows --where email==fir":            "email==first_name",
	} {
		if got := offers(t, env, strings.Split(line, " ")...); strings.Join(got, " ") != want {
			t.Errorf("%s: %q", line, got)
		}
	}
	if got := offers(t, env, "add", `contact["`); !slices.Equal(got, []string{`contact["plan name"]`}) {
		t.Errorf("a path in quotes: %q", got)
	}
	ids := offers(t, env, "deliveries", "show", "msg_2f8q0zr41x7")
	if len(ids) != 2 || !strings.HasPrefix(ids[0], "msg_2f8q0zr41x7l\tcontact.created, applied, ") || !strings.HasPrefix(ids[1], "msg_2f8q0zr41x7k\t") {
		t.Errorf("ids: %q", ids)
	}
	execSQL(t, "contacts.db", "UPDATE loopmap_deliveries SET id = 'msg_' || char(27) || '[2J' WHERE id = 'msg_2f8q0zr41x7k'")
	if ids = offers(t, env, "deliveries", "show", "msg_"); len(ids) != 1 || !strings.HasPrefix(ids[0], "msg_2f8q0zr41x7l\t") {
		t.Errorf("ids: %q", ids)
	}
	// Where there is nothing to look at, what Loops documents is offered, or nothing; and nothing is made.
	for _, name := range []string{"loopmap.yaml", "contacts.db"} {
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
	for line, want := range map[string]string{"drop ": "", "deliveries show ": "", "why x ": "", "add contact.use": "contact.userGroup contact.userId"} {
		if got := offers(t, env, strings.Split(line, " ")...); strings.Join(got, " ") != want {
			t.Errorf("nothing there, %s: %q", line, got)
		}
	}
	if _, err := os.Stat("contacts.db"); err == nil {
		t.Error("the database was made")
	}
}
