package loops

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// literals calls each with the texts that a file of Go has between quotes.
func literals(t *testing.T, name string, each func(text string, at token.Position)) {
	t.Helper()
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, name, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if text, err := strconv.Unquote(lit.Value); err == nil {
				each(text, set.Position(lit.Pos()))
			}
		}
		return true
	})
}

// An event that the program treats in a way of its own is one of the list, and none is
// in the list twice.
func TestNamedEventsAreListed(t *testing.T) {
	named := 0
	literals(t, "../events.go", func(event string, at token.Position) {
		if named++; !slices.Contains(Events, event) {
			t.Errorf("%s: %s is not in the list", at, event)
		}
	})
	if once := slices.Compact(slices.Sorted(slices.Values(Events))); named == 0 || len(once) != len(Events) {
		t.Errorf("%d names; %d events, %d of them once", named, len(Events), len(once))
	}
}

// Whatever treats an event in a way of its own calls it by its name in mapping: who looks
// for all that depends on an event finds it.
func TestEventsAreWrittenOnce(t *testing.T) {
	root, files := filepath.Join("..", ".."), 0
	lists := []string{filepath.Join(root, "mapping", "events.go"), filepath.Join(root, "mapping", "loops", "events.go")}
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "testdata" || name != root && strings.HasPrefix(d.Name(), ".")):
			return filepath.SkipDir
		case filepath.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") || slices.Contains(lists, name):
			return nil
		}
		files++
		literals(t, name, func(text string, at token.Position) {
			if slices.Contains(Events, text) {
				t.Errorf("%s: %q stands there once more", at, text)
			}
		})
		return nil
	})
	if err != nil || files < 100 {
		t.Errorf("%d files were read: %v", files, err)
	}
}
