package ekscluster

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/eks"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/awskit"
	"github.com/wso2is-aws/wso2is/config"
)

type object = map[string]any

// nodeNetwork installs what a node needs to become ready: Pod Identity, the CNI that uses it, and kube-proxy. They are
// DaemonSets and count as installed before the first node.
func (b *builder) nodeNetwork(ctx *pulumi.Context) ([]pulumi.Resource, error) {
	agent, err := b.addon(ctx, config.AddonPodIdentity, nil)
	if err != nil {
		return nil, err
	}
	role, err := associate(ctx, b.Scope, b.name, "cni", cniAccount, b.Identity.cni.Arn, b.child...)
	if err != nil {
		return nil, err
	}
	cni, err := b.addon(ctx, config.AddonVPCCNI, object{
		"enableNetworkPolicy": "true",
		// By default, the CNI keeps the addresses of a whole network interface ready on every node.
		"env": object{"MINIMUM_IP_TARGET": "8", "WARM_IP_TARGET": "2"},
	}, role, agent)
	if err != nil {
		return nil, err
	}
	proxy, err := b.addon(ctx, config.AddonKubeProxy, nil)
	return []pulumi.Resource{agent, cni, proxy}, err
}

// services installs what pods need besides a node: DNS, files, secrets, metrics and logs.
func (b *builder) services(ctx *pulumi.Context, nodes *eks.NodeGroup) error {
	c := b.Config
	files, err := b.files(ctx)
	if err != nil {
		return err
	}
	logs, err := b.logs(ctx)
	if err != nil {
		return err
	}
	b.made.Ready = append(b.made.Ready, nodes)
	for _, addon := range []struct {
		name   config.Addon
		wanted bool
		values object
		before []pulumi.Resource
	}{
		{config.AddonCoreDNS, true, nil, nil},
		{config.AddonEFS, b.FileSystem.Share == nil, nil, files},
		{config.AddonSecretsStore, c.EKS.Secrets == config.SecretsCSI, object{
			// The server reads its environment, so the driver must copy the mounted values to a Kubernetes secret.
			"secrets-store-csi-driver": object{"syncSecret": object{"enabled": true}},
		}, nil},
		{config.AddonMetricsServer, c.Nodes.Autoscaling != nil, nil, nil},
		{config.AddonObservability, true, b.observability(), logs},
	} {
		if !addon.wanted {
			continue
		}
		made, err := b.addon(ctx, addon.name, addon.values, append(addon.before, nodes)...)
		if err != nil {
			return err
		}
		b.made.Ready = append(b.made.Ready, made)
	}
	return nil
}

// addon installs one add-on in the version that the stack pins, or else in the one that EKS recommends for the
// cluster's Kubernetes version. EKS itself would choose once and not follow an upgrade of the cluster, after which
// kube-proxy is older than Kubernetes supports. The newest version would change an add-on whenever AWS releases one.
func (b *builder) addon(
	ctx *pulumi.Context, name config.Addon, values object, before ...pulumi.Resource,
) (*eks.Addon, error) {
	in := &eks.AddonArgs{
		ClusterName: b.name, AddonName: pulumi.String(name), ResolveConflictsOnCreate: pulumi.String("OVERWRITE"),
		ResolveConflictsOnUpdate: pulumi.String("OVERWRITE"), Tags: awskit.Tags(b.Cluster+"-"+string(name), component),
	}
	if version := b.Config.EKS.Addons[name]; version != "" {
		in.AddonVersion = pulumi.String(version)
	} else {
		in.AddonVersion = eks.GetAddonVersionOutput(ctx, eks.GetAddonVersionOutputArgs{
			AddonName: pulumi.String(name), KubernetesVersion: pulumi.String(b.Config.EKS.Version),
		}, pulumi.Parent(b.made)).Version().ToStringPtrOutput()
	}
	if values != nil {
		text, err := json.Marshal(values)
		if err != nil {
			return nil, fmt.Errorf("writing the values of %s: %w", name, err)
		}
		in.ConfigurationValues = pulumi.String(string(text))
		if strings.Contains(string(text), logGroupMark) {
			in.ConfigurationValues = awskit.Resolve(b.LogGroup, func(group string) (string, error) {
				return strings.ReplaceAll(string(text), logGroupMark, group), nil
			}).ToStringPtrOutput()
		}
	}
	made, err := eks.NewAddon(ctx, b.Named(string(name)), in, awskit.With(b.child, pulumi.DependsOn(before))...)
	if err != nil {
		return nil, fmt.Errorf("installing %s: %w", name, err)
	}
	return made, nil
}

// files gives the EFS CSI driver's node pods their role. Kubelets mount NFS themselves, with nfs-utils of the image
// (templates/al2023/provisioners/install-worker.sh of awslabs/amazon-eks-ami).
func (b *builder) files(ctx *pulumi.Context) ([]pulumi.Resource, error) {
	if b.FileSystem.Share != nil {
		return nil, nil
	}
	granted, err := b.Identity.grant(ctx, "filesystem", b.Identity.fileSystem, awskit.PolicyOf(b.FileSystem.ARN, mount))
	if err != nil {
		return nil, err
	}
	role, err := associate(ctx, b.Scope, b.name, "filesystem", fileSystemAccount, b.Identity.fileSystem.Arn, b.child...)
	return []pulumi.Resource{granted, role}, err
}

// logs gives the agents that ship logs and metrics their role and the log group for metrics. They would make the group
// without a retention.
func (b *builder) logs(ctx *pulumi.Context) ([]pulumi.Resource, error) {
	insights, err := b.logGroup(ctx, "insights", "/aws/containerinsights/"+Name(b.Scope)+"/performance")
	if err != nil {
		return nil, err
	}
	granted, err := b.Identity.grant(ctx, "logs", b.Identity.logs, awskit.PolicyOf([]pulumi.StringInput{b.LogGroupARN, insights.Arn}, ship))
	if err != nil {
		return nil, err
	}
	role, err := associate(ctx, b.Scope, b.name, "logs", logAccount, b.Identity.logs.Arn, b.child...)
	return []pulumi.Resource{insights, granted, role}, err
}

// observability has the values of the log add-on. The servers' output goes to the stack's own log group, the nodes' own
// logs are not shipped, and metrics are the standard ones, which cost less than the enhanced. An agent with its own
// configuration and no application_signals in it also keeps the add-on out of the pods. Otherwise Application Signals
// would put a Java agent from an image of another registry into each server (manager.modify-auto-monitor-config in
// _helpers.tpl of the chart in github.com/aws-observability/helm-charts).
func (b *builder) observability() object {
	return object{
		"agent": object{"config": object{"logs": object{"metrics_collected": object{
			"kubernetes": object{"enhanced_container_insights": false},
		}}}},
		"containerLogs": object{"enabled": true, "fluentBit": object{"config": object{"extraFiles": object{
			"application-log.conf": strings.ReplaceAll(applicationLog, "{namespace}", b.Config.EKS.Namespace),
			"dataplane-log.conf":   "", "host-log.conf": "",
		}}}},
	}
}

// logGroupMark stands for the name of the log group in the values of an add-on. No character of a log group's name is escaped in JSON.
const logGroupMark = "{group}"

// applicationLog configures Fluent Bit to ship the output of the containers of the cluster's namespace, one stream per
// container.
const applicationLog = `[INPUT]
  Name                tail
  Tag                 application.*
  Path                /var/log/containers/*_{namespace}_*.log
  multiline.parser    docker, cri
  DB                  /var/fluent-bit/state/flb_container.db
  Mem_Buf_Limit       50MB
  Skip_Long_Lines     On
  Refresh_Interval    10
  Rotate_Wait         30
  storage.type        filesystem
  Read_from_Head      On

[OUTPUT]
  Name                cloudwatch_logs
  Match               application.*
  region              ${AWS_REGION}
  log_group_name      {group}
  log_stream_prefix   ${HOST_NAME}-
  log_key             log
  auto_create_group   false
`
