package loopstest

// Property is a property of contacts, or of an event. Type is string, number,
// boolean or date. Loops shows Key, Label and Type of a contact's property; of an
// event's only Key, as name, and Type.
type Property struct {
	Key   string `json:"key"`
	Label string `json:"label"`
	Type  string `json:"type"`
}

// List is a mailing list. An empty Description is shown as null.
type List struct {
	ID, Name, Description string
	IsPublic              bool
}

// EventPattern is an event that exists in Loops, with its properties.
type EventPattern struct {
	Name       string
	Properties []Property
}

func defaultProperties() []Property {
	return []Property{
		{"companyName", "Company Name", "string"},
		{"teamSize", "Team Size", "number"},
		{"plan", "Plan", "string"},
		{"vip", "Vip", "boolean"},
		{"renewsAt", "Renews At", "date"},
	}
}

func defaultLists() []List {
	return []List{
		{"cm06f5v0e45nf0ml5754o9cix", "Product news", "What shipped this month", true},
		{"cm06f5v0e45ng0ml5754oabcd", "Investors", "", false},
	}
}

func defaultEvents() []EventPattern {
	return []EventPattern{
		{"signedUp", []Property{{Key: "plan", Type: "string"}, {Key: "seats", Type: "number"}}},
		{"planChanged", []Property{{Key: "from", Type: "string"}, {Key: "to", Type: "string"}, {Key: "trial", Type: "boolean"},
			{Key: "at", Type: "date"}}},
	}
}

// builtIn are the properties that every team has, as GET /v1/contacts/properties
// lists them before the custom ones.
func builtIn() []Property {
	return []Property{
		{"firstName", "First Name", "string"},
		{"lastName", "Last Name", "string"},
		{"email", "Email", "string"},
		{"notes", "Notes", "string"},
		{"source", "Source", "string"},
		{"userGroup", "User Group", "string"},
		{"userId", "User Id", "string"},
		{"subscribed", "Subscribed", "boolean"},
		{"createdAt", "Created At", "date"},
	}
}

// reserved are the names that no property can have (properties page).
var reserved = []string{"id", "listId", "softDeleteAt", "teamId", "updatedAt"}

func isType(t string) bool {
	return t == "string" || t == "number" || t == "boolean" || t == "date"
}
