package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/go/packages"
)

// The program is right on every system that it is for, and needs no C compiler there.
// Types are checked and no code is made, and of what others wrote only the
// declarations are read: to compile SQLite for each system takes minutes.
func TestPlatforms(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, system := range []string{"linux", "darwin", "windows"} {
		program, err := packages.Load(&packages.Config{
			Mode: packages.LoadAllSyntax,
			Env:  append(os.Environ(), "GOOS="+system, "CGO_ENABLED=0"),
			ParseFile: func(files *token.FileSet, name string, src []byte) (*ast.File, error) {
				file, err := parser.ParseFile(files, name, src, parser.SkipObjectResolution)
				if file != nil && !strings.HasPrefix(name, root) {
					for _, d := range file.Decls {
						if f, ok := d.(*ast.FuncDecl); ok {
							f.Body = nil
						}
					}
				}
				return file, err
			},
		}, "loopmap/...")
		if err != nil {
			t.Fatal(err)
		}
		own := 0
		packages.Visit(program, nil, func(p *packages.Package) {
			if strings.HasPrefix(p.PkgPath, "loopmap/") {
				own++
			}
			for _, err := range p.Errors {
				if err.Kind == packages.ListError || strings.HasPrefix(p.PkgPath, "loopmap/") {
					t.Errorf("%s: %v", system, err)
				}
			}
		})
		if own < 5 {
			t.Errorf("%s: %d packages are read", system, own)
		}
	}
}
