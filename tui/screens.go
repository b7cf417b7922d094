package tui

import (
	tea "charm.land/bubbletea/v2"
)

// screen is one of the four places, or something that lies on top of one. A screen has
// no state of its own: that is the model's.
type screen interface {
	// where is where its keys are looked up now.
	where(m *Model) where
	// draw is the lines between the strip of places and the line of keys: those of room.
	draw(m *Model) []string
	// settle keeps its cursors in view.
	settle(m *Model)
	// move moves what has the cursor by so many lines.
	move(m *Model, by int)
	// do carries out what a key means here.
	do(m *Model, a action) tea.Cmd
	// back clears what there is to clear, and reports whether there was: else esc leaves
	// the screen.
	back(m *Model) bool
	// focus gives the keys to the pane at this cell.
	focus(m *Model, x, y int)
	// click puts the cursor where somebody has clicked, and says what that means besides.
	click(m *Model, x, y int) action
}

// place is one of the four places.
type place int

const (
	mapPlace place = iota
	tablePlace
	sendPlace
	deliveriesPlace
)

// places are the places in the order of their keys; what may lie on top of them follows
// in tops. Whoever adds a screen names it here: tests walk through both.
var (
	places = [...]struct {
		name string
		screen
	}{{"Map", mapScreen{}}, {"Table", tableScreen{}}, {"Send", sendScreen{}}, {"Deliveries", deliveriesScreen{}}}
	tops = []screen{captureScreen{}, deliveryScreen{}, valueScreen{}, reviewScreen{}, accountsScreen{}, tablesScreen{}, storyScreen{},
		helpScreen{}}
)

// screen is what is seen: the last of what lies on top of the place.
func (m *Model) screen() screen {
	if n := len(m.over); n > 0 {
		return m.over[n-1]
	}
	return places[m.place].screen
}

// shows reports whether s is what is seen.
func (m *Model) shows(s screen) bool { return m.screen() == s }

// lay puts a screen on top of all, once.
func (m *Model) lay(s screen) {
	if !m.shows(s) {
		m.over = append(m.over, s)
	}
}

// lift takes what lies on top away.
func (m *Model) lift() {
	if n := len(m.over); n > 0 {
		m.over = m.over[:n-1]
	}
}

// at is where the next key is looked up.
func (m *Model) at() where { return m.screen().where(m) }

// goTo shows a place, and nothing on top of it. A mapping of which nothing is known yet
// begins with the page on which a sample is awaited.
func (m *Model) goTo(p place) tea.Cmd {
	was := m.place
	if m.over, m.place, m.input = nil, p, nil; was != p {
		m.before = was
	}
	switch {
	case p == mapPlace && len(m.samples) == 0 && !m.opens():
		m.over = []screen{captureScreen{}}
	case p == tablePlace, p == sendPlace:
		return m.startPush()
	case p == deliveriesPlace && (was != deliveriesPlace || m.came.stop == nil):
		return m.startListing()
	}
	return nil
}

// settle keeps the cursors of what is seen in view.
func (m *Model) settle() {
	if !m.tooSmall() {
		m.screen().settle(m)
	}
}

// quiet is a screen that answers nothing: what others are made of.
type quiet struct{}

func (quiet) back(*Model) bool              { return false }
func (quiet) focus(*Model, int, int)        {}
func (quiet) click(*Model, int, int) action { return none }
