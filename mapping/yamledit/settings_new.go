package yamledit

// Settings as they are written where there was none.

// inBlock are the lines of a setting below what is there, an item of a list first where
// it is one.
func inBlock(indent string, path []string, value string, item bool) []string {
	if item { // path is the name of an event, and its name again
		return append([]string{indent + "- name: " + Quote(path[0])}, belowName(indent+"  ", path[1:], value)...)
	}
	key := indent + Quote(path[0]) + ":"
	if len(path) == 1 {
		return []string{key + " " + value}
	}
	return append([]string{key}, inBlock(indent+"  ", path[1:], value, path[0] == "events")...)
}

// belowName is what an event has besides its name.
func belowName(indent string, path []string, value string) []string {
	if len(path) == 1 && path[0] == "name" {
		return nil
	}
	return inBlock(indent, path, value, false)
}

// inFlow is a setting within brackets.
func inFlow(path []string, value string, member bool) string {
	if !member { // an item of the list of events
		if len(path) == 2 && path[1] == "name" {
			return "{name: " + value + "}"
		}
		return "{name: " + Quote(path[0]) + ", " + inFlow(path[1:], value, true) + "}"
	}
	key := Quote(path[0]) + ": "
	switch {
	case len(path) == 1:
		return key + value
	case path[0] == "events":
		return key + "[" + inFlow(path[1:], value, false) + "]"
	}
	return key + "{" + inFlow(path[1:], value, true) + "}"
}
