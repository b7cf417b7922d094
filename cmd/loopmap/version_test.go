package main

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
)

// A version says which source it was made of, whoever knows that.
func TestVersionFrom(t *testing.T) {
	noted := &debug.BuildInfo{Main: debug.Module{Version: "v1.2.3"}, Settings: []debug.BuildSetting{
		{Key: "vcs.revision", Value: "0123456789abcdef"}, {Key: "vcs.time", Value: "2026-11-24T10:00:00Z"}, {Key: "vcs.modified", Value: "true"}}}
	for _, c := range []struct {
		info                  *debug.BuildInfo
		version, commit, date string
		want                  string
	}{
		{noted, "", "", "", "v1.2.3 (commit 0123456789ab and changes, 2026-11-24T10:00:00Z)"},
		{&debug.BuildInfo{Main: debug.Module{Version: "(devel)"}}, "", "", "", "built from source"},
		{&debug.BuildInfo{}, "1.2.4", "fedcba9876543210", "2026-11-25T00:00:00Z", "1.2.4 (commit fedcba987654, 2026-11-25T00:00:00Z)"},
		{&debug.BuildInfo{}, "1.2.4", "abc", "", "1.2.4 (commit abc)"},
	} {
		if got := buildFrom(c.info, c.version, c.commit, c.date).String(); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

// A release is stamped as .goreleaser.yaml does it (but for -trimpath, which compiles all anew), and --version and the command say the
// same.
func TestVersionStamped(t *testing.T) {
	t.Parallel()
	program := filepath.Join(t.TempDir(), "loopmap.exe")
	flags := strings.NewReplacer("{{ .Version }}", "9.8.7", "{{ .FullCommit }}", "0123456789abcdef", "{{ .CommitDate }}", "2026-11-24T10:00:00Z")
	stamp := ""
	for _, line := range releaseConfig(t).Builds[0].Ldflags {
		stamp += flags.Replace(line) + " "
	}
	if out, err := exec.Command("go", "build", "-buildvcs=false", "-ldflags", stamp, "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, arg := range []string{"--version", "version"} {
		out, err := exec.Command(program, arg).CombinedOutput()
		if err != nil || string(out) != "loopmap 9.8.7 (commit 0123456789ab, 2026-11-24T10:00:00Z)\n" {
			t.Errorf("%s: %s %v", arg, out, err)
		}
	}
	out, err := exec.Command(program, "version", "-o", "json").Output()
	var b buildInfo
	if json.Unmarshal(out, &b) != nil || err != nil || b.Version != "9.8.7" || b.Commit != "0123456789abcdef" || b.Platform == "" || b.Go == "" {
		t.Errorf("%s %v", out, err)
	}
}
