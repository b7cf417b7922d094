package tui

// Where everything stands, for the size of the terminal and what has the keys. A rect of
// no height is left out.

// The smallest screen that is drawn on; from which size panes stand above one another;
// from which width beside one another, and with a third.
const (
	minWidth, minHeight   = 40, 10
	stackWide, stackHigh  = 60, 16
	sideBySide, threeWide = 100, 160
)

func (m *Model) tooSmall() bool { return m.w < minWidth || m.h < minHeight }

// saidHigh is from how many lines on what is said has one of its own: on fewer it lies on
// the last lines of the panes.
const saidHigh = 20

// room is what the strip of places, the line for what is said and the keys leave.
func (m *Model) room() rect {
	if m.h >= saidHigh {
		return rect{0, 1, m.w, m.h - 3}
	}
	return rect{0, 1, m.w, m.h - 2}
}

// alone reports whether the screen has room for one pane at a time.
func (m *Model) onePane() bool { return m.w < stackWide || m.h < stackHigh }

// left is the left part of a rect, of w cells, and what remains of it.
func (r rect) left(w int) (a, b rect) {
	return rect{r.x, r.y, w, r.h}, rect{r.x + w, r.y, r.w - w, r.h}
}

// upper is the upper part of a rect, of h lines, and what remains of it.
func (r rect) upper(h int) (a, b rect) {
	return rect{r.x, r.y, r.w, h}, rect{r.x, r.y + h, r.w, r.h - h}
}

// mapLayout is where the panes of the map stand: the attributes, the columns, the row
// that they give, and what is under the cursor, whole.
type mapLayout struct{ tree, columns, row, whole rect }

func (m *Model) mapLayout() (l mapLayout) {
	r := m.room()
	lower := func(r rect) (columns, row rect) {
		if m.renaming() {
			return r.upper(max(4, r.h-min(r.h-4, max(r.h/2, 7+len(m.input.offers)))))
		}
		return r.upper(r.h / 2) // whatever is picked, nothing moves
	}
	switch {
	case m.onePane():
		switch {
		case m.renaming():
			l.columns, l.row = r.upper(max(3, r.h-7))
		case m.focus == treePane:
			l.tree = r
		case m.focus == columnsPane:
			l.columns = r
		default:
			l.row = r
		}
	case r.w < sideBySide:
		share := max(r.h*2/5, 8)
		if m.focus != treePane {
			share = r.h * 3 / 5
		}
		var below rect
		l.tree, below = r.upper(r.h - share)
		if m.renaming() {
			l.columns, l.row = below.left(below.w * 2 / 5)
		} else {
			l.columns, l.row = below.left(below.w / 2)
		}
	case r.w < threeWide:
		var right rect
		l.tree, right = r.left(r.w * 11 / 20)
		l.columns, l.row = lower(right)
	default:
		var rest, middle rect
		l.tree, rest = r.left(r.w * 2 / 5)
		middle, l.whole = rest.left(r.w / 3)
		l.columns, l.row = lower(middle)
	}
	return l
}

// sendLayout is where the panes of Send stand: the requests, the rows, and what goes out
// of one of them; while something is typed, field is where.
type sendLayout struct{ requests, rows, body, field rect }

func (m *Model) sendLayout() (l sendLayout) {
	r := m.room()
	p := &m.push
	switch {
	case m.onePane():
		switch {
		case m.typingOnPush():
			l.field = r
		case p.focus == requestsPane:
			l.requests = r
		case p.focus == rowsPane:
			l.rows = r
		default:
			l.body = r
		}
		return l
	case r.w < sideBySide:
		above, below := r.upper(r.h * 11 / 20)
		if p.focus == bodyPane {
			above, below = r.upper(max(6, r.h/3))
		}
		l.requests, l.body = above, below
		if p.focus != requestsPane && !m.typingOnPush() {
			l.requests, l.rows = rect{}, above
		}
	case r.w < threeWide:
		var right rect
		l.requests, right = r.left(r.w / 2)
		l.rows, l.body = right.upper(min(3+max(1, len(p.rows)), right.h*2/5))
	default:
		var rest rect
		l.requests, rest = r.left(r.w * 3 / 8)
		l.rows, l.body = rest.left(rest.w / 2)
	}
	if m.typingOnPush() {
		l.field, l.body = l.body, rect{}
		if r.w >= sideBySide && r.w < threeWide {
			l.field = rect{l.rows.x, l.rows.y, l.rows.w, l.rows.h + l.field.h}
			l.rows = rect{}
		}
	}
	return l
}

// cameLayout is where the list of deliveries stands, and what is known of the one under
// the cursor.
type cameLayout struct{ list, one rect }

func (m *Model) cameLayout() (l cameLayout) {
	r := m.room()
	switch {
	case m.onePane():
		l.list = r
	case r.w < sideBySide:
		l.list, l.one = r.upper(r.h - 6)
	default:
		l.list, l.one = r.left(r.w * 5 / 8)
	}
	return l
}

// captureLayout is where it stands how a sample comes, and what has come.
type captureLayout struct{ steps, arrived rect }

func (m *Model) captureLayout() (l captureLayout) {
	r := m.room()
	if len(m.capture.arrivals) == 0 {
		return captureLayout{steps: r}
	}
	n := min(len(m.capture.arrivals)+3, max(4, r.h/2))
	if m.onePane() {
		n = min(n, r.h-3)
	}
	l.steps, l.arrived = r.upper(r.h - n)
	return l
}
