package firewall

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/vpc"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/awskit"
)

const component = "firewall"

// Type is the component's Pulumi type token.
const Type = "wso2is:firewall:Firewall"

// groups are the endpoints with a security group, and the groups' descriptions.
var groups = map[Endpoint]string{
	LoadBalancer: "The load balancer",
	Nginx:        "The nginx instances",
	Nodes:        "The Identity Server nodes",
	Database:     "The databases",
	FileSystem:   "The mount targets of the shared file system",
	VPCEndpoints: "The VPC endpoints of AWS services",
	ControlPlane: "The Kubernetes control plane",
	Restore:      "The function that moves restored files",
}

// Args decides which groups and rules exist.
type Args struct {
	awskit.Scope
	// VPC is the id of the VPC the groups are in.
	VPC pulumi.StringInput
	// Flows is the table.
	Flows []Flow
	// Foreign are existing security groups by their endpoint. They get no rules here.
	Foreign map[Endpoint]string
	// Joined are existing security groups that get the inbound rules; their owner decides on outbound ones.
	Joined map[Endpoint]string
	// Apart are endpoints whose rules are named after the group in Joined: with another group there are other rules, and nodes that are not
	// renewed yet keep theirs. A group that another resource gives has no name here.
	Apart map[Endpoint]bool
	// Absent are endpoints that this cluster does not have. Flows from or to them are omitted.
	Absent map[Endpoint]bool
	// S3PrefixList is the id of S3's prefix list.
	S3PrefixList pulumi.StringInput
}

// Firewall is the cluster's security groups.
type Firewall struct {
	pulumi.ResourceState
	// Groups are the groups' ids by endpoint.
	Groups map[Endpoint]pulumi.StringOutput
	// NodesName is the name of the nodes' group: the aws membership scheme filters by name, never by id.
	NodesName string
	// Rules are all rules, for resources that must not start before their connections are open.
	Rules []pulumi.Resource
}

// New makes the groups, and two rules for every flow: outbound at its source, inbound at its destination.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Firewall, error) {
	if args == nil {
		return nil, fmt.Errorf("firewall %s: no arguments", name)
	}
	f := &Firewall{Groups: map[Endpoint]pulumi.StringOutput{}, NodesName: GroupName(args.Cluster, Nodes)}
	if err := ctx.RegisterComponentResource(Type, name, f, opts...); err != nil {
		return nil, err
	}
	child := []pulumi.ResourceOption{pulumi.Parent(f)}
	owned := map[Endpoint]bool{}
	for endpoint, what := range awskit.Sorted(groups) {
		if args.Absent[endpoint] || !occurs(args.Flows, endpoint) {
			continue
		}
		if id := args.Joined[endpoint]; id != "" {
			f.Groups[endpoint] = args.Input(id).ToStringOutput()
			continue
		}
		if id := args.Foreign[endpoint]; id != "" {
			f.Groups[endpoint] = args.Input(id).ToStringOutput()
			continue
		}
		group, err := ec2.NewSecurityGroup(ctx, args.Named(string(endpoint)), &ec2.SecurityGroupArgs{
			Name:        pulumi.String(GroupName(args.Cluster, endpoint)),
			Description: pulumi.String(what + " of " + args.Cluster),
			VpcId:       args.VPC,
			Tags:        awskit.Tags(GroupName(args.Cluster, endpoint), component),
		}, child...)
		if err != nil {
			return nil, fmt.Errorf("creating the security group of %s: %w", endpoint, err)
		}
		f.Groups[endpoint] = group.ID().ToStringOutput()
		owned[endpoint] = true
	}
	for _, flow := range args.Flows {
		if args.Absent[flow.From] || args.Absent[flow.To] {
			continue
		}
		if err := f.open(ctx, args, flow, owned, child); err != nil {
			return nil, fmt.Errorf("opening the flow %s: %w", flow.Name, err)
		}
	}
	out := pulumi.StringMap{}
	for endpoint, id := range awskit.Sorted(f.Groups) {
		out[string(endpoint)] = id
	}
	return f, ctx.RegisterResourceOutputs(f, pulumi.Map{"groups": out})
}

func occurs(flows []Flow, endpoint Endpoint) bool {
	return slices.ContainsFunc(flows, func(f Flow) bool { return f.From == endpoint || f.To == endpoint })
}

// GroupName is the name of an endpoint's security group in AWS.
func GroupName(cluster string, endpoint Endpoint) string { return cluster + "-" + string(endpoint) }

// peer is the other side of a rule: exactly one of its fields is set.
type peer struct {
	suffix     string
	group      pulumi.StringPtrInput
	cidr       pulumi.StringPtrInput
	prefixList pulumi.StringPtrInput
}

func (f *Firewall) peers(args *Args, flow Flow, endpoint Endpoint) []peer {
	if group, ok := f.Groups[endpoint]; ok {
		return []peer{{group: group.ToStringPtrOutput()}}
	}
	if endpoint == S3 {
		return []peer{{prefixList: args.S3PrefixList.ToStringOutput().ToStringPtrOutput()}}
	}
	peers := make([]peer, 0, len(flow.CIDRs))
	for _, cidr := range flow.CIDRs {
		peers = append(peers, peer{suffix: "-" + strings.ReplaceAll(cidr, "/", "_"), cidr: pulumi.String(cidr)})
	}
	return peers
}

func (f *Firewall) open(
	ctx *pulumi.Context, args *Args, flow Flow, owned map[Endpoint]bool, child []pulumi.ResourceOption,
) error {
	called := flow.Name
	if id := args.Joined[flow.To]; args.Apart[flow.To] && id != "" && args.Inputs[id] == nil {
		called += "-" + id
	}
	var from, to pulumi.IntPtrInput
	if flow.First != 0 {
		from, to = pulumi.Int(flow.First), pulumi.Int(flow.Last)
	}
	if owned[flow.To] || args.Joined[flow.To] != "" {
		for _, p := range f.peers(args, flow, flow.From) {
			name := called + "-in" + p.suffix
			rule, err := vpc.NewSecurityGroupIngressRule(ctx, args.Named(name), &vpc.SecurityGroupIngressRuleArgs{
				SecurityGroupId: f.Groups[flow.To], IpProtocol: pulumi.String(flow.Protocol), FromPort: from, ToPort: to,
				ReferencedSecurityGroupId: p.group, CidrIpv4: p.cidr, PrefixListId: p.prefixList,
				Description: pulumi.String(flow.Why), Tags: awskit.Tags(args.Cluster+"-"+name, component),
			}, child...)
			if err != nil {
				return err
			}
			f.Rules = append(f.Rules, rule)
		}
	}
	if owned[flow.From] {
		for _, p := range f.peers(args, flow, flow.To) {
			name := called + "-out" + p.suffix
			rule, err := vpc.NewSecurityGroupEgressRule(ctx, args.Named(name), &vpc.SecurityGroupEgressRuleArgs{
				SecurityGroupId: f.Groups[flow.From], IpProtocol: pulumi.String(flow.Protocol), FromPort: from, ToPort: to,
				ReferencedSecurityGroupId: p.group, CidrIpv4: p.cidr, PrefixListId: p.prefixList,
				Description: pulumi.String(flow.Why), Tags: awskit.Tags(args.Cluster+"-"+name, component),
			}, child...)
			if err != nil {
				return err
			}
			f.Rules = append(f.Rules, rule)
		}
	}
	return nil
}
