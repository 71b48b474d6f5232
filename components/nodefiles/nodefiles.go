// Package nodefiles keeps what nodes fetch when they start in the stack's private bucket: each node's deployment.toml
// and the programs that it runs, for the topologies ec2 and ecs. What the schema program reads is the same on all.
package nodefiles

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/awskit"
	"github.com/wso2is-aws/wso2is/components/bootstrap"
	"github.com/wso2is-aws/wso2is/components/container"
	"github.com/wso2is-aws/wso2is/components/nodeconfig"
	"github.com/wso2is-aws/wso2is/components/storage"
	"github.com/wso2is-aws/wso2is/config"
)

// Shared names the files that all nodes have in common, where nodes come and go.
const Shared = "all"

// Store is the bucket with the files.
type Store struct {
	*storage.Bucket
	child []pulumi.ResourceOption
}

const purpose = "config"

// BucketName is the bucket's name, which whoever opens a way to it needs before it is there.
func BucketName(scope awskit.Scope) string { return storage.Name(scope, purpose) }

// New makes the bucket, encrypted with the key. The options are those of its children's parent.
func New(
	ctx *pulumi.Context, scope awskit.Scope, key pulumi.StringInput, child []pulumi.ResourceOption,
) (*Store, error) {
	child = awskit.With(child, kept(ctx))
	bucket, err := storage.NewBucket(ctx, "config", &storage.Args{
		Scope: scope, Purpose: purpose, KeyARN: key, Expendable: true,
	}, child...)
	if err != nil {
		return nil, fmt.Errorf("creating the bucket for node configuration: %w", err)
	}
	return &Store{Bucket: bucket, child: awskit.With(child, pulumi.DependsOn(bucket.Ready))}, nil
}

// owners are the types of the components that a store can belong to, all of the same name.
var owners = []string{"wso2is:ec2cluster:Cluster", "wso2is:ecscluster:Cluster"}

// kept lets a stack that changes its topology keep the bucket and what is in it. They have the same names in AWS
// whoever they belong to: as other resources they could not be created, and what went would take the new files along.
func kept(ctx *pulumi.Context) pulumi.ResourceOption {
	aliases := make([]pulumi.Alias, len(owners))
	for i, owner := range owners {
		aliases[i] = pulumi.Alias{ParentURN: pulumi.CreateURN(
			pulumi.String("cluster"), pulumi.String(owner), nil, pulumi.String(ctx.Project()), pulumi.String(ctx.Stack()))}
	}
	return pulumi.Aliases(aliases)
}

// Object stores a text under the key that bootstrap.Key gives its name. A text that another one takes the place of stays
// in the bucket: a launch template's earlier version, a task definition's earlier revision or an instance that has only
// just been launched may still have to fetch it. The bucket takes them along when it goes.
func (s *Store) Object(ctx *pulumi.Context, name string, content pulumi.StringInput) (*s3.BucketObjectv2, error) {
	text := content.ToStringOutput()
	object, err := s3.NewBucketObjectv2(ctx, name, &s3.BucketObjectv2Args{
		Bucket: s.Name, Content: text.ToStringPtrOutput(), ContentType: pulumi.String("text/plain; charset=utf-8"),
		Key: text.ApplyT(func(text string) string { return bootstrap.Key(name, Sum(text)) }).(pulumi.StringOutput),
	}, awskit.With(s.child, pulumi.RetainOnDelete(true))...)
	if err != nil {
		return nil, fmt.Errorf("storing %s: %w", name, err)
	}
	return object, nil
}

// Node is the files of one node.
type Node struct {
	// Deployment and DeploymentSum are the name of deployment.toml and its SHA-256 in hexadecimal.
	Deployment    string
	DeploymentSum pulumi.StringOutput
	// Hazelcast and HazelcastSum are those of hazelcast.xml, empty where there is none.
	Hazelcast, HazelcastSum string
	// Objects are both as resources.
	Objects []pulumi.Resource
	// URI says where deployment.toml is.
	URI pulumi.StringOutput
}

// Node writes the files of one node; name is a member's, or Shared. Hosts are the databases' by instance.
func (s *Store) Node(
	ctx *pulumi.Context, c config.Cluster, hosts map[string]pulumi.StringOutput, discovery nodeconfig.Discovery, name string,
	node nodeconfig.Node,
) (*Node, error) {
	text := WithHosts(hosts, func(at map[string]string) (string, error) {
		out, err := nodeconfig.Render(nodeconfig.Input{Cluster: c, Node: node, Hosts: at, Discovery: discovery})
		return string(out), err
	})
	n := &Node{Deployment: "nodes/" + name + "/deployment.toml"}
	object, err := s.Object(ctx, n.Deployment, text)
	if err != nil {
		return nil, err
	}
	n.Objects = append(n.Objects, object)
	n.DeploymentSum = text.ApplyT(Sum).(pulumi.StringOutput)
	n.URI = pulumi.Sprintf("s3://%s/%s", s.Name, object.Key)
	if xml := nodeconfig.HazelcastXML(c); xml != "" {
		n.Hazelcast, n.HazelcastSum = "nodes/"+name+"/hazelcast.xml", Sum(xml)
		object, err := s.Object(ctx, n.Hazelcast, pulumi.String(xml))
		if err != nil {
			return nil, err
		}
		n.Objects = append(n.Objects, object)
	}
	return n, nil
}

// WithHosts makes a text from the databases' hosts by instance, once they are known. It is empty where an update with
// --target has left the databases out, and so whoever would read it.
func WithHosts[V pulumi.StringInput](
	hosts map[string]V, text func(hosts map[string]string) (string, error),
) pulumi.StringOutput {
	return awskit.Resolve(hosts, func(at map[string]string) (string, error) {
		for _, host := range at {
			if host == "" {
				return "", nil
			}
		}
		return text(at)
	})
}

// Sum is a text's SHA-256 in hexadecimal.
func Sum(text string) string {
	s := sha256.Sum256([]byte(text))
	return hex.EncodeToString(s[:])
}

// Databases are the logical databases as the schema program makes them, in order, without the secrets of any. Hosts
// are the databases' by instance.
func Databases(c config.Cluster, hosts map[string]string) []bootstrap.Database {
	var databases []bootstrap.Database
	for logical, l := range awskit.Sorted(c.Database.Logical) {
		databases = append(databases, bootstrap.Database{
			Logical: logical, Engine: c.Database.Engine, Name: l.Name,
			URL:        nodeconfig.JDBCURL(c.Database, hosts[l.Instance], bootstrap.DatabasePlaceholder),
			Properties: nodeconfig.ConnectionProperties(c.Database),
			Scripts:    bootstrap.Scripts(c.Database, logical),
		})
	}
	return databases
}

// SchemaProperties is what the schema program reads in a container of the product's image. Hosts are the databases' by
// instance.
func SchemaProperties(c config.Cluster, hosts map[string]string) string {
	return bootstrap.SchemaProperties(c.Version, container.ServerHome(c.Version), Databases(c, hosts))
}

// SchemaSum is a checksum, short enough for ECS to keep as who started a task, of what the schema is made from: a text, and the
// versions of the secrets beside it. The schema program runs again when one of them changes: it gives users another password,
// and its check of the encryption key follows each change of the key.
func SchemaSum(text pulumi.StringInput, versions map[string]pulumi.StringInput) pulumi.StringOutput {
	return awskit.Resolve(schemaInputs[pulumi.StringInput]{text, versions}, func(known schemaInputs[string]) (string, error) {
		sum := known.Text
		for variable, version := range awskit.Sorted(known.Versions) {
			sum += "\n" + variable + "=" + version
		}
		return Sum(sum)[:32], nil
	})
}

// schemaInputs is what the schema is made from.
type schemaInputs[T any] struct {
	Text     T
	Versions map[string]T
}

// ARNs are those of files that lie in S3, sorted.
func ARNs(scope awskit.Scope, files ...config.Artifact) []string {
	var arns []string
	for _, a := range files {
		if path, ok := strings.CutPrefix(a.Source, "s3://"); ok {
			arns = append(arns, scope.GlobalARN("s3", "", path))
		}
	}
	slices.Sort(arns)
	return slices.Compact(arns)
}

// SignedARNs are those of files that are fetched from S3 by an https URL, sorted. The bucket is the first part of the host or of
// the path (Amazon S3 user guide, "Virtual hosting of general purpose buckets").
func SignedARNs(scope awskit.Scope, files ...config.Artifact) []string {
	var arns []string
	for _, a := range files {
		u, err := url.Parse(a.Source)
		if err != nil || u.Scheme != "https" {
			continue
		}
		if m := s3Host.FindStringSubmatch(u.Hostname()); m != nil {
			arns = append(arns, scope.GlobalARN("s3", "", strings.TrimPrefix(path.Join(m[1], u.Path), "/")))
		}
	}
	slices.Sort(arns)
	return slices.Compact(arns)
}

var s3Host = regexp.MustCompile(`^(?:(.+)\.)?s3(?:[.-][a-z0-9-]+)*\.amazonaws\.com(?:\.cn)?$`)
