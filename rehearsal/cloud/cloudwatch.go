package cloud

import (
	"encoding/json"
	"slices"
	"strconv"
)

const logGroupType = "aws:cloudwatch/logGroup:LogGroup"

var retentions = []string{
	"0", "1", "3", "5", "7", "14", "30", "60", "90", "120", "150", "180", "365", "400", "545", "731", "1096", "1827",
	"2192",
	"2557", "2922", "3288", "3653",
}

// cloudwatchTypes are logs, alarms and dashboards.
var cloudwatchTypes = []Type{
	{
		Token: logGroupType, ID: "{name}", ARN: "arn:{partition}:logs:{region}:{account}:log-group:{name}", Name: "name",
		NamePrefix: "namePrefix", Tags: true,
		Defaults: Object{"retentionInDays": 0, "skipDestroy": false},
		Outputs:  Object{"logGroupClass": "STANDARD"},
		Replace:  []string{"name", "namePrefix", "logGroupClass"},
		Unique:   []Unique{{By: []string{"name"}, Code: "ResourceAlreadyExistsException"}},
		Fields: []Field{
			like("name", `[.\-_/#A-Za-z0-9]+`, "letters, digits and .-_/#", 1, 512), oneOf("retentionInDays", retentions...),
		},
		Refs:  []Ref{ref("kmsKeyId", keyType).by("arn").free().code("InvalidParameterException")},
		Rules: []Rule{keyAllows("kmsKeyId", "logs.{region}.{suffix}", "logs.{region}.amazonaws.com", "logs.amazonaws.com")},
	},
	{
		Token: "aws:cloudwatch/metricAlarm:MetricAlarm", Put: true, ID: "{name}", Name: "name", Tags: true,
		ARN:       "arn:{partition}:cloudwatch:{region}:{account}:alarm:{name}",
		Required:  []string{"comparisonOperator", "evaluationPeriods"},
		AtMostOne: [][]string{{"metricName", "metricQueries"}, {"statistic", "extendedStatistic", "metricQueries"}},
		Defaults:  Object{"actionsEnabled": true, "treatMissingData": "missing"},
		Outputs:   Object{"evaluateLowSampleCountPercentiles": ""},
		Replace:   []string{"name"},
		Unique:    []Unique{{By: []string{"name"}, Code: "AlarmExists"}},
		Fields: []Field{
			oneOf("comparisonOperator", "GreaterThanOrEqualToThreshold", "GreaterThanThreshold", "LessThanThreshold",
				"LessThanOrEqualToThreshold", "LessThanLowerOrGreaterThanUpperThreshold", "LessThanLowerThreshold",
				"GreaterThanUpperThreshold"),
			oneOf("statistic", "SampleCount", "Average", "Sum", "Minimum", "Maximum"), between("name", 1, 255),
			oneOf("treatMissingData", "missing", "ignore", "breaching", "notBreaching"), between("alarmDescription", 0, 1024),
			like("alarmActions[]", actionARN, "an ARN that an alarm can act on"),
			like("okActions[]", actionARN, "an ARN that an alarm can act on"),
		},
		Check: []Rule{func(c *Call) error {
			period, ok := number(c.In, "period")
			if ok && !slices.Contains([]float64{10, 20, 30}, period) && (period < 60 || int(period)%60 != 0) {
				return fail("ValidationError", "period is %s; 10, 20, 30 or a multiple of 60 is possible",
					strconv.FormatFloat(period, 'g', -1, 64))
			}
			return nil
		}},
	},
	{
		Token: "aws:cloudwatch/dashboard:Dashboard", Put: true, ID: "{dashboardName}",
		Required: []string{"dashboardBody", "dashboardName"},
		Outputs:  Object{"dashboardArn": "arn:{partition}:cloudwatch::{account}:dashboard/{dashboardName}"},
		Replace:  []string{"dashboardName"},
		Unique:   []Unique{{By: []string{"dashboardName"}, Code: "DashboardExists"}},
		Fields:   []Field{like("dashboardName", `[0-9A-Za-z_-]+`, "letters, digits and _-", 1, 255)},
		Check:    []Rule{jsonText("dashboardBody", "InvalidParameterInput"), widgets},
	},
}

const actionARN = `arn:aws[a-z-]*:(?:sns|automate|autoscaling|ssm|lambda|swf|ec2):[^:]*:[^:]*:.+`

// widgets refuses a dashboard body without widgets, or with one of no known type.
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
