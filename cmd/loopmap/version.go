package main

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// What a release says of itself (-ldflags "-X main.releaseVersion=..."), for sources that
// bring no history along. Else Go has noted it while it built.
var releaseVersion, releaseCommit, releaseDate string

// buildInfo is which loopmap this is.
type buildInfo struct {
	Version  string `json:"version"`
	Commit   string `json:"commit,omitempty"`
	Date     string `json:"date,omitempty"` // of the commit, RFC 3339
	Changed  bool   `json:"changed,omitempty"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

// buildOf is that of the running program.
func buildOf() buildInfo {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{}
	}
	return buildFrom(info, releaseVersion, releaseCommit, releaseDate)
}

// buildFrom is what Go has noted, unless a release says it.
func buildFrom(info *debug.BuildInfo, version, commit, date string) buildInfo {
	b := buildInfo{Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Commit = s.Value
		case "vcs.time":
			b.Date = s.Value
		case "vcs.modified":
			b.Changed = s.Value == "true"
		}
	}
	if info.Main.Version != "(devel)" {
		b.Version = info.Main.Version
	}
	b.Version = cmp.Or(version, b.Version, "built from source")
	b.Commit, b.Date = cmp.Or(commit, b.Commit), cmp.Or(date, b.Date)
	return b
}

// String is the build in a line.
func (b buildInfo) String() string {
	text := b.Version
	if b.Commit != "" {
		text += fmt.Sprintf(" (commit %.12s", b.Commit)
		if b.Changed {
			text += " and changes"
		}
		if b.Date != "" {
			text += ", " + b.Date
		}
		text += ")"
	}
	return text
}

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print which loopmap this is",
		Example: "loopmap version -o json",
		Args:    exactly(0),
		RunE: func(*cobra.Command, []string) error {
			b := buildOf()
			if a.output == "json" {
				return printJSON(a.stdout, b)
			}
			_, err := fmt.Fprintf(a.stdout, "loopmap %s\n", b)
			return err
		},
	}
}
