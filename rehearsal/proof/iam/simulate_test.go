package iam_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/rehearsal/proof/iam"
)

const simulator = "@cloud-copilot/iam-simulate@0.1.173"

// simulated is a request in the format of testdata/simulate.mjs.
type simulated struct {
	Principal string              `json:"principal"`
	Action    string              `json:"action"`
	Resource  string              `json:"resource"`
	Owner     string              `json:"owner"`
	Context   map[string][]string `json:"context"`
	Identity  []string            `json:"identity"`
	Policy    string              `json:"policy"`
	Boundary  string              `json:"boundary"`
	Endpoint  string              `json:"endpoint"`
}

func (c simulated) decide() iam.Decision {
	r := iam.Request{Action: c.Action, Resource: c.Resource, Context: iam.Context{}}
	for key, values := range c.Context {
		r.Context[key] = values
	}
	for _, key := range keys {
		if _, ok := r.Context[key]; !ok {
			r.Context[key] = nil
		}
	}
	if len(c.Principal) > 4 && c.Principal[:4] == "arn:" {
		r.Principal.ARN = c.Principal
	} else {
		r.Principal.Service = c.Principal
	}
	if c.Owner != account {
		r.Owner = c.Owner
	}
	var p iam.Policies
	for _, raw := range c.Identity {
		p.Identity = append(p.Identity, iam.Parse("identity", raw))
	}
	one := func(name, raw string) *iam.Policy {
		if raw == "" {
			return nil
		}
		parsed := iam.Parse(name, raw)
		return &parsed
	}
	p.Resource, p.Boundary, p.Endpoint = one("the key", c.Policy), one("boundary", c.Boundary), one("endpoint", c.Endpoint)
	return r.Decide(p)
}

// TestASimulatorDecidesTheSame compares the decisions with those of a simulator by others: for the table, and for
// thousands of generated requests.
func TestASimulatorDecidesTheSame(t *testing.T) {
	root, err := filepath.Abs("../../../.cache/iam-simulate")
	require.NoError(t, err)
	node, err := exec.LookPath("node")
	if _, missing := os.Stat(filepath.Join(root, "node_modules/@cloud-copilot/iam-simulate")); err != nil || missing != nil {
		t.Skipf("this needs Node.js and: npm install --prefix .cache/iam-simulate %s", simulator)
	}
	cases := generated(6000)
	for _, c := range decisions {
		if c.Context == nil {
			c.Context = map[string][]string{}
		}
		cases = append(cases, c.simulated)
	}
	input, err := json.Marshal(cases)
	require.NoError(t, err)
	command := exec.Command(node, "testdata/simulate.mjs", root)
	command.Stdin, command.Stderr = bytes.NewReader(input), os.Stderr
	output, err := command.Output()
	require.NoError(t, err)
	var answers []string
	require.NoError(t, json.Unmarshal(output, &answers))
	require.Len(t, answers, len(cases))
	seen := map[string]int{}
	differ := 0
	for i, c := range cases {
		ours := c.decide()
		require.Contains(t, []string{"Allowed", "ImplicitlyDenied", "ExplicitlyDenied"}, answers[i], "%+v", c)
		seen[answers[i]]++
		if !assert.Equal(t, answers[i] == "Allowed", ours.Allowed, "the simulator says %s, %s\n%+v", answers[i], ours.Why, c) {
			if differ++; differ > 5 {
				t.FailNow()
			}
		}
	}
	for answer, n := range seen {
		assert.Greater(t, n, 300, answer)
	}
	assert.Len(t, seen, 3)
}

const (
	account = "123456789012"
	other   = "210987654321"
	role    = "arn:aws:iam::123456789012:role/nodes"
	linked  = "arn:aws:iam::123456789012:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
	key     = "arn:aws:kms:eu-west-1:123456789012:key/1111"
	object  = "arn:aws:s3:::files/programs/setup"
	secret  = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:wso2is/admin-AbCdEf"
)

// keys are the condition keys that requests have, or are known not to have.
var keys = []string{
	"aws:SecureTransport", "aws:PrincipalArn", "kms:CallerAccount", "kms:ViaService", "aws:userid",
	"aws:SourceIp", "aws:SourceArn", "aws:SourceAccount", "aws:PrincipalTag/team", "aws:TagKeys", "aws:MultiFactorAuthAge",
	"aws:CurrentTime", "aws:username",
}

// generator makes random requests and policies, the same ones in every run.
type generator struct{ *rand.Rand }

func (g generator) pick(all ...string) string { return all[g.IntN(len(all))] }

// some returns one or two of all.
func (g generator) some(all ...string) []string {
	list := slices.Clone(all)
	g.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list[:1+g.IntN(min(2, len(list)))]
}

// conditions returns at most two.
func (g generator) conditions() map[string]any {
	type condition struct {
		operator, key string
		values        []string
	}
	pick, some := g.pick, g.some
	all := []condition{
		{pick("Bool", "BoolIfExists"), "aws:SecureTransport", some("true", "false")},
		{pick("StringEquals", "StringNotEquals", "StringEqualsIfExists"), "kms:CallerAccount", some(account, other)},
		{pick("ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike", "ArnLikeIfExists"), "aws:PrincipalArn",
			some(role, linked, "arn:aws:iam::123456789012:role/*", "arn:aws:iam::*:role/nodes")},
		{pick("StringLike", "StringNotLike", "StringLikeIfExists"), "kms:ViaService",
			some("ec2.*.amazonaws.com", "s3.eu-west-1.amazonaws.com", "secretsmanager.eu-west-?.amazonaws.com")},
		{"Null", pick("aws:userid", "aws:PrincipalTag/team", "aws:SourceArn"), []string{pick("true", "false")}},
		{pick("IpAddress", "NotIpAddress"), "aws:SourceIp", some("10.0.0.0/16", "192.0.2.7", "198.51.0.0/16")},
		{pick("ForAnyValue:StringEquals", "ForAllValues:StringEquals", "ForAnyValue:StringLike", "ForAllValues:StringLike"),
			"aws:TagKeys", some("team", "cost", "t*")},
		{pick("NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan", "NumericEquals", "NumericNotEquals",
			"NumericGreaterThanEqualsIfExists"), "aws:MultiFactorAuthAge", some("5", "10", "7")},
		{pick("DateLessThan", "DateGreaterThan"), "aws:CurrentTime", some("2026-01-01T00:00:00Z", "2030-01-01T00:00:00Z")},
		{pick("StringEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase"), "aws:PrincipalTag/team",
			some("Identity", "identity", "${aws:username}")},
	}
	chosen := map[string]any{}
	for range g.IntN(3) {
		c := all[g.IntN(len(all))]
		chosen[c.operator] = map[string]any{c.key: c.values}
	}
	return chosen
}

// statement allows in a share of all cases. In a resource's policy it names principals.
func (g generator) statement(allow float64, resources []string, principals bool) map[string]any {
	s := map[string]any{"Effect": "Deny"}
	if g.Float64() < allow {
		s["Effect"] = "Allow"
	}
	s[g.pick("Action", "Action", "Action", "NotAction")] = g.some("kms:Decrypt", "kms:*", "s3:GetObject", "s3:Get*",
		"secretsmanager:GetSecretValue", "secretsmanager:*", "*", "KMS:decrypt")
	if s["Effect"] == "Allow" {
		delete(s, "NotAction")
		s["Action"] = g.some("kms:Decrypt", "kms:*", "s3:GetObject", "s3:Get*", "secretsmanager:GetSecretValue", "*")
	}
	s[g.pick("Resource", "Resource", "Resource", "Resource", "NotResource")] = g.some(resources...)
	if c := g.conditions(); len(c) > 0 {
		s["Condition"] = c
	}
	if principals {
		s["Principal"] = []any{
			"*", map[string]any{"AWS": "*"}, map[string]any{"AWS": role}, map[string]any{"AWS": []string{linked, role}},
			map[string]any{"AWS": "arn:aws:iam::123456789012:root"}, map[string]any{"AWS": account},
			map[string]any{"AWS": "arn:aws:iam::210987654321:root"},
			map[string]any{"Service": "delivery.logs.amazonaws.com"}, map[string]any{"Service": []string{"ec2.amazonaws.com"}},
		}[g.IntN(9)]
	}
	return s
}

func (g generator) policy(allow float64, resources []string, principals bool) string {
	var statements []any
	for range 1 + g.IntN(3) {
		statements = append(statements, g.statement(allow, resources, principals))
	}
	raw, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": statements})
	if err != nil {
		panic(err)
	}
	return string(raw)
}

// targets are the calls of requests, and the resources that policies may name for each.
var targets = []struct {
	action, resource string
	resources        []string
}{
	{"kms:Decrypt", key, []string{key, "*", "arn:aws:kms:*:123456789012:key/*", "arn:aws:kms:eu-west-1:123456789012:alias/x"}},
	{"s3:GetObject", object, []string{object, "*", "arn:aws:s3:::files/*", "arn:aws:s3:::files", "arn:aws:s3:::*/setup",
		"arn:aws:s3:::files/${aws:username}/*"}},
	{"secretsmanager:GetSecretValue", secret, []string{secret, "*", "arn:aws:secretsmanager:*:*:secret:wso2is/*",
		"arn:aws:secretsmanager:eu-west-1:123456789012:secret:wso2is/admin-??????"}},
}

// context returns most condition keys in most cases.
func (g generator) context(resource string) map[string][]string {
	context := map[string][]string{}
	has := func(key string, values ...string) {
		if g.IntN(4) > 0 {
			context[key] = []string{g.pick(values...)}
		}
	}
	has("aws:SecureTransport", "true", "false")
	if resource == key {
		has("kms:CallerAccount", account, other)
		has("kms:ViaService", "ec2.eu-west-1.amazonaws.com", "s3.eu-west-1.amazonaws.com", "secretsmanager.eu-west-1.amazonaws.com")
	}
	has("aws:SourceIp", "10.0.3.4", "192.0.2.7", "198.51.100.1")
	has("aws:PrincipalTag/team", "identity", "Identity", "*")
	has("aws:MultiFactorAuthAge", "5", "7", "11")
	has("aws:CurrentTime", "2026-06-01T00:00:00Z")
	has("aws:username", "programs", "identity")
	if g.IntN(2) == 0 {
		context["aws:TagKeys"] = g.some("team", "cost", "stack")
	}
	return context
}

// generated returns n requests with the policies that decide them.
func generated(n int) []simulated {
	g := generator{rand.New(rand.NewPCG(7, 12))} //nolint:gosec // the same cases at every run
	var all []simulated
	for range n {
		target := targets[g.IntN(len(targets))]
		c := simulated{
			Principal: g.pick(role, role, linked, "delivery.logs.amazonaws.com"), Action: target.action,
			Resource: target.resource, Owner: account,
		}
		if g.IntN(8) == 0 {
			c.Owner = other
		}
		c.Context = g.context(target.resource)
		if c.Principal[:3] == "arn" {
			c.Context["aws:PrincipalArn"] = []string{c.Principal}
			for range g.IntN(3) {
				c.Identity = append(c.Identity, g.policy(0.8, target.resources, false))
			}
			if g.IntN(5) == 0 {
				c.Boundary = g.policy(0.9, target.resources, false)
			}
		}
		if target.action == "kms:Decrypt" || g.IntN(2) == 0 {
			c.Policy = g.policy(0.8, target.resources, true)
		}
		all = append(all, c)
	}
	return all
}

func document(statements ...string) string {
	list := ""
	for i, s := range statements {
		if i > 0 {
			list += ","
		}
		list += s
	}
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[%s]}`, list)
}
