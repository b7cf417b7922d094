package tui

import (
	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
)

// where says on which screen, or in which part of it, a key means something.
type where uint16

const (
	onCapture where = 1 << iota
	inTree
	inColumns
	inPreview
	onSave
	onDeliveries
	onDelivery
	onValue
	inHelp
	inRequests
	inRows
	inBody
	onMap  = inTree | inColumns | inPreview
	onPush = inRequests | inRows | inBody
	lists  = onCapture | onMap | onSave | onDeliveries | onDelivery | onValue | onPush | inHelp // what has lines to move on
)

// action is what a key does.
type action int

const (
	none action = iota
	up
	down
	pageUp
	pageDown
	first
	last
	open
	shut
	pick
	pickWhole
	pickAll
	dropAll
	openAll
	shutAll
	toLevel
	find
	nextPane
	prevPane
	rename
	retype
	moveUp
	moveDown
	drop
	makeKey
	undo
	redo
	copyPath
	copyValue
	recapture
	onlyNew
	takeTheirs
	mergeTheirs
	showValue
	nextHit
	prevHit
	deliveries_
	push_
	runRows
	stopRows
	reread_
	fillSlot
	pickSlot
	dropSlot
	nullSlot
	asSlot
	matchSlots
	addSlot
	jumpSlot
	makeSlot
	nextRow
	prevRow
	showDelivery
	otherView
	asSample
	builtIn
	fromFile
	fromJournal
	proceed
	save
	write
	back
	help
	suspend
	quit
)

// binding is one line of the key table: the table that keys are looked up in,
// and that the footer and the help screen are made from.
type binding struct {
	key.Binding
	where  where
	action action
	short  string // for the last line; "" keeps it to the help screen
}

func bind(w where, a action, short string, keys []string, label, does string) binding {
	return binding{key.NewBinding(key.WithKeys(keys...), key.WithHelp(label, does)), w, a, short}
}

// bindings is the key table.
var bindings = []binding{
	bind(onCapture, proceed, "map", []string{"enter"}, "enter", "map what has arrived"),
	bind(onCapture, builtIn, "built-in", []string{"b"}, "b", "use the built-in sample"),
	bind(onCapture, fromFile, "file", []string{"f"}, "f", "read a sample from a file"),
	bind(onCapture, fromJournal, "journal", []string{"J"}, "J", "take samples from the journal of sync"),
	bind(inTree, pick, "pick", []string{"space"}, "space", "pick or drop; on an object all within it"),
	bind(inTree, pickWhole, "", []string{"o"}, "o", "pick an object whole, as one json column"),
	bind(inTree, pickAll, "", []string{"a"}, "a", "pick all that is shown"),
	bind(inTree, dropAll, "", []string{"A"}, "A", "drop all that is shown"),
	bind(inTree, find, "find", []string{"/"}, "/", "find in paths and samples"),
	bind(onDeliveries, find, "find", []string{"/"}, "/", "find in events, emails, reasons and bodies"),
	bind(onDeliveries, showDelivery, "show", []string{"enter", "right", "l"}, "enter", "show the whole body and its row"),
	bind(onDelivery, otherView, "text or tree", []string{"tab"}, "tab", "the body as text or as a tree"),
	bind(onDelivery, open, "", []string{"right", "l"}, "right l", "in the tree: open, or step in"),
	bind(onDelivery, shut, "", []string{"left", "h"}, "left h", "in the tree: close, or go to the parent"),
	bind(onDeliveries|onDelivery, asSample, "map by it", []string{"m"}, "m", "make it a sample to map by"),
	bind(onDelivery|onValue|onDeliveries, back, "back", []string{"esc", "q"}, "esc q", "back"),
	bind(inTree, showValue, "", []string{"enter", "v"}, "enter", "show the whole value"),
	bind(inTree, onlyNew, "", []string{"+"}, "+", "only what is new since the mapping was saved"),
	bind(inTree, nextHit, "", []string{"n"}, "n", "to the next that the search has found"),
	bind(inTree, prevHit, "", []string{"N"}, "N", "to the one before"),
	bind(inColumns, rename, "rename", []string{"enter"}, "enter", "rename, or choose a column of the table"),
	bind(inColumns, retype, "type", []string{"t"}, "t", "next type"),
	bind(inColumns, moveUp, "", []string{"K", "ctrl+up"}, "K", "move up"),
	bind(inColumns, moveDown, "", []string{"J", "ctrl+down"}, "J", "move down"),
	bind(inColumns, drop, "", []string{"d"}, "d", "drop the column"),
	bind(inColumns, makeKey, "", []string{"*"}, "*", "let this column tell rows apart"),
	bind(onMap, nextPane, "columns", []string{"tab"}, "tab", "attributes, columns, preview"),
	bind(onMap, prevPane, "", []string{"shift+tab"}, "shift+tab", "the same, back"),
	bind(onMap|onPush, save, "save", []string{"s"}, "s", "save: shows the change first"),
	bind(onSave, write, "write", []string{"enter"}, "enter", "write it"),
	bind(onSave, mergeTheirs, "merge", []string{"m"}, "m", "when the file was changed meanwhile: bring yours into it"),
	bind(onSave, takeTheirs, "take theirs", []string{"t"}, "t", "when the file was changed meanwhile: take it; u then brings yours back"),
	bind(onSave, back, "back", []string{"esc", "q"}, "esc q", "back to the mapping"),
	bind(onMap|onCapture|onPush, deliveries_, "", []string{"D"}, "D", "what came in, with bodies and outcomes"),
	bind(onMap|onCapture|onDeliveries, push_, "", []string{"P"}, "P", "push: what rows send to Loops, and what became of it"),
	bind(inRequests, pickSlot, "pick", []string{"space"}, "space", "pick, with the column that matches; or drop"),
	bind(inRequests, fillSlot, "find a column", []string{"/", "enter"}, "/", "find the column; on a condition, an event, a schedule: type it"),
	bind(inRequests, matchSlots, "", []string{"m"}, "m", "pick all properties of this request that columns match by name"),
	bind(inRequests, addSlot, "", []string{"a"}, "a", "add a property; to an event also contact properties and lists"),
	bind(inRequests, jumpSlot, "", []string{"f"}, "f", "find a property by its name"),
	bind(inRequests, dropSlot, "", []string{"d"}, "d", "drop it; on the head of a request all of that"),
	bind(inRequests, nullSlot, "", []string{"n"}, "n", "what NULL does: leave Loops' value as it is, or clear it"),
	bind(inRequests, asSlot, "", []string{"t"}, "t", "the type that it is sent as"),
	bind(inRequests, makeSlot, "", []string{"c"}, "c", "make a property that Loops lacks there"),
	bind(onPush, nextRow, "", []string{"]"}, "]", "show the next row"),
	bind(onPush, prevRow, "", []string{"["}, "[", "show the row before"),
	bind(onPush, runRows, "send rows", []string{"R"}, "R", "send some rows now; asks how many"),
	bind(onPush, stopRows, "", []string{"x"}, "x", "stop sending"),
	bind(inRows, nextPane, "", []string{"enter", "right", "l"}, "enter", "what it sends, whole, and what became of it"),
	bind(onPush, nextPane, "rows", []string{"tab"}, "tab", "requests, rows, what goes out"),
	bind(onPush, prevPane, "", []string{"shift+tab"}, "shift+tab", "the same, back"),
	bind(onPush, copyValue, "", []string{"y", "Y"}, "y", "copy the body of the request"),
	bind(onPush, reread_, "", []string{"r"}, "r", "look at the table and at Loops again"),
	bind(onPush, back, "", []string{"esc"}, "esc", "back"),
	bind(onMap|onPush, undo, "", []string{"u"}, "u", "undo"),
	bind(onMap|onPush, redo, "", []string{"ctrl+r"}, "ctrl+r", "redo"),
	bind(inTree, openAll, "", []string{"E"}, "E", "open all"),
	bind(inTree, shutAll, "", []string{"C"}, "C", "close all"),
	bind(inTree, toLevel, "", []string{"1", "2", "3", "4", "5", "6", "7", "8", "9"}, "1-9", "open to that level"),
	bind(inTree|inColumns, copyPath, "", []string{"y"}, "y", "copy the path"),
	bind(inTree|inColumns, copyValue, "", []string{"Y"}, "Y", "copy the sample value"),
	bind(onMap, recapture, "", []string{"r"}, "r", "take another sample and merge it"),
	bind(lists, up, "", []string{"up", "k"}, "up k", "move up"),
	bind(lists, down, "", []string{"down", "j"}, "down j", "move down"),
	bind(lists, pageUp, "", []string{"pgup", "ctrl+b"}, "PgUp", "a page up"),
	bind(lists, pageDown, "", []string{"pgdown", "ctrl+f"}, "PgDn", "a page down"),
	bind(lists, first, "", []string{"home", "g"}, "Home g", "to the first"),
	bind(lists, last, "", []string{"end", "G"}, "End G", "to the last"),
	bind(inTree, open, "", []string{"right", "l"}, "right l", "open, or step in"),
	bind(inTree, shut, "", []string{"left", "h"}, "left h", "close, or go to the parent"),
	bind(inPreview, open, "", []string{"right", "l"}, "right l", "to the next column"),
	bind(inPreview, shut, "", []string{"left", "h"}, "left h", "to the column before"),
	bind(onCapture|onMap, back, "", []string{"esc"}, "esc", "back, or clear the search"),
	bind(inHelp, back, "", []string{"esc", "q"}, "esc q", "back"),
	bind(lists&^inHelp, help, "keys", []string{"?"}, "?", "every key of this screen"),
	bind(lists, suspend, "", []string{"ctrl+z"}, "ctrl+z", "leave it for the shell; fg comes back"),
	bind(onCapture|onMap|onPush, quit, "quit", []string{"q"}, "q", "quit; asks when something is unsaved"),
}

// lookUp is what a key press means at w.
func lookUp(msg tea.KeyPressMsg, w where) action {
	for _, b := range bindings {
		if b.where&w != 0 && key.Matches(msg, b.Binding) {
			return b.action
		}
	}
	return none
}

// keysAt are the lines of the key table that mean something at w.
func keysAt(w where) (list []binding) {
	for _, b := range bindings {
		if b.where&w != 0 {
			list = append(list, b)
		}
	}
	return list
}
