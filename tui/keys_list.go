package tui

// Key is one line of the key table, for texts about the mapper: on what the key means
// something, its name and what it does.
type Key struct{ On, Key, Does string }

// placesOfKeys is where keys mean something, in words. A key belongs to the first that
// holds all its screens.
var placesOfKeys = []struct {
	where where
	on    string
}{
	{onCapture, "While a sample is awaited"},
	{inTree, "Map: attributes"},
	{inColumns, "Map: columns"},
	{onMap, "Map"},
	{inTable, "Table"},
	{inRequests, "Send: requests"},
	{onSend, "Send"},
	{onStory, "A row's story"},
	{onSend | inTable | onStory, "Send, Table and a row's story"},
	{onDeliveries, "Deliveries"},
	{onDelivery, "One delivery"},
	{onDeliveries | onDelivery, "Deliveries, and one of them"},
	{onReview, "The review before a save"},
	{onTables, "The choice of a table"},
	{onAccounts, "The API keys"},
	{^where(0), "On several screens"},
}

// Keys is the key table, by where keys mean something.
func Keys() (list []Key) {
	at := make([][]Key, len(placesOfKeys))
	for _, b := range bindings {
		for i, p := range placesOfKeys {
			if b.where&^p.where == 0 {
				at[i] = append(at[i], Key{p.on, b.Help().Key, b.Help().Desc})
				break
			}
		}
	}
	for _, keys := range at {
		list = append(list, keys...)
	}
	return list
}
