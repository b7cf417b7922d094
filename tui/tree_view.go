package tui

import (
	"fmt"
	"strings"

	"charm.land/lipgloss/v2"

	"loopmap/mapping/body"
)

// share is how much of an attribute is picked.
type share int

const (
	notPicked share = iota
	partPicked
	allPicked
)

// share is how much of attribute i, or of what is within it, is picked.
func (t *tree) share(i int, picked map[string]bool) share {
	if picked[t.paths[i]] {
		return allPicked
	}
	if t.attrs[i].End == i+1 || len(picked) == 0 {
		return notPicked
	}
	leaves := t.leaves(i)
	n := 0
	for _, j := range leaves {
		if picked[t.paths[j]] {
			n++
		}
	}
	if n == 0 { // an element of a list counts too
		for j := i + 1; j < t.attrs[i].End; j++ {
			if picked[t.paths[j]] {
				return partPicked
			}
		}
		return notPicked
	}
	if n == len(leaves) && n > 0 {
		return allPicked
	}
	return partPicked
}

// box is how a share is drawn.
func (t *theme) box(s share) string {
	return [...]string{t.unpicked, t.partly, t.picked}[s]
}

// indentOf is how far an attribute stands to the right, in w cells at most.
func (t *tree) indentOf(i, w int) int { return min(2*max(0, t.attrs[i].Path.Len()-1), w) }

// hitBox is what a click x cells from the left means on the line under the cursor: on a
// box it picks, on the mark of a branch it opens or closes.
func (t *tree) hitBox(x int, st *theme) action {
	a := t.current()
	if a == nil {
		return none
	}
	i := t.rows[t.cursor]
	at := 2 + t.indentOf(i, mostIndent)
	switch {
	case a.End > i+1 && x >= at && x < at+2 && t.closed[t.paths[i]]:
		return open
	case a.End > i+1 && x >= at && x < at+2:
		return shut
	case a.End > i+1 && !st.ascii:
		return selected
	case a.End > i+1:
		at += 2
	}
	if x >= at && x < at+width(st.picked) {
		return pick
	}
	return selected
}

// nameWidth is the cells that names take on the lines that are shown, within bounds.
func (t *tree) nameWidth(h, w int, st *theme) int {
	name := 16
	for r := t.top; r < len(t.rows) && r < t.top+h; r++ {
		i := t.rows[r]
		n := t.indentOf(i, mostIndent) + width(st.picked) + width(t.shown(i))
		if t.attrs[i].End > i+1 {
			n += 2 // how much of it is picked
		}
		name = max(name, n)
	}
	return max(min(name, w-34), min(name, w*2/5), 8)
}

// lines draws the pane in w by h cells.
func (t *tree) lines(w, h int, picked map[string]bool, samples int, focused bool, st *theme) (lines []string) {
	if len(t.rows) == 0 && t.filtered() {
		return []string{"", "  " + st.warn.Render("nothing matches; esc clears the search")}
	}
	name, kind, extra := t.nameWidth(h, w-2, st), 7, t.noteWidth(h, samples)
	value := w - 2 - name - kind - 3
	if extra > 0 {
		value -= extra + 1
	}
	for r := t.top; r < len(t.rows) && len(lines) < h; r++ {
		i := t.rows[r]
		a := &t.attrs[i]
		shown, look := t.drawName(i, name, picked, st)
		kinds, text := a.Kinds.String(), describe(a)
		textLook := st.kind(a.Kinds)
		switch {
		case a.Kinds&body.KindList != 0 && a.Branch():
			text += "  " + describeList(a)
		case a.Branch():
			textLook = st.faint
		case a.Kinds.Mixed():
			kinds, text = "mixed !", "("+kinds+") "+text
		}
		if a.Nulls > 0 && a.Nulls < a.Seen {
			text = fmt.Sprintf("(%d null) ", a.Nulls) + text
		}
		note, noteLook := t.note(i, samples), st.faint
		if note == "new" {
			noteLook = st.good.Bold(true)
		}
		lines = append(lines, st.line(r == t.cursor && focused, w, cell{text: shown, w: name, look: look},
			cell{text: kinds, w: kind, look: st.kind(a.Kinds)}, cell{text: text, w: value, look: textLook},
			cell{text: note, w: extra, look: noteLook, right: true}))
	}
	return lines
}

// drawName is an attribute's place in the tree in w cells: whether it is open and picked,
// and what it is called.
func (t *tree) drawName(i, w int, picked map[string]bool, st *theme) (shown string, look lipgloss.Style) {
	a, share, look := &t.attrs[i], t.share(i, picked), st.plain
	shown = strings.Repeat(" ", t.indentOf(i, w/2))
	if share == allPicked {
		look = st.good
	}
	if a.End == i+1 {
		shown += st.box(share)
		return shown + middle(t.shown(i), w-width(shown)), look
	}
	if t.closed[t.paths[i]] && !t.filtered() {
		shown += "▸ "
	} else {
		shown += "▾ "
	}
	if look = st.title; st.ascii {
		shown += st.box(share)
		return shown + middle(t.shown(i), w-width(shown)), look
	}
	mark := [...]string{"", " -", " ✓"}[share]
	return shown + middle(t.shown(i), w-width(shown)-width(mark)) + mark, look
}

// note is what is to be known of an attribute besides: that it is new, or that not all
// samples have it.
func (t *tree) note(i, samples int) string {
	switch a := &t.attrs[i]; {
	case t.fresh[t.paths[i]]:
		return "new"
	case a.Seen < samples && !a.Branch():
		return fmt.Sprintf("%d of %d", a.Seen, samples)
	}
	return ""
}

// noteWidth is the cells that the notes take on the lines that are shown.
func (t *tree) noteWidth(h, samples int) (n int) {
	for r := t.top; r < len(t.rows) && r < t.top+h; r++ {
		n = max(n, len(t.note(t.rows[r], samples)))
	}
	return n
}

// describeList is the beginning of a list.
func describeList(a *body.Attribute) string { return safe(head(a.Value.Raw, 200)) }

// describe is what the tree shows of an attribute's value.
func describe(a *body.Attribute) string {
	s := ""
	switch {
	case a.Value.IsObject():
		s = plural(a.Size, "key")
	case a.Value.IsArray():
		s = plural(a.Size, "element")
	default:
		s = a.Value.Raw
		if strings.HasPrefix(s, `"`) {
			s = a.Value.String()
		}
		s = safe(s[:min(len(s), 400)]) // enough for any line
	}
	if a.Doubled {
		s = "(key doubled, last counts) " + s
	}
	return s
}
