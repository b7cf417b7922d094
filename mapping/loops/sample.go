package loops

import (
	"crypto/rand"
	"embed"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"loopmap/mapping"
	"loopmap/mapping/body"
)

//go:embed samples
var samples embed.FS

// Example is a body of the event as Loops sends it, always the same. For an
// event that Loops does not document ok is false.
func Example(event string) (body []byte, ok bool) {
	if !slices.Contains(Events, event) {
		return nil, false
	}
	body, err := samples.ReadFile("samples/" + event + ".json")
	return body, err == nil
}

// people give made-up contacts their names.
var people = []struct{ first, last, company string }{
	{"Dana", "Okafor", "Northwind Traders"},
	{"Mía", "Núñez", "Contoso"},
	{"Lee", "Sato", "Fabrikam"},
	{"Ada", "Byron", "Analytical Engines"},
	{"Sam", "Weiß", "Adventure Works"},
	{"Ines", "Duarte", "Tailspin Toys"},
}

// Fresh is a body of the event about a contact that has not been before: new
// ids, a name, an address and the time at. It is on one line, as Loops sends it.
func Fresh(event string, at time.Time) ([]byte, error) {
	text, ok := Example(event)
	if !ok {
		hint := ""
		if near := body.Nearest(event, Events); near != "" {
			hint = "; did you mean " + near + "?"
		}
		return nil, fmt.Errorf("%q is not one of Loops' events%s (%s)", event, hint, strings.Join(Events, ", "))
	}
	id := NewID("cm")
	who := people[pick(len(people))]
	email := strings.ToLower(plainLetters(who.first)) + "." + id[len(id)-6:] + "@" +
		strings.ToLower(strings.ReplaceAll(who.company, " ", "-")) + ".example"
	user := "usr_" + strconv.Itoa(10000+pick(90000))
	for path, value := range map[string]any{
		"eventTime": at.Unix(), "contactIdentity.id": id, "contactIdentity.email": email, "contactIdentity.userId": user,
		"contact.id": id, "contact.email": email, "contact.userId": user,
		"contact.firstName": who.first, "contact.lastName": who.last, "contact.companyName": who.company,
	} {
		p, err := mapping.ParsePath(path)
		if err != nil {
			return nil, err
		}
		if _, there := p.Get(text); !there {
			continue
		}
		raw, err := json.Marshal(value)
		if err != nil {
			return nil, err
		}
		if text, err = p.Set(text, raw); err != nil {
			return nil, err
		}
	}
	return body.Compact(text), nil
}

func plainLetters(s string) string {
	return strings.NewReplacer("í", "i", "ß", "ss").Replace(s)
}

// NewID is an id in the looks of Loops': a prefix and letters and digits, 25 in all.
func NewID(prefix string) string {
	const alphabet = "0123456789abcdefghijklmnopqrstuvwxyz"
	b := make([]byte, 25-len(prefix))
	if _, err := io.ReadFull(rand.Reader, b); err != nil {
		panic(err) // crypto/rand does not fail on the systems that Go supports
	}
	for i, c := range b {
		b[i] = alphabet[int(c)%len(alphabet)]
	}
	return prefix + string(b)
}

func pick(n int) int {
	i, err := rand.Int(rand.Reader, big.NewInt(int64(n)))
	if err != nil {
		panic(err)
	}
	return int(i.Int64())
}
