package main

import (
	"database/sql"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// every calls f with each command that is shown, and the words that call it.
func every(f func(c *cobra.Command, words []string)) {
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		f(c, strings.Fields(c.CommandPath())[1:])
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk((&app{}).root())
}

// told is an error as -o json tells it.
type told struct{ Error, Hint string }

// wrongly runs a command line that is wrong, and returns what is said of it: one error, as JSON.
func wrongly(t *testing.T, args ...string) told {
	t.Helper()
	text, code := said(t, map[string]string{}, args...)
	d := json.NewDecoder(strings.NewReader(text))
	var e told
	if err := d.Decode(&e); err != nil || code != 2 || d.More() {
		t.Errorf("%v: exit status %d, %v\n%s", args, code, err, text)
	}
	return e
}

// A flag that is misspelt is told from the one that was meant, in every command, also where one
// dash is missing; and -o json counts wherever it stands.
func TestMisspeltFlags(t *testing.T) {
	every(func(c *cobra.Command, words []string) {
		if c.DisableFlagParsing {
			return
		}
		c.Flags().AddFlagSet(c.InheritedFlags())
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if len(f.Name) < 5 || f.Hidden {
				return
			}
			misspelt := f.Name[:2] + f.Name[3:] // --lisen has another letter missing
			want := "did you mean --" + f.Name + "?"
			if got := wrongly(t, append(slices.Clone(words), "--"+misspelt, "-o", "json")...); got.Error != "unknown flag: --"+misspelt || got.Hint != want {
				t.Errorf("%v --%s: %+v", words, misspelt, got)
			}
		})
	})
	for _, args := range []string{"sync --lisen x -o json", "sync -ojson --lisen x", "sync -o=json -lisen", "sync --output json --lisen=x", "--output=json sync --lisen"} {
		if got := wrongly(t, strings.Fields(args)...); got.Hint != "did you mean --listen?" || strings.Contains(got.Error, "hint") {
			t.Errorf("%s: %+v", args, got)
		}
	}
	if text, code := said(t, map[string]string{}, "sync", "--lisen"); code != 2 || text != "loopmap: unknown flag: --lisen\nhint: did you mean --listen?\n" {
		t.Errorf("%d %q", code, text)
	}
	// Behind -- stand arguments alone.
	if text, _ := said(t, map[string]string{}, "sync", "--", "-o", "json"); !strings.HasPrefix(text, "loopmap: wrong number of arguments") {
		t.Errorf("%q", text)
	}
}

// One mistake has the same words in every command in which it can be made.
func TestSameMistakeSameWords(t *testing.T) {
	dir := t.TempDir()
	none, file, empty := filepath.Join(dir, "none.yaml"), filepath.Join(dir, "m.yaml"), filepath.Join(dir, "empty.yaml")
	for name, text := range map[string]string{file: mapsContacts + "\npush:\n  contact:\n    email: email\n",
		empty: strings.Replace(mapsContacts, "contacts.db", "none.db", 1) + "\npush:\n  contact:\n    email: email\n"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if text, code := said(t, map[string]string{}, "replay", file); code != 0 { // which makes the table
		t.Fatalf("%d %s", code, text)
	}
	db, err := sql.Open("sqlite", filepath.Join(dir, "contacts.db")+"?_pragma=busy_timeout(60000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("INSERT INTO contacts VALUES ('own-1', 'ada@example.com', 'Ada')"); err != nil {
		t.Fatal(err)
	}
	if text, code := said(t, map[string]string{}, "check", "-o", "jsn"); code != 2 || text != "loopmap: -o wants text or json, not \"jsn\"\nhint: did you mean json?\n" {
		t.Errorf("%d %q", code, text)
	}
	for want, lines := range map[told][]string{
		{none + " is not there", "`loopmap " + none + "` makes it"}: {
			"push " + none, "replay " + none, "check " + none, "rehearse " + none, "deliveries " + none, "deliveries show x " + none,
			"rows " + none, "why x " + none,
		},
		{none + " is not there", ""}: {"check --sample " + none + " " + file, "replay --from " + none + " " + file, "--accessible --sample " + none + " " + file},
		{"the database is not there yet, so X", "loopmap sync makes it"}: {
			"push --dry-run " + empty, "replay --diff " + empty, "why x " + empty,
		},
		{"X has no column emial", "did you mean email?"}: {"drop emial " + file, "why own-1 emial " + file},
		{"X wants 0 or more, not -1", "0 shows all"}:     {"rows --limit -1", "deliveries --limit -1"},
		{"wrong number of arguments: 2", "usage is X"}: {
			"push a b", "replay a b", "check a b", "rehearse a b", "deliveries a b", "rows a b", "sync a b", "doctor a b", "ssh a b", "loopmap.yaml b",
		},
		{"EVENT is missing", "for example loopmap trigger contact.created; loopmap trigger --help tells more"}:    {"trigger"},
		{"KEY|EMAIL is missing", "for example loopmap why dana@northwind.example; loopmap why --help tells more"}: {"why"},
		{"X is missing", "for example loopmap X --help tells more"}:                                               {"add", "drop", "deliveries show"},
		{"there is no help on \"mapping\"", "did you mean loopmap help file?"}:                                    {"help mapping"},
		{"there is no help on \"Repair\"", "did you mean loopmap help operations?"}:                               {"help Repair"},
		{"X exclude each other", "give one of them"}: {
			"deliveries --row a --email b", "push --row a --failed", "push --connection a --team b " + file, "sync --trial --unsigned", "connect --list --remove",
		},
		{"--status wants applied, ignored, quarantined or pending, not \"apllied\"", "did you mean applied?"}: {"deliveries --status apllied"},
		{"--type wants X, not \"nubmer\"", "did you mean number?"}:                                            {"add contact.x --type nubmer " + file},
		{"\"contact.creatd\" is not one of Loops' events", "did you mean contact.created?"}:                   {"trigger contact.creatd"},
		{"--listen was given without a value", "leave it out, or write --listen ADDRESS"}:                     {"sync --listen", "doctor --listen", "--listen", "sync --listen="},
		{"wrong number of arguments: 2", "did you mean loopmap deliveries show?"}:                             {"deliveries shwo msg_1"},
	} {
		for _, line := range lines {
			got := wrongly(t, append([]string{"-o", "json"}, strings.Fields(line)...)...)
			if !like(got.Error, want.Error) || !like(got.Hint, want.Hint) {
				t.Errorf("%s: %+v, want %+v", line, got, want)
			}
		}
	}
}

// like compares a text with one in which X stands for anything.
func like(got, want string) bool {
	before, after, part := strings.Cut(want, "X")
	if !part {
		return got == want
	}
	return strings.HasPrefix(got, before) && strings.HasSuffix(got, after) && len(got) > len(before)+len(after)
}
