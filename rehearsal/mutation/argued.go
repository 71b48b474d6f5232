package mutation

import "regexp"

// argument says why a mutant that the rehearsal does not notice is no gap.
type argument struct {
	// kind matches the mutants' type, path and damage.
	kind *regexp.Regexp
	why  string
}

var argued []argument

func arguments(m Mutant) string {
	for _, a := range argued {
		if a.kind.MatchString(m.kind()) {
			return a.why
		}
	}
	return ""
}
