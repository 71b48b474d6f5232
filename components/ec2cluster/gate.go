package ec2cluster

import (
	_ "embed"
	"fmt"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/automation"
	"github.com/wso2is-aws/wso2is/components/awskit"
	"github.com/wso2is-aws/wso2is/components/nodefiles"
	"github.com/wso2is-aws/wso2is/config"
	"github.com/wso2is-aws/wso2is/config/ports"
)

// gate holds the next fixed member until one is ready, and a replacement until the old one is drained.
//
// An association of a command with an instance cannot do this: until the instance is registered with Systems Manager,
// the association has no target and reports success (terraform-provider-aws #31175). An association of an Automation
// document without targets runs the document once, and is Pending until the run ends; the provider waits while it is
// Pending.
type gate struct {
	role    *iam.Role
	granted pulumi.Resource
}

//go:embed drain.py
var drainScript string

const (
	// agentSeconds is the maximum time until an instance is registered with Systems Manager.
	agentSeconds = 900
	// gateRole is the role of the documents. The topology ecs has a role "automation".
	gateRole = "members"
	// readyDocument and drainDocument are the prefixes of the documents' names. Systems Manager refuses names that
	// begin with aws.
	readyDocument = "ready-of-"
	drainDocument = "drain-of-"
)

func (b *builder) newGate(ctx *pulumi.Context) (*gate, error) {
	g := &gate{}
	var err error
	var target pulumi.StringInput = pulumi.String("")
	if !b.Config.Proxied() {
		target = b.LoadBalancer.TargetGroup
	}
	if g.role, err = b.NewRole(ctx, gateRole, &iam.RoleArgs{
		Name: pulumi.String(b.RoleName(gateRole)), Description: pulumi.String("Waits for the nodes of " + b.Cluster),
		AssumeRolePolicy: pulumi.String(automation.Trust(b.Scope)),
		Tags:             awskit.Tags(b.Cluster+"-"+gateRole, component),
	}, b.child...); err != nil {
		return nil, fmt.Errorf("creating the automation's role: %w", err)
	}
	if g.granted, err = iam.NewRolePolicy(ctx, b.Named(gateRole), &iam.RolePolicyArgs{
		Role: g.role.ID(), Name: pulumi.String(gateRole),
		Policy: awskit.PolicyOf(target, b.gatePolicy),
	}, b.child...); err != nil {
		return nil, fmt.Errorf("granting the automation's role its permissions: %w", err)
	}
	return g, nil
}

func (b *builder) gatePolicy(targetGroup string) awskit.Policy {
	send := awskit.Allow("RunOnNodes", []string{"ssm:SendCommand"}, b.ARN("ec2", "instance/*"))
	send.Condition = map[string]map[string]any{"StringEquals": {"ssm:resourceTag/" + config.DiscoveryTagKey: b.Cluster}}
	statements := []awskit.Statement{send, b.runCommand(), b.followCommand()}
	find := []string{"ssm:DescribeInstanceInformation"}
	if targetGroup != "" {
		find = append(find, "ec2:DescribeInstances", "ec2:DescribeNetworkInterfaces")
		read := awskit.Allow("ReadLaunch", []string{"ec2:DescribeInstanceAttribute"}, b.ARN("ec2", "instance/*"))
		read.Condition = map[string]map[string]any{"StringEquals": {"ec2:ResourceTag/" + config.DiscoveryTagKey: b.Cluster}}
		statements = append(statements, read, awskit.Allow("Drain", []string{
			"elasticloadbalancing:DeregisterTargets", "elasticloadbalancing:RegisterTargets",
		}, targetGroup))
	}
	return awskit.NewPolicy(append(statements, awskit.Allow("FindNode", find, "*"))...) // these take no resource
}

// runCommand and followCommand let an automation run shell commands on the instances that another statement names.
func (b *builder) runCommand() awskit.Statement {
	return awskit.Allow("RunCommand", []string{"ssm:SendCommand"}, fmt.Sprintf("arn:%s:ssm:%s::document/AWS-RunShellScript", b.Partition, b.Region))
}

// The calls that follow a command take no resource. IAM sees them about all of Systems Manager in the Region, as its refusals say.
func (b *builder) followCommand() awskit.Statement {
	return awskit.Allow("FollowCommand", []string{"ssm:ListCommandInvocations", "ssm:ListCommands"}, b.ARN("ssm", "*"))
}

func (b *builder) readySteps() (string, error) {
	const instance = "{{ InstanceId }}"
	return automation.Document("Waits until a node of "+b.Cluster+" is ready", map[string]string{
		"InstanceId": "The node's instance", "Members": "How many members it must be connected with, itself included",
	}, []automation.Step{{
		Name: "WaitForAgent", Action: "aws:waitForAwsResourceProperty", Timeout: agentSeconds, Inputs: map[string]any{
			"Service": "ssm", "Api": "DescribeInstanceInformation",
			"Filters":          []any{map[string]any{"Key": "InstanceIds", "Values": []string{instance}}},
			"PropertySelector": "$.InstanceInformationList[0].PingStatus", "DesiredValues": []string{"Online"},
		},
	}, {
		Name: "WaitForServer", Action: "aws:runCommand", Timeout: readySeconds + agentSeconds, IsEnd: true, Inputs: map[string]any{
			"DocumentName": "AWS-RunShellScript", "InstanceIds": []string{instance}, "Parameters": map[string]any{
				"commands": []string{"until [ -x /opt/wso2is/bin/ready ]; do sleep 5; done", fmt.Sprintf(
					"/opt/wso2is/bin/ready %d {{ Members }}", readySeconds)},
				"executionTimeout": []string{fmt.Sprint(readySeconds)},
			},
		},
	}})
}

func (b *builder) drainSteps() (string, error) {
	return automation.Document("Takes a node of "+b.Cluster+" out of the load balancer before it is replaced", map[string]string{
		"Interface":   "The node's network interface, which outlives its instances",
		"TargetGroup": "What the node is registered in", "Launch": "The checksum of what the node is launched with",
	}, []automation.Step{{
		Name: "Deregister", Action: "aws:executeScript", Inputs: map[string]any{
			"Runtime": "python3.11", "Handler": "drain", "Script": drainScript, "InputPayload": map[string]any{
				"interface": "{{ Interface }}", "targetGroup": "{{ TargetGroup }}", "launch": "{{ Launch }}",
				"seconds": b.Config.LoadBalancer.DeregistrationDelay, "port": ports.HTTPS,
			},
		},
		Outputs: []automation.Output{{Name: "Wait", Selector: "$.Payload.wait", Type: "String"}},
	}, {
		// The load balancer lets open requests finish for this time.
		Name: "LetRequestsEnd", Action: "aws:sleep", IsEnd: true, Inputs: map[string]any{"Duration": "{{ Deregister.Wait }}"},
	}})
}

// run runs a member's document when the member's first instance is created and whenever a parameter changes.
func (b *builder) run(
	ctx *pulumi.Context, name, document string, content func() (string, error), seconds int, parameters pulumi.StringMap,
	before ...pulumi.Resource,
) (pulumi.CustomResource, error) {
	text, err := content()
	if err != nil {
		return nil, err
	}
	return automation.Run(ctx, b.Named(name), &automation.RunArgs{
		Document: document + b.Cluster + "-" + name, Association: b.Cluster + "-" + name, Component: component,
		Content: pulumi.String(text), Role: b.gate.role.Arn, Parameters: parameters, Seconds: seconds,
		Before: append(before[:len(before):len(before)], b.gate.granted),
	}, b.child...)
}

// drained deregisters the member's current instance from the load balancer when its launch settings change, because it
// is then replaced. The deletion of an attachment does not wait until the target has no requests left
// (terraform-provider-aws #5603). The document runs at other times too: State Manager runs an association again as soon
// as its document or one of its own settings changes (ApplyOnlyAtCronInterval in the Systems Manager API reference). So
// the script compares the settings with those of the instance: user data in base64, type, and an image that the stack
// follows.
func (b *builder) drained(
	ctx *pulumi.Context, member string, address *ec2.NetworkInterface, before []pulumi.Resource, launch ...pulumi.StringInput,
) (pulumi.Resource, error) {
	return b.run(ctx, member+"-drain", drainDocument, b.drainSteps, b.Config.LoadBalancer.DeregistrationDelay+agentSeconds, pulumi.StringMap{
		"Interface": address.ID(), "TargetGroup": b.LoadBalancer.TargetGroup,
		"Launch": awskit.Resolve(launch, func(texts []string) (string, error) { return launchSum(texts...), nil }),
	}, before...)
}

// launchSum is the checksum of launch settings, as the script makes it.
func launchSum(texts ...string) string { return nodefiles.Sum(strings.Join(texts, ""))[:32] }
