package condition

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"

	"loopmap/mapping/column"
)

// apart is a column's name where a function has the same: the library would take the
// one for the other. No column's own name begins so.
func apart(column string) string { return "\x00" + column }

// nowName is where now() finds the moment that it was handed.
const nowName = "\x00now()"

// exprOptions are how the library reads conditions over the columns.
func exprOptions(fields []column.Field) []expr.Option {
	env := map[string]any{nowName: time.Time{}}
	for _, f := range fields {
		name := f.Name
		if slices.Contains(functions, name) {
			name = apart(name)
		}
		env[name] = f.Type.Zero()
	}
	options := []expr.Option{expr.Env(env), expr.AsBool(), expr.MaxNodes(maxNodes), expr.DisableAllBuiltins()}
	for _, name := range functions {
		options = append(options, expr.EnableBuiltin(name))
	}
	return append(options, expr.Patch(patch{env}),
		expr.Function(divideName, divide, new(func(int, int) float64), new(func(int, float64) float64),
			new(func(float64, int) float64), new(func(float64, float64) float64)),
		expr.Function(finiteName, finite, new(func(float64) float64)))
}

// patch changes what the library would read otherwise than SQL: a column that is called
// like a function, now(), division by zero, and a text that says NaN or Inf.
type patch struct{ env map[string]any }

// Visit is the library's.
func (p patch) Visit(node *ast.Node) {
	member := func(name string) ast.Node {
		return &ast.MemberNode{Node: &ast.IdentifierNode{Value: "$env"}, Property: &ast.StringNode{Value: name}}
	}
	call := func(name string, arguments ...ast.Node) ast.Node {
		return &ast.CallNode{Callee: &ast.IdentifierNode{Value: name}, Arguments: arguments}
	}
	switch n := (*node).(type) {
	case *ast.IdentifierNode:
		if _, ok := p.env[apart(n.Value)]; ok {
			ast.Patch(node, member(apart(n.Value)))
		}
	case *ast.MemberNode:
		if name, ok := n.Property.(*ast.StringNode); ok && isEnv(n.Node) {
			if _, ok := p.env[apart(name.Value)]; ok {
				name.Value = apart(name.Value)
			}
		}
	case *ast.BuiltinNode:
		switch {
		case n.Name == "now" && len(n.Arguments) == 0:
			ast.Patch(node, member(nowName))
		case n.Name == "float":
			ast.Patch(node, call(finiteName, n))
		}
	case *ast.BinaryNode:
		if n.Operator == "/" {
			ast.Patch(node, call(divideName, n.Left, n.Right))
		}
	}
}

const (
	divideName = "\x00divide"
	finiteName = "\x00finite"
)

func divide(p ...any) (any, error) {
	a, err := number(p[0])
	b, wrong := number(p[1])
	switch {
	case err != nil || wrong != nil:
		return nil, errors.Join(err, wrong)
	case b == 0:
		return nil, errors.New("division by zero")
	}
	return a / b, nil
}

func finite(p ...any) (any, error) {
	f, err := number(p[0])
	if err == nil && (math.IsNaN(f) || math.IsInf(f, 0)) {
		err = errors.New("the text is not a number")
	}
	return f, err
}

func number(v any) (float64, error) {
	switch v := v.(type) {
	case int:
		return float64(v), nil
	case float64:
		return v, nil
	}
	return 0, fmt.Errorf("%v is not a number", v)
}

// equations are x == a, x == b for x in [a, b]: so NULL in a list decides as it does
// beside or.
func equations(n ast.Node) (list []ast.Node) {
	in, ok := n.(*ast.BinaryNode)
	if !ok || in.Operator != "in" {
		return nil
	}
	array, ok := in.Right.(*ast.ArrayNode)
	if !ok {
		return nil
	}
	for _, one := range array.Nodes {
		list = append(list, &ast.BinaryNode{Operator: "==", Left: in.Left, Right: one})
	}
	return list
}
