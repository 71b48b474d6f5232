// Package iam decides requests as AWS Identity and Access Management does, from the policies in force: of the principal,
// of the resource and of the VPC endpoint on the way, with permissions boundaries and KMS's grants.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
package iam

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Policy is a policy in force.
type Policy struct {
	// Name is the policy's name in the reason for a refusal.
	Name       string
	Statements []Statement
	// Unknown says that its text cannot be read.
	Unknown bool
}

// Statement is a statement of a policy. Every element may be one text or a list.
type Statement struct {
	Sid          string
	Effect       string
	Action       Values
	NotAction    Values
	Resource     Values
	NotResource  Values
	Principal    Principals
	NotPrincipal Principals
	Condition    map[string]map[string]Values
}

// Values are one or more texts; numbers and truth values are texts too.
type Values []string

// UnmarshalJSON accepts a value or a list.
func (v *Values) UnmarshalJSON(raw []byte) error {
	var list []any
	if json.Unmarshal(raw, &list) != nil {
		var one any
		if err := json.Unmarshal(raw, &one); err != nil {
			return err
		}
		list = []any{one}
	}
	*v = nil
	for _, e := range list {
		*v = append(*v, fmt.Sprint(e))
	}
	return nil
}

// Principals are a statement's principals by their kind: AWS, Service, Federated or CanonicalUser.
type Principals map[string]Values

// UnmarshalJSON accepts an object, or * for everyone.
func (p *Principals) UnmarshalJSON(raw []byte) error {
	var everyone string
	if json.Unmarshal(raw, &everyone) == nil {
		*p = Principals{"AWS": {everyone}}
		return nil
	}
	var kinds map[string]Values
	if err := json.Unmarshal(raw, &kinds); err != nil {
		return err
	}
	*p = kinds
	return nil
}

// Parse reads a policy's text.
func Parse(name, raw string) Policy {
	var p struct{ Statement json.RawMessage }
	d := Policy{Name: name}
	if json.Unmarshal([]byte(raw), &p) != nil {
		d.Unknown = true
		return d
	}
	if json.Unmarshal(p.Statement, &d.Statements) != nil {
		var one Statement
		if json.Unmarshal(p.Statement, &one) != nil {
			d.Unknown = true
			return d
		}
		d.Statements = []Statement{one}
	}
	return d
}

func (s *Statement) named() string {
	if s.Sid == "" {
		return ""
	}
	return " (" + s.Sid + ")"
}

// about reports whether the statement contains an action. IAM ignores the case of actions.
func (s *Statement) about(action string) bool {
	is := func(p string) bool { return like(strings.ToLower(p), strings.ToLower(action)) }
	if len(s.NotAction) > 0 {
		return !slices.ContainsFunc(s.NotAction, is)
	}
	return slices.ContainsFunc(s.Action, is)
}

// on reports whether the statement contains the resource. A policy of a resource may have no Resource element.
func (s *Statement) on(r *Request) truth {
	resolved := yes
	is := func(p string) truth {
		pattern, known := expand(p, r.Context)
		resolved = min(resolved, known)
		return min(known, of(p == "*" || likeARN(pattern, r.Resource)))
	}
	switch {
	case len(s.NotResource) > 0:
		other := not(anyOf(s.NotResource, is))
		return min(other, resolved) // an empty NotResource does not include everything
	case len(s.Resource) == 0:
		return yes
	}
	return anyOf(s.Resource, is)
}

// like matches a pattern with IAM's wildcards: * is any text, ? any one character.
func like(pattern, text string) bool {
	for len(pattern) > 0 {
		switch pattern[0] {
		case '*':
			for rest := 0; rest <= len(text); rest++ {
				if like(pattern[1:], text[rest:]) {
					return true
				}
			}
			return false
		case '?':
			if text == "" {
				return false
			}
		default:
			if text == "" || plain(pattern[0]) != text[0] {
				return false
			}
		}
		pattern, text = pattern[1:], text[1:]
	}
	return text == ""
}

// likeARN matches the six parts of an ARN separately: a wildcard does not match a colon, except in the last part.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
func likeARN(pattern, arn string) bool {
	const parts = 6
	p, a := strings.SplitN(pattern, ":", parts), strings.SplitN(arn, ":", parts)
	if len(p) != parts || len(a) != parts {
		return pattern == arn
	}
	for i := range p {
		if !like(p[i], a[i]) {
			return false
		}
	}
	return true
}

// literal replaces a wildcard character that is plain text in an expanded text.
var literal = map[byte]byte{'*': 1, '?': 2}

func plain(c byte) byte {
	for wildcard, code := range literal {
		if c == code {
			return wildcard
		}
	}
	return c
}

// expand replaces policy variables, such as ${aws:PrincipalTag/team}, with the values of condition keys. Without the
// key there is no text, and with an unknown key the text is unknown.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
func expand(text string, context Context) (expanded string, known truth) {
	var b strings.Builder
	quoted := func(s string) {
		for i := range len(s) {
			if code, ok := literal[s[i]]; ok {
				b.WriteByte(code)
			} else {
				b.WriteByte(s[i])
			}
		}
	}
	for {
		before, rest, found := strings.Cut(text, "${")
		b.WriteString(before)
		variable, after, closed := strings.Cut(rest, "}")
		if !found || !closed {
			return b.String() + rest, yes
		}
		text = after
		if variable == "*" || variable == "?" || variable == "$" {
			quoted(variable)
			continue
		}
		name, fallback, has := strings.Cut(variable, ",")
		values, known := context.get(strings.TrimSpace(name))
		switch {
		case len(values) == 1:
			quoted(values[0])
		case known && has:
			quoted(strings.Trim(strings.TrimSpace(fallback), "'"))
		case known:
			return "", no
		default:
			return "", unknown
		}
	}
}
