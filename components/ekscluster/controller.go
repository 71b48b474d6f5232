package ekscluster

import (
	"fmt"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/awskit"
	"github.com/wso2is-aws/wso2is/config"
)

// ControllerType is the type token of the AWS Load Balancer Controller.
const ControllerType = "wso2is:ekscluster:Controller"

// chart is the controller's chart and release.
const chart = "aws-load-balancer-controller"

// ControllerArgs are the inputs of the controller's installation.
type ControllerArgs struct {
	awskit.Scope
	Config   config.Cluster
	Identity *Identity
	Cluster  *Cluster
	// VPC is the id of the cluster's VPC.
	VPC pulumi.StringInput
	// TargetGroup is the ARN of the target group with which it registers pods; nil if it makes its own.
	TargetGroup pulumi.StringInput
	// PodLabels select the pods that get readiness gates.
	PodLabels pulumi.StringMap
	// Before must be done before its image is pulled.
	Before []pulumi.Resource
}

// Controller is the AWS Load Balancer Controller.
type Controller struct {
	pulumi.ResourceState
	// Ready is done when the controller answers the Kubernetes API, and its custom resources can be made.
	Ready []pulumi.Resource
}

// NewController installs the controller. The options must contain the providers of AWS and of the cluster.
func NewController(
	ctx *pulumi.Context, name string, args *ControllerArgs, opts ...pulumi.ResourceOption,
) (*Controller, error) {
	if args == nil || args.Identity == nil || args.Identity.controller == nil {
		return nil, fmt.Errorf("controller %s: no arguments", name)
	}
	c := &Controller{}
	if err := ctx.RegisterComponentResource(ControllerType, name, c, opts...); err != nil {
		return nil, err
	}
	options := args.Config.EKS.Controller
	repository, tag, err := config.SplitImage(options.Image)
	if err != nil {
		return nil, fmt.Errorf("reading %s:eks.controller.image: %w", config.Namespace, err)
	}
	granted, err := c.grant(ctx, args)
	if err != nil {
		return nil, fmt.Errorf("granting the load balancer controller: %w", err)
	}
	before := slices.Concat(granted, args.Cluster.Ready, args.Before)
	ingress := args.Config.EKS.Registration == config.Ingress
	// With region and VPC given, the controller does not ask the metadata service, which pods cannot reach.
	release, err := newRelease(ctx, args.Named(chart), releaseArgs{
		Name: chart, Namespace: controllerAccount.namespace, Chart: chart,
		Version: options.Chart, Repository: options.Repository,
		Values: pulumi.Map{
			"clusterName": args.Cluster.Name, "region": pulumi.String(args.Region), "vpcId": args.VPC,
			"image":          pulumi.Map{"repository": pulumi.String(repository), "tag": pulumi.String(tag)},
			"serviceAccount": pulumi.Map{"create": pulumi.Bool(true), "name": pulumi.String(controllerAccount.name)},
			// While the controller does not answer, a new pod that needs a readiness gate is refused. Without the gate
			// it would be ready before the load balancer knows it, and an old pod would stop. The webhook applies only
			// to the server's pods in their own labelled namespace, so nothing that the controller needs waits for it.
			// Source: docs/deploy/pod_readiness_gate.md in github.com/kubernetes-sigs/aws-load-balancer-controller
			"podMutatorWebhookConfig": pulumi.Map{"failurePolicy": pulumi.String("Fail")},
			"objectSelector":          pulumi.Map{"matchLabels": args.PodLabels},
			"replicaCount":            pulumi.Int(2),
			"podDisruptionBudget":     pulumi.Map{"maxUnavailable": pulumi.Int(1)},
			// With a new certificate authority at each update of the release, the API server would not trust the
			// running controllers until they are replaced.
			"keepTLSSecret": pulumi.Bool(true),
			// Its webhook would otherwise handle every service of the type LoadBalancer.
			"enableServiceMutatorWebhook": pulumi.Bool(false),
			"createIngressClassResource":  pulumi.Bool(ingress),
			"enableShield":                pulumi.Bool(false), "enableWaf": pulumi.Bool(false),
			"enableWafv2": pulumi.Bool(ingress && args.Config.LoadBalancer.WebACLARN != ""),
		},
	}, pulumi.Parent(c), pulumi.DependsOn(before))
	if err != nil {
		return nil, fmt.Errorf("installing the load balancer controller: %w", err)
	}
	c.Ready = []pulumi.Resource{release}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{})
}

// grant gives the controller its role.
func (c *Controller) grant(ctx *pulumi.Context, args *ControllerArgs) ([]pulumi.Resource, error) {
	policy := pulumi.StringInput(pulumi.String(ingressPolicy(args).JSON()))
	if args.TargetGroup != nil {
		policy = awskit.PolicyOf(args.TargetGroup, register)
	}
	granted, err := iam.NewRolePolicy(ctx, args.Named("controller"), &iam.RolePolicyArgs{
		Role: args.Identity.controller.ID(), Name: pulumi.String("controller"), Policy: policy,
	}, pulumi.Parent(c))
	if err != nil {
		return nil, err
	}
	associated, err := associate(ctx, args.Scope, args.Cluster.Name, "controller", controllerAccount,
		args.Identity.controller.Arn, pulumi.Parent(c))
	return []pulumi.Resource{granted, associated}, err
}

// register has the permissions for a TargetGroupBinding: Describe calls, and the targets of one target group.
func register(targetGroup string) awskit.Policy {
	return awskit.NewPolicy(
		look("ec2:DescribeVpcs", "elasticloadbalancing:DescribeListeners", "elasticloadbalancing:DescribeLoadBalancers",
			"elasticloadbalancing:DescribeTags", "elasticloadbalancing:DescribeTargetGroupAttributes",
			"elasticloadbalancing:DescribeTargetGroups", "elasticloadbalancing:DescribeTargetHealth"),
		awskit.Allow("Register", []string{
			"elasticloadbalancing:DeregisterTargets", "elasticloadbalancing:RegisterTargets",
		}, targetGroup),
	)
}

// look allows Describe calls, which take no resource.
func look(actions ...string) awskit.Statement {
	more := []string{
		"ec2:DescribeAvailabilityZones", "ec2:DescribeInstances", "ec2:DescribeNetworkInterfaces",
		"ec2:DescribeSecurityGroups", "ec2:DescribeSubnets",
	}
	return awskit.Allow("Look", append(more, actions...), "*")
}

// clusterTag is the tag by which the controller recognizes its resources of a cluster.
const clusterTag = "elbv2.k8s.aws/cluster"

// ingressPolicy has what the controller's published policy allows for an Ingress, without features that are switched
// off or provided by the stack: security groups, certificates, Shield, WAF Classic and Cognito.
func ingressPolicy(args *ControllerArgs) awskit.Policy {
	own := map[string]map[string]any{"StringEquals": {"aws:ResourceTag/" + clusterTag: Name(args.Scope)}}
	tagged := map[string]map[string]any{"StringEquals": {"aws:RequestTag/" + clusterTag: Name(args.Scope)}}
	balancers := args.ARN("elasticloadbalancing", "loadbalancer/app/*/*")
	groups := args.ARN("elasticloadbalancing", "targetgroup/*/*")
	listeners := []string{
		args.ARN("elasticloadbalancing", "listener/app/*/*/*"), args.ARN("elasticloadbalancing", "listener-rule/app/*/*/*"),
	}
	create := awskit.Allow("Create", []string{
		"elasticloadbalancing:CreateLoadBalancer", "elasticloadbalancing:CreateTargetGroup",
	}, balancers, groups)
	create.Condition = tagged
	tag := awskit.Allow("TagNew", []string{"elasticloadbalancing:AddTags"}, append([]string{balancers, groups}, listeners...)...)
	tag.Condition = map[string]map[string]any{"StringEquals": {"elasticloadbalancing:CreateAction": []string{
		"CreateTargetGroup", "CreateLoadBalancer", "CreateListener", "CreateRule",
	}}}
	change := awskit.Allow("Change", []string{
		"elasticloadbalancing:AddTags", "elasticloadbalancing:DeleteLoadBalancer", "elasticloadbalancing:DeleteTargetGroup",
		"elasticloadbalancing:DeregisterTargets", "elasticloadbalancing:ModifyLoadBalancerAttributes",
		"elasticloadbalancing:ModifyTargetGroup", "elasticloadbalancing:ModifyTargetGroupAttributes",
		"elasticloadbalancing:RegisterTargets", "elasticloadbalancing:RemoveTags",
		"elasticloadbalancing:SetIpAddressType", "elasticloadbalancing:SetSecurityGroups", "elasticloadbalancing:SetSubnets",
	}, balancers, groups)
	change.Condition = own
	statements := []awskit.Statement{
		look("ec2:DescribeAccountAttributes", "ec2:DescribeInternetGateways", "ec2:DescribeRouteTables", "ec2:DescribeTags",
			"ec2:DescribeVpcs", "ec2:GetSecurityGroupsForVpc", "elasticloadbalancing:DescribeListenerAttributes",
			"elasticloadbalancing:DescribeListenerCertificates", "elasticloadbalancing:DescribeListeners",
			"elasticloadbalancing:DescribeLoadBalancerAttributes", "elasticloadbalancing:DescribeLoadBalancers",
			"elasticloadbalancing:DescribeRules", "elasticloadbalancing:DescribeSSLPolicies",
			"elasticloadbalancing:DescribeTags", "elasticloadbalancing:DescribeTargetGroupAttributes",
			"elasticloadbalancing:DescribeTargetGroups", "elasticloadbalancing:DescribeTargetHealth",
			"elasticloadbalancing:DescribeTrustStores"),
		create, tag, change,
		awskit.Allow("Listen", []string{
			"elasticloadbalancing:AddListenerCertificates", "elasticloadbalancing:CreateListener",
			"elasticloadbalancing:CreateRule", "elasticloadbalancing:DeleteListener", "elasticloadbalancing:DeleteRule",
			"elasticloadbalancing:ModifyListener", "elasticloadbalancing:ModifyListenerAttributes",
			"elasticloadbalancing:ModifyRule", "elasticloadbalancing:RemoveListenerCertificates",
			// A rule that has another place than the Ingress asks for is moved (DNXLabs/terraform-aws-eks-lb-controller #41).
			"elasticloadbalancing:SetRulePriorities",
		}, append([]string{balancers}, listeners...)...),
	}
	if acl := args.Config.LoadBalancer.WebACLARN; acl != "" {
		statements = append(statements, awskit.Allow("Protect", []string{
			"wafv2:AssociateWebACL", "wafv2:DisassociateWebACL", "wafv2:GetWebACL", "wafv2:GetWebACLForResource",
		}, acl, balancers), awskit.Allow("SetWebACL", []string{"elasticloadbalancing:SetWebAcl"}, balancers))
	}
	return awskit.NewPolicy(statements...)
}
