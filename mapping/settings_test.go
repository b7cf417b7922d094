package mapping

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"loopmap/mapping/yamledit"
)

// fullFile says all that a mapping file can say.
const fullFile = `version: 1
database: sqlite:contacts.db
table: contacts
key: loops_id
receive:
  events: [contact.created]
  columns:
    - {name: loops_id, type: text, from: contactIdentity.id}
    - {name: email, type: text, from: contact.email}
  rules:
    - {event: contact.unsubscribed, if: {campaignId: spring}, set: {left: spring}}
    - {event: contact.mailingList.subscribed, set: {joined: {from: eventTime, type: time}}}
    - {event: contact.deleted, delete: true}
journal: {keep: 90d}
push:
  auto: true
  every: 1h
  connection: acme
  contact:
    email: email
    userId: loops_id
    only_run_if: vip
    source: crm
    on_null: clear
    properties: {plan: {column: plan, as: string, on_null: skip}}
    lists: {l1: {column: vip, as: boolean, on_null: skip}}
  events:
    - name: upgraded
      email: email
      userId: loops_id
      only_run_if: vip
      once_per: [email]
      properties: {plan: {column: plan, as: string, on_null: skip}}
      contact: {plan: {column: plan, as: string, on_null: skip}}
      lists: {l1: {column: vip, as: boolean, on_null: skip}}
`

// leaves are the settable values within v, each with its name.
func leaves(v reflect.Value, name string, each func(string, reflect.Value)) {
	switch {
	case v.Type() == reflect.TypeFor[Path]():
		each(name, v)
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				leaves(v.Field(i), strings.TrimPrefix(name+"."+f.Name, "."), each)
			}
		}
	case v.Kind() == reflect.Pointer && !v.IsNil():
		leaves(v.Elem(), name, each)
	case v.Kind() == reflect.Slice && v.Len() > 0:
		for i := range v.Len() {
			leaves(v.Index(i), name, each)
		}
	default:
		each(name, v)
	}
}

// alter gives a leaf another value; the second time again another one, where there are three.
func alter(t *testing.T, name string, v reflect.Value, times int) {
	field := name[strings.LastIndexByte(name, '.')+1:]
	others, ok := map[string][]string{
		"Type": {"json", "text"}, "As": {"number", "date"}, "OnNull": {"clear", "skip"}, "Every": {"2h", "3h"}, "Key": {"email", "email"},
		"Value": {`"summer"`, "7"},
	}[field]
	switch {
	case v.Type() == reflect.TypeFor[Path]():
		p, err := ParsePath([]string{"contact.a", "contact.b"}[times])
		if err != nil {
			t.Fatal(err)
		}
		v.Set(reflect.ValueOf(p))
	case v.Type() == reflect.TypeFor[time.Duration]():
		v.SetInt(int64(time.Duration(times+1) * 24 * time.Hour))
	case v.Kind() == reflect.Bool:
		v.SetBool(!v.Bool())
	case v.Kind() == reflect.Int:
		v.SetInt(v.Int() + 1)
	case v.Kind() == reflect.String && ok:
		if before := v.String(); before == others[times] {
			others[times] = map[bool]string{true: "skip", false: others[times] + "x"}[before == "clear"]
		}
		v.SetString(others[times])
	case v.Kind() == reflect.String:
		v.SetString(v.String() + []string{"x", "y"}[times])
	default:
		t.Fatalf("%s: how is a %s changed?", name, v.Type())
	}
}

// Each field of a mapping is a setting: the file can say it, the schema takes it, the editor
// writes it, a save sees that it was changed, and a merge keeps it.
func TestSettingsForgetNothing(t *testing.T) {
	full, err := parsed(t, "f", []byte(fullFile))
	if err != nil {
		t.Fatal(err)
	}
	// Who changes a setting of the copy at a leaf, counted through.
	changed := func(leaf, times int) *Mapping {
		m, err := Parse("f", []byte(fullFile))
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		leaves(reflect.ValueOf(m).Elem(), "", func(name string, v reflect.Value) {
			if n == leaf {
				alter(t, name, v, times)
			}
			n++
		})
		return m
	}
	refused := map[string]bool{ // for what it would mean: a rule that does nothing, null in an event
		"Receive.Rules.Delete": true, "Push.Events.Properties.OnNull": true,
	}
	said := map[string]bool{} // of each field, whether the file says it anywhere
	leaf := -1
	leaves(reflect.ValueOf(full).Elem(), "", func(name string, v reflect.Value) {
		leaf++
		for part := name; part != ""; part = part[:max(0, strings.LastIndexByte(part, '.'))] {
			said[part] = said[part] || !v.IsZero()
		}
		switch {
		case v.IsZero(), name == "Dialect", name == "Hash": // which the file does not say
			return
		case name == "Receive.Rules.Set.Type" && !strings.Contains(fullFile, "type: "+v.String()+"}}}"): // it follows from the value
			return
		}
		mine, theirs := changed(leaf, 0), changed(leaf, 1)
		if mine.Same(full) {
			t.Errorf("a change of %s is not seen", name)
		}
		if name == "Version" { // which is refused
			return
		}
		isKey := strings.HasPrefix(name, "Receive.Columns.") && slices.Contains([]string{"loops_id", "contactIdentity.id"}, fmt.Sprint(v.Interface()))
		if _, err := Rewrite("f", []byte(fullFile), mine); err != nil && !refused[name] && !isKey {
			t.Errorf("a change of %s is not written: %v", name, err)
		}
		for _, who := range []struct{ mine, theirs *Mapping }{{mine, full}, {full, mine}, {mine, mine}} {
			if merged, clashes := Merge(full, who.mine, who.theirs); !isKey && (!merged.Same(mine) || clashes != nil) {
				t.Errorf("a change of %s is lost: %v\n%s", name, clashes, merged.settings().Inline())
			}
		}
		names := name == "Push.Events.Name" || strings.HasSuffix(name, ".Loops") // who renames has dropped, and added
		if merged, clashes := Merge(full, mine, theirs); !mine.Same(theirs) && !isKey && !names && (!merged.Same(mine) || len(clashes) != 1) {
			t.Errorf("changes of %s do not clash: %v\n%s", name, clashes, merged.settings().Inline())
		}
	})
	for name, is := range said {
		if !is {
			t.Errorf("the file says nothing of %s", name)
		}
	}
	out, err := Rewrite("f", nil, full)
	if err != nil {
		t.Fatal(err)
	}
	back := mustParse(t, string(out)).Clone()
	if back.Push, back.Hash, back.ready = back.Push.clone(), full.Hash, nil; true {
		want := full.Clone()
		want.Push, want.ready = want.Push.clone(), nil
		if !reflect.DeepEqual(back, want) {
			t.Errorf("a new file says something else:\n%s", out)
		}
	}
}

// A key of the schema is one that the editor writes.
func TestSchemaHasTheEditorsKeys(t *testing.T) {
	written := map[string]bool{}
	var collect func(n *yamledit.Node)
	collect = func(n *yamledit.Node) {
		for _, m := range n.Members {
			written[m.Key.Text] = true
			collect(m.Value)
		}
		for _, item := range n.Items {
			collect(item.Value)
		}
	}
	collect(mustParse(t, fullFile).settings())
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, e := range v {
				walk(e)
			}
		case map[string]any:
			if keys, ok := v["properties"].(map[string]any); ok && v["additionalProperties"] == false {
				for key := range keys {
					if !written[key] {
						t.Errorf("nothing writes %s", key)
					}
				}
			}
			for _, e := range v {
				walk(e)
			}
		}
	}
	var doc any
	if err := json.Unmarshal(Schema, &doc); err != nil {
		t.Fatal(err)
	}
	walk(doc)
}

// A copy shares nothing with what it was copied from but what is never changed in place.
func TestEditsLeaveTheRest(t *testing.T) {
	full := mustParse(t, fullFile)
	before := fmt.Sprint(full.settings().Inline())
	n := full.EditPush(func(p *Push) {
		leaves(reflect.ValueOf(p).Elem(), "Push", func(name string, v reflect.Value) { alter(t, name, v, 0) })
	})
	for i := range n.Receive.Events {
		n.Receive.Events[i] = "changed"
	}
	for i := range n.Receive.Columns {
		n.Receive.Columns[i].Name = "changed"
	}
	if after := full.settings().Inline(); after != before {
		t.Errorf("a change of the copy changes what it was copied from:\n%s\n%s", before, after)
	}
}
