// Command gen writes docs/configuration.md and docs/wso2is.schema.json from the types of the package config and their
// comments, and provider/comments.json for the package of other languages. Run it in the repository's root.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

// files are the generated files, by path.
var files = map[string]func(*docs) ([]byte, error){
	filepath.Join("docs", "configuration.md"):   (*docs).reference,
	filepath.Join("docs", "wso2is.schema.json"): (*docs).schema,
	filepath.Join("provider", "comments.json"):  (*docs).comments,
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run() error {
	d, err := read()
	if err != nil {
		return err
	}
	for path, generate := range files {
		text, err := generate(d)
		if err != nil {
			return fmt.Errorf("generating %s: %w", path, err)
		}
		if err := os.WriteFile(path, text, 0o644); err != nil { //nolint:gosec // documentation is for everyone
			return fmt.Errorf("writing %s: %w", path, err)
		}
	}
	return nil
}
