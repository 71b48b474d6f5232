package automation

import (
	"encoding/json"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/components/componenttest"
)

// restart is a run that waits for the resource service, with the parameters.
func restart(t *testing.T, parameters pulumi.StringMap) *componenttest.Plan {
	t.Helper()
	return componenttest.Run(t, func(ctx *pulumi.Context) error {
		service := &pulumi.CustomResourceState{}
		if err := ctx.RegisterResource("aws:ecs/service:Service", "service", pulumi.Map{}, service); err != nil {
			return err
		}
		_, err := Run(ctx, "restart", &RunArgs{
			Document: "restart-of-wso2is-test", Association: "wso2is-test-restart", Component: "ecs", Content: pulumi.String("{}"),
			Role: pulumi.String("arn:role"), Parameters: parameters, Seconds: 900, Before: []pulumi.Resource{service},
		})
		return err
	})
}

func TestAnUpdateWaitsForARunThatFollowsWhatItNeeds(t *testing.T) {
	p := restart(t, pulumi.StringMap{"Version": pulumi.String("7")})
	document := p.One(t, "aws:ssm/document:Document", "restart")
	assert.Equal(t, "Automation", document.Get("documentType"))
	assert.Equal(t, "restart-of-wso2is-test", document.Get("name"))
	run := p.One(t, "aws:ssm/association:Association", "restart")
	assert.Equal(t, document.Get("name"), run.Get("name"))
	assert.Equal(t, map[string]any{"AutomationAssumeRole": "arn:role", "Version": "7"}, run.Get("parameters"))
	assert.Equal(t, 900.0, run.Get("waitForSuccessTimeoutSeconds"), "without it the provider does not wait")
	assert.True(t, run.DependsOn("service"))
}

// TestARunIsMadeAnew checks that a change replaces the association: the provider waits for one that it creates, not for
// one that it changes.
func TestARunIsMadeAnew(t *testing.T) {
	run := restart(t, nil).One(t, "aws:ssm/association:Association", "restart")
	assert.Equal(t, []string{"parameters", "#initerror"}, run.ReplaceOn, "when a parameter changes, and when the last run failed")
	assert.True(t, run.DeleteFirst, "AWS refuses a second association of the same name")
}

func TestADocumentDeclaresWhatItsStepsRead(t *testing.T) {
	text, err := Document("Waits", map[string]string{"Group": "The Auto Scaling group"}, []Step{
		Wait("wait", "autoscaling", "DescribeInstanceRefreshes", "$.Status", []string{"Successful"}, 60, "judge",
			map[string]any{"AutoScalingGroupName": "{{ Group }}"}),
		Script("judge", "judge", "def judge(events, context): pass", map[string]any{"group": "{{ Group }}"}),
	})
	require.NoError(t, err)
	var document struct {
		SchemaVersion string
		AssumeRole    string
		Parameters    map[string]struct{ Type string }
		MainSteps     []Step
	}
	require.NoError(t, json.Unmarshal([]byte(text), &document))
	assert.Equal(t, "0.3", document.SchemaVersion, "the one of Automation")
	assert.Equal(t, "{{ AutomationAssumeRole }}", document.AssumeRole)
	assert.Equal(t, "AWS::IAM::Role::Arn", document.Parameters["AutomationAssumeRole"].Type)
	assert.Equal(t, "String", document.Parameters["Group"].Type)
	wait, judge := document.MainSteps[0], document.MainSteps[1]
	assert.Equal(t, "{{ Group }}", wait.Inputs["AutoScalingGroupName"])
	assert.Equal(t, []string{"step:judge", "judge"}, []string{wait.OnFailure, wait.NextStep}, "the script says what came of it")
	assert.LessOrEqual(t, judge.Timeout, 600, "Systems Manager ends a script after ten minutes")
	payload := judge.Inputs["InputPayload"].(map[string]any)
	assert.Less(t, payload["seconds"], float64(judge.Timeout), "the script ends by itself before it is ended")
	assert.Equal(t, "{{ Group }}", payload["group"])
}
