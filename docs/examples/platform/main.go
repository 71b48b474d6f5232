// Command platform is a program of a team's own. It has a cluster in the VPC of the program, with a topic, a hosted zone
// and a log group that the program makes too.
package main

import (
	"encoding/json"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/route53"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sns"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/cluster"
	"github.com/wso2is-aws/wso2is/config"
)

func main() { pulumi.Run(platform) }

func platform(ctx *pulumi.Context) error {
	provider, err := aws.NewProvider(ctx, "ireland", &aws.ProviderArgs{Region: pulumi.String("eu-west-1")})
	if err != nil {
		return err
	}
	in := pulumi.Provider(provider)
	zone, err := route53.NewZone(ctx, "company", &route53.ZoneArgs{Name: pulumi.String("example.com")}, in)
	if err != nil {
		return err
	}
	alarms, err := sns.NewTopic(ctx, "alarms", nil, in)
	if err != nil {
		return err
	}
	// Alarms and events come from services of AWS. Without a policy, a topic refuses those of EventBridge.
	publish := alarms.Arn.ApplyT(func(arn string) (string, error) {
		policy, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{
			"Effect": "Allow", "Action": "sns:Publish", "Resource": arn,
			"Principal": map[string]any{"Service": []string{"cloudwatch.amazonaws.com", "events.amazonaws.com"}},
		}}})
		return string(policy), err
	}).(pulumi.StringOutput)
	if _, err = sns.NewTopicPolicy(ctx, "alarms", &sns.TopicPolicyArgs{Arn: alarms.Arn, Policy: publish}, in); err != nil {
		return err
	}
	logs, err := cloudwatch.NewLogGroup(ctx, "identity", &cloudwatch.LogGroupArgs{
		Name: pulumi.String("/platform/identity"), RetentionInDays: pulumi.Int(30),
	}, in)
	if err != nil {
		return err
	}
	network, vpc, err := newVPC(ctx, in)
	if err != nil {
		return err
	}
	login, err := cluster.New(ctx, "login", &cluster.Args{
		Config: config.Cluster{
			Topology: config.EC2, Version: "7.1.0", Hostname: "login.example.com", Nodes: config.Nodes{Count: 2}, Network: *network,
		},
		VPC: vpc, HostedZone: zone.ZoneId, AlarmTopicARN: alarms.Arn, LogGroup: logs.Name,
	}, in)
	if err != nil {
		return err
	}
	ctx.Export("url", login.URL)
	return nil
}

// newVPC makes a VPC with a public and a private subnet in each of two zones. It returns the plain part of the
// cluster's network, and the ids.
func newVPC(ctx *pulumi.Context, in pulumi.ResourceOption) (*config.Network, *cluster.VPC, error) {
	made, err := ec2.NewVpc(ctx, "company", &ec2.VpcArgs{
		CidrBlock: pulumi.String("10.20.0.0/16"), EnableDnsHostnames: pulumi.Bool(true), EnableDnsSupport: pulumi.Bool(true),
	}, in)
	if err != nil {
		return nil, nil, err
	}
	gateway, err := ec2.NewInternetGateway(ctx, "company", &ec2.InternetGatewayArgs{VpcId: made.ID()}, in)
	if err != nil {
		return nil, nil, err
	}
	public, err := ec2.NewRouteTable(ctx, "public", &ec2.RouteTableArgs{VpcId: made.ID()}, in)
	if err != nil {
		return nil, nil, err
	}
	if _, err = ec2.NewRoute(ctx, "public", &ec2.RouteArgs{
		RouteTableId: public.ID(), DestinationCidrBlock: pulumi.String("0.0.0.0/0"), GatewayId: gateway.ID(),
	}, in); err != nil {
		return nil, nil, err
	}
	private, err := ec2.NewRouteTable(ctx, "private", &ec2.RouteTableArgs{VpcId: made.ID()}, in)
	if err != nil {
		return nil, nil, err
	}
	plain := config.AdoptedNetwork{PrivateSubnets: map[string]config.Subnet{}, PublicSubnets: map[string]config.Subnet{}}
	ids := &cluster.VPC{
		ID: made.ID(), PrivateSubnets: map[string]pulumi.StringInput{}, PublicSubnets: map[string]pulumi.StringInput{},
		PrivateRouteTables: []pulumi.StringInput{private.ID()},
	}
	for _, s := range []struct {
		zone, cidr string
		table      *ec2.RouteTable
		plain      map[string]config.Subnet
		ids        map[string]pulumi.StringInput
	}{
		{"eu-west-1a", "10.20.0.0/20", private, plain.PrivateSubnets, ids.PrivateSubnets},
		{"eu-west-1b", "10.20.16.0/20", private, plain.PrivateSubnets, ids.PrivateSubnets},
		{"eu-west-1a", "10.20.128.0/24", public, plain.PublicSubnets, ids.PublicSubnets},
		{"eu-west-1b", "10.20.129.0/24", public, plain.PublicSubnets, ids.PublicSubnets},
	} {
		name := s.zone + "-" + map[bool]string{true: "private", false: "public"}[s.table == private]
		subnet, err := ec2.NewSubnet(ctx, name, &ec2.SubnetArgs{
			VpcId: made.ID(), CidrBlock: pulumi.String(s.cidr), AvailabilityZone: pulumi.String(s.zone),
		}, in)
		if err != nil {
			return nil, nil, err
		}
		if _, err = ec2.NewRouteTableAssociation(ctx, name, &ec2.RouteTableAssociationArgs{
			SubnetId: subnet.ID(), RouteTableId: s.table.ID(),
		}, in); err != nil {
			return nil, nil, err
		}
		s.plain[s.zone], s.ids[s.zone] = config.Subnet{CIDR: s.cidr}, subnet.ID()
	}
	return &config.Network{CIDR: "10.20.0.0/16", Adopt: &plain, InterfaceEndpoints: true}, ids, nil
}
