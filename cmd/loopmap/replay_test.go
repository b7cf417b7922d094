package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"loopmap/mapping/table"
)

// A file of many pieces, lines longer than a piece among them, is journalled byte for
// byte: no piece is read into while another still needs it.
func TestReplayManyPieces(t *testing.T) {
	dir := t.TempDir()
	bodies := map[string]string{}
	var lines bytes.Buffer
	for i := 0; lines.Len() < 16*pieceSize; i++ {
		id := fmt.Sprintf("msg_%06d", i)
		n := 1200 + i%97
		if i%3001 == 0 {
			n = pieceSize + i
		}
		body := fmt.Sprintf(`{"eventName":"contact.created","eventTime":1795421000,"contactIdentity":{"id":"c%06d"},"contact":{"pad":"%s"}}`,
			i, strings.Repeat(fmt.Sprintf("%06d.", i), n/7))
		bodies[id] = body
		fmt.Fprintf(&lines, `{"id":"%s","timestamp":1795421000,"body":%s}`+"\n", id, body)
	}
	mappingFile := filepath.Join(dir, defaultFile)
	for name, text := range map[string][]byte{filepath.Join(dir, "lines"): lines.Bytes(), mappingFile: []byte(`version: 1
database: sqlite:contacts.db
table: contacts
key: id
receive:
  events: [contact.created]
  columns:
    - {name: id,  type: text, from: contactIdentity.id}
    - {name: pad, type: text, from: contact.pad}
`)} {
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var out, complaints bytes.Buffer
	a := &app{stdin: strings.NewReader(""), stdout: &out, stderr: &complaints, now: time.Now, lookup: func(string) (string, bool) { return "", false }}
	if code := run(context.Background(), a, []string{"replay", mappingFile, "--from", filepath.Join(dir, "lines")}); code != 0 {
		t.Fatalf("exit %d\n%s%s", code, &out, &complaints)
	}
	s, err := table.Open(context.Background(), table.Options{URL: "sqlite:contacts.db", Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	list, err := s.Deliveries(context.Background(), table.Filter{})
	if err != nil || len(list) != len(bodies) {
		t.Fatalf("%d deliveries of %d: %v", len(list), len(bodies), err)
	}
	for _, r := range list {
		if string(r.Body) != bodies[r.ID] || r.Status != "applied" {
			t.Fatalf("%s is %s and has another body, %.80s", r.ID, r.Status, r.Body)
		}
	}
}
