package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"time"

	"loopmap/mapping"
	"loopmap/mapping/receive"
)

// piece is some lines of a file and what the mapping makes of them. Who takes it
// waits for done, and gives it back to idlePieces when nothing points into text any more.
type piece struct {
	text    []byte // whole lines
	first   int    // number of its first line
	bytes   int    // of the file
	entries []mapping.Entry
	bad     []badLine
	err     error
	done    chan struct{}
}

type badLine struct {
	line int
	err  error
}

// idlePieces spare the memory of a piece, 1 MB, being made and cleared for each.
var idlePieces = sync.Pool{New: func() any { return &piece{text: make([]byte, 0, pieceSize+64<<10)} }}

// maxLine is far more than a webhook's body and what is around it.
const maxLine = 8 * receive.MaxBody

// mapLines reads lines and maps them, some pieces ahead of who takes them, on all
// processors. The channel has the pieces in the order of the file.
func mapLines(ctx context.Context, in io.Reader, m *mapping.Mapping, now func() time.Time) <-chan *piece {
	ahead := 8 * runtime.GOMAXPROCS(0) // so that there is work while one group is committed
	out, work := make(chan *piece, ahead), make(chan *piece, ahead)
	send := func(p *piece) bool {
		select {
		case out <- p:
		case <-ctx.Done():
			return false
		}
		work <- p // never more than the workers finish: out is bounded
		return true
	}
	for range runtime.GOMAXPROCS(0) {
		go func() {
			for p := range work {
				p.mapAll(m, now())
				close(p.done)
			}
		}()
	}
	go func() {
		defer close(out)
		defer close(work)
		readPieces(in, send)
	}()
	return out
}

// readPieces cuts the input after whole lines, until send says that it is enough.
func readPieces(in io.Reader, send func(*piece) bool) {
	r := bufio.NewReaderSize(in, 1<<20)
	line := 1
	for {
		p := idlePieces.Get().(*piece)
		*p = piece{first: line, done: make(chan struct{}), text: p.text[:0], entries: p.entries[:0]}
		for p.err == nil && (len(p.text) < pieceSize || p.text[len(p.text)-1] != '\n') { // a piece ends with a line
			var part []byte
			part, p.err = r.ReadSlice('\n')
			p.text = append(p.text, part...)
			switch {
			case errors.Is(p.err, bufio.ErrBufferFull):
				p.err = nil
			case p.err == nil:
				line++
			}
			if len(p.text) > maxLine+pieceSize {
				p.err = fmt.Errorf("line %d is longer than %d bytes: is this one JSON object a line?", line, maxLine)
			}
		}
		end := p.err != nil
		if errors.Is(p.err, io.EOF) {
			p.err = nil
		}
		p.bytes = len(p.text)
		if !send(p) || end {
			return
		}
	}
}

// pieceSize is about how many bytes one mapper takes at once.
const pieceSize = 1 << 20

func (p *piece) mapAll(m *mapping.Mapping, now time.Time) {
	if p.err != nil {
		return
	}
	line := p.first
	for text := range bytes.Lines(p.text) {
		if text = bytes.TrimSpace(text); len(text) > 0 {
			d, err := mapping.ParseLine(text, now)
			if err != nil {
				p.bad = append(p.bad, badLine{line, err})
			} else {
				p.entries = append(p.entries, mapping.Enter(m, d))
			}
		}
		line++
	}
}
