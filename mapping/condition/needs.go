package condition

import "github.com/expr-lang/expr/ast"

// Need is what a row must have to meet a condition: a column that is one of texts or whole
// numbers, or that compares with one. It says it in a way that SQL can ask, and less than
// the condition: whoever has what is needed may still not meet it.
type Need struct {
	Column string
	Op     string   // "=", "<", "<=", ">", ">="; "nil" where the column is to be NULL
	Texts  []string // with "=": any of them; nil where numbers are compared
	Number int64
}

// exactWhole is up to where whole numbers compare alike however they are kept.
const exactWhole = 1 << 53

// Needs are those that can be told of each row that meets the condition; none for nil.
func (c *Condition) Needs() (list []Need) {
	if c == nil {
		return nil
	}
	return needsOf(c.root, nil)
}

func needsOf(n ast.Node, list []Need) []Need {
	b, ok := n.(*ast.BinaryNode)
	if !ok {
		return list
	}
	if isAnd(b.Operator) {
		return needsOf(b.Right, needsOf(b.Left, list))
	}
	if need, ok := needOf(b.Left, b.Operator, b.Right); ok {
		return append(list, need)
	}
	if turned, ok := turnedOps[b.Operator]; ok {
		if need, ok := needOf(b.Right, turned, b.Left); ok {
			return append(list, need)
		}
	}
	return list
}

// turnedOps are comparisons whose sides are changed.
var turnedOps = map[string]string{"==": "==", "<": ">", "<=": ">=", ">": "<", ">=": "<="}

func needOf(left ast.Node, op string, right ast.Node) (n Need, ok bool) {
	name, ok := columnOf(left)
	if !ok {
		return n, false
	}
	n = Need{Column: name, Op: op}
	if op == "==" {
		n.Op = "="
	}
	switch v := right.(type) {
	case *ast.NilNode:
		n.Op = "nil"
		return n, op == "=="
	case *ast.StringNode:
		n.Texts = []string{v.Value}
		return n, op == "=="
	case *ast.ArrayNode:
		n.Op = "="
		for _, one := range v.Nodes {
			s, isText := one.(*ast.StringNode)
			if !isText {
				return n, false
			}
			n.Texts = append(n.Texts, s.Value)
		}
		return n, op == "in" && len(n.Texts) > 0
	case *ast.IntegerNode:
		n.Number = int64(v.Value)
		return n, turnedOps[op] != "" && n.Number > -exactWhole && n.Number < exactWhole
	}
	return n, false
}

// columnOf is the column that a node is.
func columnOf(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.IdentifierNode:
		return n.Value, n.Value != "$env"
	case *ast.MemberNode:
		if name, ok := n.Property.(*ast.StringNode); ok && isEnv(n.Node) {
			return name.Value, true
		}
	}
	return "", false
}
