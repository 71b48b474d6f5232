package proof

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// forOthers are types without effect until another resource names them.
var forOthers = []string{state.DBParameterGroup, state.LaunchTemplate, state.TargetGroup, state.TaskDefinition}

// unreferencedResources proves that every resource of these types is named by another. Otherwise the other resource uses a default of
// AWS.
func unreferencedResources(c *cluster) *Verdict {
	v, count := &Verdict{Claim: "Every resource made for another one is used"}, 0
	named := map[string][]*state.Resource{}
	for _, r := range c.Live {
		state.Walk(r.Given(), func(path, value string) {
			if !strings.HasPrefix(path, "tags") {
				named[value] = append(named[value], r)
			}
		})
	}
	for _, token := range forOthers {
		for _, r := range c.Of(token) {
			count++
			if !slices.ContainsFunc([]string{r.ID, r.Text("arn"), r.Text("name"), r.Text("arnWithoutRevision")}, func(name string) bool {
				return name != "" && slices.ContainsFunc(named[name], func(by *state.Resource) bool { return by != r })
			}) {
				v.fault("%s is made, and nothing names it", r)
			}
		}
	}
	v.Shown = fmt.Sprintf("%d resources", count)
	return v
}
