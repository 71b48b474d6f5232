package cloud

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

var retentions = []string{
	"0", "1", "3", "5", "7", "14", "30", "60", "90", "120", "150", "180", "365", "400", "545", "731", "1096", "1827",
	"2192",
	"2557", "2922", "3288", "3653",
}

// cloudwatchTypes are logs, alarms, dashboards and the rules of EventBridge.
var cloudwatchTypes = []Type{
	{
		Token: state.LogGroup, ID: "{name}", ARN: "arn:{partition}:logs:{region}:{account}:log-group:{name}", Name: "name",
		NamePrefix: "namePrefix", Tags: true,
		Defaults: Object{"retentionInDays": 0, "skipDestroy": false},
		Outputs:  Object{"logGroupClass": "STANDARD"},
		Replace:  []string{"name", "namePrefix", "logGroupClass"},
		Unique:   []Unique{{By: []string{"name"}, Code: "ResourceAlreadyExistsException"}},
		Fields: []Field{
			like("name", `[.\-_/#A-Za-z0-9]+`, "letters, digits and .-_/#", 1, 512), oneOf("retentionInDays", retentions...),
		},
		Refs:  []Ref{ref("kmsKeyId", state.KMSKey).by("arn").free().code("InvalidParameterException")},
		Rules: []Rule{keyAllows("kmsKeyId", "logs.{region}.{suffix}", "logs.{region}.amazonaws.com", "logs.amazonaws.com")},
	},
	{
		Token: state.MetricAlarm, Put: true, ID: "{name}", Name: "name", Tags: true,
		ARN:      "arn:{partition}:cloudwatch:{region}:{account}:alarm:{name}",
		Required: []string{"comparisonOperator", "evaluationPeriods"},
		AtMostOne: [][]string{
			{"metricName", "metricQueries"}, {"statistic", "extendedStatistic", "metricQueries"}, {"dimensions", "metricQueries"},
			{"namespace", "metricQueries"}, {"period", "metricQueries"},
		},
		Defaults: Object{"actionsEnabled": true, "treatMissingData": "missing"},
		Outputs:  Object{"evaluateLowSampleCountPercentiles": ""},
		Replace:  []string{"name"},
		Unique:   []Unique{{By: []string{"name"}, Code: "AlarmExists"}},
		Fields: []Field{
			oneOf("comparisonOperator", "GreaterThanOrEqualToThreshold", "GreaterThanThreshold", "LessThanThreshold",
				"LessThanOrEqualToThreshold", "LessThanLowerOrGreaterThanUpperThreshold", "LessThanLowerThreshold",
				"GreaterThanUpperThreshold"),
			oneOf("statistic", "SampleCount", "Average", "Sum", "Minimum", "Maximum"), between("name", 1, 255),
			oneOf("treatMissingData", "missing", "ignore", "breaching", "notBreaching"), between("alarmDescription", 0, 1024),
			like("extendedStatistic", `p(?:[0-9]{1,2}(?:\.[0-9]{1,2})?|100)`, "a percentile from p0 to p100"),
			oneOf("evaluateLowSampleCountPercentiles", "evaluate", "ignore"),
			like("alarmActions[]", actionARN, "an ARN that an alarm can act on"),
			like("okActions[]", actionARN, "an ARN that an alarm can act on"),
		},
		Check: []Rule{alarmPeriods, alarmQueries},
	},
	{
		Token: state.EventRule, ID: "{name}", Name: "name", NamePrefix: "namePrefix", Tags: true, Put: true,
		ARN:      "arn:{partition}:events:{region}:{account}:rule/{name}",
		Defaults: Object{"eventBusName": "default", "forceDestroy": false},
		Replace:  []string{"name", "namePrefix", "eventBusName"},
		Unique:   []Unique{{By: []string{"name"}, Code: "RuleExists"}},
		Fields: []Field{
			like("name", `[.\-_A-Za-z0-9]+`, "letters, digits and .-_", 1, 64), between("description", 0, 512),
		},
		Check: []Rule{jsonText("eventPattern", "InvalidEventPatternException"), func(c *Call) error {
			if c.In["eventPattern"] == nil && c.In["scheduleExpression"] == nil {
				return fail("ValidationException", "a rule has an eventPattern or a scheduleExpression")
			}
			return patternMatches(c.text("eventPattern"))
		}},
		// EventBridge refuses to delete a rule that has targets.
		InUse: "ValidationException",
	},
	{
		Token: state.EventTarget, ID: "{rule}-{targetId}", Put: true,
		Required:  []string{"arn", "rule"},
		AtMostOne: [][]string{{"input", "inputPath", "inputTransformer"}},
		Defaults:  Object{"eventBusName": "default", "forceDestroy": false},
		Replace:   []string{"rule", "targetId", "eventBusName"},
		Unique:    []Unique{{By: []string{"rule", "targetId"}, Code: "TargetExists"}},
		Fields: []Field{
			like("targetId", `[.\-_A-Za-z0-9]+`, "letters, digits and .-_", 1, 64),
			like("arn", `arn:aws[a-z-]*:.+`, "the ARN of a target"),
		},
		Refs: []Ref{ref("rule", state.EventRule).by("name").code("ResourceNotFoundException")},
	},
	{
		Token: state.Dashboard, Put: true, ID: "{dashboardName}",
		Required: []string{"dashboardBody", "dashboardName"},
		Outputs:  Object{"dashboardArn": "arn:{partition}:cloudwatch::{account}:dashboard/{dashboardName}"},
		Replace:  []string{"dashboardName"},
		Unique:   []Unique{{By: []string{"dashboardName"}, Code: "DashboardExists"}},
		Fields:   []Field{like("dashboardName", `[0-9A-Za-z_-]+`, "letters, digits and _-", 1, 255)},
		Check:    []Rule{jsonText("dashboardBody", "InvalidParameterInput"), widgets},
	},
}

const actionARN = `arn:aws[a-z-]*:(?:sns|automate|autoscaling|ssm|lambda|swf|ec2):[^:]*:[^:]*:.+`

// alarmPeriods refuses periods that CloudWatch does not have, and alarms with too long a time: the limit is a day, or a
// week if a period has an hour or more (PutMetricAlarm in the CloudWatch API reference).
func alarmPeriods(c *Call) error {
	const minute, hour, day = 60, 3600, 86400
	periods, _ := number(c.In, "evaluationPeriods")
	if breaching, ok := number(c.In, "datapointsToAlarm"); ok && breaching > periods {
		return fail("ValidationError", "datapointsToAlarm is %g of %g evaluationPeriods", breaching, periods)
	}
	for _, path := range []string{"period", "metricQueries[].metric.period"} {
		for _, at := range find(c.In, path) {
			period, ok := at.value.(float64)
			if ok && !slices.Contains([]float64{10, 20, 30}, period) && (period < minute || int(period)%minute != 0) {
				return fail("ValidationError", "%s is %s; 10, 20, 30 or a multiple of 60 is possible", at.path,
					strconv.FormatFloat(period, 'g', -1, 64))
			}
			most := float64(day)
			if period >= hour {
				most = 7 * day
			}
			if ok && period*periods > most {
				return fail("ValidationError", "%g periods of %g seconds are more than the %g that an alarm looks back", periods, period, most)
			}
		}
	}
	return nil
}

var queryID = regexp.MustCompile(`\b[a-z][A-Za-z0-9_]*\b`)

// alarmQueries refuses an expression that names no query, and queries without exactly one that the alarm uses.
func alarmQueries(c *Call) error {
	queries := find(c.In, "metricQueries[]")
	if len(queries) == 0 {
		return nil
	}
	known, returned := map[string]bool{}, 0
	for _, at := range queries {
		q, _ := at.value.(Object)
		id := text(q, "id")
		if !queryID.MatchString(id) || known[id] {
			return fail("ValidationError", "%s.id is %q: it begins with a small letter and occurs once", at.path, id)
		}
		known[id] = true
		if q["returnData"] == true {
			returned++
		}
	}
	if returned != 1 {
		return fail("ValidationError", "%d of the metricQueries return data, and an alarm watches one", returned)
	}
	for _, at := range find(c.In, "metricQueries[].expression") {
		expression, _ := at.value.(string)
		for _, id := range queryID.FindAllString(expression, -1) {
			if !known[id] {
				return fail("ValidationError", "%s names %s, which no metricQuery has", at.path, id)
			}
		}
	}
	return nil
}

// widgets refuses a dashboard body without widgets, or with a widget of an unknown type.
func widgets(c *Call) error {
	var body struct {
		Widgets []struct {
			Type       string          `json:"type"`
			Properties json.RawMessage `json:"properties"`
		} `json:"widgets"`
	}
	raw := c.text("dashboardBody")
	if raw == "" || json.Unmarshal([]byte(raw), &body) != nil {
		return nil
	}
	if len(body.Widgets) == 0 {
		return fail("InvalidParameterInput", "dashboardBody has no widgets")
	}
	for i, w := range body.Widgets {
		if !slices.Contains([]string{"metric", "text", "log", "alarm", "explorer", "custom"}, w.Type) ||
			len(w.Properties) == 0 {
			return fail("InvalidParameterInput", "dashboardBody: widgets[%d] has the type %q, or no properties", i, w.Type)
		}
	}
	return nil
}

// ownLogGroup is the log group that a service makes itself if none exists. It keeps logs without an end, and remains
// after its writer's deletion.
func (c *Call) ownLogGroup(name string) {
	if c.Cloud.find(name, "name", state.LogGroup) == nil {
		_ = c.Cloud.put(&Resource{Token: state.LogGroup, ID: name, Owner: c.ID, Inputs: Object{"name": name},
			Outputs: Object{"id": name, "name": name}})
	}
}

// patternMatches refuses an event pattern with an empty field: EventBridge accepts only objects and lists that are not
// empty (RuleCompiler.java of aws/event-ruler).
func patternMatches(pattern string) error {
	var fields map[string]any
	if json.Unmarshal([]byte(pattern), &fields) != nil {
		return nil // refused already
	}
	var within func(path string, v any) error
	within = func(path string, v any) error {
		switch v := v.(type) {
		case map[string]any:
			for _, key := range slices.Sorted(maps.Keys(v)) {
				if err := within(path+"."+key, v[key]); err != nil {
					return err
				}
			}
			if len(v) > 0 {
				return nil
			}
		case []any:
			if len(v) > 0 {
				return nil
			}
		}
		return fail("InvalidEventPatternException", "%s matches nothing: EventBridge takes objects and lists with something in them", strings.TrimPrefix(path, "."))
	}
	return within("", fields)
}
