package mapping

import (
	"bytes"
	"errors"
	"fmt"
	"loopmap/mapping/body"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// This file alone knows the YAML library. It turns a file into yamlNodes: as
// much of YAML as a mapping file uses, with the place of each part.

// maxFile bounds a mapping file; 2,000 columns take about 200 kB.
const maxFile = 1 << 20

type yamlKind int

const (
	yamlEmpty yamlKind = iota // null, or nothing behind the colon
	yamlScalar
	yamlMap
	yamlList
)

// place is a position in a file: line and column count from 1, columns in
// characters.
type place struct{ line, col int }

type yamlNode struct {
	kind    yamlKind
	at      place // of the first character
	last    place // of the closing bracket, in flow style
	flow    bool  // written with brackets or braces
	text    string
	raw     string // a scalar as written, quotes included; "" when it spans lines
	members []yamlMember
	items   []yamlItem
}

type yamlMember struct {
	key   *yamlNode
	value *yamlNode
}

type yamlItem struct {
	dash  place // of the hyphen, in block style
	value *yamlNode
}

func (n *yamlNode) get(key string) *yamlNode {
	for _, m := range n.members {
		if m.key.text == key {
			return m.value
		}
	}
	return nil
}

// yamlError is a mistake with its place.
type yamlError struct {
	place
	msg string
}

func (e *yamlError) Error() string { return e.msg }

func yamlFail(at place, format string, args ...any) error {
	return &yamlError{at, fmt.Sprintf(format, args...)}
}

// readYAML reads one document in UTF-8 with LF line ends.
func readYAML(src []byte) (root *yamlNode, err error) {
	if len(src) > maxFile {
		return nil, yamlFail(place{1, 1}, "the file has %d bytes; a mapping file has at most %d", len(src), maxFile)
	}
	if err := checkText(src); err != nil {
		return nil, err
	}
	if err := checkShape(src); err != nil {
		return nil, err
	}
	defer func() {
		if r := recover(); r != nil { // the library's parser has met its match
			root, err = nil, yamlFail(place{1, 1}, "the file is not readable as YAML")
		}
	}()
	file, err := parser.ParseBytes(src, 0)
	var syntax *yaml.SyntaxError
	var doubled *yaml.DuplicateKeyError
	switch {
	case errors.As(err, &syntax):
		return nil, yamlFail(placeOf(syntax.Token), "%s", cut(syntax.Message))
	case errors.As(err, &doubled):
		return nil, yamlFail(placeOf(doubled.Token), "%s", cut(doubled.Message))
	case err != nil:
		return nil, yamlFail(place{1, 1}, "%s", cut(err.Error()))
	}
	for _, doc := range file.Docs {
		if doc.Body == nil {
			continue
		}
		if root != nil {
			return nil, yamlFail(placeOf(doc.Body.GetToken()), "a mapping file holds one document; remove the line --- above")
		}
		if root, err = convert(doc.Body); err != nil {
			return nil, err
		}
	}
	if root == nil {
		return nil, yamlFail(place{1, 1}, "the file is empty; `loopmap` makes one")
	}
	return root, nil
}

func checkText(src []byte) error {
	at := func(i int) place { return placeAt(src, i) }
	if i := body.InvalidUTF8(src); i < len(src) {
		return yamlFail(at(i), "the file is not UTF-8 text")
	}
	if bytes.HasPrefix(src, []byte("\ufeff")) {
		return yamlFail(place{1, 1}, "the file begins with a byte order mark; save it as plain UTF-8")
	}
	if i := bytes.IndexFunc(src, func(r rune) bool { return r < 0x20 && r != '\n' && r != '\t' || r == 0x7f }); i >= 0 {
		return yamlFail(at(i), "a control character (0x%02x) has no place in a mapping file", src[i])
	}
	for i, line := range bytes.Split(src, []byte("\n")) {
		for _, mark := range []string{"<<<<<<< ", ">>>>>>> ", "======="} {
			if bytes.HasPrefix(line, []byte(mark)) {
				return yamlFail(place{i + 1, 1}, "a merge conflict is left here; resolve it first")
			}
		}
	}
	return nil
}

// placeAt is where the byte i of src stands.
func placeAt(src []byte, i int) place {
	line := bytes.Count(src[:i], []byte("\n")) + 1
	start := bytes.LastIndexByte(src[:i], '\n') + 1
	return place{line, len([]rune(string(src[start:i]))) + 1}
}

func placeOf(t *token.Token) place {
	if t == nil || t.Position == nil {
		return place{1, 1}
	}
	return place{t.Position.Line, t.Position.Column}
}

func convert(n ast.Node) (*yamlNode, error) {
	at := placeOf(n.GetToken())
	switch n := n.(type) {
	case *ast.NullNode:
		return &yamlNode{at: at}, nil
	case *ast.StringNode:
		return scalar(n, n.Value), nil
	case *ast.LiteralNode:
		return &yamlNode{kind: yamlScalar, at: at, text: strings.TrimSuffix(n.Value.Value, "\n")}, nil
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return scalar(n, n.GetToken().Value), nil
	case *ast.MappingNode:
		return convertMap(n.Values, n.IsFlowStyle, n.Start, n.End)
	case *ast.MappingValueNode:
		return convertMap([]*ast.MappingValueNode{n}, false, nil, nil)
	case *ast.SequenceNode:
		list := &yamlNode{kind: yamlList, at: placeOf(n.Start), last: placeOf(n.End), flow: n.IsFlowStyle}
		for i, v := range n.Values {
			item := yamlItem{}
			if !n.IsFlowStyle && i < len(n.Entries) {
				item.dash = placeOf(n.Entries[i].Start)
			}
			var err error
			if item.value, err = convert(v); err != nil {
				return nil, err
			}
			list.items = append(list.items, item)
		}
		return list, nil
	case *ast.AnchorNode, *ast.AliasNode:
		return nil, yamlFail(at, "anchors and aliases are not used in a mapping file; write the value out")
	case *ast.TagNode:
		return nil, yamlFail(at, "tags are not used in a mapping file; quote the value instead")
	}
	return nil, yamlFail(at, "this has no place in a mapping file")
}

func convertMap(values []*ast.MappingValueNode, flow bool, start, end *token.Token) (*yamlNode, error) {
	m := &yamlNode{kind: yamlMap, flow: flow, at: placeOf(start), last: placeOf(end)}
	first := make(map[string]place, len(values))
	for _, v := range values {
		key, ok := v.Key.(*ast.StringNode)
		if !ok {
			if _, merge := v.Key.(*ast.MergeKeyNode); merge {
				return nil, yamlFail(placeOf(v.Key.GetToken()), "merge keys are not used in a mapping file; write the values out")
			}
			// A property or list may be named 2024 or true: take it as written.
			k := scalar(v.Key, v.Key.GetToken().Value)
			if k.raw == "" {
				return nil, yamlFail(placeOf(v.Key.GetToken()), "a key must be plain text")
			}
			m.members = append(m.members, yamlMember{key: k})
		} else {
			m.members = append(m.members, yamlMember{key: scalar(key, key.Value)})
		}
		last := &m.members[len(m.members)-1]
		if at, doubled := first[last.key.text]; doubled {
			return nil, yamlFail(last.key.at, "%q stands here twice (first in line %d)", cut(last.key.text), at.line)
		}
		first[last.key.text] = last.key.at
		var err error
		if last.value, err = convert(v.Value); err != nil {
			return nil, err
		}
	}
	if !flow && len(m.members) > 0 {
		m.at = m.members[0].key.at
	}
	return m, nil
}

func scalar(n ast.Node, text string) *yamlNode {
	t := n.GetToken()
	raw := strings.TrimSpace(t.Origin)
	if strings.Contains(raw, "\n") {
		raw = ""
	}
	return &yamlNode{kind: yamlScalar, at: placeOf(t), text: text, raw: raw}
}
