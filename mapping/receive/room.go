package receive

import (
	"errors"
	"io"
	"sync/atomic"
)

// How many bytes of bodies are in memory at once. The large ones have a share of their
// own, so that they, which nobody needs, do not keep the small ones out.
const (
	smallBody  = 64 << 10 // Loops' bodies have a few thousand bytes
	smallShare = 16 << 20
	largeShare = 16 << 20
)

var errNoRoom = errors.New("too much is being received at once; send it again")

// room is what bodies may still take.
type room struct{ small, large atomic.Int64 }

func newRoom(maxBody int64) *room {
	r := &room{}
	r.small.Store(smallShare)
	r.large.Store(max(largeShare, 4*maxBody))
	return r
}

// held is the room that one body has taken.
type held struct {
	room *room
	n    int64
}

func (h *held) share(n int64) *atomic.Int64 {
	if n > smallBody {
		return &h.room.large
	}
	return &h.room.small
}

// grow takes room for n bytes instead of what there was.
func (h *held) grow(n int64) error {
	share := h.share(n)
	if share.Add(-n) < 0 {
		share.Add(n)
		return errNoRoom
	}
	h.release()
	h.n = n
	return nil
}

func (h *held) release() {
	h.share(h.n).Add(h.n)
	h.n = 0
}

// firstRead is how much is believed of an announced length before any of it has come.
const firstRead = 8 << 10

// read reads all of a body whose length is said to be as given, -1 for unknown. r fails
// beyond most bytes.
func (h *held) read(r io.Reader, length, most int64) (body []byte, err error) {
	if length < 0 {
		most++ // r is to fail, not to end
	} else {
		most = length
	}
	for size := int64(firstRead); ; size *= 8 {
		if size = min(size, most); len(body) > 0 && length >= 0 {
			size = length // some of it has come
		}
		if err := h.grow(size); err != nil {
			return nil, err
		}
		bigger := make([]byte, size)
		n := copy(bigger, body)
		more, err := fill(r, bigger[n:])
		body = bigger[:n+more]
		switch {
		case int64(len(body)) == length:
			return body, nil
		case errors.Is(err, io.EOF) && length < 0:
			return body, nil
		case errors.Is(err, io.EOF):
			return nil, io.ErrUnexpectedEOF
		case err != nil:
			return nil, err
		}
	}
}

// fill reads until b is full. Unlike io.ReadFull it tells an end from one that came too
// soon.
func fill(r io.Reader, b []byte) (n int, err error) {
	for n < len(b) && err == nil {
		var more int
		more, err = r.Read(b[n:])
		n += more
	}
	return n, err
}
