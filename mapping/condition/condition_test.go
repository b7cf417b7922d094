package condition

import (
	"errors"
	"strings"
	"testing"
	"time"

	"loopmap/mapping/column"
)

var fields = []column.Field{{Name: "plan", Type: column.Text}, {Name: "team_size", Type: column.Integer}, {Name: "score", Type: column.Number}, {Name: "vip", Type: column.Boolean}, {Name: "at", Type: column.Time}, {Name: "meta", Type: column.JSON}, {Name: "team size", Type: column.Integer},
	{Name: "other", Type: column.Text}, {Name: "date", Type: column.Time}, {Name: "len", Type: column.Integer}, {Name: "now", Type: column.Text}}

func TestMet(t *testing.T) {
	full := map[string]column.Cell{"plan": column.Of("pro"), "team_size": column.Of("12"), "score": column.Of("1.5"), "vip": column.Of("true"),
		"at": column.Of("2026-11-23T08:00:00Z"), "meta": column.Of(`{"a":{"b":"x"},"n":null}`), "team size": column.Of("3")}
	null := map[string]column.Cell{"plan": {State: column.Null}, "vip": {State: column.Null}, "meta": {State: column.Null}} // the others are missing
	for _, test := range []struct {
		src   string
		cells map[string]column.Cell
		why   string // "": met
	}{
		{`team_size >= 10 and plan != "free"`, full, ""},
		{`team_size >= 13 and plan != "free"`, full, "team_size >= 13 does not hold: team_size is 12"},
		{`plan in ["pro", "team"] && vip`, full, ""},
		{`plan not in ["pro", "team"]`, full, "does not hold"},
		{`not vip`, full, "vip is true"},
		{`not (plan == "free" or team_size < 3)`, full, ""},
		{`score > 1 and score < 2`, full, ""},
		{`at > date("2026-01-01")`, full, ""},
		{`meta.a.b == "x"`, full, ""},
		{`$env["team size"] == 3`, full, ""},
		{`lower(plan) startsWith "p" and len(plan) == 3`, full, ""},
		{`plan matches "^p.o$"`, full, ""},
		{`team_size % (team_size - 12) == 0`, full, "cannot be worked out"},
		// NULL is never true by accident.
		{`team_size >= 10`, null, "team_size is NULL"},
		{`plan != "free"`, null, "plan is NULL"},
		{`not (plan == "free")`, null, "plan is NULL"},
		{`!vip`, null, "vip is NULL"},
		{`vip`, null, "vip is NULL"},
		{`plan not in ["free"]`, null, "plan is NULL"},
		{`not (plan matches "x")`, null, "plan is NULL"},
		{`meta.plan != "free"`, null, "NULL"},
		{`meta.n != "free"`, full, "meta.n is NULL"},
		{`meta.a.none != "free"`, full, "meta.a.none is NULL"},
		{`len(plan) == 0`, null, "plan is NULL"},
		{`(vip ? plan : "x") == "x"`, null, "vip is NULL"},
		{`at < date("2026-01-01")`, null, "at is NULL"},
		{`$env["team size"] != 3`, null, "is NULL"},
		{`(plan ?? nil) != "free"`, null, "NULL"},
		{`(vip ?? true ? nil : plan) != "free"`, null, "NULL"},
		{`(plan == "free") != nil`, null, "NULL"},
		{`nil != nil or nil == plan`, map[string]column.Cell{"plan": column.Of("pro")}, "NULL"},
		{`[plan] != ["free"]`, null, "plan is NULL"},
		{`nil == plan and nil != score`, map[string]column.Cell{"score": column.Of("1")}, ""},
		// It decides nothing where the other side does.
		{`plan == "pro" or team_size >= 10`, map[string]column.Cell{"plan": column.Of("pro")}, ""},
		{`team_size >= 10 or plan == "pro"`, map[string]column.Cell{"plan": column.Of("pro")}, ""},
		{`not (plan == "pro" and team_size >= 10)`, map[string]column.Cell{"plan": column.Of("free")}, ""},
		{`not (plan == "pro" and team_size >= 10)`, map[string]column.Cell{"plan": column.Of("pro")}, "team_size is NULL"},
		// It can be asked for.
		{`plan == nil`, null, ""},
		{`plan != nil`, null, "does not hold: plan is NULL"},
		{`(plan ?? "free") == "free"`, null, ""},
		{`(team_size ?? 0) < 1 and plan == nil`, null, ""},
		{`(plan ?? "free") == "pro"`, full, ""},
		{`plan == "pro"`, map[string]column.Cell{"plan": {State: column.Misfit, Text: "no good"}}, "column plan: no good"},
		{`vip`, map[string]column.Cell{"vip": column.Of("true"), "plan": {State: column.Misfit, Text: "it holds bytes"}}, ""},
		{`not vip and $env["team size"] == 3`, map[string]column.Cell{"vip": column.Of("true"), "team size": {State: column.Misfit, Text: "it holds bytes"}}, "it holds bytes"},
		// What cannot be worked out holds no more than NULL does.
		{`10 / (team_size - 12) > 0`, full, "division by zero"},
		{`not (10 / (team_size - 12) > 0)`, full, "division by zero"},
		{`10 / (score - 1.5) > 0`, full, "division by zero"},
		{`team_size / 5 == 2.4 and score / 3 < 1 and 3 / score == 2`, full, ""},
		{`float(plan) > 1`, map[string]column.Cell{"plan": column.Of("Infinity")}, "not a number"},
		{`not (float(plan) > 1)`, map[string]column.Cell{"plan": column.Of("NaN")}, "not a number"},
		{`float(plan) > 1`, map[string]column.Cell{"plan": column.Of("1.5")}, ""},
		// A list is as many comparisons.
		{`plan in [nil, "pro"]`, full, ""},
		{`plan in [nil, "pro"]`, null, ""},
		{`plan in [nil, "pro"]`, map[string]column.Cell{"plan": column.Of("free")}, "does not hold"},
		{`plan not in [nil, "pro"]`, map[string]column.Cell{"plan": column.Of("free")}, ""},
		{`plan in ["pro", lower(other)]`, full, ""},
		{`plan in ["free", other]`, full, "other is NULL"},
		{`plan not in ["free", other]`, full, "other is NULL"},
		{`lower(plan) in [nil, "pro"]`, full, ""},
		{`team_size in [1, 12.0]`, full, ""},
		// Columns that are called as functions are.
		{`date > date("2026-01-01") and len(plan) == len`, map[string]column.Cell{"plan": column.Of("pro"), "date": column.Of("2026-11-23T08:00:00Z"), "len": column.Of("3")}, ""},
		{`$env["len"] == 4 or $env.len == 5`, map[string]column.Cell{"len": column.Of("3")}, "len is 3"},
		{`now == "x" and now() > date`, map[string]column.Cell{"now": column.Of("x"), "date": column.Of("2026-11-23T08:00:00Z")}, ""},
		{`len > 3`, null, "len is NULL"},
		// now() is what it was handed.
		{`at < now() and now() - at == duration("48h")`, full, ""},
		{`now() - at > duration("336h")`, full, "does not hold"},
	} {
		c, err := Compile(test.src, fields)
		if err != nil {
			t.Errorf("%s: %v", test.src, err)
			continue
		}
		met, why := c.Met(fields, test.cells, time.Date(2026, 11, 25, 8, 0, 0, 0, time.UTC))
		if met != (test.why == "") || !strings.Contains(why, test.why) || !met && why == "" {
			t.Errorf("%s: met %t, %q; want %q", test.src, met, why, test.why)
		}
	}
}

// Where nobody has said what the time is, now() is as NULL.
func TestWithoutAClock(t *testing.T) {
	c, err := Compile(`not (now() > date("2026-01-01"))`, fields)
	if err != nil {
		t.Fatal(err)
	}
	if met, why := c.Met(fields, nil, time.Time{}); met || !strings.Contains(why, "now() is NULL") {
		t.Errorf("met %t, %q", met, why)
	}
}

func TestMistakes(t *testing.T) {
	for src, want := range map[string]struct {
		offset int
		msg    string
	}{
		`plam == "pro"`:                   {0, "did you mean plan?"},
		`plan == "pro" and tem_size > 1`:  {18, "did you mean team_size?"},
		`plan > 3`:                        {5, "mismatched types"},
		`plan`:                            {0, "expected bool"},
		`plan == `:                        {7, "it ends too early"},
		`plan = "free"`:                   {5, "write == to compare"},
		`team_size in 1..1000000000`:      {0, ".. is not used"},
		`all([1, 2], # > 0)`:              {0, ""},
		`let x = 1; x > 0`:                {0, "not used"},
		`$env["nope"] == 1`:               {0, "no column nope"},
		`{"a": plan}.a != "free"`:         {0, "not used"},
		strings.Repeat("(", 1500) + "vip": {0, ""},
		strings.Repeat("vip and ", 400):   {0, "2000"},
		"":                                {0, ""},
	} {
		_, err := Compile(src, fields)
		var at *Error
		if !errors.As(err, &at) || !strings.Contains(at.Msg, want.msg) || want.offset > 0 && at.Offset != want.offset {
			t.Errorf("%.40s: %#v", src, err)
		}
	}
}

// Whatever is written: no panic, and no long run.
func FuzzCondition(f *testing.F) {
	for _, seed := range []string{`plan == "a" and not vip`, `team_size + 1 > score`, `meta.a ?? "x"`, `plan matches "("`, `vip ? vip : vip`, `at == at`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, src string) {
		began := time.Now()
		c, err := Compile(src, fields)
		if d := time.Since(began); d > time.Second {
			t.Errorf("%q took %s to compile", src, d)
		}
		if err != nil {
			return
		}
		began = time.Now()
		c.Met(fields, nil, time.Time{})
		c.Met(fields, map[string]column.Cell{"plan": column.Of("pro"), "team_size": column.Of("9223372036854775807"), "meta": column.Of(`[]`)}, time.Now())
		if d := time.Since(began); d > time.Second {
			t.Errorf("%q took %s", src, d)
		}
	})
}
