package table

import (
	"embed"
	"fmt"
	"io/fs"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"

	"loopmap/mapping/column"
)

// loopmap's own tables are made and changed by numbered files. Each runs once in a
// database, and loopmap_migrations has a line of it, written in the same transaction.
// Versions of loopmap may run beside each other: what a file changes, the versions
// before must be able to go on with.

//go:embed migrations
var migrationFiles embed.FS

// migration is one of the files.
type migration struct {
	number     int
	name, text string
}

// migrationsOf are the files of a kind of database in the order of their numbers.
func migrationsOf(d column.Dialect) (list []migration, err error) {
	names, err := fs.Glob(migrationFiles, "migrations/"+string(d)+"/*.sql") // sorted
	if err != nil {
		return nil, err
	}
	for _, file := range names {
		text, err := migrationFiles.ReadFile(file)
		if err != nil {
			return nil, err
		}
		name := strings.TrimSuffix(file[strings.LastIndexByte(file, '/')+1:], ".sql")
		digits, _, _ := strings.Cut(name, "_")
		n, err := strconv.Atoi(digits)
		if err != nil {
			return nil, fmt.Errorf("%s has no number: %w", file, err)
		}
		list = append(list, migration{n, name, string(text)})
	}
	return list, nil
}

// migrationsTable records them; made_by is the version of loopmap that ran one.
const migrationsTable = `CREATE TABLE IF NOT EXISTS loopmap_migrations (
  number  integer NOT NULL PRIMARY KEY,
  name    text NOT NULL,
  made_by text NOT NULL
)`

// ranMigration is a line of loopmap_migrations.
type ranMigration struct {
	number int
	by     string
}

// missingMigrations are those of list that have not run yet. A database in which one has
// run that list does not know is of a newer loopmap: that is the error.
func missingMigrations(list []migration, ran []ranMigration) (missing []migration, err error) {
	there := map[int]bool{}
	for _, r := range ran {
		there[r.number] = true
		if !slices.ContainsFunc(list, func(m migration) bool { return m.number == r.number }) {
			return nil, &newerError{r.by}
		}
	}
	for _, m := range list {
		if !there[m.number] {
			missing = append(missing, m)
		}
	}
	return missing, nil
}

// newerError says that a newer loopmap has changed the tables.
type newerError struct{ by string }

func (e *newerError) Error() string {
	return fmt.Sprintf("its tables were changed by loopmap %s, which is newer than this one (%s): use that version or a later one", e.by,
		buildVersion())
}

// buildVersion is the version of this loopmap.
func buildVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(unknown)"
}
