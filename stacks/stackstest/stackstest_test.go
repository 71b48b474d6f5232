package stackstest_test

import (
	"os"
	"strings"
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sns"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/config"
	"github.com/wso2is-aws/wso2is/stacks"
	"github.com/wso2is-aws/wso2is/stacks/stackstest"
)

// TestProd is the example of the README.
func TestProd(t *testing.T) {
	plan := stackstest.Deploy(t, "../../Pulumi.prod.yaml")
	database := plan.One(t, "aws:rds/instance:Instance", "main")
	assert.Equal(t, true, database.Get("multiAz"))
	assert.True(t, database.Protect)
	assert.Contains(t, plan.Deployment(t, "all"), "hostname = 'is.example.com'")
}

// TestTheREADMEHasTheExample holds that the README shows the test above, line by line.
func TestTheREADMEHasTheExample(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	own, err := os.ReadFile("stackstest_test.go")
	require.NoError(t, err)
	_, body, _ := strings.Cut(string(own), "func TestProd(")
	body, _, _ = strings.Cut(body, "\n}\n")
	assert.Contains(t, string(readme), "    func TestProd("+strings.ReplaceAll(strings.ReplaceAll(body, "../../", ""), "\n\t", "\n    \t")+"\n    }\n")
}

func TestARefusedStackFileNamesItsProblems(t *testing.T) {
	err := new(stackstest.Plan).Run(t, stacks.Deploy, "test", map[string]string{"aws:region": "eu-west-1", "wso2is:hostname": "no name"})
	var problems config.Problems
	require.ErrorAs(t, err, &problems)
	assert.Contains(t, problems.Error(), "wso2is:hostname")
}

// TestATeamsOwnProgram has a program with a resource of its own, and a look-up that only the program makes.
func TestATeamsOwnProgram(t *testing.T) {
	const lookup = "aws:sns/getTopic:getTopic"
	program := func(ctx *pulumi.Context) error {
		found, err := sns.LookupTopic(ctx, &sns.LookupTopicArgs{Name: "operations"})
		if err != nil {
			return err
		}
		_, err = sns.NewTopicSubscription(ctx, "mail", &sns.TopicSubscriptionArgs{
			Topic: pulumi.String(found.Arn), Protocol: pulumi.String("email"), Endpoint: pulumi.String("operations@example.com"),
		})
		return err
	}
	plan := &stackstest.Plan{}
	require.ErrorContains(t, plan.Run(t, program, "test", nil), "the program calls "+lookup)

	plan = &stackstest.Plan{Answers: map[string]stackstest.Answer{lookup: func(args pulumi.MockCallArgs) (map[string]any, error) {
		return map[string]any{"arn": "arn:aws:sns:eu-west-1:123456789012:" + args.Args["name"].StringValue()}, nil
	}}}
	require.NoError(t, plan.Run(t, program, "test", nil))
	assert.Equal(t, "arn:aws:sns:eu-west-1:123456789012:operations",
		plan.One(t, "aws:sns/topicSubscription:TopicSubscription", "mail").Get("topic"))
	require.Len(t, plan.Calls, 1)
}
