// Command report reads the output of `go test -json` and prints it as `go test` does. During silence it says every half
// minute how long it has waited. It adds skipped tests to the given file, which `report -skipped` prints and removes.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"
)

func main() {
	skipped := flag.Bool("skipped", false, "print what earlier runs skipped")
	flag.Parse()
	var err error
	if *skipped {
		err = tell(flag.Arg(0), os.Stdout)
	} else {
		err = report(os.Stdin, flag.Arg(0), os.Stdout, 30*time.Second)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// event is a line of `go test -json` (go doc test2json).
type event struct {
	Action, Package, Test, Output string
}

// report prints events and adds the reasons of skipped tests to a file. It fails if a test, a package or a build
// failed.
func report(in io.Reader, file string, out io.Writer, patience time.Duration) error {
	said, ended := make(chan string), make(chan error, 1)
	go func() { ended <- read(in, file, said) }()
	began := time.Now()
	for {
		select {
		case text := <-said:
			_, _ = io.WriteString(out, text)
		case err := <-ended:
			return err
		case <-time.After(patience):
			_, _ = fmt.Fprintf(out, "...\tbuilding and testing, for %s so far\n", time.Since(began).Round(time.Second))
		}
	}
}

func read(in io.Reader, file string, said chan<- string) error {
	var reasons []string
	written := map[string]string{}
	packages, failed := 0, false
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadString('\n')
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("reading the tests' output: %w", err)
		}
		var e event
		if json.Unmarshal([]byte(line), &e) != nil {
			said <- line
			continue
		}
		key := e.Package + " " + e.Test
		switch e.Action {
		case "output":
			written[key] += e.Output
			if e.Test == "" && e.Output != "PASS\n" {
				said <- e.Output
			}
		case "build-output":
			said <- e.Output
		case "build-fail":
			failed = true
		case "fail":
			failed = true
			if e.Test != "" {
				said <- written[key]
			}
		case "skip":
			if e.Test != "" {
				reasons = append(reasons, reason(written[key])+"\t"+e.Test)
			}
		}
		if e.Test == "" && slices.Contains([]string{"pass", "fail", "skip"}, e.Action) {
			packages++
		}
		if slices.Contains([]string{"pass", "fail", "skip"}, e.Action) {
			delete(written, key)
		}
	}
	switch err := remember(file, reasons); {
	case err != nil:
		return err
	case failed:
		return errors.New("FAIL")
	case packages == 0:
		return errors.New("no test was run")
	}
	return nil
}

// reason returns the message of a skipped test.
func reason(output string) string {
	for line := range strings.Lines(output) {
		if place, text, found := strings.Cut(strings.TrimSpace(line), ": "); found && strings.Contains(place, "_test.go:") {
			return text
		}
	}
	return "no reason is given"
}

func remember(file string, reasons []string) error {
	if len(reasons) == 0 {
		return nil
	}
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600) //nolint:gosec // the Makefile's file
	if err != nil {
		return fmt.Errorf("keeping what was skipped: %w", err)
	}
	_, err = f.WriteString(strings.Join(reasons, "\n") + "\n")
	return errors.Join(err, f.Close())
}

// tell prints the skipped tests by reason, and removes the file.
func tell(file string, out io.Writer) error {
	raw, err := os.ReadFile(file) //nolint:gosec // the Makefile's file
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading what was skipped: %w", err)
	}
	tests := map[string][]string{}
	var reasons []string
	for line := range strings.Lines(string(raw)) {
		why, test, _ := strings.Cut(strings.TrimSpace(line), "\t")
		if tests[why] == nil {
			reasons = append(reasons, why)
		}
		tests[why] = append(tests[why], test)
	}
	slices.Sort(reasons)
	for _, why := range reasons {
		_, _ = fmt.Fprintf(out, "Skipped %d: %s\n    %s\n", len(tests[why]), why, strings.Join(tests[why], " "))
	}
	return os.Remove(file)
}
