// Package yamledit changes single values of a YAML file and nothing else: comments, order, blank
// lines and the look of all other lines stay. It reads as much of YAML as a mapping file uses,
// with the place of each part.
//
// What a file says and what it is to say are trees of nodes; [Edit] writes where they differ.
package yamledit

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"loopmap/mapping/body"
)

// This file alone knows the YAML library. It turns a file into nodes: as much of
// YAML as a mapping file uses, with the place of each part.

// MaxFile bounds a mapping file; 2,000 columns take about 200 kB.
const MaxFile = 1 << 20

// Kind is what a [Node] is.
type Kind int

// The kinds of nodes.
const (
	Empty Kind = iota // null, or nothing behind the colon
	Scalar
	Map
	List
)

// Place is a position in a file: line and column count from 1, columns in
// characters.
type Place struct{ Line, Col int }

// Right is a place so many characters on.
func (p Place) Right(n int) Place { return Place{p.Line, p.Col + n} }

// Node is a part of a file.
type Node struct {
	Kind    Kind
	At      Place // of the first character
	Last    Place // of the closing bracket, in flow style
	Flow    bool  // written with brackets or braces
	Text    string
	Raw     string // a scalar as written, quotes included; "" when it spans lines
	Members []Member
	Items   []Item

	// Of what is to be written:
	Width int  // that it takes at least where it stands below others
	Loose bool // a list whose order means nothing
}

// Member is a key of a block with its value.
type Member struct {
	Key   *Node
	Value *Node
}

// Item is an element of a list.
type Item struct {
	Dash  Place // of the hyphen, in block style
	Value *Node
	Names []string // of what is to be written: what tells it apart, the surest first
}

// Get is the value of a key; nil when it is not there.
func (n *Node) Get(key string) *Node {
	if n == nil {
		return nil
	}
	for _, m := range n.Members {
		if m.Key.Text == key {
			return m.Value
		}
	}
	return nil
}

// Error is a mistake with its place.
type Error struct {
	Place
	Msg string
}

func (e *Error) Error() string { return e.Msg }

func fail(at Place, format string, args ...any) error {
	return &Error{at, fmt.Sprintf(format, args...)}
}

// Read reads one document in UTF-8 with LF line ends.
func Read(src []byte) (root *Node, err error) {
	if len(src) > MaxFile {
		return nil, fail(Place{1, 1}, "the file has %d bytes; a mapping file has at most %d", len(src), MaxFile)
	}
	if err := checkText(src); err != nil {
		return nil, err
	}
	if err := checkShape(src); err != nil {
		return nil, err
	}
	defer func() {
		if r := recover(); r != nil { // the library's parser has met its match
			root, err = nil, fail(Place{1, 1}, "the file is not readable as YAML")
		}
	}()
	file, err := parser.ParseBytes(src, 0)
	var syntax *yaml.SyntaxError
	var doubled *yaml.DuplicateKeyError
	switch {
	case errors.As(err, &syntax):
		return nil, fail(placeOf(syntax.Token), "%s", Cut(syntax.Message))
	case errors.As(err, &doubled):
		return nil, fail(placeOf(doubled.Token), "%s", Cut(doubled.Message))
	case err != nil:
		return nil, fail(Place{1, 1}, "%s", Cut(err.Error()))
	}
	for _, doc := range file.Docs {
		if doc.Body == nil {
			continue
		}
		if root != nil {
			return nil, fail(placeOf(doc.Body.GetToken()), "a mapping file holds one document; remove the line --- above")
		}
		if root, err = convert(doc.Body); err != nil {
			return nil, err
		}
	}
	if root == nil {
		return nil, fail(Place{1, 1}, "the file is empty; `loopmap` makes one")
	}
	return root, nil
}

func checkText(src []byte) error {
	at := func(i int) Place { return placeAt(src, i) }
	if i := body.InvalidUTF8(src); i < len(src) {
		return fail(at(i), "the file is not UTF-8 text")
	}
	if bytes.HasPrefix(src, []byte("\ufeff")) {
		return fail(Place{1, 1}, "the file begins with a byte order mark; save it as plain UTF-8")
	}
	if i := bytes.IndexFunc(src, func(r rune) bool { return r < 0x20 && r != '\n' && r != '\t' || r == 0x7f }); i >= 0 {
		return fail(at(i), "a control character (0x%02x) has no place in a mapping file", src[i])
	}
	for i, line := range bytes.Split(src, []byte("\n")) {
		for _, mark := range []string{"<<<<<<< ", ">>>>>>> ", "======="} {
			if bytes.HasPrefix(line, []byte(mark)) {
				return fail(Place{i + 1, 1}, "a merge conflict is left here; resolve it first")
			}
		}
	}
	return nil
}

// placeAt is where the byte i of src stands.
func placeAt(src []byte, i int) Place {
	line := bytes.Count(src[:i], []byte("\n")) + 1
	start := bytes.LastIndexByte(src[:i], '\n') + 1
	return Place{line, len([]rune(string(src[start:i]))) + 1}
}

func placeOf(t *token.Token) Place {
	if t == nil || t.Position == nil {
		return Place{1, 1}
	}
	return Place{t.Position.Line, t.Position.Column}
}

func convert(n ast.Node) (*Node, error) {
	at := placeOf(n.GetToken())
	switch n := n.(type) {
	case *ast.NullNode:
		return &Node{At: at}, nil
	case *ast.StringNode:
		return scalar(n, n.Value), nil
	case *ast.LiteralNode:
		return &Node{Kind: Scalar, At: at, Text: strings.TrimSuffix(n.Value.Value, "\n")}, nil
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return scalar(n, n.GetToken().Value), nil
	case *ast.MappingNode:
		return convertMap(n.Values, n.IsFlowStyle, n.Start, n.End)
	case *ast.MappingValueNode:
		return convertMap([]*ast.MappingValueNode{n}, false, nil, nil)
	case *ast.SequenceNode:
		list := &Node{Kind: List, At: placeOf(n.Start), Last: placeOf(n.End), Flow: n.IsFlowStyle}
		for i, v := range n.Values {
			item := Item{}
			if !n.IsFlowStyle && i < len(n.Entries) {
				item.Dash = placeOf(n.Entries[i].Start)
			}
			var err error
			if item.Value, err = convert(v); err != nil {
				return nil, err
			}
			list.Items = append(list.Items, item)
		}
		return list, nil
	case *ast.AnchorNode, *ast.AliasNode:
		return nil, fail(at, "anchors and aliases are not used in a mapping file; write the value out")
	case *ast.TagNode:
		return nil, fail(at, "tags are not used in a mapping file; quote the value instead")
	}
	return nil, fail(at, "this has no place in a mapping file")
}

func convertMap(values []*ast.MappingValueNode, flow bool, start, end *token.Token) (*Node, error) {
	m := &Node{Kind: Map, Flow: flow, At: placeOf(start), Last: placeOf(end)}
	first := make(map[string]Place, len(values))
	for _, v := range values {
		key, ok := v.Key.(*ast.StringNode)
		if !ok {
			if _, merge := v.Key.(*ast.MergeKeyNode); merge {
				return nil, fail(placeOf(v.Key.GetToken()), "merge keys are not used in a mapping file; write the values out")
			}
			// A property or list may be named 2024 or true: take it as written.
			k := scalar(v.Key, v.Key.GetToken().Value)
			if k.Raw == "" {
				return nil, fail(placeOf(v.Key.GetToken()), "a key must be plain text")
			}
			m.Members = append(m.Members, Member{Key: k})
		} else {
			m.Members = append(m.Members, Member{Key: scalar(key, key.Value)})
		}
		last := &m.Members[len(m.Members)-1]
		if at, doubled := first[last.Key.Text]; doubled {
			return nil, fail(last.Key.At, "%q stands here twice (first in line %d)", Cut(last.Key.Text), at.Line)
		}
		first[last.Key.Text] = last.Key.At
		var err error
		if last.Value, err = convert(v.Value); err != nil {
			return nil, err
		}
	}
	if !flow && len(m.Members) > 0 {
		m.At = m.Members[0].Key.At
	}
	return m, nil
}

func scalar(n ast.Node, text string) *Node {
	t := n.GetToken()
	raw := strings.TrimSpace(t.Origin)
	if strings.Contains(raw, "\n") {
		raw = ""
	}
	return &Node{Kind: Scalar, At: placeOf(t), Text: text, Raw: raw}
}
