// Package loopstest is a Loops to test against and to rehearse with: an
// [http.Handler] that answers the calls which concern contacts and events as
// Loops' documentation and its OpenAPI document say, keeps what it is told in
// memory, and sends signed webhooks about it.
//
// A test puts a [Server] behind [net/http/httptest.NewServer], gives the client
// its URL as the base (with or without /api), and afterwards asks what arrived
// ([Server.Calls], [Server.MaxPerSecond]) and what took effect
// ([Server.Contacts], [Server.Sent]). [Server.Fail] scripts what goes wrong: a
// status, a connection that is cut, an answer that never comes.
//
// It is stricter than Loops may be where Loops' documentation is silent, so that
// what it accepts can be sent to Loops. What was decided there stands with the
// name that it concerns.
//
// Sources, named in short below: the API reference (loops.so/docs/api-reference),
// the OpenAPI document (app.loops.so/openapi.yaml, 1.21.6), the properties page
// (loops.so/docs/contacts/properties) and the webhooks page
// (loops.so/docs/webhooks).
package loopstest
