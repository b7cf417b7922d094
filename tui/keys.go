package tui

import (
	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
)

// where says on which screen, or in which part of it, a key means something.
type where uint32

const (
	onCapture where = 1 << iota
	inTree
	inColumns
	inRow
	inTable
	inRequests
	inRows
	inBody
	onDeliveries
	onDelivery
	onReview
	onValue
	onAccounts
	onTables
	onStory
	inHelp
	onMap    = inTree | inColumns | inRow
	onSend   = inRequests | inRows | inBody
	onPlaces = onMap | inTable | onSend | onDeliveries | onCapture
	// onTop is what lies on a place.
	onTop = onReview | onValue | onDelivery | onAccounts | onTables | onStory
	// inFound is where one goes from hit to hit.
	inFound = inTree | inColumns | inTable | inRequests | inRows | inBody | onDeliveries | onDelivery | onValue | onReview | onStory
	// opens is where right opens something, and shuts where left closes it.
	opens = inTree | inRow | inTable | inRows | onDeliveries | onDelivery | onStory
	shuts = inTree | inRow | inTable | inBody | onDelivery
	all   = onPlaces | onTop
)

// action is what a key does. A key does one thing, wherever it is pressed: what that is
// for a screen, the screen knows.
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
	enter
	pick
	pickWhole
	pickAll
	dropAll
	openAll
	shutAll
	deeper
	shallower
	find
	nextHit
	prevHit
	nextPane
	prevPane
	nextItem
	prevItem
	retype
	moveUp
	moveDown
	drop
	makeKey
	onNull
	add
	create
	connect
	undo
	redo
	copyPath
	copyValue
	fetch
	onlyNew
	order
	filter
	onlyBad
	hide
	asItWas
	wider
	narrower
	leftwards
	rightwards
	run
	stop
	save
	edit
	merge
	theirs
	asSample
	replay
	builtIn
	fromFile
	fromJournal
	publish
	tables
	goMap
	goTable
	goSend
	goDeliveries
	help
	suspend
	back
	quit
)

// group is what the keys are grouped by where all are shown.
type group string

const (
	going    group = "GO"
	moving   group = "MOVE"
	picking  group = "PICK AND CHANGE"
	finding  group = "FIND AND COPY"
	sampling group = "SAMPLES"
	sending  group = "SEND"
	saving   group = "SAVE"
	leaving  group = "LEAVE"
)

// binding is one line of the key table: the table that keys are looked up in,
// and that the line of keys and the page of all keys are made from.
type binding struct {
	key.Binding
	where  where
	action action
	group  group
	short  string // for the line of keys; "" keeps it to the page of all keys
}

func bind(w where, a action, g group, short string, keys []string, label, does string) binding {
	return binding{key.NewBinding(key.WithKeys(keys...), key.WithHelp(label, does)), w, a, g, short}
}

// bindings is the key table. Those that matter most on a screen come first.
var bindings = []binding{
	bind(onCapture, enter, sampling, "map", []string{"enter"}, "enter", "map what has arrived"),
	bind(onCapture, builtIn, sampling, "built-in", []string{"b"}, "b", "use the built-in sample"),
	bind(onCapture, fromFile, sampling, "file", []string{"f"}, "f", "read a sample from a file"),
	bind(onCapture, fromJournal, sampling, "journal", []string{"w"}, "w", "take samples from what sync has received"),
	bind(onCapture, publish, sampling, "URL", []string{"U"}, "U", "say by which URL Loops reaches this machine"),

	bind(onAccounts, enter, picking, "take", []string{"enter"}, "enter", "let the mapping send with this API key"),
	bind(onAccounts, add, picking, "add", []string{"i"}, "i", "add an API key: paste it, and it is tried, named and kept"),
	bind(onAccounts, edit, picking, "rename", []string{"e"}, "e", "give it another name"),
	bind(onAccounts, drop, picking, "remove", []string{"d"}, "d", "forget the API key"),
	bind(onAccounts, fetch, picking, "", []string{"r"}, "r", "look at what is kept again"),

	bind(inTree, pick, picking, "pick", []string{"space"}, "space", "pick or drop; on an object all within it"),
	bind(inTree, pickWhole, picking, "", []string{"o"}, "o", "pick an object whole, as one json column"),
	bind(inTree, pickAll, picking, "", []string{"a"}, "a", "pick all that is shown"),
	bind(inTree, dropAll, picking, "", []string{"A"}, "A", "drop all that is shown"),
	bind(inTree, onlyNew, finding, "", []string{"+"}, "+", "only what is new since the mapping was saved"),
	bind(inColumns, enter, picking, "rename", []string{"enter"}, "enter", "rename, or choose a column of the table"),
	bind(inColumns, retype, picking, "type", []string{"t"}, "t", "next type"),
	bind(inColumns, drop, picking, "drop", []string{"d"}, "d", "drop the column"),
	bind(inColumns, moveUp, picking, "", []string{"K", "ctrl+up"}, "K", "move up"),
	bind(inColumns, moveDown, picking, "", []string{"J", "ctrl+down"}, "J", "move down"),
	bind(inColumns, makeKey, picking, "", []string{"*"}, "*", "let this column tell rows apart"),

	bind(inRequests, pick, picking, "pick", []string{"space"}, "space", "pick, with the column that matches; or drop"),
	bind(inRequests, enter, picking, "choose", []string{"enter"}, "enter", "choose the column; on a condition, an event, a schedule: type it"),
	bind(inRequests, pickAll, picking, "", []string{"a"}, "a", "pick all of this request that columns match by name"),
	bind(inRequests, add, picking, "", []string{"i"}, "i", "add a property; to an event also contact properties and lists"),
	bind(inRequests, drop, picking, "", []string{"d"}, "d", "drop it; on the head of a request all of that"),
	bind(inRequests, onNull, picking, "", []string{"0"}, "0", "what NULL does: leave Loops' value as it is, or clear it"),
	bind(inRequests, retype, picking, "", []string{"t"}, "t", "the type that it is sent as"),
	bind(inRequests, create, picking, "", []string{"c"}, "c", "make a property that Loops lacks there"),
	bind(onSend|inTable, run, sending, "send", []string{"R"}, "R", "send the row, those marked or filtered, or some; asks first"),
	bind(onSend|inTable, stop, sending, "", []string{"x"}, "x", "stop sending"),
	bind(onSend|inTable, connect, sending, "", []string{"L"}, "L", "connect to Loops: paste an API key, or take one that is kept"),
	bind(onSend, nextItem, moving, "", []string{"."}, ".", "the next row"),
	bind(onSend, prevItem, moving, "", []string{","}, ",", "the row before"),
	bind(inRows, enter, moving, "", []string{"enter"}, "enter", "what it sends, whole, and what became of it"),
	bind(inTable, enter, moving, "story", []string{"enter"}, "enter", "the row's story: what wrote each cell, what happened to it"),
	bind(inTable, filter, finding, "filter", []string{"F"}, "F", "only rows that meet a condition, as plan == \"pro\""),
	bind(inTable, onlyBad, finding, "", []string{"!"}, "!", "only rows that have something that could not be sent"),
	bind(inTable, hide, picking, "", []string{"-"}, "-", "hide the column"),
	bind(inTable, asItWas, picking, "", []string{"="}, "=", "all columns, as they were"),
	bind(inTable, wider, picking, "", []string{">"}, ">", "make the column wider"),
	bind(inTable, narrower, picking, "", []string{"<"}, "<", "make it narrower"),
	bind(inTable, leftwards, picking, "", []string{"("}, "(", "move the column to the left"),
	bind(inTable, rightwards, picking, "", []string{")"}, ")", "move it to the right"),
	bind(inTable, pick, picking, "mark", []string{"space"}, "space", "mark the row, to be sent with R"),
	bind(inTable, dropAll, picking, "", []string{"A"}, "A", "take all marks away"),

	bind(onDeliveries, enter, moving, "show", []string{"enter"}, "enter", "show the whole body and its row"),
	bind(onDeliveries|onDelivery, asSample, sampling, "map by it", []string{"m"}, "m", "make it a sample to map by"),
	bind(onDeliveries|onDelivery, replay, sampling, "replay", []string{"p"}, "p", "map it again, by the saved mapping"),
	bind(onDeliveries|inTable, order, finding, "", []string{"O"}, "O", "order by the column, or the next; a click on a head too"),
	bind(onDelivery, nextItem, moving, "next", []string{"."}, ".", "the next delivery of the list"),
	bind(onDelivery, prevItem, moving, "", []string{","}, ",", "the delivery before"),
	bind(onDelivery, nextPane, moving, "text or tree", []string{"tab"}, "tab", "the body as text or as a tree"),

	bind(onStory, enter, moving, "open", []string{"enter"}, "enter", "all that the cell has held; the delivery; the request"),
	bind(onStory, nextItem, moving, "next row", []string{"."}, ".", "the story of the next row"),
	bind(onStory, prevItem, moving, "", []string{","}, ",", "the story of the row before"),
	bind(onStory, run, sending, "send", []string{"R"}, "R", "send the row now; asks first"),

	bind(onReview, enter, saving, "write", []string{"enter"}, "enter", "write it"),
	bind(onReview, merge, saving, "merge", []string{"M"}, "M", "when the file was changed meanwhile: bring yours into it"),
	bind(onReview, theirs, saving, "take theirs", []string{"T"}, "T", "when the file was changed meanwhile: take it; u brings yours back"),

	bind(onTables, enter, picking, "take", []string{"enter"}, "enter", "take the table, then the column that tells its rows apart"),
	bind(onTables, edit, picking, "other database", []string{"e"}, "e", "name another database"),

	bind(inTree|onDeliveries|inRequests|inTable|inRows|onTables|onStory, find, finding, "find", []string{"/"}, "/", "find by typing"),
	bind(onDelivery|onValue|onReview|inBody|inColumns, find, finding, "find", []string{"/"}, "/", "find in the text"),
	bind(inFound, nextHit, finding, "", []string{"n"}, "n", "to the next that was found"),
	bind(inFound, prevHit, finding, "", []string{"N"}, "N", "to the one before"),
	bind(inTree|inColumns|inRow, copyPath, finding, "", []string{"y"}, "y", "copy the path"),
	bind(inTree|inColumns|inRow|inTable, copyValue, finding, "", []string{"Y"}, "Y", "copy the value"),
	bind(onDeliveries|inTable|onStory, copyPath, finding, "", []string{"y"}, "y", "copy the id"),
	bind(onSend|onDelivery|onValue, copyPath, finding, "", []string{"y"}, "y", "copy the body"),

	bind(inTree, enter, moving, "", []string{"enter", "v"}, "enter", "show the whole value"),
	bind(onMap, nextPane, moving, "columns", []string{"tab"}, "tab", "attributes, columns, the row"),
	bind(onMap, prevPane, moving, "", []string{"shift+tab"}, "shift+tab", "the same, back"),
	bind(onSend, nextPane, moving, "rows", []string{"tab"}, "tab", "requests, rows, what goes out"),
	bind(onSend, prevPane, moving, "", []string{"shift+tab"}, "shift+tab", "the same, back"),
	bind(onMap, fetch, sampling, "sample", []string{"r"}, "r", "take another sample and merge it"),
	bind(onSend|inTable|onStory, fetch, sending, "", []string{"r"}, "r", "look at the table and at Loops again"),
	bind(onDeliveries, fetch, sampling, "", []string{"r"}, "r", "look at the journal again"),
	bind(onMap|onSend, save, saving, "save", []string{"s"}, "s", "save: shows the change first"),
	bind(onMap|onSend, undo, picking, "", []string{"u"}, "u", "undo"),
	bind(onMap|onSend, redo, picking, "", []string{"ctrl+r"}, "ctrl+r", "redo"),
	bind(onMap, tables, picking, "", []string{"D"}, "D", "choose the database, the table and its key"),
	bind(onMap|onSend, edit, saving, "", []string{"e"}, "e", "open the mapping file in $EDITOR"),
	bind(onDelivery|onValue, edit, finding, "", []string{"e"}, "e", "open a copy in $EDITOR"),

	bind(all, goMap, going, "", []string{"1"}, "1", "Map: what webhooks have, and the columns that they fill"),
	bind(all, goTable, going, "", []string{"2"}, "2", "Table: the rows, and what happened to each"),
	bind(all, goSend, going, "", []string{"3"}, "3", "Send: what rows send to Loops"),
	bind(all, goDeliveries, going, "", []string{"4"}, "4", "Deliveries: what came in, with bodies and outcomes"),

	bind(all|inHelp, up, moving, "", []string{"up", "k"}, "up k", "move up"),
	bind(all|inHelp, down, moving, "", []string{"down", "j"}, "down j", "move down"),
	bind(opens, open, moving, "", []string{"right", "l"}, "right l", "open, or step in; to what is beside"),
	bind(shuts, shut, moving, "", []string{"left", "h"}, "left h", "close, or go to the parent; back to what is beside"),
	bind(inTree|onDelivery, openAll, moving, "", []string{"E"}, "E", "open all"),
	bind(inTree|onDelivery, shutAll, moving, "", []string{"C"}, "C", "close all"),
	bind(inTree, deeper, moving, "", []string{"]"}, "]", "open one level more"),
	bind(inTree, shallower, moving, "", []string{"["}, "[", "open one level less"),
	bind(all|inHelp, pageUp, moving, "", []string{"pgup", "ctrl+b"}, "PgUp", "a page up"),
	bind(all|inHelp, pageDown, moving, "", []string{"pgdown", "ctrl+f"}, "PgDn", "a page down"),
	bind(all|inHelp, first, moving, "", []string{"home", "g"}, "Home g", "to the first line"),
	bind(all|inHelp, last, moving, "", []string{"end", "G"}, "End G", "to the last line"),

	bind(onTop|inHelp, back, leaving, "back", []string{"esc", "q"}, "esc q", "back"),
	bind(onPlaces, back, leaving, "", []string{"esc"}, "esc", "back, or clear the search"),
	bind(all, suspend, leaving, "", []string{"ctrl+z"}, "ctrl+z", "leave it for the shell; fg comes back"),
	bind(all, help, going, "all keys", []string{"?"}, "?", "every key of this screen"),
	bind(onPlaces, quit, leaving, "quit", []string{"q"}, "q", "quit; asks when something is unsaved"),
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

// keyFor is the name of the key that does something, for messages.
func keyFor(a action) string {
	for _, b := range bindings {
		if b.action == a {
			return b.Help().Key
		}
	}
	return "?"
}
