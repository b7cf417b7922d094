package condition

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"

	"loopmap/mapping/body"
	"loopmap/mapping/column"
)

// verdict is true, false, or neither.
type verdict uint8

const (
	unknown verdict = iota
	isFalse
	isTrue
)

// Met reports whether a row meets the condition, and why not. A column that cells
// lacks is NULL. now is what now() is.
func (c *Condition) Met(fields []column.Field, cells map[string]column.Cell, now time.Time) (met bool, why string) {
	env := make(map[string]any, len(fields)+1)
	if !now.IsZero() {
		env[nowName] = now
	}
	for _, f := range fields {
		if !slices.Contains(c.uses, f.Name) { // whatever it holds
			continue
		}
		v, err := f.Type.Value(cells[f.Name])
		if err != nil {
			return false, fmt.Sprintf("column %s: %v", f.Name, err)
		}
		if env[f.Name] = v; slices.Contains(functions, f.Name) {
			env[apart(f.Name)] = v
		}
	}
	v, why := c.eval(c.root, env)
	return v == isTrue, why
}

// eval is the logic of SQL: what is neither true nor false stays so behind not, and
// decides nothing beside and, or.
func (c *Condition) eval(n ast.Node, env map[string]any) (verdict, string) {
	switch b := n.(type) {
	case *ast.BinaryNode:
		switch {
		case isAnd(b.Operator):
			return c.either(b, env, isFalse)
		case isOr(b.Operator):
			return c.either(b, env, isTrue)
		}
	case *ast.UnaryNode:
		if isNot(b.Operator) {
			v, why := c.eval(b.Node, env)
			switch v {
			case isTrue:
				return isFalse, b.String() + " does not hold" + valuesOf(b, env)
			case isFalse:
				return isTrue, ""
			case unknown:
			}
			return unknown, why
		}
	}
	if list, ok := c.lists[n]; ok {
		return c.any(n, list, env)
	}
	if name := missing(n, env); name != "" {
		return unknown, name + " is NULL"
	}
	out, err := expr.Run(c.tests[n], env)
	if err != nil {
		return unknown, fmt.Sprintf("%s cannot be worked out: %v", n, firstLine(err.Error()))
	}
	if yes, _ := out.(bool); yes {
		return isTrue, ""
	}
	return isFalse, n.String() + " does not hold" + valuesOf(n, env)
}

// any is whether one of list holds, which n stands for.
func (c *Condition) any(n ast.Node, list []ast.Node, env map[string]any) (verdict, string) {
	open := ""
	for _, one := range list {
		v, why := c.eval(one, env)
		if v == isTrue {
			return isTrue, ""
		}
		if v == unknown && open == "" {
			open = why
		}
	}
	if open != "" {
		return unknown, open
	}
	return isFalse, n.String() + " does not hold" + valuesOf(n, env)
}

// either evaluates both sides; one that is deciding decides.
func (c *Condition) either(b *ast.BinaryNode, env map[string]any, deciding verdict) (verdict, string) {
	left, why := c.eval(b.Left, env)
	if left == deciding {
		return left, why
	}
	right, also := c.eval(b.Right, env)
	switch {
	case right == deciding:
		return right, also
	case left == unknown:
		return unknown, why
	case right == unknown:
		return unknown, also
	}
	if why == "" {
		why = also
	}
	return left, why
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return s
}

// missing names a NULL that n compares or computes with; "" when there is none.
func missing(n ast.Node, env map[string]any) string {
	first := func(nodes ...ast.Node) string {
		for _, n := range nodes {
			if name := missing(n, env); name != "" {
				return name
			}
		}
		return ""
	}
	switch n := n.(type) {
	case *ast.NilNode:
		return "nil" // which, but for == nil and != nil, compares like any NULL
	case *ast.IdentifierNode:
		if n.Value != "$env" && env[n.Value] == nil {
			return n.Value
		}
	case *ast.MemberNode:
		if v, ok := walkJSON(n, env); ok && v == nil {
			return n.String()
		} else if !ok {
			return first(n.Node)
		}
	case *ast.ChainNode:
		return first(n.Node)
	case *ast.BinaryNode:
		switch {
		case n.Operator == "==" || n.Operator == "!=":
			if isNil(n.Right) && isColumn(n.Left) || isNil(n.Left) && isColumn(n.Right) {
				return "" // it asks for NULL
			}
		case n.Operator == "??":
			if first(n.Left) == "" {
				return ""
			}
			return first(n.Right)
		}
		return first(n.Left, n.Right)
	case *ast.UnaryNode:
		return first(n.Node)
	case *ast.BuiltinNode:
		if n.Name == "now" && env[nowName] == nil {
			return "now()"
		}
		return first(n.Arguments...)
	case *ast.CallNode:
		return first(n.Arguments...)
	case *ast.ArrayNode:
		return first(n.Nodes...)
	case *ast.ConditionalNode:
		return first(n.Cond, n.Exp1, n.Exp2)
	}
	return ""
}

func isNil(n ast.Node) bool {
	_, ok := n.(*ast.NilNode)
	return ok
}

// isColumn reports whether n is a column, or what stands in the json of one.
func isColumn(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.IdentifierNode, *ast.MemberNode:
		return true
	case *ast.ChainNode:
		return isColumn(n.Node)
	}
	return false
}

// walkJSON walks into the json of a column; ok is false for what is no such walk.
func walkJSON(n ast.Node, env map[string]any) (v any, ok bool) {
	switch n := n.(type) {
	case *ast.IdentifierNode:
		if n.Value == "$env" {
			return env, true
		}
		return env[n.Value], true
	case *ast.ChainNode:
		return walkJSON(n.Node, env)
	case *ast.MemberNode:
		name, isName := n.Property.(*ast.StringNode)
		of, ok := walkJSON(n.Node, env)
		if !isName || !ok {
			return nil, false
		}
		m, _ := of.(map[string]any)
		return m[name.Value], true
	}
	return nil, false
}

// valuesOf says what the columns of n hold.
func valuesOf(n ast.Node, env map[string]any) string {
	v := &columnTexts{env: env, seen: map[string]bool{}}
	ast.Walk(&n, v)
	if len(v.list) == 0 {
		return ""
	}
	return ": " + strings.Join(v.list, ", ")
}

type columnTexts struct {
	env  map[string]any
	seen map[string]bool
	list []string
}

// Visit is the library's.
func (c *columnTexts) Visit(node *ast.Node) {
	var name string
	switch n := (*node).(type) {
	case *ast.IdentifierNode:
		name = n.Value
	case *ast.MemberNode:
		if of, ok := n.Property.(*ast.StringNode); ok && isEnv(n.Node) {
			name = of.Value
		}
	}
	if name == "" || name == "$env" || c.seen[name] {
		return
	}
	c.seen[name] = true
	text := "NULL"
	if v := c.env[name]; v != nil {
		if t, isTime := v.(time.Time); isTime {
			v = t.Format(time.RFC3339)
		}
		j, _ := json.Marshal(v) // of texts, numbers and what was JSON
		text = body.Excerpt(body.Value(string(j)))
	}
	c.list = append(c.list, name+" is "+text)
}
