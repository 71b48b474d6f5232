package change

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/rehearsal/rehearse"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

type object = map[string]any

func urn(kind, name string) string { return "urn:pulumi:dev::wso2is::" + kind + "::" + name }

// recorded makes a resource of a state.
func recorded(kind, name, id string, in object, dependencies ...string) *state.Resource {
	return &state.Resource{
		URN: urn(kind, name), Type: kind, Name: name, ID: id, Custom: true, Inputs: in, Outputs: in, Dependencies: dependencies,
	}
}

// stepPair returns a step's beginning and end.
func stepPair(op apitype.OpType, kind, name string, keys ...string) []step {
	s := step{op: op, urn: urn(kind, name), kind: kind, keys: keys}
	end := s
	end.done = true
	return []step{s, end}
}

// pair returns two fixed members; if chained, the second waits for the first.
func pair(generation string, chained bool) *state.State {
	var all []*state.Resource
	var before []string
	for _, name := range []string{"node-1", "node-2"} {
		id := "i-" + name + generation
		all = append(all,
			recorded(state.EC2Instance, name, id, object{}, before...),
			recorded(state.TargetGroupAttachment, name, "a", object{"targetId": id}, urn(state.EC2Instance, name)),
			recorded(state.SSMAssociation, name, "s", object{"parameters": object{"InstanceId": id}}, urn(state.TargetGroupAttachment, name)))
		if chained {
			before = []string{urn(state.SSMAssociation, name)}
		}
	}
	return state.New(all...)
}

// renewal returns the engine's steps that replace a member.
func renewal(name string) []step {
	return slices.Concat(
		stepPair(apitype.OpDeleteReplaced, state.SSMAssociation, name), stepPair(apitype.OpDeleteReplaced, state.TargetGroupAttachment, name),
		stepPair(apitype.OpDeleteReplaced, state.EC2Instance, name), stepPair(apitype.OpCreateReplacement, state.EC2Instance, name),
		stepPair(apitype.OpCreateReplacement, state.TargetGroupAttachment, name), stepPair(apitype.OpCreateReplacement, state.SSMAssociation, name))
}

func TestMembersOutOfServiceAreCounted(t *testing.T) {
	one, two := renewal("node-1"), renewal("node-2")
	for name, c := range map[string]struct {
		steps         []step
		chained       bool
		down, renewed int
	}{
		"one after the other":                       {slices.Concat(one, two), true, 1, 2},
		"the second does not wait":                  {slices.Concat(one, two), false, 2, 2},
		"the second goes before the first is ready": {slices.Concat(one[:8], two, one[8:]), true, 2, 2},
		"never checked":                             {slices.Concat(one[:10], two), true, 2, 2},
		"stopped in place": {slices.Concat(stepPair(apitype.OpUpdate, state.EC2Instance, "node-1", "instanceType"),
			stepPair(apitype.OpUpdate, state.EC2Instance, "node-2", "instanceType")), true, 2, 0},
		"tagged in place":         {stepPair(apitype.OpUpdate, state.EC2Instance, "node-1", "tags.team"), true, 0, 0},
		"out of the target group": {stepPair(apitype.OpDeleteReplaced, state.TargetGroupAttachment, "node-1"), true, 1, 0},
		"into another first": {slices.Concat(stepPair(apitype.OpCreateReplacement, state.TargetGroupAttachment, "node-1"),
			stepPair(apitype.OpDeleteReplaced, state.TargetGroupAttachment, "node-1")), true, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			n := nodesOf(pair("a", c.chained), pair("b", c.chained), c.steps)
			assert.Equal(t, c.down, n.Down, "%+v", n)
			assert.Equal(t, c.renewed, n.Renewed, "%+v", n)
		})
	}
}

func TestARollFollowsItsOwnRule(t *testing.T) {
	scaling := func(version string, low int) *state.Resource {
		return recorded(state.AutoScalingGroup, "nodes", "g", object{
			"desiredCapacity": 3., "targetGroupArns": []any{"arn"}, "launchTemplate": object{"version": version},
			"instanceRefresh": object{"preferences": object{"minHealthyPercentage": float64(low), "maxHealthyPercentage": 133.}},
		})
	}
	refreshed := func(version string, low int) *state.State {
		return state.New(
			recorded(state.AutoScalingGroup, "nodes", "g", object{
				"name": "nodes", "desiredCapacity": 3., "targetGroupArns": []any{"arn"}, "launchTemplate": object{"version": "1"},
			}),
			recorded(state.SSMDocument, "refresh", "refresh", object{"name": "refresh", "content": fmt.Sprintf(
				`{"mainSteps":[{"inputs":{"InputPayload":{"group":"nodes","preferences":{"MinHealthyPercentage":%d}}}}]}`, low)}),
			recorded(state.SSMAssociation, "refresh", "r", object{"name": "refresh", "parameters": object{"Version": version}}),
		)
	}
	running := func(task string, low int) *state.Resource {
		return recorded(state.ECSService, "nodes", "s", object{
			"desiredCount": 4., "taskDefinition": task, "deploymentMinimumHealthyPercent": float64(low),
		})
	}
	deployed := func(image string, away int) *state.Resource {
		return recorded(state.Deployment, "server", "d", object{"spec": object{
			"replicas": 3., "template": object{"image": image}, "strategy": object{"rollingUpdate": object{"maxUnavailable": float64(away)}},
		}})
	}
	kubernetes := func(name, id string) *state.Resource { return recorded(state.NodeGroup, name, id, object{}) }
	for name, c := range map[string]struct {
		before, after *state.State
		down, renewed int
	}{
		"nothing":                        {state.New(scaling("1", 50)), state.New(scaling("1", 50)), 0, 0},
		"instance refresh":               {state.New(scaling("1", 100)), state.New(scaling("2", 100)), 0, 3},
		"instance refresh, half healthy": {state.New(scaling("1", 50)), state.New(scaling("2", 50)), 1, 3},
		"instance refresh, none healthy": {state.New(scaling("1", 0)), state.New(scaling("2", 0)), 3, 3},
		"automation":                     {refreshed("1", 100), refreshed("2", 100), 0, 3},
		"automation, half healthy":       {refreshed("1", 50), refreshed("2", 50), 1, 3},
		"automation, nothing new":        {refreshed("2", 50), refreshed("2", 50), 0, 0},
		"tasks":                          {state.New(running("1", 100)), state.New(running("2", 100)), 0, 4},
		"tasks, half healthy":            {state.New(running("1", 50)), state.New(running("2", 50)), 2, 4},
		"pods":                           {state.New(deployed("1", 0)), state.New(deployed("2", 0)), 0, 3},
		"pods, two unavailable":          {state.New(deployed("1", 2)), state.New(deployed("2", 2)), 2, 3},
		"pods move": {
			state.New(deployed("1", 0), kubernetes("nodes", "a")),
			state.New(deployed("1", 0), kubernetes("nodes", "b"),
				recorded(state.PodDisruptionBudget, "server", "b", object{"spec": object{"maxUnavailable": 1.}})), 1, 3,
		},
		"another listener target": {
			state.New(running("1", 100), recorded(state.Listener, "https", "l", object{"defaultActions": []any{object{"targetGroupArn": "a"}}})),
			state.New(running("1", 100), recorded(state.Listener, "https", "l", object{"defaultActions": []any{object{"targetGroupArn": "b"}}})),
			4, 0,
		},
	} {
		t.Run(name, func(t *testing.T) {
			n := nodesOf(c.before, c.after, nil)
			assert.Equal(t, c.down, n.Down, "%+v", n)
			assert.Equal(t, c.renewed, n.Renewed, "%+v", n)
		})
	}
}

func TestNodesThatLoseTheirFilesAreOutOfService(t *testing.T) {
	changed := func(op apitype.OpType, was, is string) []step {
		s := stepPair(op, "aws:iam/rolePolicy:RolePolicy", "files", "policy")[0]
		s.old, s.new = &apitype.StepEventStateMetadata{Inputs: object{"policy": was}}, &apitype.StepEventStateMetadata{Inputs: object{"policy": is}}
		return []step{s}
	}
	const a, b = `"arn:aws:elasticfilesystem:eu-west-1:123456789012:access-point/fsap-0a"`, `"arn:aws:elasticfilesystem:eu-west-1:123456789012:access-point/fsap-0b"`
	for name, c := range map[string]struct {
		steps []step
		down  int
	}{
		"another in its place": {changed(apitype.OpUpdate, "["+a+"]", "["+b+"]"), 2},
		"one more":             {changed(apitype.OpUpdate, "["+a+"]", "["+a+","+b+"]"), 0},
		"one fewer":            {changed(apitype.OpUpdate, "["+a+","+b+"]", "["+a+"]"), 2},
		"at the end":           {changed(apitype.OpDelete, "["+a+"]", ""), 0},
		"another way out":      {stepPair(apitype.OpUpdate, state.SecurityGroupEgressRule, "shared-files-out", "referencedSecurityGroupId"), 2},
		"another reason":       {stepPair(apitype.OpUpdate, state.SecurityGroupEgressRule, "shared-files-out", "description"), 0},
		"one more way out":     {stepPair(apitype.OpCreate, state.SecurityGroupEgressRule, "shared-files-out-b"), 0},
		"no files":             {changed(apitype.OpUpdate, `["arn:aws:s3:::a"]`, `["arn:aws:s3:::b"]`), 0},
	} {
		t.Run(name, func(t *testing.T) {
			n := nodesOf(pair("a", true), pair("a", true), c.steps)
			assert.Equal(t, c.down, n.Down, "%+v", n)
		})
	}
}

func TestNodesDeletedAtTheEndAreNotOutOfService(t *testing.T) {
	old := state.New(recorded(state.ECSService, "nodes", "s", object{"desiredCount": 2.}))
	gone := stepPair(apitype.OpDelete, state.ECSService, "nodes")
	n := nodesOf(old, pair("a", true), gone)
	assert.Equal(t, Nodes{Before: 2, After: 2, Renewed: 2, Why: []string{"the old nodes are deleted after the new ones serve"}}, n)
	assert.Equal(t, 2, nodesOf(old, state.New(), gone).Down, "without new ones they are")
}

func TestLostDataIsNamed(t *testing.T) {
	const database, repository = "aws:rds/instance:Instance", "aws:ecr/repository:Repository"
	judged := func(want Expectation, steps ...[]step) []string {
		o := judge(state.New(), state.New(), slices.Concat(steps...))
		o.check(slices.Concat(steps...), want)
		return o.Violations
	}
	replaced := slices.Concat(stepPair(apitype.OpCreateReplacement, database, "main"), stepPair(apitype.OpDeleteReplaced, database, "main"))
	assert.Equal(t, []string{"the RDS instance main is replaced, and the change does not ask for this (" + urn(database, "main") + ")"},
		judged(Expectation{}, replaced))
	gone := stepPair(apitype.OpDelete, repository, "wso2is")
	assert.Equal(t, []string{"the ECR repository wso2is is deleted, and the change does not ask for this (" + urn(repository, "wso2is") + ")"},
		judged(Expectation{}, gone))
	assert.Empty(t, judged(Expectation{Data: []string{repository}}, gone), "the table allows it")
	assert.Len(t, judged(Expectation{Data: []string{repository}}, gone, replaced), 1, "and nothing else")
	assert.Contains(t, judged(Expectation{Data: []string{repository}})[0], "remove it from Data")
}

func TestNodesThatAreDownAreNamed(t *testing.T) {
	judged := func(want Expectation, down int) []string {
		o := &Outcome{Nodes: Nodes{Before: 3, Down: down, Why: []string{"so it is"}}}
		o.check(nil, want)
		return o.Violations
	}
	assert.Empty(t, judged(Expectation{}, 1))
	assert.Equal(t, []string{"2 of 3 nodes are out of service at once: so it is"}, judged(Expectation{}, 2))
	assert.Empty(t, judged(Expectation{Down: All, Why: "it has to be"}, 3))
	assert.Contains(t, judged(Expectation{Down: All}, 1)[0], "remove it from Down")
	assert.Contains(t, judged(Expectation{Refused: "no"}, 0)[0], "must be refused: no")
	err := Err([]*Outcome{{Change: "tags", Stack: "dev", Violations: []string{"it burns"}}, {Change: "zone", Stack: "eks"}})
	require.ErrorContains(t, err, "change tags of stack dev: it burns")
	require.NoError(t, Err([]*Outcome{{}}))
}

func TestEffectsOfDatabaseUpdates(t *testing.T) {
	for name, c := range map[string]struct {
		keys     []string
		old, now object
		want     string
	}{
		"at once": {[]string{"instanceClass"}, object{}, object{"applyImmediately": true},
			"instanceClass in place; the database is down during the change"},
		"later": {[]string{"allocatedStorage"}, object{}, object{"maintenanceWindow": "sun:03:30-sun:04:30"},
			"allocatedStorage in place in the maintenance window (sun:03:30-sun:04:30)"},
		"never waits": {[]string{"deletionProtection"}, object{}, object{}, "deletionProtection in place"},
		"kept longer": {[]string{"backupRetentionPeriod"}, object{"backupRetentionPeriod": 1.}, object{"backupRetentionPeriod": 7.},
			"backupRetentionPeriod in place"},
		"backups begin": {[]string{"backupRetentionPeriod"}, object{"backupRetentionPeriod": 0.},
			object{"backupRetentionPeriod": 7., "applyImmediately": true},
			"backupRetentionPeriod in place; the database is down during the change"},
		"only here": {[]string{"applyImmediately"}, object{}, object{}, "nothing in RDS"},
	} {
		s := step{old: &apitype.StepEventStateMetadata{Inputs: c.old}, new: &apitype.StepEventStateMetadata{Inputs: c.now}}
		assert.Equal(t, c.want, databaseUpdate(s, c.keys), name)
	}
}

func TestStepsAreReadFromEvents(t *testing.T) {
	event := func(text string) apitype.EngineEvent {
		var e apitype.EngineEvent
		require.NoError(t, json.Unmarshal([]byte(text), &e))
		return e
	}
	s, ok := stepOf(event(`{"resourcePreEvent":{"metadata":{"op":"update","urn":"u","type":"t","diffs":["tags.a","tags.b","x[0]"],"new":{"custom":true}}}}`))
	require.True(t, ok)
	assert.Equal(t, []string{"x"}, s.changed())
	assert.False(t, s.done)
	s, ok = stepOf(event(`{"resOutputsEvent":{"metadata":{"op":"delete","urn":"u","type":"t","old":{"custom":true}}}}`))
	assert.True(t, ok && s.done && s.destroys())
	for _, other := range []string{
		`{"summaryEvent":{}}`, `{"resourcePreEvent":{"metadata":{"op":"same","new":{"custom":true}}}}`,
		`{"resourcePreEvent":{"metadata":{"op":"create","new":{"custom":false}}}}`,
	} {
		_, ok := stepOf(event(other))
		assert.False(t, ok, other)
	}
}

func TestAnEditIsMadeByPath(t *testing.T) {
	config := object{"wso2is:nodes": object{"count": 2, "cpu": 4}, "wso2is:hostname": "a"}
	got := Edit{"wso2is:nodes.count": 3, "wso2is:nodes.cpu": nil, "wso2is:hostname": "b", "wso2is:jvm.heap": 1}.apply(config)
	assert.Equal(t, object{"wso2is:nodes": object{"count": 3}, "wso2is:hostname": "b", "wso2is:jvm": object{"heap": 1}}, got)
	secret := Edit{"wso2is:admin.password": Secret("x"), "wso2is:admin.username": "me"}
	assert.Equal(t, object{"wso2is:admin": object{"username": "me"}}, secret.apply(object{}), "a secret value is never in plain text")
	assert.Equal(t, map[string]string{"wso2is:admin.password": "x"}, secret.secrets())
}

func TestTheTableIsWhole(t *testing.T) {
	known := append([]string{Every}, rehearse.Shipped...)
	rows := Table()
	for i, row := range rows {
		assert.NotEmpty(t, row.Title, row.Name)
		assert.NotEmpty(t, row.Edits, row.Name)
		if i > 0 {
			assert.Less(t, rows[i-1].Name, row.Name)
		}
		for _, stacks := range []map[string]bool{keys(row.Edits), keys(row.Expect), keys(row.Note)} {
			for stack := range stacks {
				assert.Contains(t, known, stack, row.Name)
			}
		}
		for stack, want := range row.Expect {
			assert.False(t, (want.Down > 1) != (want.Why != "") && want.Refused == "", "%s of %s: more nodes down need a reason", row.Name, stack)
			for _, kind := range want.Data {
				assert.True(t, state.TraitsOf(kind).HoldsData, "%s of %s", kind, row.Name)
			}
		}
	}
	assert.Len(t, Find("all"), len(rows))
	assert.Len(t, Find("tags"), 1)
	assert.Empty(t, Find("nothing"))
}

func keys[V any](m map[string]V) map[string]bool {
	all := map[string]bool{}
	for k := range m {
		all[k] = true
	}
	return all
}

func TestStacksWithTheSameOutcomeShareARow(t *testing.T) {
	one := func(stack string, down int) *Outcome {
		return &Outcome{Change: "tags", Title: "A | tag", Stack: stack, Updated: Tally{"VPC": 2}, Nodes: Nodes{Before: 3, Down: down}}
	}
	table := Markdown([]*Outcome{one("prod", 0), one("ecs", 1), one("eks", 0)}, true)
	assert.Equal(t, 4, strings.Count(table, "\n"))
	assert.Contains(t, table, "| A \\| tag (`tags`) | prod, eks | updated: VPC ×2 | none | 0 | not touched | the same |  |\n"+
		"|  | ecs | updated: VPC ×2 | none | 1 |")
	noted := one("prod", 0)
	noted.Note = "Mind."
	assert.Contains(t, Markdown([]*Outcome{noted}, true), "- `tags`: Mind.\n")
	assert.Contains(t, Markdown([]*Outcome{noted, one("ecs", 0)}, true), "- `tags` (prod): Mind.\n")
}

func TestManyMembersAreCountedWhole(t *testing.T) {
	const members = 40
	var apart []*state.Resource
	var chain, together []*outage
	for i := range members {
		member, checked := fmt.Sprintf("member-%d", i), fmt.Sprintf("ready-%d", i)
		r := &state.Resource{URN: member}
		if i > 0 {
			r.Dependencies = []string{fmt.Sprintf("ready-%d", i-1)}
		}
		apart = append(apart, r, &state.Resource{URN: checked, Dependencies: []string{member}})
		chain = append(chain, &outage{member: member, checked: checked, from: 10 * i, to: 10*i + 5})
		together = append(together, &outage{member: member, from: 10 * i, to: 10*i + 5})
	}
	assert.Equal(t, 1, worst(chain, state.New(apart...)))
	assert.Equal(t, members, worst(together, state.New()))
	assert.Equal(t, members/2, worst(slices.Concat(chain[:members/2], together[members/2:]), state.New(apart...)))
}

func TestReasonsWithoutPulumisWrapping(t *testing.T) {
	for text, want := range map[string]string{
		"x\n    error: an unhandled error occurred: 1 error occurred:\n    \t* wso2is:a: no\n  error: update failed":   "wso2is:a: no",
		"x\nerror: go inline source runtime error, an unhandled error occurred: Missing":                               "Missing",
		"error: Preview failed: resource \"urn:pulumi:d::p::x:a:B$aws:rds/instance:Instance::main\" cannot be deleted": "resource RDS instance main cannot be deleted",
		"nothing known": "nothing known",
	} {
		assert.Equal(t, want, reason(errors.New(text)))
	}
}

func TestAChangeSaysWhatAMonthCosts(t *testing.T) {
	provider := recorded("pulumi:providers:aws", "aws", "p", object{"region": "eu-west-1"})
	gateways := func(n int) *state.State {
		all := []*state.Resource{provider}
		for i := range n {
			all = append(all, recorded(state.NATGateway, fmt.Sprint("nat-", i), fmt.Sprint("nat-", i), object{}))
		}
		return state.New(all...)
	}
	// 730 hours of USD 0.048 each.
	assert.Equal(t, "USD +70.08", judge(gateways(1), gateways(3), nil).Month)
	assert.Equal(t, "USD -35.04", judge(gateways(2), gateways(1), nil).Month)
	assert.Empty(t, judge(gateways(2), gateways(2), nil).Month)
	queue := state.New(provider, recorded("aws:sqs/queue:Queue", "q", "q", object{}))
	assert.Equal(t, "unpriced: queue: the resource", judge(state.New(provider), queue, nil).Month, "what has no price is no zero")
	assert.Contains(t, Markdown([]*Outcome{judge(gateways(1), gateways(3), nil)}, true), "| USD +70.08 |")
}
