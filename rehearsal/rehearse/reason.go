package rehearse

import (
	"regexp"
	"slices"
	"strings"
)

var (
	colours  = regexp.MustCompile(`\x1b\[[0-9;]*m|<\{%[^}]*%\}>`)
	wrapping = regexp.MustCompile(`^(?:Preview failed: |an unhandled error occurred: |go inline source runtime error, |\d+ errors? occurred:)+`)
	faults   = regexp.MustCompile(`(?m)^\s*(?:stderr: )?(?:error|\*):? (.*)$`)
)

// pulumiTexts are the texts that Pulumi adds to a reason.
var pulumiTexts = []string{"update failed", "preview failed", "is refused, for the reasons above"}

// Reasons returns the reasons in an error of the Automation API, which repeats the whole output of the command: each
// once, in the order of the output. Another error is its own reason.
func Reasons(err error) []string {
	text := colours.ReplaceAllString(err.Error(), "")
	var all []string
	for _, m := range faults.FindAllStringSubmatch(text, -1) {
		line := wrapping.ReplaceAllString(strings.TrimSpace(m[1]), "")
		if line != "" && !slices.Contains(all, line) && !slices.ContainsFunc(pulumiTexts, func(n string) bool { return strings.Contains(line, n) }) {
			all = append(all, line)
		}
	}
	if len(all) == 0 {
		return []string{text}
	}
	return all
}
