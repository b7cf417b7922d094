package loops

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

const secret = "whsec_bG9vcHMtc2FtcGxlLXNpZ25pbmcta2V5"

func headers(id, stamp, signature string) http.Header {
	h := http.Header{}
	h.Set("Webhook-Id", id)
	h.Set("Webhook-Timestamp", stamp)
	h.Set("Webhook-Signature", signature)
	return h
}

// The signatures of three of Loops' samples, made with another library.
func TestVerifyVectors(t *testing.T) {
	for _, v := range []struct{ file, id, stamp, signature string }{
		{"contact.created", "msg_sample0001", "1795421003", "v1,DRRjyjiDZZomwgfsWtCwLhDJ9VdkPq7UzoTHbQF7PyE="},
		{"contact.created.double-opt-in", "msg_sample0002", "1795421003", "v1,6jZw9+HyUfbO42+1Hw54L7MwCmuIZqlESOESgVqoyuo="},
		{"testing.testEvent", "msg_sample0003", "1795421003", "v1,hp0bxiEQMA4QMCiJIF/ovu32Pb/hCJcf5ZR08WbUpO8="},
	} {
		body, err := samples.ReadFile("samples/" + v.file + ".json")
		if err != nil {
			t.Fatal(err)
		}
		id, err := Verify([]string{secret}, headers(v.id, v.stamp, v.signature), body, time.Unix(1795421003, 0))
		if err != nil || id != v.id {
			t.Errorf("%s: %q, %v", v.file, id, err)
		}
		signed, err := Sign(secret, v.id, time.Unix(1795421003, 0), body)
		if err != nil || signed != v.signature {
			t.Errorf("%s is signed %s, %v", v.file, signed, err)
		}
	}
}

func TestVerify(t *testing.T) {
	const (
		id   = "msg_1"
		body = `{"a":1}`
	)
	other := "whsec_" + base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", 32)))
	now := time.Unix(1800000000, 500_000_000)
	sig, err := Sign(secret, id, now, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	stamp := strconv.FormatInt(now.Unix(), 10)
	at := func(seconds int64) (string, string) {
		when := time.Unix(now.Unix()+seconds, 0)
		s, err := Sign(secret, id, when, []byte(body))
		if err != nil {
			t.Fatal(err)
		}
		return strconv.FormatInt(when.Unix(), 10), s
	}
	twice := func(name string) http.Header {
		h := headers(id, stamp, sig)
		h.Add(name, h.Get(name))
		return h
	}
	without := func(name string) http.Header {
		h := headers(id, stamp, sig)
		h.Del(name)
		return h
	}
	svix := headers("msg_2", stamp, sig)
	svix.Set("Svix-Id", id)
	svix.Set("Svix-Timestamp", stamp)
	svix.Set("Svix-Signature", sig)
	old, oldSig := at(-300)
	older, olderSig := at(-301)
	early, earlySig := at(300)
	earlier, earlierSig := at(301)
	// An id with a dot lends its end to the timestamp: the signed text is the same.
	split, err := Sign(secret, id, now, []byte("x."+body))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		h       http.Header
		body    string
		secrets []string
		err     string
	}{
		"good":                  {h: headers(id, stamp, sig)},
		"rotated: new and old":  {h: headers(id, stamp, sig), secrets: []string{other, secret}},
		"rotated: old is gone":  {h: headers(id, stamp, sig), secrets: []string{other}, err: "signature is wrong"},
		"several signatures":    {h: headers(id, stamp, "v1a,AAAA v2,x  junk v1,AAAA "+sig)},
		"two lines":             {h: twice("Webhook-Signature")},
		"300 s old":             {h: headers(id, old, oldSig)},
		"301 s old":             {h: headers(id, older, olderSig), err: "301 s old"},
		"300 s ahead":           {h: headers(id, early, earlySig)},
		"301 s ahead":           {h: headers(id, earlier, earlierSig), err: "301 s ahead"},
		"another body":          {h: headers(id, stamp, sig), body: `{"a": 1}`, err: "signature is wrong"},
		"another id":            {h: headers("msg_2", stamp, sig), err: "signature is wrong"},
		"another time":          {h: headers(id, "1800000001", sig), err: "signature is wrong"},
		"svix headers are none": {h: svix, err: "signature is wrong"},
		"no id":                 {h: without("Webhook-Id"), err: "webhook-id is missing"},
		"no time":               {h: without("Webhook-Timestamp"), err: "webhook-timestamp is missing"},
		"no signature":          {h: without("Webhook-Signature"), err: "webhook-signature is missing"},
		"two ids":               {h: twice("Webhook-Id"), err: "stands there 2 times"},
		"two times":             {h: twice("Webhook-Timestamp"), err: "stands there 2 times"},
		"empty id":              {h: headers("", stamp, sig), err: "0 characters"},
		"long id":               {h: headers(strings.Repeat("i", 256), stamp, sig), err: "256 characters"},
		"dot in id":             {h: headers(id+"."+stamp, "x", split), err: "not allowed"},
		"control in id":         {h: headers("msg\x1b", stamp, sig), err: "not allowed"},
		"time with letters":     {h: headers(id, stamp+"abc", sig), err: "not a number"},
		"time with sign":        {h: headers(id, "+"+stamp, sig), err: "not a number"},
		"empty time":            {h: headers(id, "", sig), err: "not a number"},
		"endless time":          {h: headers(id, strings.Repeat("9", 30), sig), err: "not a number"},
		"only v1a":              {h: headers(id, stamp, "v1a,"+sig[3:]), err: "hold a v1 signature"},
		"bad base64":            {h: headers(id, stamp, "v1,!!!"), err: "hold a v1 signature"},
		"truncated":             {h: headers(id, stamp, "v1,"+base64.StdEncoding.EncodeToString([]byte("short"))), err: "hold a v1 signature"},
		"a flood":               {h: headers(id, stamp, strings.Repeat("v1,AAAA ", 40)+sig), err: "more than 32"},
		"no secret":             {h: headers(id, stamp, sig), secrets: []string{}, err: "no signing secret"},
	} {
		secrets, text := c.secrets, c.body
		if secrets == nil {
			secrets = []string{secret}
		}
		if text == "" {
			text = body
		}
		got, err := Verify(secrets, c.h, []byte(text), now)
		switch {
		case c.err == "" && (err != nil || got != id):
			t.Errorf("%s: %q, %v", name, got, err)
		case c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err) || got != ""):
			t.Errorf("%s: %q, %v; want %s", name, got, err, c.err)
		}
	}
}

func TestParseSecretsRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":               "empty",
		"whsec_":         "empty",
		"whsec_c2hvcnQ=": "5 bytes; at least 24",
		"whsec_" + base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", 23))): "23 bytes",
		"whsec_not base64!!":                             "not base64",
		"whsec_****************************************": "not base64",
	} {
		_, err := ParseSecrets([]string{text})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
		if len(text) > 6 && err != nil && strings.Contains(err.Error(), text[6:]) {
			t.Errorf("the error holds the secret: %v", err)
		}
		// A request signed with the empty key must not come in.
		mac := hmac.New(sha256.New, nil)
		mac.Write([]byte("msg_1.1800000000.{}"))
		h := headers("msg_1", "1800000000", "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
		if _, err := Verify([]string{text}, h, []byte("{}"), time.Unix(1800000000, 0)); err == nil {
			t.Errorf("%q lets anybody in", text)
		}
	}
	if _, err := ParseSecrets(nil); err == nil {
		t.Error("no secret is no error")
	}
	if _, err := ParseSecrets([]string{secret, ""}); err == nil || !strings.Contains(err.Error(), "2 of 2") {
		t.Errorf("an empty one among several: %v", err)
	}
}

// FuzzVerify holds Verify against the Standard Webhooks library: what it takes
// the library takes too (Verify is the stricter), and what Sign makes both take.
func FuzzVerify(f *testing.F) {
	f.Add("msg_1", "1800000000", "v1,AAAA", "{}", true)
	f.Add("msg.1", "1800000300", "v1,AAAA v1a,x", "", false)
	f.Fuzz(func(t *testing.T, id, stamp, signature, body string, sign bool) {
		now := time.Unix(1800000000, 0)
		if sign {
			if n, err := strconv.ParseInt(stamp, 10, 64); err == nil {
				s, err := Sign(secret, id, time.Unix(n, 0), []byte(body))
				if err != nil {
					t.Fatal(err)
				}
				signature += " " + s
			}
		}
		h := headers(id, stamp, signature)
		got, err := Verify([]string{secret}, h, []byte(body), now)
		if err != nil {
			return
		}
		wh, err := standardwebhooks.NewWebhook(secret)
		if err != nil {
			t.Fatal(err)
		}
		if err := wh.VerifyIgnoringTimestamp([]byte(body), h); err != nil || got != id {
			t.Fatalf("the library refuses what we take: %v", err)
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	body, _ := Example(ContactCreated)
	now := time.Unix(1800000000, 0)
	sig, err := Sign(secret, "msg_1", now, body)
	if err != nil {
		b.Fatal(err)
	}
	s, err := ParseSecrets([]string{secret})
	if err != nil {
		b.Fatal(err)
	}
	h := headers("msg_1", "1800000000", sig)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Verify(h, body, now); err != nil {
			b.Fatal(err)
		}
	}
}
