package table

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"loopmap/mapping"
	"loopmap/mapping/column"
	"loopmap/mapping/outgoing"
)

// ErrNoDatabase is returned by [Open] for a database that is not there and was
// not to be made.
var ErrNoDatabase = errors.New("the database is not there yet")

// Options say which database to open and for what.
type Options struct {
	URL   string // sqlite:FILE or postgres://...
	Dir   string // the folder that a relative FILE is in
	Write bool   // make loopmap's own tables when they are missing, and SQLite's file
	Bulk  bool   // much will be written at once: take more memory for it
	// ReadOnly has rows read in transactions that can only read, whatever the user may do
	// and whatever a view or a function of the table's does.
	ReadOnly bool
	// Text gives the mapping file whose bytes have a hash. Each that has mapped something is
	// kept in the journal; nil keeps none.
	Text func(hash string) (text []byte, ok bool)
}

// Store is an open database. Its methods may be called at the same time.
type Store struct {
	engine
	text   func(hash string) ([]byte, bool)
	mu     sync.Mutex // guards hold
	hold   hold
	locked lockedRows
}

// Writers is how many calls of [Store.Commit] are carried out beside each other; more
// wait for their turn.
func (s *Store) Writers() int { return s.writers() }

// engine is one kind of database: what [Store] does not share between them.
type engine interface {
	dialect
	columns(ctx context.Context, table string) ([]Column, error)
	first() *beginning
	versions() *keptVersions
	// change runs statements in one transaction.
	change(ctx context.Context, sql []string) error
	begin(ctx context.Context) (tx, error)
	// records hands over the journal's lines that f wants.
	records(ctx context.Context, f Filter, each func(Record) error) error
	mark(ctx context.Context) (int64, error)
	waiting(ctx context.Context) (quarantined, pending int64, err error)
	forget(ctx context.Context, before time.Time, after int64, most int) (last int64, n int, err error)
	// ready makes sure that a delivery could be written now; thoroughly, by writing.
	ready(ctx context.Context, thorough bool) error
	close() error

	// ask reads: what a query finds, row by row. Marks are written ?.
	ask(ctx context.Context, text string, args []any, each func([]stored) error) error
	// put writes in one transaction. It is durable when it returns.
	put(ctx context.Context, list []statement) error
	// appliedOf are the applied deliveries of rows.
	appliedOf(ctx context.Context, keys []string) ([]Record, error)
	lockPushes(ctx context.Context) (held context.Context, unlock func(), ok bool, err error)

	changes(ctx context.Context, table string, limit int) ([]outgoing.Change, error)
	settleChanges(ctx context.Context, list []outgoing.Change) error
	outboxFull(ctx context.Context) (bool, error)
	// triggers are those that fill the outbox; haveTriggers the signatures of those that
	// the table has, by their names.
	triggers(ctx context.Context, table, key string) ([]trigger, error)
	haveTriggers(ctx context.Context, table string) (map[string]string, error)
	// What follows is SQL.
	dropTrigger(table, name string) string
	dropFunctions(table string) []string
	moveChanges(table string) []string

	// rights are those that the database's user lacks for a mapping; alters says that the
	// table must be changed for it.
	rights(ctx context.Context, m *mapping.Mapping, alters bool) ([]right, error)

	// plainTypes are the types of a mapping's columns in the table; nil where more than
	// they decides what is stored.
	plainTypes(ctx context.Context, m *mapping.Mapping) ([]string, error)

	// keyForm is how the table compares a mapping's keys.
	keyForm(ctx context.Context, m *mapping.Mapping) (keyForm, error)
	// lowered are texts as [lowerKeys] compares them.
	lowered(ctx context.Context, texts []string) ([]string, error)

	// aboutRow reports whether a statement failed for what its row holds or what the
	// table has become, so that the same delivery would fail again. All other errors
	// are the database's own trouble, and pass.
	aboutRow(error) bool
	// passing reports whether a transaction failed for what happened beside it, so
	// that it may succeed when it is run again at once.
	passing(error) bool
	// waited reports whether a transaction has waited for a lock in vain, and lockedAmong
	// for which rows of those of the entries.
	waited(error) bool
	lockedAmong(ctx context.Context, entries []mapping.Entry) ([]rowName, error)
	explain(error) error // puts what to do next to the errors that people meet
}

// tx is a transaction.
type tx interface {
	// keepVersions writes those that are not there. It comes before all else: who writes the
	// same ones at the same time waits for it, and must not be waited for.
	keepVersions(list []Version) error
	// late marks entries whose row may have a newer delivery. It comes before what is
	// written of them, and from then on no other process writes these rows.
	late(entries []mapping.Entry) ([]bool, error)
	// insert writes the journal lines of entries; fresh is false for ids that are
	// there already. Two entries never have the same row. The applied ones among them
	// are rows: which of these are late it says, too. When the rows of those that are
	// fresh and not late are written as well, it says so.
	insert(entries, rows []mapping.Entry) (fresh, late []bool, written bool, err error)
	// update writes the journal lines of entries that have one.
	update(entries ...mapping.Entry) error
	// siblings are the applied deliveries of e's row other than e, from a full second
	// on.
	siblings(e mapping.Entry, from time.Time) ([]Record, error)
	// siblingsOf are the siblings of each entry, from its own full second on.
	siblingsOf(entries []mapping.Entry) ([][]Record, error)
	// write does to the rows what the entries say. What the table refuses is in
	// refused, and not done; the transaction goes on.
	write(entries []mapping.Entry) (refused []error, err error)
	// read are rows as text, by their keys; one that is not there is not among them.
	read(m *mapping.Mapping, keys []string) (map[string][]Value, error)
	savepoint() error
	rollbackTo() error // the savepoint, which stays
	release() error
	// commit makes all durable. An [unknownError] says that it may have.
	commit() error
	rollback()
}

// Open opens a database. Errors name it and never hold a password.
func Open(ctx context.Context, o Options) (*Store, error) {
	d, err := column.DialectOf(o.URL)
	if err != nil {
		return nil, err
	}
	var e engine
	switch d {
	case column.SQLite:
		e, err = openSQLite(ctx, o)
	case column.Postgres:
		e, err = openPostgres(ctx, o)
	default:
		err = fmt.Errorf("no engine for %s", d)
	}
	if err != nil {
		return nil, err
	}
	return &Store{engine: e, text: o.Text}, nil
}

// Close ends the database's use. What was committed stays.
func (s *Store) Close() error { return s.engine.close() }
