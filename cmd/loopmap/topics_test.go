package main

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"loopmap/mapping"
)

// out is what a command prints.
func out(t *testing.T, args ...string) string {
	t.Helper()
	var b bytes.Buffer
	a := &app{stdout: &b, stderr: &b, lookup: func(string) (string, bool) { return "", false }}
	if code := run(t.Context(), a, args); code != 0 {
		t.Fatalf("loopmap %s: exit status %d\n%s", strings.Join(args, " "), code, &b)
	}
	return b.String()
}

// Every topic is listed, offered and shown, on a terminal of 80 columns.
func TestTopics(t *testing.T) {
	t.Parallel()
	files, err := topicFiles.ReadDir("topics")
	if err != nil || len(files) != len(topicNames) {
		t.Errorf("%d files for %d topics, %v", len(files), len(topicNames), err)
	}
	list, offered := out(t, "help"), out(t, "__complete", "help", "")
	for _, name := range topicNames {
		topic, ok := findTopic(name)
		if !ok || topic.about == "" {
			t.Fatalf("%s: %+v", name, topic)
		}
		line := topic.title + ": " + topic.about
		if !strings.Contains(list, line) || strings.Count("\n"+offered, "\n"+name+"\t") != 1 {
			t.Errorf("%s is not listed, or not offered once:\n%s", name, offered)
		}
		text := out(t, "help", name)
		if !strings.HasPrefix(text, line+"\n\n") {
			t.Errorf("%s begins otherwise: %.80q", name, text)
		}
		for line := range strings.Lines(text) {
			if line = strings.TrimSuffix(line, "\n"); utf8.RuneCountInString(line) > 80 || strings.ContainsAny(line, "\x1b\t") || strings.TrimRight(line, " ") != line {
				t.Errorf("%s: %q", name, line)
			}
		}
	}
	if !strings.Contains(offered, "\nsync\t") || !strings.Contains(out(t, "push", "--help"), "`loopmap help push`") {
		t.Errorf("commands go without help:\n%s", offered)
	}
	if keys := out(t, "help", "keys"); !strings.Contains(keys, "\nMAP: COLUMNS\n\n    enter      rename") {
		t.Error("the topic of the keys has no keys")
	}
}

// texts are the README and the topics.
func texts(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{"README.md": repositoryFile(t, "README.md")}
	for _, name := range topicNames {
		topic, _ := findTopic(name)
		all[name] = topic.text
	}
	return all
}

// What the README and the topics name as a command is one, with its flags.
func TestTextsNameCommands(t *testing.T) {
	t.Parallel()
	flags := map[string]bool{}
	var look func(c *cobra.Command)
	look = func(c *cobra.Command) {
		c.InitDefaultHelpFlag()
		c.Flags().VisitAll(func(f *pflag.Flag) { flags["--"+f.Name] = true })
		c.PersistentFlags().VisitAll(func(f *pflag.Flag) { flags["--"+f.Name] = true })
		for _, sub := range c.Commands() {
			look(sub)
		}
	}
	look((&app{}).root())
	named := 0
	for name, text := range texts(t) {
		for _, flag := range regexp.MustCompile(`[ (\x60](--[a-z][a-z-]+)`).FindAllStringSubmatch(text, -1) {
			if !flags[flag[1]] && !strings.Contains(othersFlags, flag[1]) {
				t.Errorf("%s: no command has %s", name, flag[1])
			}
		}
		for _, line := range commandLines(text) {
			named++
			if err := misnamed(line); err != nil {
				t.Errorf("%s: loopmap %s: %v", name, strings.Join(line, " "), err)
			}
		}
	}
	if named < 60 {
		t.Errorf("%d command lines were found", named)
	}
}

// misnamed reports what is wrong with a command line in a text. A command's name alone names
// it, and needs no arguments.
func misnamed(line []string) error {
	root := (&app{stdout: io.Discard}).root()
	switch c, _, err := root.Find(line); {
	case len(line) == 1 && c != root:
		return err
	case c.Name() == "help":
		return helpOn(root, line[1:])
	}
	if err := understood(line); !errors.Is(err, pflag.ErrHelp) {
		return err
	}
	return nil
}

// othersFlags are those of the other programs that are named.
const othersFlags = "--rm --snapshot --clean"

// commandLines are the command lines of a text: in backticks, and those of indented or
// fenced lines.
func commandLines(text string) (lines [][]string) {
	text = strings.ReplaceAll(text, "\\\n", " ")
	for _, m := range regexp.MustCompile("`(?:\\./)?loopmap((?:[ \n]+[^`]+)?)`").FindAllStringSubmatch(text, -1) {
		lines = append(lines, shellWords(m[1]))
	}
	for _, m := range regexp.MustCompile(`(?m)^ *(?:\$ )?(?:[A-Z_]+=\S+ )*(?:\./)?loopmap((?: [^\n]*)?)$`).FindAllStringSubmatch(text, -1) {
		if line := shellWords(m[1]); !strings.HasPrefix(m[0], "loopmap ") { // which is a sentence
			lines = append(lines, line)
		}
	}
	return lines
}

// shellWords splits a command line as a shell does, as far as texts need it.
func shellWords(line string) (list []string) {
	for _, w := range regexp.MustCompile(`'[^']*'|\S+`).FindAllString(line, -1) {
		if strings.HasPrefix(w, "#") || strings.ContainsAny(w[:1], "<>|&2") {
			break
		}
		list = append(list, strings.Trim(w, "'"))
	}
	return list
}

// The mapping files of the README and of the topics are such, and their parts parts of one.
func TestTextsHoldMappings(t *testing.T) {
	t.Parallel()
	found := map[string]int{}
	for name, text := range texts(t) {
		for _, block := range mappingBlocks(text) {
			found[name]++
			if !strings.HasPrefix(block, "version:") {
				block = "version: 1\ndatabase: sqlite:contacts.db\ntable: contacts\nkey: loops_id\nreceive:\n  events: [contact.created]\n" +
					"  columns:\n    - {name: loops_id, type: text, from: contactIdentity.id}\n" + block
			}
			if _, err := mapping.Parse(name, []byte(block)); err != nil {
				t.Errorf("%v\n%s", err, block)
			}
		}
	}
	for _, name := range []string{"README.md", "file", "rules", "push"} {
		if found[name] == 0 {
			t.Errorf("%s has no mapping file: %v", name, slices.Collect(maps.Keys(found)))
		}
	}
}

// mappingBlocks are the parts of a text that are fenced as YAML, or indented and begin as
// a mapping file, or one of its parts, does.
func mappingBlocks(text string) (blocks []string) {
	for _, m := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(text, -1) {
		blocks = append(blocks, m[1])
	}
	var block strings.Builder
	for line := range strings.Lines(text + "\nend\n") {
		code, indented := strings.CutPrefix(line, "    ")
		switch {
		case indented && (block.Len() > 0 || regexp.MustCompile(`^(version: 1|push:|journal:)`).MatchString(code)):
			block.WriteString(code)
		case line == "\n" && block.Len() > 0:
			block.WriteString(line)
		case block.Len() > 0:
			blocks = append(blocks, block.String())
			block.Reset()
		}
	}
	return blocks
}

// The manual page has its sections and all topics, and troff nothing to say about it.
func TestManual(t *testing.T) {
	t.Parallel()
	page := out(t, "man")
	for _, section := range []string{"COMMANDS", "KEYS", "THE MAPPING FILE", "SENDING BACK", "EXIT STATUS", "ENVIRONMENT", "FILES"} {
		if strings.Count(page, "\n.SH "+section+"\n") != 1 {
			t.Errorf("there is no section %s", section)
		}
	}
	for _, text := range []string{"\n.TP\n.B 200 means stored\n", "\n.SS MAP: COLUMNS\n.PP\n.nf\n    enter      rename", `\[u2190] contact.created`} {
		if !strings.Contains(page, text) {
			t.Errorf("it lacks %q", text)
		}
	}
	groff, err := exec.LookPath("groff")
	if err != nil {
		t.Skip("there is no groff")
	}
	var said bytes.Buffer
	c := exec.Command(groff, "-man", "-Tutf8", "-ww")
	c.Stdin, c.Stderr = strings.NewReader(page), &said
	if shown, err := c.Output(); err != nil || said.Len() > 0 || !bytes.Contains(shown, []byte("←")) {
		t.Errorf("%v %s", err, &said)
	}
}
