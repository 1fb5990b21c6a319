// alloy parses a Grafana Alloy configuration with Alloy's own parser and prints its blocks as JSON. Whether a
// component knows an argument is only known to Alloy itself, which needs its image.
//
// usage: alloy FILE
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/grafana/alloy/syntax/ast"
	"github.com/grafana/alloy/syntax/parser"
	"github.com/grafana/alloy/syntax/printer"
)

// Block is a component or a stage; the values of its attributes are kept as they are written.
type Block struct {
	Name       string            `json:"name"`
	Label      string            `json:"label,omitempty"`
	Attributes map[string]string `json:"attributes"`
	Blocks     []Block           `json:"blocks"`
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: alloy FILE")
		os.Exit(2)
	}
	text, err := os.ReadFile(os.Args[1])
	if err == nil {
		err = printBlocks(os.Args[1], text)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func printBlocks(name string, text []byte) error {
	file, err := parser.ParseFile(name, text)
	if err != nil {
		return err
	}
	_, blocks, err := read(file.Body)
	if err != nil {
		return err
	}
	out, err := json.MarshalIndent(blocks, "", "  ")
	if err != nil {
		return err
	}
	fmt.Println(string(out))
	return nil
}

func read(body ast.Body) (map[string]string, []Block, error) {
	attributes, blocks := map[string]string{}, []Block{}
	for _, statement := range body {
		switch node := statement.(type) {
		case *ast.AttributeStmt:
			var text bytes.Buffer
			if err := printer.Fprint(&text, node.Value); err != nil {
				return nil, nil, err
			}
			attributes[node.Name.Name] = text.String()
		case *ast.BlockStmt:
			inner, nested, err := read(node.Body)
			if err != nil {
				return nil, nil, err
			}
			blocks = append(blocks, Block{strings.Join(node.Name, "."), node.Label, inner, nested})
		}
	}
	return attributes, blocks, nil
}
