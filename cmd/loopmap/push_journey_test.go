//go:build unix

package main

import (
	"database/sql"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"loopmap/mapping/loops/loopstest"
)

// pushFolder is a folder with a mapping, a table with three rows, and the environment
// of a Loops to send them to.
func pushFolder(t testing.TB) (dir, addr string, server *loopstest.Server, env []string) {
	t.Helper()
	dir, addr = newFolder(t)
	if err := os.WriteFile(filepath.Join(dir, "loopmap.yaml"), []byte(mapsContacts), 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", filepath.Join(dir, "contacts.db")+"?_pragma=busy_timeout(60000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, text := range []string{
		`CREATE TABLE contacts (loops_id TEXT PRIMARY KEY, email TEXT, first_name TEXT, company TEXT, team_size INTEGER, plan TEXT, vip BOOLEAN)`,
		`INSERT INTO contacts VALUES ('own-1', 'ada@example.com', 'Ada', 'Analytical Engines', 12, 'pro', TRUE),
			('own-2', 'bob@example.com', 'Bob', NULL, 3, 'free', FALSE), ('own-3', 'not an email', 'Cy', NULL, 40, NULL, NULL)`,
	} {
		if _, err := db.Exec(text); err != nil {
			t.Fatal(err)
		}
	}
	server = loopstest.New(loopstest.Options{Team: "Analytical Engines",
		Properties: []loopstest.Property{{Key: "company", Type: "string"}, {Key: "plan", Type: "string"}},
		Lists:      []loopstest.List{{ID: "cm06f5v0e45nf0ml5754o9cix", Name: "VIP"}},
		Events:     []loopstest.EventPattern{{Name: "upgraded", Properties: []loopstest.Property{{Key: "plan", Type: "string"}}}}})
	h := httptest.NewServer(server)
	t.Cleanup(h.Close)
	t.Cleanup(server.Close)
	return dir, addr, server, []string{"LOOPS_ENDPOINT_URL=" + h.URL + "/api", "LOOPS_API_KEY=" + loopstest.DefaultKey}
}

// Both requests are put together, saved and sent on the push screen: no JSON is typed,
// and a property that Loops lacks is made there.
func TestPushJourney(t *testing.T) {
	t.Parallel()
	dir, addr, server, env := pushFolder(t)
	x := openTerminal(t, dir, 112, 30, env, "--listen", addr)
	x.wait("Here will be").press("3").wait("Loops: Analytical Engines", "  plan", "list VIP", "ada@example.com")
	x.press("down", "down", "down", "down", "space").wait(`"firstName": "Ada"`, "goes out next")
	x.press("down", "down", "down", "down", "down", "enter", "comp", "enter").wait("Analytical Engines\"")
	x.press("down", "space", "down", "enter", "enter").wait(`"cm06f5v0e45nf0ml5754o9cix": true`)
	x.press("i", "teamSize", "enter", "enter").wait("! none", "c makes it there").press("c").wait("c again makes teamSize").press("c").wait("Loops has teamSize now, as number")
	x.press("g", "down", "down", "down", "enter", "team_size > 2").wait("ok: 3 of 3 rows met").press("enter")
	for range 10 {
		x.press("down")
	}
	x.press("enter", "upg", "down", "enter").wait("event upgraded").press("down", "down", "down", "enter", `plan == "pro"`).wait("ok: 1 of 3 rows met", "plan is NULL")
	x.press("enter", "down", "enter", "email", "enter", "enter", "plan", "enter", "down", "space").wait("email, plan", "Idempotency-Key", `"eventName": "upgraded"`, "✓ plan")
	compare(t, x, "push.svg")
	x.press("s").wait("+push:", "+    only_run_if: 'team_size > 2'", "enter write").press("enter").wait("saved loopmap.yaml")
	x.press("R", "2", "enter").wait("3 sent, 1 not met").wait("contact sent 200")
	x.press("R", "5", "enter").wait("1 failed", "contact failed 400").press("tab", "G").wait("failed 400: ", "R tries it again")
	x.press("ctrl+c")
	x.exit()

	if c, ok := server.Contact("ada@example.com"); !ok || string(c.Values["teamSize"]) != "12" || string(c.Values["company"]) != `"Analytical Engines"` {
		t.Errorf("%+v", c)
	}
	if list := server.Sent(); len(list) != 1 || list[0].Name != "upgraded" {
		t.Errorf("events: %+v", list)
	}
	file, err := os.ReadFile(filepath.Join(dir, "loopmap.yaml"))
	if err != nil || !strings.HasPrefix(string(file), mapsContacts+"\npush:\n  contact:\n    email: email\n    only_run_if: 'team_size > 2'\n    properties:\n") {
		t.Errorf("%v\n%s", err, file)
	}
	// The command line goes on from there: each row's outcome is kept.
	got := rowsOf(t, filepath.Join(dir, "contacts.db"), "SELECT row_key || ' ' || kind || ' ' || status || ' ' || coalesce(code, '') FROM loopmap_pushes ORDER BY 1")
	want := []string{"own-1 contact sent 200", "own-1 upgraded sent 200", "own-2 contact sent 200", "own-2 upgraded not_met ", "own-3 contact failed 400", "own-3 upgraded not_met "}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}
