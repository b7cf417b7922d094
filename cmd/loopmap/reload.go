package main

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"loopmap/mapping"
	"loopmap/mapping/table"
)

// reloader keeps a running sync on the mapping file as it is. A file that cannot
// be read, parsed or fitted to the table changes nothing: the last good one stays.
type reloader struct {
	app     *app
	file    string
	url     string // of the database, which cannot change while it is open
	store   *table.Store
	log     *slog.Logger
	ssh     *sshHost      // whose screens are told; nil when there is none
	changed chan struct{} // tells who sends rows
	current atomic.Pointer[mapping.Mapping]
}

// lookAtFile is how often the mapping file is looked at.
const lookAtFile = time.Second

// watch takes changes of the file up until ctx ends.
func (r *reloader) watch(ctx context.Context) {
	watchFile(ctx, r.file, func() {
		if err := r.load(ctx); err != nil {
			r.log.Error("the mapping is not reloaded: the one before stays", "file", r.file, "error", err)
			r.ssh.notReloaded(err)
		}
	})
}

// watchFile calls changed for each change of a file until ctx ends. A change counts
// once the file has been the same twice, so that one that is being written is not
// read half.
func watchFile(ctx context.Context, file string, changed func()) {
	last, _ := readSmall(file)
	seen := last
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(lookAtFile):
		}
		now, err := readSmall(file)
		if err != nil {
			now = nil
		}
		if settled := bytes.Equal(now, seen); !settled || bytes.Equal(now, last) {
			seen = now
			continue
		}
		last = now
		changed()
	}
}

// load takes the file as it is for all deliveries that come from now on; those in
// hand finish with the mapping that they began with.
func (r *reloader) load(ctx context.Context) error {
	m, url, err := r.app.readMapping(r.file)
	if err != nil {
		return err
	}
	if m.Hash == r.current.Load().Hash {
		return nil
	}
	if url != r.url {
		return errors.New("it names another database: restart for that")
	}
	if err := prepare(ctx, r.store, m, r.log); err != nil {
		return err
	}
	if err := prepareOutbox(ctx, r.store, m, r.file, r.log); err != nil {
		return err
	}
	r.current.Store(m)
	wake(r.changed)
	r.log.Info("mapping reloaded", "file", r.file, "mapping", m.Hash)
	r.ssh.reloaded(m)
	_, err = mapWaiting(ctx, r.store, m, r.log)
	return err
}
