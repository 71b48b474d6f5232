package proof

import (
	"regexp"
	"slices"
	"sync"

	"github.com/wso2is-aws/wso2is/rehearsal/proof/iam"
)

// memoSize is the number of texts of which a memo knows the results. A state has fewer programs and policies.
const memoSize = 256

// memo is a function of a text alone that remembers its results. The nodes of a state have the same programs and policies,
// and so have the states of a rehearsal. Nobody may change a result.
type memo[T any] struct {
	read  func(text string) T
	lock  sync.Mutex
	known map[string]T
}

func (m *memo[T]) of(text string) T {
	m.lock.Lock()
	defer m.lock.Unlock()
	result, ok := m.known[text]
	if !ok {
		if m.known == nil || len(m.known) == memoSize {
			m.known = map[string]T{}
		}
		result = m.read(text)
		m.known[text] = result
	}
	return result
}

// expression is a regular expression that finds its matches in a text once.
type expression struct{ found memo[[][]string] }

func compile(form string) *expression {
	re := regexp.MustCompile(form)
	return &expression{memo[[][]string]{read: func(text string) [][]string { return re.FindAllStringSubmatch(text, -1) }}}
}

// all returns the matches in a text, each with its groups.
func (e *expression) all(text string) [][]string { return e.found.of(text) }

// in reports whether a text has a match.
func (e *expression) in(text string) bool { return len(e.all(text)) > 0 }

// distinct returns the different matches in a text, in their order.
func (e *expression) distinct(text string) []string {
	var all []string
	for _, m := range e.all(text) {
		all = append(all, m[0])
	}
	slices.Sort(all)
	return slices.Compact(all)
}

var parsed = memo[iam.Policy]{read: func(text string) iam.Policy { return iam.Parse("", text) }}

// parsePolicy reads the text of a policy.
func parsePolicy(name, text string) iam.Policy {
	policy := parsed.of(text)
	policy.Name = name
	return policy
}
