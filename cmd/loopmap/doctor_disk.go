package main

import (
	"fmt"
	"os"
	"path/filepath"

	"loopmap/mapping/column"
	"loopmap/mapping/table"
)

// diskFacts are what there is of the folder in which a SQLite database is.
type diskFacts struct {
	remote bool // the database is no file
	known  bool // a mapping says where
	dir    string
	err    error // nothing can be written there
	free   uint64
	sized  bool // free is known
}

func lookAtDisk(file fileFacts, data databaseFacts) (f diskFacts) {
	dialect, err := column.DialectOf(file.url)
	if file.m == nil || err != nil {
		return f
	}
	if f.remote = dialect != column.SQLite; f.remote {
		return f
	}
	path, err := table.FileOf(file.url, folder(data.file))
	if err != nil {
		return f
	}
	f.known, f.dir = true, filepath.Dir(path)
	f.err = writable(f.dir)
	f.free, f.sized = freeBytes(f.dir)
	return f
}

// writable says why no file can be made in a folder: SQLite makes some beside the
// database.
func writable(dir string) error {
	f, err := os.CreateTemp(dir, ".loopmap-doctor-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	return f.Close()
}

// What is little of a disk, and what is too little: a journal grows with each delivery.
const (
	diskLittle = 1 << 30
	diskNone   = 64 << 20
)

func (f diskFacts) judge() finding {
	free := fmt.Sprintf("%d MiB free in %s", f.free>>20, f.dir)
	if f.free >= 10<<30 {
		free = fmt.Sprintf("%d GiB free in %s", f.free>>30, f.dir)
	}
	room := []string{"make room; journal.keep lets bodies of deliveries go after a while"}
	switch {
	case f.remote:
		return finding{Check: "disk", State: stateSkipped, What: "the database is a server's: its disk is looked at there"}
	case !f.known:
		return finding{Check: "disk", State: stateSkipped, What: "not known without the mapping file"}
	case f.err != nil:
		return finding{"disk", stateTrouble, "no file can be made beside the database: " + f.err.Error(),
			[]string{"let the user that runs loopmap write in " + f.dir}}
	case !f.sized:
		return finding{Check: "disk", State: stateOK, What: f.dir + " can be written; how much is free this system does not say"}
	case f.free < diskNone:
		return finding{"disk", stateTrouble, free, room}
	case f.free < diskLittle:
		return finding{"disk", stateWarning, free, room}
	}
	return finding{Check: "disk", State: stateOK, What: free}
}
