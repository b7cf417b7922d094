// Package table is the user's database: the table that a mapping fills, and the
// journal of deliveries beside it.
//
// The table belongs to the user. It is created when missing and gains missing
// columns; nothing is ever dropped, renamed or retyped, and columns that the
// mapping does not name are left alone. Names are quoted and values bound, so
// that no name and no value is ever run as SQL.
//
// A delivery's journal line and its row are written in one transaction that is
// durable (SQLite: WAL, synchronous=FULL) when [Store.Commit] returns.
package table
