package loops

import (
	"slices"
	"strings"
	"testing"
	"time"

	"loopmap/mapping"
	"loopmap/mapping/body"
)

func TestFresh(t *testing.T) {
	at := time.Unix(1800000000, 0)
	for _, event := range Events {
		a, err := Fresh(event, at)
		if err != nil {
			t.Fatal(err)
		}
		b, err := Fresh(event, at)
		if err != nil {
			t.Fatal(err)
		}
		f, g := mapping.FactsOf(a), mapping.FactsOf(b)
		if f.Event != event || !f.EventTime.Equal(at) {
			t.Errorf("%s: %+v", event, f)
		}
		if event == TestEvent {
			if f.ContactID != "" {
				t.Error("the test event has no contact")
			}
			continue
		}
		if f.ContactID == "" || f.ContactID == g.ContactID || f.Email == g.Email {
			t.Errorf("%s: the contact is not new each time: %+v %+v", event, f, g)
		}
		if event != ContactCreated {
			continue
		}
		id, _ := body.MakePath(body.Step{Key: "contact"}, body.Step{Key: "id"}).Get(a)
		if id.String() != f.ContactID || len(f.ContactID) != 25 {
			t.Errorf("contact.id is %s, contactIdentity.id %s", id, f.ContactID)
		}
	}
	if _, err := Fresh("contact.craeted", at); err == nil || !strings.Contains(err.Error(), "did you mean contact.created?") {
		t.Errorf("an unknown event: %v", err)
	}
}

// A sample is of an event of the list, and each of the list has one.
func TestSamplesAreOfTheEvents(t *testing.T) {
	files, err := samples.ReadDir("samples")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	have := map[string]bool{}
	for _, f := range files {
		text, err := samples.ReadFile("samples/" + f.Name())
		if err != nil {
			t.Fatal(err)
		}
		event := mapping.FactsOf(text).Event
		if !slices.Contains(Events, event) {
			t.Errorf("%s is of %q, which is not in the list", f.Name(), event)
		}
		have[event] = true
	}
	for _, event := range Events {
		if !have[event] {
			t.Errorf("%s has no sample", event)
		}
	}
}
