package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// retentionSteps are the days that CloudWatch Logs accepts.
var retentionSteps = []int{
	1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
}

var logGroupName = regexp.MustCompile(`^[.\-_/#A-Za-z0-9]{1,512}$`)

// logGroup checks the name of a log group that exists, if there is one. The names of AWS's own groups begin with aws/ (CreateLogGroup in the API
// reference of CloudWatch Logs).
func (v *validator) logGroup(path, name string) {
	if name != "" && (!logGroupName.MatchString(name) || strings.HasPrefix(name, "aws/")) {
		v.refuse(path, "write the name of a log group, such as /platform/identity", "%q is not the name of a log group of your own", name)
	}
}

func (v *validator) observability() {
	o := v.Observability
	if !slices.Contains(retentionSteps, o.LogRetention) {
		v.refuse("observability.logRetention", "write one of "+strings.Trim(fmt.Sprint(retentionSteps), "[]"),
			"CloudWatch keeps logs in steps, and %d days is none", o.LogRetention)
	}
	v.logGroup("observability.logGroup", o.LogGroup)
	if o.AlarmTopicARN != "" {
		v.arn("observability.alarmTopicArn", o.AlarmTopicARN, "sns", "")
	}
	switch days := o.MaxImageAgeDays; {
	case days == 0:
	case !v.hasInstances():
		v.refuse("observability.maxImageAgeDays", "leave it out", "AWS chooses the images that nodes of this topology run on, "+
			"and nothing measures their age")
	case days < leastImageAgeDays:
		v.refuse("observability.maxImageAgeDays", fmt.Sprintf("write %d or more, or 0 for no alarm", leastImageAgeDays),
			"the newest image may be %d days old", days)
	}
}
