package availability

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// alarm is a CloudWatch alarm with its metric.
type alarm struct {
	urn, name          string
	queries            []query
	comparison         string
	threshold          float64
	periods, breaching int
	missing            string
	// tells are its actions, vanished says that it also has actions for missing data.
	tells    []string
	vanished bool
}

// query is a metric of an alarm, or an expression over other queries.
type query struct {
	id, expression             string
	namespace, metric, statics string
	period                     time.Duration
	dimensions                 map[string]string
	returned                   bool
}

// alarmsOf reads the alarms of a state.
func alarmsOf(s *state.State) []*alarm {
	var all []*alarm
	for _, r := range s.Of(state.MetricAlarm) {
		a := &alarm{
			urn: r.URN, name: r.Text("name"), comparison: r.Text("comparisonOperator"), threshold: r.Number("threshold", 0),
			periods: int(r.Number("evaluationPeriods", 1)), missing: r.Text("treatMissingData"),
		}
		a.breaching = int(r.Number("datapointsToAlarm", float64(a.periods)))
		if a.breaching == 0 {
			a.breaching = a.periods
		}
		for _, target := range r.List("alarmActions") {
			a.tells = append(a.tells, state.Text(target))
		}
		a.vanished = len(r.List("insufficientDataActions")) > 0
		metric := func(v state.Object, name, statistic string) query {
			q := query{
				namespace: v.Text("namespace"), metric: v.Text(name), statics: v.Text(statistic),
				period: time.Duration(state.Number(v["period"], 60)) * time.Second, dimensions: map[string]string{},
			}
			for key, value := range v.Object("dimensions") {
				q.dimensions[key] = state.Text(value)
			}
			return q
		}
		if list := r.Objects("metricQueries"); len(list) > 0 {
			for _, one := range list {
				q := metric(one.Object("metric"), "metricName", "stat")
				q.id, q.expression, q.returned = one.Text("id"), one.Text("expression"), one["returnData"] == true
				a.queries = append(a.queries, q)
			}
		} else {
			q := metric(r.Inputs, "metricName", "statistic")
			if q.statics == "" {
				q.statics = r.Text("extendedStatistic")
			}
			q.returned = true
			a.queries = []query{q}
		}
		all = append(all, a)
	}
	slices.SortFunc(all, func(a, b *alarm) int { return strings.Compare(a.name, b.name) })
	return all
}

// shortName returns the alarm's name without the cluster's.
func (a *alarm) shortName(cluster string) string { return strings.TrimPrefix(a.name, cluster+"-") }

func (a *alarm) period() time.Duration {
	for _, q := range a.queries {
		if q.metric != "" {
			return q.period
		}
	}
	return time.Minute
}

// value returns the value that the alarm compares in the period from a time; false without one.
func (a *alarm) value(w *world, from time.Duration) (float64, bool) {
	values := map[string]float64{}
	for _, q := range a.queries {
		if q.metric == "" {
			continue
		}
		v, ok := w.statistic(q, from)
		if q.returned {
			return v, ok
		}
		if ok {
			values[q.id] = v
		}
	}
	for _, q := range a.queries {
		if q.returned && q.expression != "" {
			v, ok, err := evaluate(q.expression, values)
			return v, ok && err == nil
		}
	}
	return 0, false
}

// breach reports whether a value is beyond the threshold.
func (a *alarm) breach(v float64) bool {
	switch a.comparison {
	case "GreaterThanThreshold":
		return v > a.threshold
	case "GreaterThanOrEqualToThreshold":
		return v >= a.threshold
	case "LessThanThreshold":
		return v < a.threshold
	}
	return v <= a.threshold
}

// firstRing returns the first time from from to before to at which the alarm goes off; false without one. It is evaluated
// at the end of each period, over the periods before it. These include periods before the alarm's creation. See
// "Evaluating an alarm" and "Configuring how CloudWatch alarms treat missing data" in the CloudWatch user guide.
func (a *alarm) firstRing(w *world, from, to time.Duration) (time.Duration, bool) {
	period, seen := a.period(), false
	for end := from.Truncate(period) + period; end <= to; end += period {
		breaching, known := 0, 0
		for i := 1; i <= a.periods; i++ {
			if v, ok := a.value(w, end-time.Duration(i)*period); ok {
				known++
				if a.breach(v) {
					breaching++
				}
			}
		}
		if known == a.periods {
			seen = true
		}
		unknown := a.periods - known
		switch a.missing {
		case "breaching":
			breaching += unknown
		case "missing":
			if known > 0 && breaching == known { // a premature alarm, as the guide describes
				breaching += unknown
			}
			if seen && known == 0 && a.vanished {
				// CloudWatch first looks a few more periods back.
				return end + furtherBack*period, true
			}
		}
		if breaching >= a.breaching {
			return end, true
		}
	}
	return 0, false
}

// furtherBack is the number of periods that an alarm looks back for values, in addition to the compared ones.
const furtherBack = 2

// parser evaluates an expression of CloudWatch's metric math with the operators that alarms here use: numbers, queries,
// IF, AND, OR, comparisons and arithmetic. If a query has no value, the result has none.
type parser struct {
	tokens  []string
	values  map[string]float64
	unknown bool
}

var token = regexp.MustCompile(`\s*(>=|<=|==|!=|&&|\|\||[A-Za-z_][A-Za-z0-9_]*|[0-9.]+|[-+*/()<>,])`)

func evaluate(expression string, values map[string]float64) (result float64, known bool, err error) {
	p := &parser{values: values}
	rest := strings.TrimSpace(expression)
	for rest != "" {
		m := token.FindStringSubmatch(rest)
		if m == nil || !strings.HasPrefix(rest, m[0]) {
			return 0, false, fmt.Errorf("%q: %q is not part of metric math here", expression, rest)
		}
		p.tokens, rest = append(p.tokens, m[1]), strings.TrimSpace(rest[len(m[0]):])
	}
	if result, err = p.binary(0); err == nil && len(p.tokens) > 0 {
		err = fmt.Errorf("%q: %q is left over", expression, strings.Join(p.tokens, " "))
	}
	return result, !p.unknown, err
}

// levels are the operators from the weakest to the strongest.
var levels = [][]string{{"OR", "||"}, {"AND", "&&"}, {">", "<", ">=", "<=", "==", "!="}, {"+", "-"}, {"*", "/"}}

func (p *parser) binary(level int) (float64, error) {
	if level == len(levels) {
		return p.operand()
	}
	left, err := p.binary(level + 1)
	for err == nil && len(p.tokens) > 0 && slices.Contains(levels[level], p.tokens[0]) {
		op := p.tokens[0]
		p.tokens = p.tokens[1:]
		var right float64
		if right, err = p.binary(level + 1); err == nil {
			left = apply(op, left, right)
		}
	}
	return left, err
}

func apply(op string, a, b float64) float64 {
	truth := func(yes bool) float64 {
		if yes {
			return 1
		}
		return 0
	}
	switch op {
	case "OR", "||":
		return truth(a != 0 || b != 0)
	case "AND", "&&":
		return truth(a != 0 && b != 0)
	case ">":
		return truth(a > b)
	case "<":
		return truth(a < b)
	case ">=":
		return truth(a >= b)
	case "<=":
		return truth(a <= b)
	case "==":
		return truth(a == b)
	case "!=":
		return truth(a != b)
	case "+":
		return a + b
	case "-":
		return a - b
	case "*":
		return a * b
	}
	return a / b
}

func (p *parser) take(want string) error {
	if len(p.tokens) == 0 || p.tokens[0] != want {
		return fmt.Errorf("%q is missing", want)
	}
	p.tokens = p.tokens[1:]
	return nil
}

func (p *parser) operand() (float64, error) {
	if len(p.tokens) == 0 {
		return 0, fmt.Errorf("something is missing at the end")
	}
	t := p.tokens[0]
	p.tokens = p.tokens[1:]
	switch t {
	case "(":
		v, err := p.binary(0)
		if err != nil {
			return 0, err
		}
		return v, p.take(")")
	case "IF":
		var args [3]float64
		for i, before := range []string{"(", ",", ","} {
			if err := p.take(before); err != nil {
				return 0, err
			}
			var err error
			if args[i], err = p.binary(0); err != nil {
				return 0, err
			}
		}
		if args[0] != 0 {
			return args[1], p.take(")")
		}
		return args[2], p.take(")")
	}
	if n, err := strconv.ParseFloat(t, 64); err == nil {
		return n, nil
	}
	v, ok := p.values[t]
	p.unknown = p.unknown || !ok
	return v, nil
}
