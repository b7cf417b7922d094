package loops

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Tolerance is how far webhook-timestamp may lie from the receiver's clock, both
// ways and inclusive (the Standard Webhooks libraries have the same figure).
const Tolerance = 300 * time.Second

const (
	minSecret     = 24  // bytes; Standard Webhooks asks for 24 to 64
	maxID         = 255 // bytes
	maxSignatures = 32  // in one request; a rotation needs two
)

// Secrets are signing secrets made ready. The zero value verifies nothing.
type Secrets struct{ keys [][]byte }

// ParseSecrets reads signing secrets as Loops' settings page shows them
// (whsec_..., standard base64 behind it). A request is good when it holds under
// any of them, so that one can be rotated. One that is empty, shorter than 24
// bytes or no base64 is refused: it would let anybody in. No error holds a
// secret.
func ParseSecrets(secrets []string) (*Secrets, error) {
	if len(secrets) == 0 {
		return nil, errors.New("no signing secret is given")
	}
	s := &Secrets{}
	for i, text := range secrets {
		which := "the signing secret"
		if len(secrets) > 1 {
			which = fmt.Sprintf("signing secret %d of %d", i+1, len(secrets))
		}
		key, err := decodeSecret(text)
		switch {
		case strings.TrimPrefix(text, "whsec_") == "":
			return nil, fmt.Errorf("%s is empty", which)
		case err != nil:
			return nil, fmt.Errorf("%s is not base64 behind whsec_", which)
		case len(key) < minSecret:
			return nil, fmt.Errorf("%s has %d bytes; at least %d are needed", which, len(key), minSecret)
		}
		s.keys = append(s.keys, key)
	}
	return s, nil
}

func decodeSecret(s string) ([]byte, error) {
	s = strings.TrimPrefix(s, "whsec_")
	if key, err := base64.StdEncoding.Strict().DecodeString(s); err == nil {
		return key, nil
	}
	return base64.RawStdEncoding.Strict().DecodeString(s)
}

// Verify checks a request's signature by Standard Webhooks 1.0.0 and returns its
// webhook-id: the one that was signed, and so the one to tell repeats by. The
// header must hold one webhook-id and one webhook-timestamp within [Tolerance]
// of now, and among its webhook-signature entries one v1 that is right under
// one of the secrets. Errors are fit to be sent back: they say what is wrong,
// and nothing secret.
func Verify(secrets []string, header http.Header, body []byte, now time.Time) (id string, err error) {
	s, err := ParseSecrets(secrets)
	if err != nil {
		return "", err
	}
	return s.Verify(header, body, now)
}

// CheckHeader says what is wrong with a request's headers alone: what [Verify] refuses
// whatever the body is.
func CheckHeader(header http.Header, now time.Time) error {
	_, err := readHeader(header, now)
	return err
}

// signature is what a request's headers say of it.
type signature struct {
	id, stamp  string
	candidates []digest
}

func readHeader(header http.Header, now time.Time) (s signature, err error) {
	if s.id, err = one(header, "Webhook-Id"); err != nil {
		return s, err
	}
	if err := checkID(s.id); err != nil {
		return s, err
	}
	if s.stamp, err = one(header, "Webhook-Timestamp"); err != nil {
		return s, err
	}
	if err := checkTimestamp(s.stamp, now); err != nil {
		return s, err
	}
	given := header["Webhook-Signature"]
	if len(given) == 0 {
		return s, errors.New("the header webhook-signature is missing")
	}
	s.candidates, err = signatures(given)
	return s, err
}

// Verify is [Verify] for secrets that have been read before.
func (s *Secrets) Verify(header http.Header, body []byte, now time.Time) (id string, err error) {
	said, err := readHeader(header, now)
	if err != nil {
		return "", err
	}
	// Every secret meets every candidate: the time taken tells nothing.
	good := false
	for _, key := range s.keys {
		sum := sign(key, said.id, said.stamp, body)
		for _, c := range said.candidates {
			good = hmac.Equal(c[:], sum[:]) || good
		}
	}
	if !good {
		return "", errors.New("the signature is wrong: compare the signing secret with the one in Loops under Settings, Webhooks")
	}
	return said.id, nil
}

// Sign is the webhook-signature of a body, as Loops makes it.
func Sign(secret, id string, at time.Time, body []byte) (string, error) {
	if _, err := ParseSecrets([]string{secret}); err != nil {
		return "", err
	}
	key, err := decodeSecret(secret)
	if err != nil {
		return "", err
	}
	sum := sign(key, id, strconv.FormatInt(at.Unix(), 10), body)
	return "v1," + base64.StdEncoding.EncodeToString(sum[:]), nil
}

// NewWebhook is the request by which Loops sends a webhook, signed with a secret, or
// unsigned without one.
func NewWebhook(ctx context.Context, url, secret, id string, at time.Time, body []byte) (*http.Request, error) {
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	q.Header.Set("Content-Type", "application/json")
	q.Header.Set("Webhook-Id", id)
	q.Header.Set("Webhook-Timestamp", strconv.FormatInt(at.Unix(), 10))
	if secret == "" {
		return q, nil
	}
	signature, err := Sign(secret, id, at, body)
	if err != nil {
		return nil, err
	}
	q.Header.Set("Webhook-Signature", signature)
	return q, nil
}

type digest [sha256.Size]byte

func sign(key []byte, id, stamp string, body []byte) (sum digest) {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(id + "." + stamp + "."))
	m.Write(body)
	m.Sum(sum[:0])
	return sum
}

func one(header http.Header, name string) (string, error) {
	switch lines := header[name]; len(lines) {
	case 0:
		return "", fmt.Errorf("the header %s is missing", strings.ToLower(name))
	case 1:
		return lines[0], nil
	default:
		return "", fmt.Errorf("the header %s stands there %d times", strings.ToLower(name), len(lines))
	}
}

// checkID refuses ids that could be read in two ways. The signed text is
// id.timestamp.body, so an id with a dot could lend its end to the timestamp.
func checkID(id string) error {
	if id == "" || len(id) > maxID {
		return fmt.Errorf("webhook-id has %d characters; 1 to %d are allowed", len(id), maxID)
	}
	for i := range len(id) {
		if c := id[i]; c <= ' ' || c >= 0x7f || c == '.' {
			return errors.New("webhook-id holds a character that is not allowed: letters, digits and signs other than a dot are")
		}
	}
	return nil
}

func checkTimestamp(stamp string, now time.Time) error {
	for i := range len(stamp) {
		if stamp[i] < '0' || stamp[i] > '9' {
			return errors.New("webhook-timestamp is not a number of seconds")
		}
	}
	sent, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || len(stamp) > 12 {
		return errors.New("webhook-timestamp is not a number of seconds")
	}
	const limit = int64(Tolerance / time.Second)
	switch late := now.Unix() - sent; {
	case late > limit:
		return fmt.Errorf("webhook-timestamp is %d s old and %d s are allowed: an old request sent again, or this machine's clock is fast",
			late, limit)
	case late < -limit:
		return fmt.Errorf("webhook-timestamp is %d s ahead and %d s are allowed: this machine's clock is slow", -late, limit)
	}
	return nil
}

// signatures reads the v1 entries. Entries of other versions (v1a is
// asymmetric) and such that are no signature are passed over.
func signatures(lines []string) (list []digest, err error) {
	n := 0
	for _, line := range lines {
		for entry := range strings.SplitSeq(line, " ") {
			if entry == "" {
				continue
			}
			if n++; n > maxSignatures {
				return nil, fmt.Errorf("webhook-signature has more than %d entries", maxSignatures)
			}
			text, ok := strings.CutPrefix(entry, "v1,")
			if !ok {
				continue
			}
			var d digest
			if raw, err := base64.StdEncoding.Strict().DecodeString(text); err == nil && len(raw) == len(d) {
				list = append(list, digest(raw))
			}
		}
	}
	if len(list) == 0 {
		return nil, errors.New("webhook-signature does not hold a v1 signature")
	}
	return list, nil
}
