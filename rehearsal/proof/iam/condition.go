package iam

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Context are a request's condition keys. A key without values is known to be absent; a key that is not in the map is
// unknown.
type Context map[string][]string

// get returns a key's values; IAM ignores the case of keys.
func (c Context) get(key string) (values []string, known bool) {
	if values, known = c[key]; known {
		return values, true
	}
	for name, values := range c {
		if strings.EqualFold(name, key) {
			return values, true
		}
	}
	return nil, false
}

// truth is the known value of a condition: false, unknown or true.
type truth int

const (
	no truth = iota
	unknown
	yes
)

func of(b bool) truth {
	if b {
		return yes
	}
	return no
}

func not(t truth) truth { return yes - t }

func anyOf[T any](all []T, test func(T) truth) truth {
	best := no
	for _, one := range all {
		best = max(best, test(one))
	}
	return best
}

func allOf[T any](all []T, test func(T) truth) truth {
	return not(anyOf(all, func(one T) truth { return not(test(one)) }))
}

// operators compare a policy's value with the request's. A negated operator has Not in its name.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
var operators = map[string]func(policy, value string) bool{
	"stringequals":             func(p, v string) bool { return unquoted(p) == v },
	"stringequalsignorecase":   func(p, v string) bool { return strings.EqualFold(unquoted(p), v) },
	"stringlike":               like,
	"arnequals":                likeARN,
	"arnlike":                  likeARN,
	"bool":                     strings.EqualFold,
	"binaryequals":             func(p, v string) bool { return p == v },
	"ipaddress":                within,
	"numericequals":            numeric(func(c int) bool { return c == 0 }),
	"numericlessthan":          numeric(func(c int) bool { return c < 0 }),
	"numericlessthanequals":    numeric(func(c int) bool { return c <= 0 }),
	"numericgreaterthan":       numeric(func(c int) bool { return c > 0 }),
	"numericgreaterthanequals": numeric(func(c int) bool { return c >= 0 }),
	"dateequals":               dates(func(c int) bool { return c == 0 }),
	"datelessthan":             dates(func(c int) bool { return c < 0 }),
	"datelessthanequals":       dates(func(c int) bool { return c <= 0 }),
	"dategreaterthan":          dates(func(c int) bool { return c > 0 }),
	"dategreaterthanequals":    dates(func(c int) bool { return c >= 0 }),
}

// unquoted returns an expanded text for comparisons without wildcards.
func unquoted(s string) string {
	b := []byte(s)
	for i := range b {
		b[i] = plain(b[i])
	}
	return string(b)
}

func within(block, value string) bool {
	address, err := netip.ParseAddr(value)
	if err != nil {
		return false
	}
	if one, err := netip.ParseAddr(block); err == nil {
		return one == address
	}
	prefix, err := netip.ParsePrefix(block)
	return err == nil && prefix.Contains(address)
}

func numeric(holds func(int) bool) func(policy, value string) bool {
	return func(policy, value string) bool {
		p, errP := strconv.ParseFloat(policy, 64)
		v, errV := strconv.ParseFloat(value, 64)
		switch {
		case errP != nil || errV != nil:
			return false
		case v < p:
			return holds(-1)
		case v > p:
			return holds(1)
		}
		return holds(0)
	}
}

func dates(holds func(int) bool) func(policy, value string) bool {
	return func(policy, value string) bool {
		p, errP := date(policy)
		v, errV := date(value)
		return errP == nil && errV == nil && holds(v.Compare(p))
	}
}

func date(s string) (time.Time, error) {
	if seconds, err := strconv.ParseInt(s, 10, 64); err == nil {
		return time.Unix(seconds, 0), nil
	}
	return time.Parse(time.RFC3339, s)
}

// holds reports whether all conditions of the statement hold.
func (s *Statement) holds(context Context) truth {
	result := yes
	for operator, keys := range s.Condition {
		for key, values := range keys {
			result = min(result, holds(strings.ToLower(operator), key, values, context))
		}
	}
	return result
}

func holds(operator, key string, values Values, context Context) truth {
	have, known := context.get(key)
	operator, ifExists := strings.CutSuffix(operator, "ifexists")
	operator, forAll := strings.CutPrefix(operator, "forallvalues:")
	operator, forAny := strings.CutPrefix(operator, "foranyvalue:")
	if !known {
		return unknown
	}
	if operator == "null" {
		return of(slices.ContainsFunc(values, func(v string) bool { return strings.EqualFold(v, strconv.FormatBool(len(have) == 0)) }))
	}
	compare, found := operators[operator]
	negated := false
	if !found {
		negated = true
		if compare, found = operators[strings.Replace(operator, "not", "", 1)]; !found {
			return unknown
		}
	}
	matches := func(value string) truth {
		resolved := yes
		t := anyOf(values, func(p string) truth {
			pattern, known := expand(p, context)
			resolved = min(resolved, known)
			return min(known, of(compare(pattern, value)))
		})
		if negated {
			return min(not(t), resolved)
		}
		return t
	}
	switch {
	case len(have) == 0 && ifExists, len(have) == 0 && forAll:
		return yes
	case len(have) == 0 && forAny:
		return no
	case len(have) == 0:
		return of(negated)
	case forAll || negated && !forAny:
		return allOf(have, matches)
	}
	return anyOf(have, matches)
}
