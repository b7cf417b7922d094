// Package column says what a column holds, and how each database takes it: types, the
// cells of a row, and what a database allows in names.
//
// All that a type is stands in one table: what it reads of JSON, what each database calls
// it, what it is in a condition, and what Loops gets.
package column
