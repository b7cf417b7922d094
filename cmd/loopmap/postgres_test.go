package main

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"strings"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"github.com/rogpeppe/go-internal/testscript"
)

// postgresServer is the server that the tests may use.
func postgresServer() string {
	if s := os.Getenv("LOOPMAP_TEST_POSTGRES"); s != "" {
		return s
	}
	return "postgres://postgres@127.0.0.1:5432/postgres?sslmode=disable"
}

// freshSchema makes an empty schema, and returns the URL that leads into it and what
// drops it.
func freshSchema() (dsn string, drop func(), err error) {
	db, err := sql.Open("pgx", postgresServer())
	if err != nil {
		return "", nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	schema := fmt.Sprintf("story_%08x", rand.Uint32())
	if _, err := db.ExecContext(ctx, "CREATE SCHEMA "+schema); err != nil {
		db.Close()
		return "", nil, err
	}
	u, err := url.Parse(postgresServer())
	if err != nil {
		return "", nil, err
	}
	q := u.Query()
	q.Set("search_path", schema)
	u.RawQuery = q.Encode()
	return u.String(), func() {
		_, _ = db.Exec("DROP SCHEMA " + schema + " CASCADE")
		db.Close()
	}, nil
}

// postgres: set DATABASE_URL to an empty schema of its own.
func postgres(ts *testscript.TestScript, _ bool, _ []string) {
	dsn, drop, err := freshSchema()
	ts.Check(err)
	ts.Defer(drop)
	ts.Setenv("DATABASE_URL", dsn)
}

// databaseOf opens the database that a story names: a file, or "postgres".
func databaseOf(ts *testscript.TestScript, name string) (*sql.DB, error) {
	if name == "postgres" {
		return sql.Open("pgx", ts.Getenv("DATABASE_URL"))
	}
	return sql.Open("sqlite", ts.MkAbs(name))
}

// hasPostgres reports whether the tests reach a server.
func hasPostgres() bool {
	db, err := sql.Open("pgx", postgresServer())
	if err != nil {
		return false
	}
	defer db.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return db.PingContext(ctx) == nil
}

// condition: [postgres] holds where a server is reached, or must be.
func condition(name string) (bool, error) {
	if name == "postgres" {
		return os.Getenv("LOOPMAP_TEST_ALL") != "" || hasPostgres(), nil
	}
	return false, fmt.Errorf("unknown condition %s", strings.TrimSpace(name))
}
