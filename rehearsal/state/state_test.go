package state_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// exported is a state in the engine's format. It has a component and two resources, of which one waits for the
// component. It also has a replaced resource that must still be deleted, and a pending operation.
const exported = `{"version": 3, "deployment": {
	"manifest": {"time": "2026-01-01T00:00:00Z", "magic": "", "version": ""},
	"resources": [
		{"urn": "urn:pulumi:dev::p::own:Network::network", "type": "own:Network", "custom": false,
		 "dependencies": ["urn:pulumi:dev::p::aws:ec2/vpc:Vpc::vpc"]},
		{"urn": "urn:pulumi:dev::p::aws:ec2/vpc:Vpc::vpc", "type": "aws:ec2/vpc:Vpc", "custom": true, "id": "vpc-1", "protect": true,
		 "inputs": {"cidrBlock": "10.0.0.0/16", "tags": {"team": "iam"}},
		 "outputs": {"cidrBlock": null, "arn": "arn:vpc-1", "tagsAll": {"stack": "dev"}}},
		{"urn": "urn:pulumi:dev::p::aws:ec2/instance:Instance::node", "type": "aws:ec2/instance:Instance", "custom": true, "id": "i-2",
		 "inputs": {"vpc": "arn:vpc-1"}, "outputs": {}, "dependencies": ["urn:pulumi:dev::p::own:Network::network"]},
		{"urn": "urn:pulumi:dev::p::aws:ec2/instance:Instance::node", "type": "aws:ec2/instance:Instance", "custom": true, "id": "i-1",
		 "inputs": {}, "outputs": {}, "delete": true}
	],
	"pending_operations": [{"resource": {"urn": "urn:pulumi:dev::p::aws:ec2/eip:Eip::nat", "type": "aws:ec2/eip:Eip", "custom": true},
		"type": "creating"}]
}}`

func TestReadAnswersByTypeIDAndProperty(t *testing.T) {
	s, err := state.Read([]byte(exported))
	require.NoError(t, err)
	assert.Len(t, s.All, 4)
	require.Len(t, s.Live, 2, "neither the component nor what waits to be deleted")
	vpc, node := s.Get("aws:ec2/vpc:Vpc", "vpc-1"), s.ByURN("urn:pulumi:dev::p::aws:ec2/instance:Instance::node")
	require.NotNil(t, vpc)
	require.NotNil(t, node)
	assert.Equal(t, "i-2", node.ID)
	assert.Equal(t, "Vpc vpc", vpc.String())
	assert.True(t, vpc.Protect)
	assert.Equal(t, "10.0.0.0/16", vpc.Text("cidrBlock"), "the input, as the service answered nothing")
	assert.Equal(t, map[string]string{"team": "iam", "stack": "dev"}, vpc.Tags())
	assert.Equal(t, []*state.Resource{node}, s.With("aws:ec2/instance:Instance", "vpc", "arn:vpc-1"))
	assert.Empty(t, s.With("aws:ec2/instance:Instance", "other", ""), "nothing names nothing")
	assert.Equal(t, vpc, s.One("aws:ec2/vpc:Vpc", "arn:vpc-1", "arn"))
	assert.Nil(t, s.One("aws:ec2/vpc:Vpc", "arn:vpc-1"))
	assert.Equal(t, map[string]string{"urn:pulumi:dev::p::aws:ec2/eip:Eip::nat": "creating"}, s.Pending)
	assert.True(t, s.Waits(node.URN, vpc.URN), "through the component")
	assert.False(t, s.Waits(vpc.URN, node.URN))
}

func TestReadRefusesWhatIsNoState(t *testing.T) {
	for raw, want := range map[string]string{
		"":                                  "reading the state",
		`{"version": 3}`:                    "it holds no deployment",
		`{"version": 3, "deployment": "x"}`: "reading the state",
	} {
		_, err := state.Read([]byte(raw))
		assert.ErrorContains(t, err, want, raw)
	}
}

func TestValuesFollowAPath(t *testing.T) {
	v := map[string]any{
		"block": []any{map[string]any{"size": 2.0}},
		"rules": []any{map[string]any{"port": 1.0}, map[string]any{}},
		"empty": []any{},
	}
	for path, want := range map[string][]any{
		"block.size":     {2.0},
		"rules[].port":   {1.0, nil},
		"rules.1.port":   {nil},
		"rules.0.port":   {1.0},
		"rules.2.port":   {nil},
		"empty.size":     {nil},
		"missing.at.all": {nil},
		"block.size.of":  {nil},
	} {
		assert.Equal(t, want, state.Values(v, path), path)
	}
	assert.Empty(t, state.Values(v, "empty[].size"))
	assert.Nil(t, state.At(v, "empty[].size"))
}

func TestValuesOfEachKind(t *testing.T) {
	for _, v := range []any{3.0, int64(3), "3"} {
		n, ok := state.Int(v)
		assert.True(t, ok)
		assert.Equal(t, 3, n)
		assert.InDelta(t, 3, state.Number(v, 7), 0)
	}
	_, ok := state.Int("3x")
	assert.False(t, ok)
	assert.InDelta(t, 7, state.Number("3x", 7), 0)
	assert.True(t, state.Flag("enabled", false))
	assert.True(t, state.Flag(nil, true))
	var visited []string
	state.Walk(map[string]any{"b": []any{"1", "2"}, "a": map[string]any{"c": "3"}}, func(path, value string) {
		visited = append(visited, path+"="+value)
	})
	assert.Equal(t, []string{"a.c=3", "b=1", "b=2"}, visited)
}
