package ec2cluster

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/awskit"
	"github.com/wso2is-aws/wso2is/components/bootstrap"
	"github.com/wso2is-aws/wso2is/components/nodeconfig"
	"github.com/wso2is-aws/wso2is/components/storage"
	"github.com/wso2is-aws/wso2is/config"
)

const (
	deploymentPath = "repository/conf/deployment.toml"
	hazelcastPath  = "repository/conf/etc/hazelcast.xml"
	programPrefix  = "programs/"
)

// files are the objects that nodes fetch when they start.
type files struct {
	bucket   pulumi.StringOutput
	programs []pulumi.Resource
	child    []pulumi.ResourceOption
}

// nodeFiles are the objects of one node.
type nodeFiles struct {
	deploymentKey string
	deploymentSum pulumi.StringOutput
	hazelcastKey  string
	hazelcastSum  string
	objects       []pulumi.Resource
	uri           pulumi.StringOutput
}

func newFiles(ctx *pulumi.Context, args *Args, bucket *storage.Bucket, child []pulumi.ResourceOption) (*files, error) {
	f := &files{bucket: bucket.Name, child: awskit.With(child, pulumi.DependsOn(bucket.Ready))}
	for _, p := range bootstrap.Programs() {
		object, err := f.object(ctx, programPrefix+p.Name, pulumi.String(string(p.Content)))
		if err != nil {
			return nil, err
		}
		f.programs = append(f.programs, object)
	}
	return f, nil
}

func (f *files) object(ctx *pulumi.Context, key string, content pulumi.StringInput) (*s3.BucketObjectv2, error) {
	object, err := s3.NewBucketObjectv2(ctx, key, &s3.BucketObjectv2Args{
		Bucket: f.bucket, Key: pulumi.String(key), Content: content.ToStringOutput().ToStringPtrOutput(),
		ContentType: pulumi.String("text/plain; charset=utf-8"),
	}, f.child...)
	if err != nil {
		return nil, fmt.Errorf("storing %s: %w", key, err)
	}
	return object, nil
}

// node writes the files of one node; name is a member's, or "all" where nodes share theirs.
func (f *files) node(ctx *pulumi.Context, args *Args, name string, node nodeconfig.Node) (*nodeFiles, error) {
	names := slices.Sorted(maps.Keys(args.Database.Instances))
	hosts := make(pulumi.StringArray, len(names))
	for i, key := range names {
		hosts[i] = args.Database.Instances[key].Host
	}
	text := hosts.ToStringArrayOutput().ApplyT(func(known []string) (string, error) {
		at := map[string]string{}
		for i, host := range known {
			at[names[i]] = host
		}
		out, err := nodeconfig.Render(Input(args.Config, args.NodesGroupName, node, at))
		return string(out.DeploymentTOML), err
	}).(pulumi.StringOutput)
	n := &nodeFiles{deploymentKey: "nodes/" + name + "/deployment.toml"}
	object, err := f.object(ctx, n.deploymentKey, text)
	if err != nil {
		return nil, err
	}
	n.objects = append(n.objects, object)
	n.deploymentSum = text.ApplyT(sum).(pulumi.StringOutput)
	n.uri = pulumi.Sprintf("s3://%s/%s", f.bucket, n.deploymentKey)
	out, err := nodeconfig.Render(Input(args.Config, args.NodesGroupName, node, nil))
	if err != nil {
		return nil, err
	}
	if len(out.HazelcastXML) > 0 {
		n.hazelcastKey, n.hazelcastSum = "nodes/"+name+"/hazelcast.xml", sum(string(out.HazelcastXML))
		object, err := f.object(ctx, n.hazelcastKey, pulumi.String(string(out.HazelcastXML)))
		if err != nil {
			return nil, err
		}
		n.objects = append(n.objects, object)
	}
	return n, nil
}

func sum(text string) string {
	s := sha256.Sum256([]byte(text))
	return hex.EncodeToString(s[:])
}

// Input is what a node's deployment.toml is made from. Hosts left out get a placeholder, which is enough to find out
// beforehand whether it can be made at all.
func Input(c config.Cluster, nodesGroup string, node nodeconfig.Node, hosts map[string]string) nodeconfig.Input {
	if hosts == nil {
		hosts = map[string]string{}
		for name := range c.Database.Instances {
			hosts[name] = "database.invalid"
		}
	}
	return nodeconfig.Input{
		Cluster: c, Node: node, Databases: nodeconfig.Endpoints(c, hosts),
		Discovery: nodeconfig.Discovery{
			Region: c.Region, SecurityGroup: nodesGroup, TagKey: config.DiscoveryTagKey, TagValue: c.Name(),
			VPCCIDR: c.Network.CIDR,
		},
	}
}

// Check renders the configuration of every node with placeholders, so that what cannot be written fails before
// anything is built.
func Check(c config.Cluster, nodesGroup string) error {
	nodes := []nodeconfig.Node{{Name: "all", CreateAdmin: true}}
	for i, m := range c.Nodes.Members {
		nodes = append(nodes, nodeconfig.Node{Name: m.Name, Address: m.Address, Port: m.Port, CreateAdmin: i == 0})
	}
	if c.Fixed() {
		nodes = nodes[1:]
	}
	for _, node := range nodes {
		if _, err := nodeconfig.Render(Input(c, nodesGroup, node, nil)); err != nil {
			return err
		}
	}
	return nil
}
