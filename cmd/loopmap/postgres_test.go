package main

import (
	"database/sql"
	"fmt"
	"os"
	"strings"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"github.com/rogpeppe/go-internal/testscript"

	"loopmap/mapping/table/tabletest"
)

// postgres: set DATABASE_URL to an empty schema of its own.
func postgres(ts *testscript.TestScript, _ bool, _ []string) {
	dsn, drop, err := tabletest.NewSchema()
	ts.Check(err)
	ts.Defer(func() { _ = drop() }) // what a story has left running may still be in it
	ts.Setenv("DATABASE_URL", dsn)
}

// databaseOf opens the database that a story names: a file, or "postgres".
func databaseOf(ts *testscript.TestScript, name string) (*sql.DB, error) {
	if name == "postgres" {
		return sql.Open("pgx", ts.Getenv("DATABASE_URL"))
	}
	return sql.Open("sqlite", ts.MkAbs(name)+"?_pragma=busy_timeout(60000)")
}

// scriptCondition: [postgres] holds where a server is reached, or must be.
func scriptCondition(name string) (bool, error) {
	if name == "postgres" {
		return os.Getenv("LOOPMAP_TEST_ALL") != "" || tabletest.Reached() == nil, nil
	}
	return false, fmt.Errorf("unknown condition %s", strings.TrimSpace(name))
}
