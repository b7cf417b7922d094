package main

import (
	"bytes"
	"context"
	"time"

	"loopmap/mapping"
	"loopmap/tui"
)

// fileWatch keeps a mapping that is in use on its file. What counts is whether the file
// is another one than what is in use, not whether it has just changed: so nothing that
// was saved is missed, and what could not be taken up is tried again.
type fileWatch struct {
	file    string
	running func() string               // the hash of what is in use
	take    func(context.Context) error // takes up the file as it is
	failed  func(error)                 // is told once of each failure

	seen []byte    // at the last look
	why  string    // what was told last, and of which file
	next time.Time // when it is tried again
	wait time.Duration
}

const (
	lookAtFile  = time.Second      // how often the mapping file is looked at
	retryAtMost = 30 * time.Second // how long a file that cannot be taken up waits
)

func (w *fileWatch) run(ctx context.Context) {
	w.seen, _ = readSmall(w.file)
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(lookAtFile):
		}
		w.look(ctx, time.Now())
	}
}

// look takes the file up, where it is another one. It counts once it has been the same
// twice, so that one that is being written is not read half.
func (w *fileWatch) look(ctx context.Context, now time.Time) {
	running := w.running() // before the file is read: it may wait for a save to end
	src, err := readSmall(w.file)
	if err != nil {
		src = nil
	}
	if !bytes.Equal(src, w.seen) {
		w.seen, w.next, w.wait = src, time.Time{}, 0
		return
	}
	hash := mapping.HashOf(src)
	if src == nil {
		hash = "" // as a mapping has that was never saved
	}
	if hash == running {
		w.why, w.wait = "", 0
		return
	}
	if now.Before(w.next) {
		return
	}
	if err = w.take(ctx); err == nil || ctx.Err() != nil {
		w.why, w.wait = "", 0
		return
	}
	w.wait = max(lookAtFile, min(2*w.wait, retryAtMost))
	w.next = now.Add(w.wait)
	if why := hash + err.Error(); why != w.why {
		w.why = why
		w.failed(err)
	}
}

// watchFile calls changed for each change of a file until ctx ends, for who reads it
// anew in any case.
func watchFile(ctx context.Context, file string, changed func()) {
	src, _ := readSmall(file)
	last := mapping.HashOf(src)
	(&fileWatch{file: file, running: func() string { return last }, failed: func(error) { changed() }, take: func(context.Context) error {
		src, err := readSmall(file)
		if err == nil {
			last = mapping.HashOf(src)
			changed()
		}
		return err
	}}).run(ctx)
}

// watch tells of what others save while the mapper is open.
func (b *backend) watch(ctx context.Context) <-chan tui.News {
	news := make(chan tui.News, 1)
	tell := func(n tui.News) {
		select {
		case news <- n:
		case <-ctx.Done():
		}
	}
	own := b.hash()
	told := own
	w := &fileWatch{file: b.file,
		running: func() string {
			if now := b.hash(); now != own { // saved here, or taken
				own, told = now, now
			}
			return told
		},
		take: func(context.Context) error {
			src, err := readSmall(b.file)
			if err == nil {
				_, err = mapping.Parse(b.file, src)
			}
			if err != nil {
				return err
			}
			told = mapping.HashOf(src)
			tell(tui.News{Words: "the mapping file has changed", Changed: true})
			return nil
		},
		failed: func(err error) {
			tell(tui.News{Words: "the mapping file has changed, and cannot be read: " + err.Error(), Bad: true})
		}}
	go w.run(ctx)
	return news
}
