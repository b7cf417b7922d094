package table

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
	"testing"

	"loopmap/mapping"
	"loopmap/mapping/column"
)

// statuses are what became of deliveries, by Commit one by one and all together, by
// Recommit, and by Try, which must all say the same.
func statuses(t *testing.T, d *database, s *Store, m *mapping.Mapping, list ...mapping.Delivery) (all []mapping.Status) {
	t.Helper()
	ctx := context.Background()
	var entries, again []mapping.Entry
	for i, e := range list {
		out := commit(t, s, m, e)
		all = append(all, out[0].Status)
		e.ID = "together" + e.ID
		entries = append(entries, mapping.Enter(m, e))
		again = append(again, mapping.Enter(m, list[i]))
	}
	compare := func(how string, out []mapping.Outcome, err error) {
		t.Helper()
		if err != nil {
			t.Errorf("%s: %v", how, err)
			return
		}
		for i := range out {
			if out[i].Status != all[i] {
				t.Errorf("%s: delivery %d is %+v, and alone it was %s", how, i, out[i], all[i])
			}
		}
	}
	out, err := s.Commit(ctx, entries)
	compare("together", out, err)
	if d.d == column.Postgres || !strings.Contains(t.Name(), "Deferred") { // SQLite looks at the commit alone
		out, _, err = s.Try(ctx, again)
		compare("tried", out, err)
	}
	out, err = s.Recommit(ctx, again)
	compare("again", out, err)
	return all
}

// A reference to what is not there is the row's fault, when the table looks at once and
// when it looks at the commit.
func TestForeignKeys(t *testing.T) {
	for name, when := range map[string]string{"Immediate": "", "Deferred": "DEFERRABLE INITIALLY DEFERRED"} {
		t.Run(name, func(t *testing.T) {
			databases(t, func(t *testing.T, d *database) {
				d.exec("CREATE TABLE company (id integer PRIMARY KEY)", "INSERT INTO company VALUES (1)",
					"CREATE TABLE contacts (id text PRIMARY KEY, company_id integer REFERENCES company(id) "+when+")",
					"CREATE TABLE notes (contact_id text REFERENCES contacts(id) ON DELETE CASCADE "+when+")",
					"CREATE TABLE orders (contact_id text REFERENCES contacts(id) "+when+")")
				s, m := d.open(), d.mapping("company_id integer contact.company")
				m.Receive.Rules = []mapping.Rule{{Event: "contact.deleted", Delete: true}}
				ready(t, s, m)
				got := statuses(t, d, s, m, created("1", "a", 0, `,"company":1`), created("2", "b", 0, `,"company":99`), created("3", "c", 0, `,"company":1`))
				if fmt.Sprint(got) != "[applied quarantined applied]" {
					t.Errorf("got %v", got)
				}
				if rows := d.text("SELECT count(*) FROM contacts"); rows != "2" {
					t.Errorf("%s rows", rows)
				}
				if reason := d.text("SELECT reason FROM loopmap_deliveries WHERE id = '2'"); !strings.Contains(reason, "refuses the row") {
					t.Error(reason)
				}
				// A deletion takes along what the table says, and is refused where it says so.
				d.exec("INSERT INTO notes VALUES ('a')", "INSERT INTO orders VALUES ('c')")
				got = statuses(t, d, s, m, event("4", "contact.deleted", "a", 5, ""), event("5", "contact.deleted", "c", 5, ""))
				if fmt.Sprint(got) != "[applied quarantined]" {
					t.Errorf("deletions: %v", got)
				}
				if left := d.text("SELECT (SELECT count(*) FROM notes) || ' ' || (SELECT count(*) FROM orders) || ' ' || (SELECT count(*) FROM contacts)"); left != "0 1 1" {
					t.Errorf("left are %s", left)
				}
			})
		})
	}
}

// A key that is kept unique at the commit only.
func TestDeferredUnique(t *testing.T) {
	d := postgresDatabase(t)
	d.exec("CREATE TABLE contacts (id text PRIMARY KEY, email text UNIQUE DEFERRABLE INITIALLY DEFERRED)")
	s, m := d.open(), d.mapping("email text contact.email")
	ready(t, s, m)
	got := statuses(t, d, s, m, created("1", "a", 0, `,"email":"x"`), created("2", "b", 0, `,"email":"x"`), created("3", "c", 0, `,"email":"y"`))
	if fmt.Sprint(got) != "[applied quarantined applied]" {
		t.Errorf("got %v", got)
	}
}

// Whatever the user's own trigger raises is about the row, but what is the server's or
// passes.
func TestRaisedByTriggers(t *testing.T) {
	d := postgresDatabase(t)
	d.exec("CREATE TABLE contacts (id text PRIMARY KEY, state text)", `CREATE FUNCTION chk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
		IF new.state <> '' THEN EXECUTE format('DO $x$ BEGIN RAISE SQLSTATE %L USING MESSAGE = ''no''; END $x$', new.state); END IF; RETURN new; END $$`,
		"CREATE TRIGGER chk BEFORE INSERT OR UPDATE ON contacts FOR EACH ROW EXECUTE FUNCTION chk()")
	s, m := d.open(), d.mapping("state text contact.state")
	ready(t, s, m)
	for i, state := range []string{"P0001", "P0002", "P0003", "P0004", "PT422", "22000", "23505", "0A000", "55000", "42501", "42P01", "54000", "21000", "3F000", "HV000", "99999"} {
		if got := statuses(t, d, s, m, created(fmt.Sprint("q", i), state, 0, `,"state":"`+state+`"`)); got[0] != mapping.Quarantined {
			t.Errorf("%s: %v", state, got)
		}
	}
	if got := statuses(t, d, s, m, created("locked", "locked", 0, `,"state":"55P03"`)); got[0] != mapping.Pending { // a lock that is waited for
		t.Errorf("55P03: %v", got)
	}
	for i, state := range []string{"53100", "53200", "57014", "58030", "25006", "08006", "XX000"} {
		if out, err := s.Commit(context.Background(), []mapping.Entry{mapping.Enter(m, created(fmt.Sprint("e", i), state, 0, `,"state":"`+state+`"`))}); err == nil {
			t.Errorf("%s: %+v", state, out)
		}
	}
	if got := d.text("SELECT count(*) FROM loopmap_deliveries WHERE id LIKE 'e%'"); got != "0" {
		t.Errorf("%s deliveries are journalled that were not stored", got)
	}
}

// An index holds keys of a bounded length.
func TestKeyTooLongForItsIndex(t *testing.T) {
	d := postgresDatabase(t)
	s, m := d.open(), d.mapping()
	ready(t, s, m)
	long := make([]byte, 20_000)
	for i := range long {
		long[i] = byte('a' + rand.IntN(26))
	}
	if got := statuses(t, d, s, m, created("1", "a", 0, ""), created("2", string(long), 0, "")); fmt.Sprint(got) != "[applied quarantined]" {
		t.Errorf("got %v", got)
	}
}

// A policy refuses rows one by one; a right that is missing is for the one who runs
// loopmap to see to.
func TestRowLevelSecurity(t *testing.T) {
	d := postgresDatabase(t)
	role, schema := fmt.Sprintf("app_%08x", rand.Uint32()), d.text("SELECT current_schema()")
	d.exec("CREATE ROLE "+role+" LOGIN", "GRANT USAGE, CREATE ON SCHEMA "+schema+" TO "+role, "CREATE TABLE contacts (id text PRIMARY KEY, plan text)",
		"INSERT INTO contacts VALUES ('hidden', 'us')", "GRANT SELECT, INSERT, UPDATE, DELETE ON contacts TO "+role,
		"ALTER TABLE contacts ENABLE ROW LEVEL SECURITY", "CREATE POLICY eu ON contacts TO "+role+" USING (plan IS DISTINCT FROM 'us') WITH CHECK (plan IS DISTINCT FROM 'us')")
	t.Cleanup(func() { d.exec("DROP OWNED BY "+role, "DROP ROLE "+role) })
	u, err := url.Parse(d.url)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.User(role)
	s, err := Open(context.Background(), Options{URL: u.String(), Write: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	m := d.mapping("plan text contact.plan")
	got := statuses(t, d, s, m, created("1", "a", 0, `,"plan":"eu"`), created("2", "b", 0, `,"plan":"us"`), created("3", "hidden", 0, `,"plan":"eu"`))
	if fmt.Sprint(got) != "[applied quarantined quarantined]" {
		t.Errorf("got %v", got)
	}
	d.exec("REVOKE UPDATE ON contacts FROM " + role)
	if out, err := s.Commit(context.Background(), []mapping.Entry{mapping.Enter(m, created("4", "d", 0, `,"plan":"eu"`))}); err == nil || !strings.Contains(err.Error(), "grant") {
		t.Errorf("a right is missing: %+v %v", out, err)
	}
}

// Values that a cast to the column's type would change arrive as they are, or are refused.
func TestDomains(t *testing.T) {
	d := postgresDatabase(t)
	d.exec("CREATE DOMAIN short AS varchar(8)", "CREATE DOMAIN shorter AS short CHECK (value <> 'no')", "CREATE DOMAIN amount AS numeric(10,2)", "CREATE DOMAIN day AS date",
		"CREATE DOMAIN whole AS integer", "CREATE DOMAIN needed AS text NOT NULL DEFAULT 'x'", "CREATE DOMAIN wanted AS text NOT NULL",
		"CREATE TABLE contacts (id text PRIMARY KEY, a short, b shorter, c amount, d day, e whole, f bit(3), g bit varying(5), h needed)")
	s := d.open()
	m := d.mapping("a text contact.a", "b text contact.b", "c number contact.c", "d time contact.d", "e integer contact.e", "f text contact.f", "g text contact.g")
	ready(t, s, m)
	for i, c := range []struct {
		column, value string
		want          mapping.Status
		stored        string
	}{
		{"a", `"12345678"`, mapping.Applied, "12345678"}, {"a", `"123456789"`, mapping.Quarantined, ""},
		{"b", `"12345678"`, mapping.Applied, "12345678"}, {"b", `"123456789"`, mapping.Quarantined, ""}, {"b", `"no"`, mapping.Quarantined, ""},
		{"c", `12.34`, mapping.Applied, "12.34"}, {"c", `12.345`, mapping.Quarantined, ""}, {"c", `1e9`, mapping.Quarantined, ""},
		{"d", `"2026-11-23"`, mapping.Applied, "2026-11-23"}, {"d", `"2026-11-23T08:00:00Z"`, mapping.Quarantined, ""},
		{"e", `7`, mapping.Applied, "7"}, {"e", `2147483648`, mapping.Quarantined, ""},
		{"f", `"101"`, mapping.Applied, "101"}, {"f", `"1010"`, mapping.Quarantined, ""}, {"f", `"10"`, mapping.Quarantined, ""},
		{"g", `"10101"`, mapping.Applied, "10101"}, {"g", `"101011"`, mapping.Quarantined, ""},
	} {
		id := fmt.Sprint("k", i)
		if got := statuses(t, d, s, m, created(id, id, 0, `,"`+c.column+`":`+c.value)); got[0] != c.want {
			t.Errorf("%s <- %s: %v", c.column, c.value, got)
		} else if got[0] == mapping.Applied && d.text("SELECT "+c.column+"::text FROM contacts WHERE id = '"+id+"'") != c.stored {
			t.Errorf("%s <- %s: stored %s", c.column, c.value, d.text("SELECT "+c.column+"::text FROM contacts WHERE id = '"+id+"'"))
		}
	}
	if got := d.text("SELECT h FROM contacts LIMIT 1"); got != "x" {
		t.Errorf("a domain's default: %s", got)
	}
	for declared, says := range map[string]string{"money": "rounds", "name": "63 bytes", `"char"`: "one byte", "amount": "numbers", "whole": "whole numbers", "day": "dates", "tsvector": "words", "oid": "numbers", "wanted": ""} {
		d.exec("DROP TABLE IF EXISTS other", "CREATE TABLE other (id text PRIMARY KEY, v "+declared+")")
		m := d.mapping("v text contact.v")
		m.Table = "other"
		p, err := s.Plan(context.Background(), m)
		if err != nil || says == "" && len(p.Misfits) > 0 || says != "" && (len(p.Misfits) != 1 || !strings.Contains(p.Misfits[0], says)) {
			t.Errorf("text in %s: %+v %v", declared, p, err)
		}
		if declared == "wanted" {
			none := d.mapping()
			none.Table = "other"
			if p, _ := s.Plan(context.Background(), none); len(p.Misfits) != 1 {
				t.Errorf("a domain that is NOT NULL: %+v", p)
			}
		}
	}
}

// What the plan says of a table is so.
func TestPlanIsTrue(t *testing.T) {
	d := postgresDatabase(t)
	s := d.open()
	d.exec("CREATE TABLE filled (id text PRIMARY KEY, made timestamptz NOT NULL)", "CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN new.made := now(); RETURN new; END'",
		"CREATE TRIGGER fill BEFORE INSERT ON filled FOR EACH ROW EXECUTE FUNCTION fill()", "CREATE SCHEMA IF NOT EXISTS "+d.text("SELECT current_schema()")+"_crm",
		"CREATE TABLE byregion (id text, region text, PRIMARY KEY (id, region)) PARTITION BY LIST (region)", "CREATE TABLE byid (id text PRIMARY KEY) PARTITION BY HASH (id)",
		"CREATE TABLE byid_1 PARTITION OF byid FOR VALUES WITH (MODULUS 1, REMAINDER 0)", "CREATE TABLE bare (id text) PARTITION BY HASH (id)", "CREATE TABLE bare_1 PARTITION OF bare FOR VALUES WITH (MODULUS 1, REMAINDER 0)")
	t.Cleanup(func() { d.exec("DROP SCHEMA " + d.text("SELECT current_schema()") + "_crm") })
	d.exec("CREATE TABLE late (id text UNIQUE DEFERRABLE INITIALLY DEFERRED)", "CREATE TABLE named (id text)", "CREATE UNIQUE INDEX named_id_key ON named (id) WHERE id > 'm'")
	for table, says := range map[string]string{"late": "deferrable", "named": "", "filled": "", "byregion": "partitioned by LIST (region)", "byid": "", "bare": "", "crm.contacts": "search_path=crm"} {
		m := d.mapping()
		m.Table = table
		p, err := s.Plan(context.Background(), m)
		if err != nil || says == "" && len(p.Misfits) > 0 || !strings.Contains(strings.Join(p.Misfits, " "), says) {
			t.Errorf("%s: %+v %v", table, p, err)
			continue
		}
		if says != "" {
			continue
		}
		if ready(t, s, m); commit(t, s, m, created(table, "x", 0, ""))[0].Status != mapping.Applied {
			t.Errorf("%s takes no row", table)
		}
	}
}

// What the database's user may not do is said before anything is tried, with the
// statement that grants it.
func TestRights(t *testing.T) {
	d := postgresDatabase(t)
	role, schema := fmt.Sprintf("poor_%08x", rand.Uint32()), d.text("SELECT current_schema()")
	d.exec("CREATE ROLE "+role+" LOGIN", "GRANT USAGE ON SCHEMA "+schema+" TO "+role)
	t.Cleanup(func() { d.exec("DROP OWNED BY "+role+" CASCADE", "DROP ROLE "+role) })
	u, err := url.Parse(d.url)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.User(role)
	ctx := context.Background()
	if _, err := Open(ctx, Options{URL: u.String(), Write: true}); err == nil || strings.Count(err.Error(), "\n") > 0 || !strings.Contains(err.Error(), "grant") {
		t.Errorf("tables cannot be made: %v", err)
	}
	s, err := Open(ctx, Options{URL: u.String()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	m := d.mapping("plan text contact.plan")
	m.Receive.Rules = []mapping.Rule{{Event: "contact.deleted", Delete: true}}
	m.Push = &mapping.Push{Auto: true}
	misfits := func(want ...string) {
		t.Helper()
		p, err := s.Plan(ctx, m)
		if err != nil || len(p.Misfits) != len(want) {
			t.Errorf("%d misfits, want %d: %q %v", len(p.Misfits), len(want), p.Misfits, err)
			return
		}
		for i, w := range want {
			if !strings.Contains(p.Misfits[i], w) {
				t.Errorf("%q does not say %q", p.Misfits[i], w)
			}
		}
		for _, sql := range p.Repairs {
			d.exec(strings.Replace(sql, " ON "+quote("contacts"), " ON contacts", 1))
		}
	}
	misfits("make tables in schema " + schema)
	misfits()
	w, err := Open(ctx, Options{URL: u.String(), Write: true})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	d.exec("CREATE TABLE contacts (id text PRIMARY KEY)", "REVOKE CREATE ON SCHEMA "+schema+" FROM "+role)
	misfits("its owner alone may", "insert into", "read", "delete from", "put triggers on") // and grants them
	d.exec("ALTER TABLE contacts ADD COLUMN plan text")
	misfits("update")
	misfits("make the function of a trigger")
	misfits()
	ready(t, w, m)
	install(t, w, m)
	// Who only sends writes no rows.
	d.exec("CREATE TABLE customers (id text PRIMARY KEY, mail text NOT NULL, plan text NOT NULL)")
	m = sendOnly(t, column.Postgres, "id")
	misfits("may not read table customers")
	misfits()
}

// sendOnly is a mapping that receives nothing.
func sendOnly(t *testing.T, d column.Dialect, key string) *mapping.Mapping {
	t.Helper()
	m, err := mapping.Parse("f", []byte("version: 1\ndatabase: ${DATABASE_URL}\ntable: customers\nkey: "+key+"\npush: {contact: {email: mail}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	m.Dialect = d
	return m
}

// A table whose rows are only sent is the user's own: it may have any columns, and is not
// made.
func TestPlanOfWhatOnlySends(t *testing.T) {
	columns := []Column{{Name: "id", Type: "integer", Key: true, Required: true}, {Name: "mail", Type: "text", Required: true}, {Name: "sum", Type: "integer", Generated: true}}
	for _, d := range []column.Dialect{column.SQLite, column.Postgres} {
		if p := MakePlan(sendOnly(t, d, "id"), columns); p.Unfit() != "" {
			t.Errorf("%s: %s", d, p.Unfit())
		}
		if p := MakePlan(sendOnly(t, d, "nr"), columns); len(p.SQL) > 0 || len(p.Misfits) != 1 || !strings.Contains(p.Misfits[0], "it has no column nr, which is the key") {
			t.Errorf("%s: another key: %+v", d, p)
		}
		if p := MakePlan(sendOnly(t, d, "id"), nil); len(p.SQL) > 0 || len(p.Misfits) != 1 || !strings.Contains(p.Misfits[0], "table customers is not there") {
			t.Errorf("%s: no table: %+v", d, p)
		}
		columns[0].Key = false
		if p := MakePlan(sendOnly(t, d, "id"), columns); len(p.SQL) != 1 || len(p.Misfits) > 0 || !strings.HasPrefix(p.SQL[0], "CREATE UNIQUE INDEX") {
			t.Errorf("%s: nothing keeps the key unique: %+v", d, p)
		}
		columns[0].Key = true
	}
}
