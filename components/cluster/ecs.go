package cluster

import (
	"fmt"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/awskit"
	"github.com/wso2is-aws/wso2is/components/container"
	"github.com/wso2is-aws/wso2is/components/ecscluster"
	"github.com/wso2is-aws/wso2is/components/observability"
	"github.com/wso2is-aws/wso2is/components/secrets"
	"github.com/wso2is-aws/wso2is/config"
)

// taskServices are the AWS services that a task calls, or that ECS calls for it. Each needs an interface endpoint, which costs
// money in every zone. Discovery asks EC2 and ECS for members. ECS pulls images from ECR, writes logs and reads secrets.
// Tasks publish metrics. As on ec2, nothing calls KMS or the API of EFS.
var taskServices = []string{"ec2", "ecr.api", "ecr.dkr", "ecs", "logs", "monitoring", "secretsmanager"}

// instanceServices are the additional services of a container instance. Two are for the ECS agent, and the others are for
// the Systems Manager agent. The latter does not need ec2messages.
var instanceServices = []string{"ecs-agent", "ecs-telemetry", "ssm", "ssmmessages"}

func ecsServices(c config.Cluster) []string {
	switch {
	case !c.Fargate():
		return slices.Concat(taskServices, instanceServices)
	case c.ECS.Exec:
		return slices.Concat(taskServices, []string{"ssmmessages"}) // carries the shell
	}
	return taskServices
}

// buildECS adds the topology ecs to its base.
func buildECS(ctx *pulumi.Context, c config.Cluster, scope awskit.Scope, base *base, child pulumi.ResourceOption) error {
	identity, err := ecscluster.NewIdentity(ctx, scope.Named("identity"), scope, c, child)
	if err != nil {
		return err
	}
	data, err := buildData(ctx, c, scope, base, identity.TaskRoleARN, child)
	if err != nil {
		return err
	}
	targets := "instance" // the load balancer reaches tasks on the instance's network through the instance
	if c.Fargate() {
		targets = "ip"
	}
	front, err := buildFront(ctx, c, scope, base, targets, child)
	if err != nil {
		return err
	}
	repositories, err := base.ownRepositories(ctx, c, scope, child)
	if err != nil {
		return err
	}
	cluster, err := ecscluster.New(ctx, scope.Named("cluster"), &ecscluster.Args{
		Scope: scope, Config: c, SecretKeys: secrets.Variables(c), Identity: identity, Network: base.network,
		NodesGroups: base.nodeGroups(c, scope), Secrets: base.secrets, Database: data.database,
		FileSystem: data.files, LoadBalancer: front.balancer, LogGroup: front.logGroup, LogGroupARN: front.logARN,
		Before: slices.Concat(base.before, repositories, front.logs),
	}, child)
	if err != nil {
		return fmt.Errorf("building the nodes: %w", err)
	}
	if err := watch(ctx, c, scope, data, front, watched{
		nodes: cluster.Deployed, replaced: true, group: cluster.Group, credits: creditsOf(pulumi.String(cluster.Group)),
		// A task becomes a target when its containers run. Its server may still wait, and then takes time to start.
		startMinutes: container.TurnSeconds/60 + 5,
		service:      &observability.Service{Cluster: cluster.Name, Name: cluster.Service},
	}, child); err != nil {
		return err
	}
	base.addOutputs(c, data, front)
	base.outputs["nodes"] = pulumi.Map{scope.Cluster: pulumi.Map{"address": pulumi.String(""), "config": cluster.Config}}
	base.outputs["ecsCluster"] = cluster.Name
	base.outputs["ecsService"] = cluster.Service
	return nil
}
