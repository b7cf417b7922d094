// Package tabletest gives tests a PostgreSQL of their own to work on.
package tabletest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

const patience = 20 * time.Second // with a server on a busy machine

// Address is that of the server which LOOPMAP_TEST_POSTGRES names, else of this machine's.
func Address() string {
	return cmp.Or(os.Getenv("LOOPMAP_TEST_POSTGRES"), "postgres://postgres@127.0.0.1:5432/postgres?sslmode=disable")
}

// Reached says why no server is reached at Address; nil where one is.
func Reached() error {
	return exec("SELECT 1")
}

// Server is Address. Where no server is reached the test is skipped; with
// LOOPMAP_TEST_ALL it fails.
func Server(t testing.TB) string {
	t.Helper()
	if err := Reached(); err != nil {
		if os.Getenv("LOOPMAP_TEST_ALL") != "" {
			t.Fatalf("no PostgreSQL: %v", err)
		}
		t.Skipf("no PostgreSQL is reached; LOOPMAP_TEST_POSTGRES may name one: %v", err)
	}
	return Address()
}

// Schema is the URL of an empty schema on Server, which is dropped when the test ends.
func Schema(t testing.TB) string {
	t.Helper()
	Server(t)
	at, drop, err := NewSchema()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := drop(); err != nil {
			t.Error(err)
		}
	})
	return at
}

// NewSchema makes an empty schema, and returns the URL that leads into it and what drops
// it.
func NewSchema() (at string, drop func() error, err error) {
	u, err := url.Parse(Address())
	if err != nil {
		return "", nil, errors.New("LOOPMAP_TEST_POSTGRES is not a postgres:// address") // which may hold a password
	}
	schema := fmt.Sprintf("test_%016x", rand.Uint64())
	if err := exec("CREATE SCHEMA " + schema); err != nil {
		return "", nil, err
	}
	q := u.Query()
	q.Set("search_path", schema)
	u.RawQuery = q.Encode()
	return u.String(), func() error { return exec("DROP SCHEMA " + schema + " CASCADE") }, nil
}

func exec(query string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c, err := pgx.Connect(ctx, Address())
	if err != nil {
		return err
	}
	defer c.Close(ctx)
	_, err = c.Exec(ctx, query)
	return err
}
