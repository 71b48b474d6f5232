package proof

import (
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// command is an invocation of the AWS command line in a program.
type command struct {
	service, operation string
	// options are the options' values as far as the program's text and variables show them, and arguments are the other
	// words.
	options   map[string]string
	arguments []string
}

// script is the content of a shell program: the variables that it sets to plain text, and its AWS calls.
type script struct {
	variables map[string]string
	// values are all texts that it sets, also those in lists.
	values   []string
	commands []command
}

// shell is what a proof needs of a shell program's syntax.
type shell struct {
	assigns []*syntax.Assign
	calls   []*syntax.CallExpr
	err     error
}

var shells = memo[shell]{read: func(text string) (s shell) {
	file, err := syntax.NewParser().Parse(strings.NewReader(text), "")
	if err != nil {
		return shell{err: err}
	}
	syntax.Walk(file, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.Assign:
			if n.Name != nil {
				s.assigns = append(s.assigns, n)
			}
		case *syntax.CallExpr:
			s.calls = append(s.calls, n)
		}
		return true
	})
	return s
}}

// readScript reads a shell program. Variables are its environment.
func readScript(text string, variables map[string]string) (*script, error) {
	program := shells.of(text)
	if program.err != nil {
		return nil, program.err
	}
	s := &script{variables: map[string]string{}}
	for name, value := range variables {
		s.variables[name] = value
		s.values = append(s.values, value)
	}
	for _, assign := range program.assigns {
		s.assign(assign)
	}
	for _, call := range program.calls {
		s.call(call)
	}
	return s, nil
}

func (s *script) assign(a *syntax.Assign) {
	if a.Array != nil {
		for _, e := range a.Array.Elems {
			if value, ok := s.word(e.Value); ok {
				s.values = append(s.values, value)
			}
		}
		return
	}
	if a.Value == nil {
		return
	}
	if value, ok := s.word(a.Value); ok {
		if _, set := s.variables[a.Name.Value]; !set { // the first one is the program's default for the variable
			s.variables[a.Name.Value] = value
		}
		s.values = append(s.values, value)
	}
}

// call reads an invocation of aws, also after another command, such as a function that retries.
func (s *script) call(c *syntax.CallExpr) {
	for i, word := range c.Args {
		if word.Lit() != "aws" || i+2 >= len(c.Args) {
			continue
		}
		one := command{service: c.Args[i+1].Lit(), operation: c.Args[i+2].Lit(), options: map[string]string{}}
		rest := c.Args[i+3:]
		for k := 0; k < len(rest); k++ {
			name := rest[k].Lit()
			if !strings.HasPrefix(name, "--") {
				value, _ := s.word(rest[k])
				one.arguments = append(one.arguments, value)
				continue
			}
			one.options[name] = ""
			if k+1 < len(rest) && !strings.HasPrefix(rest[k+1].Lit(), "--") {
				one.options[name], _ = s.word(rest[k+1])
				k++
			}
		}
		s.commands = append(s.commands, one)
		return
	}
}

// word returns a word's text, if it and its variables are known.
func (s *script) word(w *syntax.Word) (text string, known bool) {
	if w == nil {
		return "", true
	}
	return s.parts(w.Parts)
}

func (s *script) parts(parts []syntax.WordPart) (text string, known bool) {
	var b strings.Builder
	for _, part := range parts {
		switch p := part.(type) {
		case *syntax.Lit:
			b.WriteString(p.Value)
		case *syntax.SglQuoted:
			b.WriteString(p.Value)
		case *syntax.DblQuoted:
			inner, ok := s.parts(p.Parts)
			if !ok {
				return "", false
			}
			b.WriteString(inner)
		case *syntax.ParamExp:
			value, ok := s.variables[p.Param.Value]
			if !ok || p.Exp != nil || p.Index != nil || p.Slice != nil || p.Repl != nil {
				return "", false
			}
			b.WriteString(value)
		default:
			return "", false
		}
	}
	return b.String(), true
}
