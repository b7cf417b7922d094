// Package push sends rows to Loops: at the pace that Loops allows, each contact at
// least once and each event exactly once per Idempotency-Key, whenever the process is
// killed. What a row sends is for [outgoing.Sender] to say; what became of it stands in
// the store before and after each request.
package push
