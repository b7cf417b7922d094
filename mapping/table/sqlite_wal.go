package table

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"unsafe"

	"modernc.org/libc"
	lib "modernc.org/sqlite/lib"
)

// SQLite appends a page to its WAL by two calls of the operating system, one for the
// frame's header and one for the page: a dozen calls for a commit of one delivery, and
// a thousand for one in bulk. The VFS that is registered here is the system's own, but
// that a WAL's new frames are gathered. They are written by one call
//
//   - with the frame that ends a commit, before SQLite tells any reader of it;
//   - when they are gatherMost bytes;
//   - before the same connection does anything else to the WAL.
//
// What SQLite writes again in the middle of the WAL is written at once.

// Lengths in bytes, from "The WAL File Format".
const (
	walHeader   = 32
	frameHeader = 24        // the second of its 32-bit numbers is not zero when the frame ends a commit
	gatherMost  = 1<<17 - 1 // as much as SQLite gives the system by one call
)

// gathered is what a connection has still to write to its WAL.
type gathered struct {
	frames []byte // nil or in memory of C, of which there are gatherMost bytes
	end    int64  // where a new frame begins, and where these end; -1 when that is not known
	commit bool   // the last of the frames ends a commit
}

// gatherer is the VFS.
var gatherer struct {
	register sync.Once
	err      error
	system   uintptr // *lib.Tsqlite3_vfs

	mu      sync.RWMutex          // guards what follows
	below   uintptr               // *lib.Tsqlite3_io_methods: what the system does to a WAL
	methods uintptr               // the same, gathering
	wals    map[uintptr]*gathered // by their *lib.Tsqlite3_file
}

// The functions of C that are called or replaced.
type (
	openFunc = func(t *libc.TLS, vfs, name, file uintptr, flags int32, out uintptr) int32
	fileFunc = func(t *libc.TLS, file uintptr) int32
	flagFunc = func(t *libc.TLS, file uintptr, flags int32) int32
	sizeFunc = func(t *libc.TLS, file uintptr, size int64) int32
	tellFunc = func(t *libc.TLS, file, size uintptr) int32
	dataFunc = func(t *libc.TLS, file, data uintptr, n int32, at int64) int32
)

// pointer is what C calls f by; f must be no closure. function is what it points to.
func pointer[F any](f F) uintptr  { return *(*uintptr)(unsafe.Pointer(&f)) }
func function[F any](p uintptr) F { return *(*F)(unsafe.Pointer(&struct{ uintptr }{p})) }

// at is what C has at an address; copied is a copy of it, which C may have for ever.
func at[T any](p uintptr) *T { return *(**T)(unsafe.Pointer(&p)) }

func copied[T any](t *libc.TLS, p uintptr) (uintptr, *T, error) {
	c := libc.Xmalloc(t, libc.Tsize_t(unsafe.Sizeof(*at[T](p))))
	if c == 0 {
		return 0, nil, errNoMemory
	}
	*at[T](c) = *at[T](p)
	return c, at[T](c), nil
}

func address(b []byte) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(b))) }

var errNoMemory = errors.New("SQLite has no memory left")

// gatherWAL makes connections that are opened from now on gather.
func gatherWAL() error {
	g := &gatherer
	g.register.Do(func() {
		t := libc.NewTLS()
		defer t.Close()
		g.wals = map[uintptr]*gathered{}
		g.system = lib.Xsqlite3_vfs_find(t, 0)
		if g.system == 0 {
			g.err = errors.New("SQLite has no VFS here")
			return
		}
		p, vfs, err := copied[lib.Tsqlite3_vfs](t, g.system)
		if err == nil {
			vfs.FzName, err = libc.CString("loopmap")
		}
		if g.err = err; err != nil {
			return
		}
		vfs.FxOpen = pointer[openFunc](openGathering)
		if rc := lib.Xsqlite3_vfs_register(t, p, 1); rc != lib.SQLITE_OK {
			g.err = fmt.Errorf("SQLite does not take a VFS (%d)", rc)
		}
	})
	return g.err
}

func openGathering(t *libc.TLS, _, name, file uintptr, flags int32, out uintptr) int32 {
	g := &gatherer
	rc := function[openFunc](at[lib.Tsqlite3_vfs](g.system).FxOpen)(t, g.system, name, file, flags, out)
	if rc != lib.SQLITE_OK || flags&lib.SQLITE_OPEN_WAL == 0 {
		return rc
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	f := at[lib.Tsqlite3_file](file)
	if g.below == 0 {
		p, m, err := copied[lib.Tsqlite3_io_methods](t, f.FpMethods)
		if err != nil {
			return rc // it is as well without
		}
		m.FxClose = pointer[fileFunc](closeGathered)
		m.FxRead = pointer[dataFunc](readGathered)
		m.FxWrite = pointer[dataFunc](writeGathered)
		m.FxTruncate = pointer[sizeFunc](truncateGathered)
		m.FxSync = pointer[flagFunc](syncGathered)
		m.FxFileSize = pointer[tellFunc](sizeGathered)
		g.below, g.methods = f.FpMethods, p
	}
	if f.FpMethods == g.below {
		f.FpMethods = g.methods
		g.wals[file] = &gathered{end: -1}
	}
	return rc
}

// gatheredOf is what is gathered for a WAL, and what the system does to it.
func gatheredOf(file uintptr) (*gathered, *lib.Tsqlite3_io_methods) {
	g := &gatherer
	g.mu.RLock()
	defer g.mu.RUnlock()
	return g.wals[file], at[lib.Tsqlite3_io_methods](g.below)
}

func writeGathered(t *libc.TLS, file, data uintptr, n int32, off int64) int32 {
	w, below := gatheredOf(file)
	if !w.takes(t, n, off) {
		if rc := w.flush(t, file, below); rc != lib.SQLITE_OK {
			return rc
		}
		w.end = -1
		if n == walHeader && off == 0 {
			w.end = walHeader
		}
		return function[dataFunc](below.FxWrite)(t, file, data, n, off)
	}
	b := libc.GoBytes(data, int(n))
	w.frames, w.end = append(w.frames, b...), w.end+int64(n)
	if n == frameHeader {
		w.commit = binary.BigEndian.Uint32(b[4:]) != 0
	} else if w.commit || len(w.frames)+frameHeader+int(n) > gatherMost {
		return w.flush(t, file, below)
	}
	return lib.SQLITE_OK
}

// takes reports whether what is to be written is, or goes on with, a new frame, for which
// there is room.
func (w *gathered) takes(t *libc.TLS, n int32, off int64) bool {
	if off != w.end || n != frameHeader && len(w.frames) == 0 {
		return false
	}
	if w.frames == nil {
		if p := libc.Xmalloc(t, gatherMost); p != 0 {
			w.frames = libc.GoBytes(p, gatherMost)[:0]
		}
	}
	return len(w.frames)+int(n) <= cap(w.frames)
}

// flush writes what is gathered. Where that fails, so does the transaction.
func (w *gathered) flush(t *libc.TLS, file uintptr, below *lib.Tsqlite3_io_methods) int32 {
	if len(w.frames) == 0 {
		return lib.SQLITE_OK
	}
	n := int32(len(w.frames))
	rc := function[dataFunc](below.FxWrite)(t, file, address(w.frames), n, w.end-int64(n))
	w.frames = w.frames[:0]
	if rc != lib.SQLITE_OK {
		w.end = -1
	}
	return rc
}

// flushed flushes a WAL, and then does something else to it.
func flushed(t *libc.TLS, file uintptr, do func(below *lib.Tsqlite3_io_methods) int32) int32 {
	w, below := gatheredOf(file)
	if rc := w.flush(t, file, below); rc != lib.SQLITE_OK {
		return rc
	}
	return do(below)
}

func readGathered(t *libc.TLS, file, data uintptr, n int32, off int64) int32 {
	return flushed(t, file, func(below *lib.Tsqlite3_io_methods) int32 {
		return function[dataFunc](below.FxRead)(t, file, data, n, off)
	})
}

func truncateGathered(t *libc.TLS, file uintptr, size int64) int32 {
	return flushed(t, file, func(below *lib.Tsqlite3_io_methods) int32 {
		return function[sizeFunc](below.FxTruncate)(t, file, size)
	})
}

func syncGathered(t *libc.TLS, file uintptr, flags int32) int32 {
	return flushed(t, file, func(below *lib.Tsqlite3_io_methods) int32 {
		return function[flagFunc](below.FxSync)(t, file, flags)
	})
}

func sizeGathered(t *libc.TLS, file, size uintptr) int32 {
	return flushed(t, file, func(below *lib.Tsqlite3_io_methods) int32 {
		return function[tellFunc](below.FxFileSize)(t, file, size)
	})
}

// closeGathered drops what is gathered: a commit would have written it.
func closeGathered(t *libc.TLS, file uintptr) int32 {
	w, below := gatheredOf(file)
	if w.frames != nil {
		libc.Xfree(t, address(w.frames))
	}
	gatherer.mu.Lock()
	delete(gatherer.wals, file)
	gatherer.mu.Unlock()
	return function[fileFunc](below.FxClose)(t, file)
}
