package loopstest

import _ "embed"

//go:embed testdata/openapi.yaml
var document string

// OpenAPI is the part of Loops' OpenAPI document that this server keeps to, as
// YAML. Package openapitest checks calls against it.
func OpenAPI() string { return document }
