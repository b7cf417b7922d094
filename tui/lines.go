package tui

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"loopmap/mapping"
	"loopmap/mapping/body"
	"loopmap/mapping/column"
)

// liner is the mapper line by line: plain questions and answers over the same
// model, for screen readers, dumb terminals and scripts.
type liner struct {
	m   *Model
	out io.Writer
	ctx context.Context

	from   int             // the first of the rows that were said last
	pasted strings.Builder // lines of JSON that a sample may become
}

// Lines runs the mapper line by line, until in ends, quit is said, or ctx is done.
// It writes plain lines: no cursor movement, no colour. Unless quit was said, it
// returns the mapping that was not saved, if there is one.
func Lines(ctx context.Context, cfg Config, in io.Reader, out io.Writer) (unsaved *mapping.Mapping, err error) {
	l := &liner{m: New(ctx, cfg), out: out, ctx: ctx}
	defer func() {
		if l.m.Unsaved() && !l.m.quit {
			unsaved = l.m.draft
		}
	}()
	typed := make(chan string)
	go func() {
		defer close(typed)
		s := bufio.NewScanner(in)
		s.Buffer(nil, mostPaste)
		for s.Scan() {
			select {
			case typed <- s.Text():
			case <-ctx.Done():
				return
			}
		}
	}()
	l.say("loopmap, line by line. The file is %s, the table %s in %s.", cfg.File, cfg.Mapping.Table, cfg.Database)
	if l.m.offer {
		l.say("An earlier session ended unsaved. Say draft to take what it left.")
	}
	if len(l.m.samples) > 0 {
		l.list("")
	} else {
		state, _ := l.m.state()
		if cfg.Listen.Problem == "" {
			state += ". " + cfg.Listen.URL
		}
		l.say("State: %s", state)
	}
	l.say("Say help for what can be said.")
	for {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case a := <-cfg.Arrivals:
			l.m.arrived(a)
			state, _ := a.state("Say map to map it")
			l.say("%s", state)
		case n := <-cfg.News:
			if cmd := l.m.heard(n); cmd != nil {
				l.m.update(cmd())
			}
			l.result()
		case line, ok := <-typed:
			if !ok {
				return nil, nil
			}
			if l.paste(line) {
				continue
			}
			if l.command(strings.Fields(line), typed) {
				l.m.quit = true
				return nil, nil
			}
		}
	}
}

func (l *liner) say(format string, args ...any) {
	fmt.Fprintln(l.out, safe(fmt.Sprintf(format, args...)))
}

// result says the note that the model has for a person.
func (l *liner) result() {
	if l.m.note != "" {
		l.say("%s", l.m.note)
		l.m.note = ""
	}
}

const lineHelp = `b: map by the built-in sample. file NAME: by a file. journal: by what sync has received. map: by what has arrived here.
A webhook's body may be pasted; it ends with its last brace, or two empty lines.
list, or list WORD: the attributes, those that hold the word. 3, or 3 5-7: pick or drop by number.
columns: the columns. name 2 email: rename. type 2 integer. up 2, down 2: move. drop 2. key 2: let it tell rows apart.
row: the rows that the samples give. undo. redo. save: shows the change, then asks. quit.`

// command carries out one line, and reports whether it was to quit.
func (l *liner) command(words []string, typed <-chan string) (quit bool) {
	if len(words) == 0 {
		return false
	}
	m := l.m
	switch rest := words[1:]; strings.ToLower(words[0]) {
	case "help", "h", "?":
		for line := range strings.SplitSeq(lineHelp+"\n"+pushHelp+"\n"+tableHelp+"\n"+connectHelp, "\n") {
			l.say("%s", line)
		}
	case "b":
		m.useBuiltIn()
		l.sampled()
	case "map":
		m.proceed()
		l.sampled()
	case "file", "f":
		list, err := m.cfg.Backend.Read(strings.Join(rest, " "))
		m.took(samplesMsg{list, err})
		l.sampled()
	case "journal", "j":
		if msg, ok := m.readJournal()().(samplesMsg); ok {
			m.took(msg)
		}
		l.sampled()
	case "draft":
		if m.cfg.Draft != nil {
			m.change(m.cfg.Draft)
		}
		l.columns()
	case "list", "l":
		l.list(strings.Join(rest, " "))
	case "columns", "c":
		l.columns()
	case "name", "type", "up", "down", "drop", "key":
		l.column(strings.ToLower(words[0]), rest)
	case "row", "p":
		l.rows()
	case "undo", "u":
		m.step(&m.done, &m.undone, "undone")
		l.result()
	case "redo":
		m.step(&m.undone, &m.done, "redone")
		l.result()
	case "save", "s":
		l.save(typed)
	case "connect":
		l.connect(rest, typed)
	case "quit", "q":
		return !m.Unsaved() || l.ask("Not saved. Quit all the same? y or n", typed)
	default:
		if !l.push(strings.ToLower(words[0]), rest) {
			l.pick(words)
		}
	}
	return false
}

// paste takes a line for a part of a sample that is pasted: from a brace on, until that is
// closed or two lines are empty.
func (l *liner) paste(line string) bool {
	text := strings.TrimSpace(line)
	begins := strings.HasPrefix(text, "{") || strings.HasPrefix(text, "[")
	if l.pasted.Len() == 0 && !begins {
		return false
	}
	l.pasted.WriteString(line + "\n")
	ends := (strings.HasSuffix(text, "}") || strings.HasSuffix(text, "]")) && closed(l.pasted.String())
	if ends || strings.HasSuffix(l.pasted.String(), "\n\n\n") || l.pasted.Len() > mostPaste {
		l.m.pasteSample(l.pasted.String())
		l.pasted.Reset()
		l.sampled()
	}
	return true
}

// closed reports whether as many braces are closed as were opened, outside of strings.
func closed(s string) bool {
	depth, inside := 0, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case inside && c == '\\':
			i++
		case c == '"':
			inside = !inside
		case inside:
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			depth--
		}
	}
	return depth <= 0
}

func (l *liner) sampled() {
	l.result()
	if len(l.m.samples) > 0 {
		l.list("")
	}
}

// choices are the attributes that can be columns, in the order of their numbers:
// all but objects with something in them.
func (l *liner) choices() (list []int) {
	for i := range l.m.tree.attrs {
		a := &l.m.tree.attrs[i]
		if a.Kinds&body.KindObject == 0 || a.End == i+1 {
			list = append(list, i)
		}
	}
	return list
}

// list says the attributes that can be columns, by number.
func (l *liner) list(query string) {
	m := newMatcher(query)
	n := 0
	for number, i := range l.choices() {
		a := &l.m.tree.attrs[i]
		if !m.empty() && !m.match(l.m.tree.paths[i], a.Value.Raw, false) {
			continue
		}
		n++
		picked := ""
		if n := len(l.m.samples); n > 1 {
			picked = fmt.Sprintf(", in %d of %d samples", a.Seen, n)
			if a.Nulls > 0 {
				picked += fmt.Sprintf(", null in %d", a.Nulls)
			}
		}
		if l.m.picked[l.m.tree.paths[i]] {
			picked += ", picked"
		}
		l.say("%d. %s, %s, %s%s", number+1, l.m.tree.paths[i], a.Kinds, cut(describe(a), 60), picked)
	}
	l.say("%s. Say a number to pick or drop.", plural(n, "attribute"))
}

func (l *liner) columns() {
	for i, c := range l.m.draft.Receive.Columns {
		extra := ""
		if c.Name == l.m.draft.Key {
			extra = ", the key"
		}
		if i < len(l.m.columns.problems) && l.m.columns.problems[i] != "" {
			extra += ", problem: " + l.m.columns.problems[i]
		}
		l.say("%d. %s, %s, from %s%s", i+1, c.Name, c.Type, c.From, extra)
	}
}

func (l *liner) rows() {
	for i, r := range l.m.row.rows {
		l.say("Row %d:", i+1)
		for k, c := range l.m.draft.Receive.Columns {
			if k < len(r.Cells) {
				l.say("  %s: %s", c.Name, sayCell(r.Cells[k]))
			}
		}
		if r.problem != "" {
			l.say("  No row: %s", r.problem)
		}
	}
}

// pick toggles attributes by number: 3 5-7.
func (l *liner) pick(words []string) {
	var numbers []int
	choices := l.choices()
	for _, w := range strings.FieldsFunc(strings.Join(words, " "), func(r rune) bool { return r == ' ' || r == ',' }) {
		from, to, isRange := strings.Cut(w, "-")
		a, err := strconv.Atoi(from)
		b := a
		if isRange && err == nil {
			b, err = strconv.Atoi(to)
		}
		if err != nil || a < 1 || b < a || b > len(choices) {
			l.say("%q is neither a command nor the number of an attribute. Say help, or list.", w)
			return
		}
		for n := a; n <= b; n++ {
			numbers = append(numbers, choices[n-1])
		}
	}
	for _, i := range numbers {
		on := !l.m.picked[l.m.tree.paths[i]]
		l.m.set([]int{i}, on)
		switch {
		case l.m.note != "":
			l.result()
		case on:
			c := l.m.draft.Receive.Columns[len(l.m.draft.Receive.Columns)-1]
			l.say("Picked %s as column %s, %s.", c.From, c.Name, c.Type)
		default:
			l.say("Dropped %s.", l.m.tree.paths[i])
		}
	}
}

// column carries out what is done to one column: WORD NUMBER [VALUE].
func (l *liner) column(word string, rest []string) {
	m := l.m
	n := 0
	if len(rest) > 0 {
		n, _ = strconv.Atoi(rest[0])
	}
	if n < 1 || n > len(m.draft.Receive.Columns) {
		l.say("Which column? Say columns for their numbers, then for example %s 2.", word)
		return
	}
	i, value := n-1, strings.Join(rest[1:], " ")
	switch word {
	case "name":
		next, err := m.draft.Rename(i, value)
		if err != nil {
			l.say("No: %v.", err)
			return
		}
		m.change(next)
	case "type":
		t, err := column.ParseType(value)
		if err != nil {
			l.say("No: %v.", err)
			return
		}
		m.change(m.draft.Retype(i, t))
	case "up":
		m.moveColumn(i, -1)
	case "down":
		m.moveColumn(i, 1)
	case "drop":
		m.dropColumn(i)
	case "key":
		m.makeKey(i)
	}
	l.result()
	l.columns()
}
