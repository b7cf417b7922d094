// Package mapping is the vocabulary of loopmap: the mapping file, read and changed,
// and the pure functions that turn a delivery into a row. What it is made of has
// rooms of its own: body, column, condition and yamledit; what rows send is
// outgoing.
//
// Everything here is a function of its arguments: no clock, no network, no
// database, no terminal. The mapper's preview, `loopmap check --sample` and the
// headless receiver call the same [Mapping.Row], so what one shows the other
// does.
//
// # What is promised
//
//   - A [Path] is a list of literal steps. No character of a key ever has a
//     meaning, whatever the key is.
//   - A body is read in one walk, strictly by RFC 8259, whatever the number of
//     columns; nesting is bounded by [body.MaxDepth].
//   - Of a doubled key the last one counts, as in PostgreSQL's jsonb and in
//     encoding/json.
//   - A value keeps the text it was written with. What a column cannot hold
//     exactly makes the delivery [Unmappable], with the reason in words; nothing
//     is rounded or cut.
package mapping
