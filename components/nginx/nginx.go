// Package nginx builds the instances of the stack's own nginx, between its Network Load Balancer and the nodes.
package nginx

import (
	"encoding/base64"
	"fmt"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/autoscaling"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/automation"
	"github.com/wso2is-aws/wso2is/components/awskit"
	"github.com/wso2is-aws/wso2is/components/bootstrap"
	"github.com/wso2is-aws/wso2is/components/instances"
	"github.com/wso2is-aws/wso2is/components/loadbalancer"
	"github.com/wso2is-aws/wso2is/components/network"
	"github.com/wso2is-aws/wso2is/components/secrets"
	"github.com/wso2is-aws/wso2is/config"
)

const (
	component = "nginx"
	// refreshName is the name of the role that replaces the instances.
	refreshName = "nginx-refresh"
)

// Type is the component's Pulumi type token.
const Type = "wso2is:nginx:Nginx"

// Services are the AWS services that an instance calls, each through an interface endpoint.
var Services = []string{"autoscaling", "ec2", "elasticloadbalancing", "logs", "secretsmanager", "ssm", "ssmmessages"}

// Args are the inputs of the instances.
type Args struct {
	awskit.Scope
	Config        config.Cluster
	Network       *network.Network
	SecurityGroup pulumi.StringOutput
	Secrets       *secrets.Secrets
	LoadBalancer  *loadbalancer.LoadBalancer
	// LogGroup is the name of the nodes' log group, and LogGroupARN its ARN.
	LogGroup, LogGroupARN pulumi.StringInput
	// Before must be done when an instance starts: its connections are open.
	Before []pulumi.Resource
}

// Nginx is the instances.
type Nginx struct {
	pulumi.ResourceState
	// Group is their Auto Scaling group, which exists when they serve.
	Group *autoscaling.Group
}

// The launch hook: an instance completes it when its nginx answers, and is ended if it does not.
const (
	hookName    = "ready"
	launching   = "autoscaling:EC2_INSTANCE_LAUNCHING"
	abandon     = "ABANDON"
	hookSeconds = 900
	// rootVolume is the size of a disk in GiB: the system, and logs until they are rotated.
	rootVolume = 20
	// graceSeconds is the time after the launch hook in which an instance may fail health checks.
	graceSeconds = loadbalancer.NetworkWarmup
)

// New makes the instances, their role and their replacement, one at a time.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Nginx, error) {
	if args == nil {
		return nil, fmt.Errorf("nginx %s: no arguments", name)
	}
	n := &Nginx{}
	if err := ctx.RegisterComponentResource(Type, name, n, opts...); err != nil {
		return nil, err
	}
	b := &builder{Args: args, group: args.Cluster + "-nginx", child: []pulumi.ResourceOption{pulumi.Parent(n)}}
	if err := b.identity(ctx); err != nil {
		return nil, err
	}
	if err := b.instances(ctx, n); err != nil {
		return nil, err
	}
	return n, ctx.RegisterResourceOutputs(n, pulumi.Map{})
}

type builder struct {
	*Args
	group         string
	child         []pulumi.ResourceOption
	role, refresh *iam.Role
	profile       *iam.InstanceProfile
	granted       []pulumi.Resource
}

// identity makes the instances' role, and the role that replaces them.
func (b *builder) identity(ctx *pulumi.Context) error {
	for _, r := range []struct {
		into              **iam.Role
		name, what, trust string
	}{
		{&b.role, component, "nginx of ", awskit.TrustPolicy(b.EC2Service())},
		{&b.refresh, refreshName, "Replaces nginx of ", automation.Trust(b.Scope)},
	} {
		role, err := b.NewRole(ctx, r.name, &iam.RoleArgs{
			Name: pulumi.String(b.RoleName(r.name)), Description: pulumi.String(r.what + b.Cluster),
			AssumeRolePolicy: pulumi.String(r.trust), Tags: awskit.Tags(b.Cluster+"-"+r.name, component),
		}, b.child...)
		if err != nil {
			return fmt.Errorf("creating the role %s: %w", r.name, err)
		}
		*r.into = role
	}
	var err error
	if b.profile, err = instances.Profile(ctx, b.Scope, component, component, b.role, b.child...); err != nil {
		return err
	}
	for _, p := range []struct {
		name   string
		role   *iam.Role
		policy pulumi.StringOutput
	}{
		{component, b.role, awskit.PolicyOf(b.LogGroupARN, b.policy)},
		{refreshName, b.refresh, awskit.PolicyOf(b.role.Arn, func(role string) awskit.Policy {
			return awskit.NewPolicy(instances.Refresh(b.Scope, b.group, role, false)...)
		})},
	} {
		policy, err := iam.NewRolePolicy(ctx, b.Named(p.name), &iam.RolePolicyArgs{
			Role: p.role.ID(), Name: pulumi.String(p.name), Policy: p.policy,
		}, b.child...)
		if err != nil {
			return fmt.Errorf("granting the role %s its permissions: %w", p.name, err)
		}
		b.granted = append(b.granted, policy)
	}
	b.granted = append(b.granted, b.profile)
	return nil
}

// policy has the permissions of an instance. Describe calls take no resource.
func (b *builder) policy(logGroup string) awskit.Policy {
	of := b.Config.LoadBalancer.Nginx
	statements := []awskit.Statement{
		awskit.Allow("ReadCertificate", []string{"secretsmanager:GetSecretValue"}, of.SecretARN),
		awskit.Allow("SeeNodes", []string{"ec2:DescribeInstances", "elasticloadbalancing:DescribeTargetHealth"}, "*"),
		awskit.Allow("ReportReady", []string{"autoscaling:CompleteLifecycleAction"},
			b.ARN("autoscaling", "autoScalingGroup:*:autoScalingGroupName/"+b.group)),
		awskit.Allow("WriteLogs", []string{"logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"}, logGroup, logGroup+":*"),
		instances.Managed(),
	}
	if of.SecretKeyARN != "" {
		statements = append(statements, awskit.Allow("DecryptCertificate", []string{"kms:Decrypt"}, of.SecretKeyARN))
	}
	return awskit.NewPolicy(statements...)
}

// launchValues are the values in user data that AWS creates.
type launchValues[T any] struct{ TargetGroup, NodesCertificate, LogGroup T }

func (b *builder) userData() pulumi.StringOutput {
	c, cookie := b.Config, ""
	if c.LoadBalancer.Stickiness > 0 {
		cookie = loadbalancer.StickyCookie
	}
	return awskit.Resolve(launchValues[pulumi.StringInput]{b.LoadBalancer.TargetGroup, b.Secrets.TLSCertificate(), b.LogGroup},
		func(known launchValues[string]) (string, error) {
			text, err := loadbalancer.NginxConfig(c)
			if err != nil {
				return "", err
			}
			text, err = bootstrap.NginxUserData(bootstrap.NginxArgs{
				Region: c.Region, Cluster: b.Cluster, Hostname: c.Hostname, Config: text, Directory: loadbalancer.NginxDir,
				NodesCertificate: known.NodesCertificate, NodesFile: loadbalancer.NodesCertificate, Secret: c.LoadBalancer.Nginx.SecretARN,
				TargetGroup: known.TargetGroup, PollSeconds: config.NginxPollSeconds, Cookie: cookie,
				IdleSeconds: c.LoadBalancer.IdleTimeout, FailSeconds: loadbalancer.FailSeconds, HealthPath: loadbalancer.NginxHealth,
				LogGroup: known.LogGroup, LifecycleHook: bootstrap.LifecycleHook{Name: hookName, Group: b.group},
			})
			return base64.StdEncoding.EncodeToString([]byte(text)), err
		})
}

func (b *builder) instances(ctx *pulumi.Context, n *Nginx) error {
	of := b.Config.LoadBalancer.Nginx
	launched := b.Config
	launched.Nodes.InstanceType, launched.Nodes.RootVolume = of.InstanceType, rootVolume
	if launched.Nodes.AMI != config.NewestImage { // an image that the stack file fixes is of nodes
		launched.Nodes.AMI = ""
	}
	template, err := instances.Template(ctx, &instances.TemplateArgs{
		Scope: b.Scope, Config: launched, Purpose: component, Name: b.group, Component: component, What: "An nginx", Alone: true,
		TokensRequired: true, ImageParameter: instances.AmazonLinux(of.InstanceType), Profile: b.profile.Arn, SecurityGroups: pulumi.StringArray{b.SecurityGroup},
		KeyARN: b.Secrets.KeyARN, UserData: b.userData().ToStringPtrOutput(),
	}, b.child...)
	if err != nil {
		return err
	}
	targets := pulumi.StringArray{}
	for _, arn := range b.LoadBalancer.Proxies {
		targets = append(targets, arn)
	}
	before := slices.Concat(b.Before, b.granted, b.Secrets.Ready, b.Network.Egress, b.LoadBalancer.Serving)
	n.Group, err = autoscaling.NewGroup(ctx, b.Named(component), &autoscaling.GroupArgs{
		Name: pulumi.String(b.group), MinSize: pulumi.Int(of.Count), MaxSize: pulumi.Int(of.Count), DesiredCapacity: pulumi.Int(of.Count),
		VpcZoneIdentifiers: b.Network.InZones(b.Network.Private), LaunchTemplate: instances.Newest(template), TargetGroupArns: targets,
		// The load balancer asks nginx itself and no node, so that an outage elsewhere ends no instance.
		HealthCheckType: pulumi.String("ELB"), HealthCheckGracePeriod: pulumi.Int(graceSeconds),
		DefaultInstanceWarmup: pulumi.Int(loadbalancer.NetworkWarmup),
		InitialLifecycleHooks: autoscaling.GroupInitialLifecycleHookArray{autoscaling.GroupInitialLifecycleHookArgs{
			Name: pulumi.String(hookName), LifecycleTransition: pulumi.String(launching), DefaultResult: pulumi.String(abandon),
			HeartbeatTimeout: pulumi.Int(hookSeconds),
		}},
		MinElbCapacity: pulumi.Int(of.Count), WaitForCapacityTimeout: pulumi.String("30m"),
		Tags: instances.Tags(map[string]string{"Name": b.group}),
	}, awskit.With(b.child, pulumi.Protect(b.Protect), pulumi.DependsOn(before), instances.KeepsVersion(),
		pulumi.IgnoreChanges([]string{"initialLifecycleHooks"}))...)
	if err != nil {
		return fmt.Errorf("creating the Auto Scaling group: %w", err)
	}
	return instances.Renew(ctx, &instances.RefreshArgs{
		Scope: b.Scope, Name: b.group, Component: component, Group: n.Group, Template: template, Role: b.refresh.Arn,
		Preferences: instances.Preferences{
			MinHealthyPercentage: 100, MaxHealthyPercentage: instances.SurgePercent(of.Count), InstanceWarmup: loadbalancer.NetworkWarmup,
		},
		Nodes: of.Count, Before: before,
	}, b.child...)
}
