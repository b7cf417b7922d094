package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"loopmap/mapping"
	"loopmap/mapping/loops"
	"loopmap/mapping/receive"
	"loopmap/mapping/table"
)

const repository = "../.."

// repositoryFile is a file of the repository, by its path from the top.
func repositoryFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(repository, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// packaging is what the tests want to know of .goreleaser.yaml.
type packaging struct {
	Builds []struct {
		Env, Goos, Goarch []string
		Flags, Ldflags    []string
		ModTimestamp      string `yaml:"mod_timestamp"`
	}
	Archives []struct{ Files []struct{ Src string } }
	Nfpms    []struct {
		Formats  []string
		Contents []struct{ Src, Dst string }
	}
	Sboms    []struct{ Artifacts string }
	Checksum struct{ Algorithm string }
}

func releaseConfig(t *testing.T) (r packaging) {
	t.Helper()
	if err := yaml.Unmarshal([]byte(repositoryFile(t, ".goreleaser.yaml")), &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// A release is for all systems, and holds what is there: files of the repository, and those
// that .github/packaging/generate makes.
func TestRelease(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("releases are made where there is a shell")
	}
	r := releaseConfig(t)
	b := r.Builds[0]
	if !slices.Equal(b.Goos, []string{"linux", "darwin", "windows"}) || !slices.Equal(b.Goarch, []string{"amd64", "arm64"}) {
		t.Errorf("%v %v", b.Goos, b.Goarch)
	}
	if !slices.Contains(b.Flags, "-trimpath") || b.ModTimestamp != "{{ .CommitTimestamp }}" || !slices.Contains(b.Env, "CGO_ENABLED=0") {
		t.Errorf("it is not the same each time: %+v", b)
	}
	if len(r.Sboms) != 1 || r.Checksum.Algorithm != "sha256" || !slices.Equal(r.Nfpms[0].Formats, []string{"deb", "rpm"}) {
		t.Errorf("%+v", r)
	}
	have := packaged(t)
	var sources []string
	for _, f := range r.Archives[0].Files {
		sources = append(sources, f.Src)
	}
	unit := false
	for _, f := range r.Nfpms[0].Contents {
		sources = append(sources, f.Src)
		unit = unit || f.Dst == "/usr/lib/systemd/system/loopmap.service"
	}
	if !unit {
		t.Error("the packages have no unit")
	}
	for _, src := range sources {
		name, generated := strings.CutPrefix(src, "dist-files/")
		if generated {
			if !have[name] {
				t.Errorf("%s is not made by .github/packaging/generate", src)
			}
		} else if _, err := os.Stat(filepath.Join(repository, src)); src != "" && err != nil {
			t.Error(err)
		}
	}
}

// packaged are the files that .github/packaging/generate makes, in a copy of what it needs.
func packaged(t *testing.T) map[string]bool {
	t.Helper()
	have := map[string]bool{"completions/*": true}
	bin := t.TempDir()
	// go run is the program that is tested: "go run ./cmd/loopmap man" is "loopmap man".
	if err := os.WriteFile(filepath.Join(bin, "go"), []byte("#!/bin/sh\nshift 2\nexec loopmap \"$@\"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	top := t.TempDir()
	script := filepath.Join(top, ".github", "packaging", "generate")
	if err := os.MkdirAll(filepath.Dir(script), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(script, []byte(repositoryFile(t, ".github/packaging/generate")), 0o755); err != nil {
		t.Fatal(err)
	}
	for range 2 { // also over what it has made before
		c := exec.Command("sh", script)
		c.Env = append(os.Environ(), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"))
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	root := filepath.Join(top, "dist-files")
	if err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil || info.Size() == 0 {
			t.Errorf("%s is empty: %v", path, err)
		}
		name, err := filepath.Rel(root, path)
		have[filepath.ToSlash(name)] = true
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return have
}

// understood reports why the program does not take a command line.
func understood(line []string) error {
	c, rest, err := (&app{}).root().Find(line)
	if err == nil {
		err = c.ParseFlags(rest)
	}
	if err == nil && c.Args != nil {
		err = c.Args(c, c.Flags().Args())
	}
	return err
}

// The unit is one that systemd takes, and starts what the program understands.
func TestUnit(t *testing.T) {
	t.Parallel()
	unit := repositoryFile(t, ".github/packaging/loopmap.service")
	start := regexp.MustCompile(`(?m)^ExecStart=/usr/bin/loopmap (.*)$`).FindStringSubmatch(unit)
	if start == nil {
		t.Fatal("it starts nothing")
	}
	if err := understood(strings.Fields(start[1])); err != nil {
		t.Error(err)
	}
	systemd, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("there is no systemd-analyze")
	}
	program, err := exec.LookPath("loopmap") // see TestMain
	if err != nil {
		t.Fatal(err)
	}
	// The package brings the program and its manual page along.
	unit = strings.ReplaceAll(unit, "/usr/bin/loopmap", program)
	unit = regexp.MustCompile(`(?m)^Documentation=.*\n`).ReplaceAllString(unit, "")
	file := filepath.Join(t.TempDir(), "loopmap.service")
	if err := os.WriteFile(file, []byte(unit), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(systemd, "verify", "--man=no", file).CombinedOutput(); err != nil || strings.Contains(string(out), "loopmap.service") {
		t.Errorf("%v\n%s", err, out)
	}
}

// The container is built of all that the program is made of, and starts what it understands.
func TestContainerfile(t *testing.T) {
	t.Parallel()
	text := repositoryFile(t, ".github/Containerfile")
	have := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^COPY (\S+) (\S+)$`).FindAllStringSubmatch(text, -1) {
		have[m[1]] = true
	}
	out, err := exec.Command("go", "list", "-deps", "-f", "{{.ImportPath}}", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	own := 0
	for path := range strings.FieldsSeq(string(out)) {
		if rest, ok := strings.CutPrefix(path, "loopmap/"); ok {
			own++
			if top, _, _ := strings.Cut(rest, "/"); !have[top] {
				t.Errorf("%s is not copied", path)
			}
			if top, _, _ := strings.Cut(rest, "/"); !strings.Contains(repositoryFile(t, ".dockerignore"), "\n!"+top+"\n") {
				t.Errorf("%s is not sent to be built", path)
			}
		}
	}
	if own < 5 {
		t.Errorf("%d packages", own)
	}
	var start []string
	cmd := regexp.MustCompile(`(?m)^CMD (\[.*\])$`).FindStringSubmatch(text)
	if cmd == nil || json.Unmarshal([]byte(cmd[1]), &start) != nil {
		t.Fatalf("%q", cmd)
	}
	if err := understood(start); err != nil {
		t.Error(err)
	}
	for _, flag := range regexp.MustCompile(`main\.(\w+)=`).FindAllStringSubmatch(text, -1) {
		if !strings.Contains(strings.Join(releaseConfig(t).Builds[0].Ldflags, " "), "main."+flag[1]+"=") {
			t.Errorf("%s is stamped here alone", flag[1])
		}
	}
}

// metricsOf are the names of all that /metrics can say, with the outcomes and statuses.
func metricsOf(t *testing.T) (names, labels map[string]bool) {
	t.Helper()
	store, err := table.Open(t.Context(), table.Options{URL: "sqlite:contacts.db", Dir: t.TempDir(), Write: true})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	m := mapping.New("sqlite:contacts.db")
	if err := prepare(t.Context(), store, m, quiet()); err != nil {
		t.Fatal(err)
	}
	r := receive.New(receive.Config{Mapping: func() *mapping.Mapping { return m }, Journal: store, Now: time.Now, Log: quiet(), Gauges: gauges(store)})
	defer r.Close()
	example, _ := loops.Example(loops.ContactCreated)
	q := httptest.NewRequest(http.MethodPost, "http://127.0.0.1"+receive.Path, strings.NewReader(string(example)))
	w := httptest.NewRecorder()
	if r.ServeHTTP(w, q); w.Code != http.StatusOK { // from then on there is a last one
		t.Fatal(w.Body)
	}
	w = httptest.NewRecorder()
	r.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://127.0.0.1/metrics", nil))
	names, labels = map[string]bool{}, map[string]bool{}
	for _, line := range regexp.MustCompile(`(?m)^(\w+)(?:\{(\w+="\w+")\})? `).FindAllStringSubmatch(w.Body.String(), -1) {
		names[line[1]] = true
		if line[2] != "" {
			labels[line[2]] = true
		}
	}
	for _, line := range regexp.MustCompile(`(?m)^(\w+_bucket)\{`).FindAllStringSubmatch(w.Body.String(), -1) {
		names[line[1]] = true
	}
	return names, labels
}

// The dashboard and the alert rules ask for what the program says, and the dashboard for
// all of it.
func TestMonitoring(t *testing.T) {
	t.Parallel()
	names, labels := metricsOf(t)
	var rules struct {
		Groups []struct {
			Rules []struct {
				Alert, Expr, For    string
				Labels, Annotations map[string]string
			}
		}
	}
	if err := yaml.Unmarshal([]byte(repositoryFile(t, ".github/monitoring/alerts.yaml")), &rules); err != nil || len(rules.Groups) != 1 {
		t.Fatal(err)
	}
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal([]byte(repositoryFile(t, ".github/monitoring/dashboard.json")), &dashboard); err != nil {
		t.Fatal(err)
	}
	shown := map[string]bool{}
	check := func(where, expr string) {
		metric := regexp.MustCompile(`\bloopmap_\w+`).FindAllString(expr, -1)
		if len(metric) == 0 && !strings.HasPrefix(expr, "up{") {
			t.Errorf("%s asks for nothing: %s", where, expr)
		}
		for _, name := range metric {
			if shown[name] = true; !names[name] {
				t.Errorf("%s asks for %s, which the program does not say", where, name)
			}
		}
		for _, label := range regexp.MustCompile(`\b(?:outcome|status)="\w+"`).FindAllString(expr, -1) {
			if !labels[label] {
				t.Errorf("%s asks for %s, which the program does not say", where, label)
			}
		}
	}
	for _, p := range dashboard.Panels {
		for _, target := range p.Targets {
			check(p.Title, target.Expr)
		}
	}
	for name := range names {
		if !shown[name] {
			t.Errorf("the dashboard does not show %s", name)
		}
	}
	if len(rules.Groups[0].Rules) < 5 {
		t.Errorf("%d rules", len(rules.Groups[0].Rules))
	}
	for _, r := range rules.Groups[0].Rules {
		check(r.Alert, r.Expr)
		if r.Labels["severity"] == "" || r.Annotations["summary"] == "" || r.Annotations["description"] == "" {
			t.Errorf("%s does not say how bad it is, or what to do: %+v", r.Alert, r)
		}
	}
}
