package tui

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"loopmap/mapping"
	"loopmap/mapping/column"
)

// pane is a part of the map.
type pane int

const (
	treePane pane = iota
	columnsPane
	rowPane
)

// Model is the mapper.
type Model struct {
	ctx    context.Context // ends with the session, and all that it has begun
	cfg    Config
	st     theme
	w, h   int
	place  place
	before place    // where esc leads from a place
	over   []screen // what lies on the place; the last is what is seen
	focus  pane

	capture capture
	came    came
	rhythm  rhythm
	push    pushScreen
	value   value
	story   rowStory
	tables  tableList
	account accounts
	counts  Counts
	clicks  clicks
	samples []Sample
	tree    tree
	columns columns
	row     sampleRows
	lists   map[string]string // names of mailing lists by their ids
	names   map[string]string // of databases for the screen, as they are written in the file
	picked  map[string]bool   // paths that are columns

	draft, saved *mapping.Mapping // never changed in place
	undone       []*mapping.Mapping
	done         []*mapping.Mapping

	input       *input // a line being typed, nil when none is
	help        helper
	fileVerdict string // what stands beside a file's name while it is typed
	fileGood    bool
	review      reviewing
	clash       []string // where a merge had to choose, until it is saved
	offer       bool     // "take the draft?"
	ask         bool     // "quit without saving?"
	ctrlC       bool     // the last key was ctrl+c
	note        string   // what just happened, until the next key
	bad         bool     // the note is a mistake
	news        bool     // the note is somebody's news, and stays until a key
	turn        int      // numbers the commands, so that late results are dropped
	quit        bool
}

// New makes a mapper. It shows the map when there is something to map by, else
// it waits for a sample. What it begins ends with ctx.
func New(ctx context.Context, cfg Config) *Model {
	m := &Model{ctx: ctx, cfg: cfg, st: newTheme(cfg.ASCII), draft: cfg.Mapping, saved: cfg.Mapping}
	m.offer = cfg.Draft != nil && !cfg.Draft.Same(cfg.Mapping)
	m.rhythm = rhythm{now: time.Now, beat: beatTime}
	m.w, m.h = 80, 24
	switch {
	case len(cfg.Samples) > 0:
		m.addSamples(cfg.Samples...)
	case cfg.New:
		m.over = []screen{captureScreen{}}
	case !cfg.Mapping.Receives(): // there is nothing to map
		m.place, m.before = sendPlace, sendPlace
	default:
		m.focus = columnsPane
	}
	m.recompute()
	if m.note = m.drift(); cfg.New {
		m.note = ""
	}
	m.settle()
	return m
}

// Unsaved reports whether the mapping differs from the file.
func (m *Model) Unsaved() bool { return !m.draft.Same(m.saved) }

// Mapping is the mapping as it stands on the screen.
func (m *Model) Mapping() *mapping.Mapping { return m.draft }

// Left reports whether the person has quit, rather than the link or the process
// having gone: then nothing unsaved is to be kept.
func (m *Model) Left() bool { return m.quit }

// Init starts waiting for webhooks, and asks for what all screens show: the background,
// Loops' names, how many deliveries and sent rows want a person.
func (m *Model) Init() tea.Cmd {
	first := m.askLoops()
	if m.place == sendPlace {
		first = m.startPush()
	}
	return tea.Batch(wait(m.cfg.Arrivals), hear(m.cfg.News), tea.RequestBackgroundColor, first, m.count())
}

type (
	arrivalMsg struct{ Arrival }
	samplesMsg struct {
		samples []Sample
		err     error
	}
	reviewMsg struct {
		turn   int
		review Review
		err    error
	}
	rereadMsg struct {
		why    rereading
		opened Opened
		err    error
	}
	savedMsg struct {
		mapping *mapping.Mapping
		saved   Saved
		err     error
	}
)

func wait(arrivals <-chan Arrival) tea.Cmd {
	if arrivals == nil {
		return nil
	}
	return func() tea.Msg {
		a, ok := <-arrivals
		if !ok {
			return nil
		}
		return arrivalMsg{a}
	}
}

// Update takes one message.
func (m *Model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	cmd := m.update(msg)
	if m.place != deliveriesPlace || m.quit {
		m.stopListing()
	}
	if m.push.stale && (m.place == sendPlace || m.place == tablePlace) {
		m.push.compute(m)
	}
	m.settle()
	if m.connection() != m.push.askedBy && !m.quit { // another team has other properties
		cmd = tea.Batch(cmd, m.askLoops())
	}
	if look := m.lookAtTable(); look != nil {
		cmd = tea.Batch(cmd, look)
	}
	if more := m.moreRows(); more != nil {
		cmd = tea.Batch(cmd, more)
	}
	return m, cmd
}

func (m *Model) update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.w, m.h = msg.Width, msg.Height
	case tea.BackgroundColorMsg:
		m.st = m.st.suited(msg.IsDark())
	case tea.KeyPressMsg:
		return m.carry(latin(msg))
	case tea.MouseClickMsg:
		return m.clicked(msg)
	case tea.MouseWheelMsg:
		return m.wheeled(msg)
	case beatMsg:
		return m.looked()
	case tea.PasteMsg:
		return m.paste(msg)
	case arrivalMsg:
		m.arrived(msg.Arrival)
		return tea.Batch(wait(m.cfg.Arrivals), m.mapWaiting(msg.Arrival))
	case samplesMsg:
		m.took(msg)
	case reviewMsg:
		m.reviewed(msg)
		return m.look() // enter writes once it can have been read
	case savedMsg:
		return m.wrote(msg)
	case rereadMsg:
		return m.reread(msg)
	case newsMsg:
		return tea.Batch(m.heard(msg.News), hear(m.cfg.News))
	case countsMsg:
		return m.counted(msg)
	case cameMsg:
		return m.listed(msg)
	case deliveryMsg:
		m.opened(msg)
	case holdMsg:
		m.found(msg)
	case waitedMsg:
		m.waited(msg)
	case replayedMsg:
		return m.replayed(msg)
	case rowsMsg:
		m.sawRows(msg)
	case lookMsg:
		m.sawLook(msg)
	case storyMsg:
		m.sawStory(msg)
	case catalogMsg:
		m.sawCatalog(msg)
	case createdMsg:
		return m.created(msg)
	case progressMsg:
		return m.went(msg)
	case pushedMsg:
		return m.ran(msg)
	case fileMsg:
		if m.input != nil && m.input.field.Value() == msg.name {
			m.fileVerdict, m.fileGood = msg.words, msg.good
		}
	case tableMsg:
		m.sawTable(msg)
	case tablesMsg:
		m.sawTables(msg)
	case accountsMsg:
		m.sawAccounts(msg)
	case triedMsg:
		m.tried(msg)
	case keptMsg:
		return m.kept(msg)
	case renamedMsg:
		return m.renamed(msg)
	case removedMsg:
		return m.removed(msg)
	case editedMsg:
		return m.edited(msg)
	}
	return nil
}

// change makes n the mapping, to be undone by u.
func (m *Model) change(n *mapping.Mapping) {
	if n.Same(m.draft) {
		return
	}
	m.done, m.undone = append(m.done, m.draft), nil
	m.draft = n
	m.recompute()
}

// step takes the mapping back to the last of from.
func (m *Model) step(from, to *[]*mapping.Mapping, word string) {
	n := len(*from)
	if n == 0 {
		m.say("nothing to be %s", word)
		return
	}
	*to = append(*to, m.draft)
	m.draft, *from = (*from)[n-1], (*from)[:n-1]
	m.recompute()
	m.say("%s; %s", word, plural(n-1, "more step"))
}

// recompute derives what the screens show from the mapping and the samples.
func (m *Model) recompute() {
	m.picked = map[string]bool{}
	for _, c := range m.draft.Receive.Columns {
		m.picked[c.From.String()] = true
	}
	m.columns.cursor = clamp(m.columns.cursor, len(m.draft.Receive.Columns))
	m.row.compute(m.draft, m.samples)
	m.columns.problems = m.problems()
	m.push.stale = true
}

// notSeen is the problem of a column that no sample has.
const notSeen = "not seen in any sample"

// problems says for each column why it does not hold the samples, or does not
// suit the table.
func (m *Model) problems() []string {
	list := make([]string, len(m.draft.Receive.Columns))
	for i, c := range m.draft.Receive.Columns {
		for _, have := range m.cfg.Columns {
			if m.draft.Dialect.Fold(have.Name) == m.draft.Dialect.Fold(c.Name) {
				list[i] = m.cfg.Backend.Misfit(c.Type, have)
			}
		}
		if m.unseen(i) && list[i] == "" {
			list[i] = notSeen
		}
		for _, r := range m.row.rows {
			if i < len(r.Cells) && r.Cells[i].State == column.Misfit {
				list[i] = r.Cells[i].Text
			}
		}
	}
	return list
}
