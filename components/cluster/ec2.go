package cluster

import (
	"fmt"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/awskit"
	"github.com/wso2is-aws/wso2is/components/ec2cluster"
	"github.com/wso2is-aws/wso2is/components/secrets"
	"github.com/wso2is-aws/wso2is/config"
)

// ec2Services are the AWS services that an EC2 node calls. Each needs an interface endpoint, which costs money in every zone.
// A node does not call KMS, since Secrets Manager and S3 do so for it. It does not call the API of EFS either: efs-utils
// calls it only if the file system's DNS name does not resolve (README of efs-utils).
func ec2Services(c config.Cluster) []string {
	services := []string{
		"logs",           // the CloudWatch agent
		"monitoring",     // the program members
		"secretsmanager", // the program secrets
		// The Systems Manager agent. From 3.3.40.0 on it does not need ec2messages if it reaches ssmmessages (Systems
		// Manager, "Reference: ec2messages, ssmmessages, and other API operations").
		"ssm", "ssmmessages",
	}
	if !c.Fixed() {
		// A node completes its launch hook and lists the nodes in service. Hazelcast finds members by their tag.
		services = append(services, "autoscaling", "ec2")
	}
	return services
}

// memberMinutes is a little more than the typical time from a member's launch until it serves.
const memberMinutes = 8

// buildEC2 adds the topology ec2 to its base.
func buildEC2(ctx *pulumi.Context, c config.Cluster, scope awskit.Scope, base *base, child pulumi.ResourceOption) error {
	identity, err := ec2cluster.NewIdentity(ctx, scope.Named("identity"), scope, c, child)
	if err != nil {
		return err
	}
	data, err := buildData(ctx, c, scope, base, identity.RoleARN, child)
	if err != nil {
		return err
	}
	front, err := buildFront(ctx, c, scope, base, "instance", child)
	if err != nil {
		return err
	}
	cluster, err := ec2cluster.New(ctx, scope.Named("cluster"), &ec2cluster.Args{
		Scope: scope, Config: c, SecretKeys: secrets.Variables(c), Identity: identity, Network: base.network,
		NodesGroups: base.nodeGroups(c, scope), NodesGroupName: base.firewall.NodesName,
		Secrets: base.secrets, Database: data.database, FileSystem: data.files, LoadBalancer: front.balancer,
		LogGroup: front.logGroup, LogGroupARN: front.logARN,
		Before: slices.Concat(base.before, front.logs),
	}, child)
	if err != nil {
		return fmt.Errorf("building the nodes: %w", err)
	}
	of := watched{nodes: cluster.Deployed, replaced: !c.Fixed(), group: cluster.Group}
	if !c.Fixed() {
		of.credits = creditsOf(pulumi.String(cluster.Group))
	} else {
		of.credits = map[string]pulumi.StringMap{}
		for name, id := range cluster.Instances {
			of.credits["-"+name] = pulumi.StringMap{"InstanceId": id}
		}
		// A member is a target from its launch on. The next member is launched after it serves. An instance of a group becomes a
		// target when its launch hook is completed.
		of.startMinutes = memberMinutes * c.Nodes.Count
	}
	if err := watch(ctx, c, scope, data, front, of, child); err != nil {
		return err
	}
	nodes := pulumi.Map{}
	for _, n := range cluster.Nodes {
		nodes[n.Name] = pulumi.Map{"address": pulumi.String(n.Address), "config": n.Config}
	}
	base.addOutputs(c, data, front)
	base.outputs["nodes"] = nodes
	if c.Proxied() {
		if err := base.addProxyFiles(c); err != nil {
			return err
		}
	}
	if cluster.Group != "" {
		base.outputs["autoScalingGroup"] = pulumi.String(cluster.Group)
	}
	return nil
}
