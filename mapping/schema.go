package mapping

import _ "embed" // for Schema

// Schema is the JSON Schema (2020-12) of the mapping file. [Parse] is stricter:
// it knows paths, names and what belongs together.
//
//go:embed schema.json
var Schema []byte
