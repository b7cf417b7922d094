package main

import (
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"strings"

	"loopmap/mapping"
)

// fileFacts are what there is of a mapping file.
type fileFacts struct {
	name    string
	m       *mapping.Mapping // nil where there is none that can be read
	err     error            // why
	url     string           // of the database
	noURL   error            // why it is not known
	mode    fs.FileMode
	remarks int // of check
}

func (a *app) lookAtFile(name string) fileFacts {
	f := fileFacts{name: name}
	if f.m, f.err = a.readFile(name); f.err != nil {
		return f
	}
	f.remarks = len(warnings(f.m, places{}))
	if info, err := os.Stat(name); err == nil && runtime.GOOS != "windows" { // where such bits mean nothing
		f.mode = info.Mode().Perm()
	}
	f.url, f.noURL = a.databaseURL(f.m)
	return f
}

func (f fileFacts) judge() finding {
	if f.err != nil {
		return failed("file", f.err, "mend "+f.name+" there; loopmap check says when it is right")
	}
	what := fmt.Sprintf("%s maps %s to %s of table %s", f.name, strings.Join(f.m.Receive.Wanted(), ", "),
		several(len(f.m.Columns()), "column", "columns"), f.m.Table)
	switch {
	case !f.m.Receives():
		what = fmt.Sprintf("%s sends rows of table %s to Loops", f.name, f.m.Table)
	case f.m.Push != nil:
		what += ", and sends rows back"
	}
	out := finding{Check: "file", State: stateOK, What: what}
	switch {
	case f.mode&0o002 != 0:
		out.State, out.What = stateWarning, fmt.Sprintf("%s; everybody on this machine may change it (%04o)", what, f.mode)
		out.Do = []string{"chmod o-w " + f.name}
	case f.remarks > 0:
		out.Do = []string{fmt.Sprintf("loopmap check has %s on it", several(f.remarks, "remark", "remarks"))}
	}
	return out
}
