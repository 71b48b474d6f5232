package ecscluster

import (
	_ "embed"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/autoscaling"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ecs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/awskit"
	"github.com/wso2is-aws/wso2is/components/bootstrap"
	"github.com/wso2is-aws/wso2is/components/filesystem"
	"github.com/wso2is-aws/wso2is/components/instances"
	"github.com/wso2is-aws/wso2is/config"
	"github.com/wso2is-aws/wso2is/config/instancetype"
)

// fargate is AWS's own capacity provider.
const fargate = "FARGATE"

// makeCluster makes the ECS cluster and the capacity that runs its tasks.
func (b *builder) makeCluster(ctx *pulumi.Context) error {
	in := &ecs.ClusterArgs{
		Name: pulumi.String(b.Cluster), Tags: awskit.Tags(b.Cluster, component),
		Settings: ecs.ClusterSettingArray{ecs.ClusterSettingArgs{
			Name: pulumi.String("containerInsights"), Value: pulumi.String("enabled"),
		}},
	}
	if b.Config.ECS.Exec {
		in.Configuration = ecs.ClusterConfigurationArgs{
			ExecuteCommandConfiguration: ecs.ClusterConfigurationExecuteCommandConfigurationArgs{
				Logging: pulumi.String("OVERRIDE"),
				LogConfiguration: ecs.ClusterConfigurationExecuteCommandConfigurationLogConfigurationArgs{
					CloudWatchLogGroupName: b.LogGroup.ToStringOutput().ToStringPtrOutput(),
				},
			},
		}
	}
	var err error
	if b.ecs, err = ecs.NewCluster(ctx, b.Named("nodes"), in, b.child...); err != nil {
		return fmt.Errorf("creating the ECS cluster: %w", err)
	}
	b.cluster.Name = b.ecs.Name
	b.capacity = fargate
	var provider pulumi.StringInput = pulumi.String(fargate)
	if !b.Config.Fargate() {
		made, err := b.instances(ctx)
		if err != nil {
			return err
		}
		b.capacity, provider = instancesProvider(b.Cluster), made.Name
	}
	ready, err := ecs.NewClusterCapacityProviders(ctx, b.Named("nodes"), &ecs.ClusterCapacityProvidersArgs{
		ClusterName: b.ecs.Name, CapacityProviders: pulumi.StringArray{provider},
		DefaultCapacityProviderStrategies: ecs.ClusterCapacityProvidersDefaultCapacityProviderStrategyArray{
			ecs.ClusterCapacityProvidersDefaultCapacityProviderStrategyArgs{
				CapacityProvider: provider, Weight: pulumi.Int(1),
			},
		},
	}, b.child...)
	if err != nil {
		return fmt.Errorf("giving the cluster its capacity: %w", err)
	}
	b.before = append(b.before, ready)
	return nil
}

// instancesProvider names the capacity provider. ECS refuses names that begin with aws, ecs or fargate, and a project
// may be called so.
func instancesProvider(cluster string) string { return "instances-" + cluster }

func groupName(cluster string) string { return cluster + "-instances" }

// imageParameter is the public parameter with the newest ECS-optimized image of Amazon Linux 2023.
func imageParameter(c config.Cluster) string {
	arch := ""
	if t, _ := instancetype.Lookup(c.Nodes.InstanceType); t.ARM {
		arch = "arm64/"
	}
	return "/aws/service/ecs/optimized-ami/amazon-linux-2023/" + arch + "recommended/image_id"
}

// userData configures a container instance: the redirect for the cluster's own name, which its task shares, and the ECS
// agent.
func (b *builder) userData(cluster string) string {
	return "#!/bin/bash\n" + bootstrap.NameScript() + b.agent(cluster) + b.mountShare() + "redirect_own_name\n"
}

// mounts is the directory with the mounts of a share on an instance. It differs between shares: a task cannot start on an instance
// that still has another share.
func mounts(share *filesystem.Share) string { return "/mnt/wso2is/" + share.Digits() }

// mountShare mounts a share before the ECS agent starts, also after a restart of the instance. Without the mount, a task's files would
// be on the instance, so the instance ends and its group starts another one. The agent starts after user data has run ("Bootstrapping
// Amazon ECS Linux container instances" in the ECS developer guide).
func (b *builder) mountShare() string {
	share := b.FileSystem.Share
	if share == nil {
		return ""
	}
	var lines, targets []string
	for _, directory := range b.FileSystem.Directories {
		mount := share.Mount(mounts(share), directory)
		lines, targets = append(lines, mount.Line), append(targets, mount.Target)
	}
	// The image for ECS is made from the minimal one, which has no AWS CLI (release-al2023.auto.pkrvars.hcl of aws/amazon-ecs-ami).
	programs, packages, script, user := "mount."+share.Type, share.Package, "", ""
	if share.Secret != "" {
		programs, packages, script = programs+" aws jq", packages+" awscli-2 jq", bootstrap.ShareScript()+"SHARE_SECRET="+share.Secret+"\n"
		user = "\tkeep_share_user " + b.Config.Region + " \"$SHARE_SECRET\" || return\n"
	}
	return script + strings.NewReplacer(
		"{programs}", programs, "{packages}", packages, "{user}", user, "{lines}", strings.Join(lines, "\n"), "{targets}", strings.Join(targets, " "),
	).Replace(mountScript)
}

//go:embed mount.sh
var mountScript string

// agent is the ECS agent's configuration: its cluster, the roles of tasks on the instance's network, the log driver
// under the execution role, and time for a server to leave its cluster.
func (b *builder) agent(cluster string) string {
	lines := []string{
		"cat >>/etc/ecs/ecs.config <<'CONFIG'",
		"ECS_CLUSTER=" + cluster,
		"ECS_ENABLE_TASK_IAM_ROLE=true",
		"ECS_ENABLE_TASK_IAM_ROLE_NETWORK_HOST=true",
		`ECS_AVAILABLE_LOGGING_DRIVERS=["json-file","awslogs"]`,
		"ECS_ENABLE_AWSLOGS_EXECUTIONROLE_OVERRIDE=true",
		fmt.Sprintf("ECS_CONTAINER_STOP_TIMEOUT=%ds", stopSeconds),
		"CONFIG",
		"",
	}
	return strings.Join(lines, "\n")
}

// instanceWarmup is the time in seconds until a new instance can run a task.
const instanceWarmup = 180

// instances makes an Auto Scaling group of container instances that ECS sizes: one for each task, and one more while a
// task is replaced, since two tasks cannot use the same ports of one instance.
func (b *builder) instances(ctx *pulumi.Context) (*ecs.CapacityProvider, error) {
	c := b.Config
	name := groupName(b.Cluster)
	template, err := instances.Template(ctx, &instances.TemplateArgs{
		Purpose: "nodes",
		Scope:   b.Scope, Config: c, Name: name, Component: component, What: "A container instance", ImageParameter: imageParameter(c),
		Profile: b.Identity.profile.Arn, SecurityGroups: b.NodesGroups, KeyARN: b.Secrets.KeyARN,
		UserData: b.ecs.Name.ApplyT(func(cluster string) *string {
			data := base64.StdEncoding.EncodeToString([]byte(b.userData(cluster)))
			return &data
		}).(pulumi.StringPtrOutput),
	}, b.child...)
	if err != nil {
		return nil, err
	}
	group, err := b.scalingGroup(ctx, name, template)
	if err != nil {
		return nil, fmt.Errorf("creating the Auto Scaling group: %w", err)
	}
	b.cluster.Group = name
	b.refresh = &instances.RefreshArgs{
		Scope: b.Scope, Name: name, Component: component, Group: group, Template: template, Role: b.Identity.roles[automationRole].Arn,
		Nodes: b.Config.MaxNodes(), Preferences: instances.Preferences{
			MinHealthyPercentage: 100, MaxHealthyPercentage: instances.SurgePercent(b.Config.Nodes.Count), InstanceWarmup: instanceWarmup,
			// Every instance with a task is protected; draining moves its task first.
			ScaleInProtectedInstances: "Refresh",
		},
	}
	provider, err := ecs.NewCapacityProvider(ctx, b.Named("nodes"), &ecs.CapacityProviderArgs{
		Name: pulumi.String(instancesProvider(b.Cluster)),
		AutoScalingGroupProvider: ecs.CapacityProviderAutoScalingGroupProviderArgs{
			AutoScalingGroupArn: group.Arn,
			// A draining instance runs its tasks until others have replaced them.
			ManagedDraining:              pulumi.String("ENABLED"),
			ManagedTerminationProtection: pulumi.String("ENABLED"),
			ManagedScaling: ecs.CapacityProviderAutoScalingGroupProviderManagedScalingArgs{
				Status: pulumi.String("ENABLED"), TargetCapacity: pulumi.Int(100), // percent of the instances in use
				MinimumScalingStepSize: pulumi.Int(1), MaximumScalingStepSize: pulumi.Int(b.Config.MaxNodes()),
				InstanceWarmupPeriod: pulumi.Int(instanceWarmup),
			},
		},
		Tags: awskit.Tags(instancesProvider(b.Cluster), component),
	}, b.child...)
	if err != nil {
		return nil, fmt.Errorf("creating the capacity provider: %w", err)
	}
	return provider, nil
}

// scalingGroup has room for one instance more than the largest number of tasks: ECS raises the desired capacity while a
// deployment runs one task more. The service bounds the number of tasks.
func (b *builder) scalingGroup(ctx *pulumi.Context, name string, template *ec2.LaunchTemplate) (*autoscaling.Group, error) {
	return autoscaling.NewGroup(ctx, b.Named("nodes"), &autoscaling.GroupArgs{
		Name: pulumi.String(name), MinSize: pulumi.Int(b.Config.Nodes.Count), MaxSize: pulumi.Int(b.Config.MaxNodes() + 1),
		VpcZoneIdentifiers: b.Network.InZones(b.Network.Private),
		LaunchTemplate:     instances.Newest(template),
		// ECS watches the tasks and Elastic Load Balancing their targets; the group only the instances.
		HealthCheckType: pulumi.String("EC2"), HealthCheckGracePeriod: pulumi.Int(instanceWarmup),
		DefaultInstanceWarmup: pulumi.Int(instanceWarmup),
		ProtectFromScaleIn:    pulumi.Bool(true), // ECS removes it from an instance without tasks
		ForceDelete:           pulumi.Bool(true), // otherwise the group would wait for it when the stack is destroyed
		Tags: instances.Tags(map[string]string{
			// ECS adds its tag to a group that it sizes. Without the tag here, the next update would remove it.
			"AmazonECSManaged": "true", config.DiscoveryTagKey: b.Cluster, "Name": name,
		}),
	}, awskit.With(b.child, instances.KeepsVersion(),
		pulumi.DependsOn(slices.Concat(b.Before, b.Identity.joined, b.Network.Egress)))...)
}

// deploymentPercent is the maximum number of tasks during a deployment, in percent. With scaling, their number may be
// larger than nodes.count, and the percentage must allow one more for the smallest number too. On instances, the single
// spare instance keeps the replacements one at a time.
func deploymentPercent(n config.Nodes) int {
	const half, all = 150, 200
	switch {
	case n.Autoscaling == nil:
		return instances.SurgePercent(n.Count)
	case n.Count == 1:
		return all
	}
	return half
}
