// Package condition judges a condition over a row, with SQL's NULL. Conditions are written
// in the language of expr-lang/expr, as far as nothing in it loops, and take no longer than
// they are long.
package condition

import (
	"errors"
	"fmt"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/vm"

	"loopmap/mapping/body"
	"loopmap/mapping/column"
)

// Condition is a test over a row's columns, in the language of expr-lang/expr:
//
//	team_size >= 10 and plan != "free"
//
// NULL in a comparison is neither true nor false, as in SQL: the condition is then
// not met, also behind not. `plan == nil` asks for NULL, `plan ?? "none"` names what
// stands for it, and in a list nil is asked for in the same way. What cannot be worked
// out, as a division by zero, is neither true nor false, too. now() is the moment of the
// run. A column that is no plain word is written $env["team size"].
type Condition struct {
	root  ast.Node
	tests map[ast.Node]*vm.Program // of the comparisons
	lists map[ast.Node][]ast.Node  // comparisons that x in [a, b] stands for
	uses  []string                 // columns
}

// Error is a mistake in a condition; Offset counts its characters from 0.
type Error struct {
	Offset int
	Msg    string
}

func (e *Error) Error() string { return e.Msg }

const (
	maxBytes = 2000 // bytes of a condition
	maxNodes = 500
)

// functions are those that conditions may use. Nothing that loops is among them.
var functions = []string{"lower", "upper", "trim", "len", "abs", "int", "float", "date", "now", "duration"}

// Compile reads a condition and checks its columns and types. The error is a
// *[Error].
func Compile(src string, fields []column.Field) (*Condition, error) {
	if err := Syntax(src); err != nil {
		return nil, err
	}
	env := map[string]any{}
	var names []string
	for _, f := range fields {
		env[f.Name], names = f.Type.Zero(), append(names, f.Name)
	}
	options := exprOptions(fields)
	tree, err := parser.Parse(src)
	if err != nil {
		return nil, errorOf(err)
	}
	c := &Condition{root: tree.Node, tests: map[ast.Node]*vm.Program{}, lists: map[ast.Node][]ast.Node{}}
	if err := checkNodes(c.root, env, names); err != nil {
		return nil, err
	}
	if _, err := expr.Compile(src, options...); err != nil {
		return nil, errorOf(err)
	}
	for _, test := range testsOf(c.root, nil) {
		if c.tests[test], err = expr.Compile(test.String(), options...); err != nil {
			return nil, errorOf(err)
		}
		c.expand(test, options)
	}
	c.uses = c.Columns()
	return c, nil
}

// expand reads what x in [a, b] stands for; one that cannot be compared so is left to
// the library.
func (c *Condition) expand(test ast.Node, options []expr.Option) {
	list := equations(test)
	for _, one := range list {
		program, err := expr.Compile(one.String(), options...)
		if err != nil {
			return
		}
		c.tests[one] = program
	}
	if len(list) > 0 {
		c.lists[test] = list
	}
}

// Syntax is what is wrong with a condition whatever the columns are.
func Syntax(src string) *Error {
	if len(src) > maxBytes {
		return &Error{0, fmt.Sprintf("the condition has %d bytes; it may have %d", len(src), maxBytes)}
	}
	if _, err := parser.Parse(src); err != nil {
		return errorOf(err)
	}
	return nil
}

// Columns are those that the condition names; none for a nil condition.
func (c *Condition) Columns() (names []string) {
	if c == nil {
		return nil
	}
	v := &columnNames{}
	ast.Walk(&c.root, v)
	return v.list
}

// Columns are the columns that a condition names; none when it cannot be read.
func Columns(src string) []string {
	tree, err := parser.Parse(src)
	if src == "" || err != nil {
		return nil
	}
	return (&Condition{root: tree.Node}).Columns()
}

type columnNames struct{ list []string }

// Visit is the library's.
func (v *columnNames) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.IdentifierNode:
		v.list = append(v.list, n.Value)
	case *ast.MemberNode:
		if name, ok := n.Property.(*ast.StringNode); ok && isEnv(n.Node) {
			v.list = append(v.list, name.Value)
		}
	}
}

func errorOf(err error) *Error {
	var at *file.Error
	if errors.As(err, &at) {
		return &Error{at.From, plainly(at.Message)}
	}
	return &Error{0, err.Error()}
}

// plainly says of the commonest mistakes what to write instead, in the place of the parser's
// words.
func plainly(msg string) string {
	switch {
	case strings.HasPrefix(msg, `unexpected token Operator("=")`):
		return "write == to compare"
	case strings.HasPrefix(msg, "unexpected token EOF"):
		return "it ends too early"
	}
	return msg
}

// testsOf are the parts between and, or and not.
func testsOf(n ast.Node, list []ast.Node) []ast.Node {
	switch n := n.(type) {
	case *ast.BinaryNode:
		if isAnd(n.Operator) || isOr(n.Operator) {
			return testsOf(n.Right, testsOf(n.Left, list))
		}
	case *ast.UnaryNode:
		if isNot(n.Operator) {
			return testsOf(n.Node, list)
		}
	}
	return append(list, n)
}

func isAnd(op string) bool { return op == "and" || op == "&&" }
func isOr(op string) bool  { return op == "or" || op == "||" }
func isNot(op string) bool { return op == "not" || op == "!" }

// checkNodes refuses columns that are not there, with the nearest that is, and what
// could take long.
func checkNodes(root ast.Node, env map[string]any, names []string) (err error) {
	v := &nodeCheck{env: env, names: names}
	ast.Walk(&root, v)
	return v.err()
}

type nodeCheck struct {
	env   map[string]any
	names []string
	first *Error
}

func (v *nodeCheck) err() error {
	if v.first == nil {
		return nil
	}
	return v.first
}

// Visit is the library's.
func (v *nodeCheck) Visit(node *ast.Node) {
	at := (*node).Location().From
	refuse := func(format string, args ...any) {
		if v.first == nil || at < v.first.Offset {
			v.first = &Error{at, fmt.Sprintf(format, args...)}
		}
	}
	switch n := (*node).(type) {
	case *ast.IdentifierNode:
		if _, ok := v.env[n.Value]; ok || n.Value == "$env" {
			return
		}
		msg := fmt.Sprintf("the table has no column %s", n.Value)
		if near := body.Nearest(n.Value, v.names); near != "" {
			msg += "; did you mean " + near + "?"
		}
		refuse("%s", msg)
	case *ast.MemberNode:
		if name, ok := n.Property.(*ast.StringNode); ok && isEnv(n.Node) {
			if _, known := v.env[name.Value]; !known {
				refuse("the table has no column %s", name.Value)
			}
		} else if !ok {
			refuse("write the name of what is meant, as in lists.vip or $env[\"team size\"]")
		}
	case *ast.BinaryNode:
		if n.Operator == ".." || n.Operator == "**" || n.Operator == "^" {
			refuse("%s is not used in conditions", n.Operator)
		}
	case *ast.PredicateNode, *ast.PointerNode, *ast.VariableDeclaratorNode, *ast.SequenceNode, *ast.SliceNode, *ast.MapNode:
		refuse("conditions compare columns; this is not used in them")
	}
}

func isEnv(n ast.Node) bool {
	id, ok := n.(*ast.IdentifierNode)
	return ok && id.Value == "$env"
}
