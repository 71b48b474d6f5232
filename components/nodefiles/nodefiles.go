// Package nodefiles stores the files that nodes fetch at their start in the stack's private bucket: each node's
// deployment.toml and programs, for the topologies ec2 and ecs, and the schema program's input for all.
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

// Shared is the name of the files that all nodes share, if they have no files of their own.
const Shared = "all"

// Store is the bucket with the files.
type Store struct {
	*storage.Bucket
	scope awskit.Scope
	child []pulumi.ResourceOption
}

const purpose = "config"

// BucketName is the bucket's name, which others need before the bucket exists.
func BucketName(scope awskit.Scope) string { return storage.Name(scope, purpose) }

// New makes the bucket, encrypted with the key. The options are those of its children's parent.
func New(
	ctx *pulumi.Context, scope awskit.Scope, key pulumi.StringInput, child []pulumi.ResourceOption,
) (*Store, error) {
	aliases, err := kept(ctx, child)
	if err != nil {
		return nil, err
	}
	child = awskit.With(child, aliases)
	bucket, err := storage.NewBucket(ctx, scope.Named("config"), &storage.Args{
		Scope: scope, Purpose: purpose, KeyARN: key, Expendable: true,
	}, child...)
	if err != nil {
		return nil, fmt.Errorf("creating the bucket for node configuration: %w", err)
	}
	return &Store{Bucket: bucket, scope: scope, child: awskit.With(child, pulumi.DependsOn(bucket.Ready))}, nil
}

// owners are the component types that a store can belong to. All have the same name.
var owners = []string{"wso2is:ec2cluster:Cluster", "wso2is:ecscluster:Cluster"}

// kept gives aliases, so that a stack that changes its topology keeps the bucket and its content. The names in AWS are
// the same for every topology: new resources could not be created, and the deletion of the old ones would also delete
// the new files. An owner was at the top of its stack before it had a parent.
func kept(ctx *pulumi.Context, child []pulumi.ResourceOption) (pulumi.ResourceOption, error) {
	options, err := pulumi.NewResourceOptions(child...)
	if err != nil {
		return nil, fmt.Errorf("reading the options of the bucket: %w", err)
	}
	var aliases []pulumi.Alias
	for _, owner := range owners {
		aliases = append(aliases, pulumi.Alias{ParentURN: pulumi.CreateURN(
			pulumi.String("cluster"), pulumi.String(owner), nil, pulumi.String(ctx.Project()), pulumi.String(ctx.Stack()))})
		if options.Parent != nil {
			aliases = append(aliases, pulumi.Alias{ParentURN: ofType(options.Parent.URN(), owner)})
		}
	}
	return pulumi.Aliases(aliases), nil
}

// ofType is the URN of an owner of another type in the same place.
func ofType(urn pulumi.URNOutput, token string) pulumi.URNOutput {
	return urn.ApplyT(func(urn pulumi.URN) pulumi.URN {
		text := string(urn)
		for _, owner := range owners {
			text = strings.Replace(text, owner+"::", token+"::", 1)
		}
		return pulumi.URN(text)
	}).(pulumi.URNOutput)
}

// Object stores a text under its key from bootstrap.Key. A replaced text stays in the bucket: an earlier version of a
// launch template, an earlier revision of a task definition or a starting instance may still fetch it. It is deleted
// with the bucket.
func (s *Store) Object(ctx *pulumi.Context, name string, content pulumi.StringInput) (*s3.BucketObjectv2, error) {
	text := content.ToStringOutput()
	object, err := s3.NewBucketObjectv2(ctx, s.scope.Named(name), &s3.BucketObjectv2Args{
		Bucket: s.Name, Content: text.ToStringPtrOutput(), ContentType: pulumi.String("text/plain; charset=utf-8"),
		Key: text.ApplyT(func(text string) string { return bootstrap.Key(name, Sum(text)) }).(pulumi.StringOutput),
	}, awskit.With(s.child, pulumi.RetainOnDelete(true))...)
	if err != nil {
		return nil, fmt.Errorf("storing %s: %w", name, err)
	}
	return object, nil
}

// Node has the files of one node.
type Node struct {
	// Deployment and DeploymentSum are the name of deployment.toml and its SHA-256 in hexadecimal.
	Deployment    string
	DeploymentSum pulumi.StringOutput
	// Hazelcast and HazelcastSum are those of hazelcast.xml, empty without one.
	Hazelcast, HazelcastSum string
	// Objects are both as resources.
	Objects []pulumi.Resource
	// URI is the location of deployment.toml.
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

// WithHosts makes a text from the databases' hosts by instance, once they are known. It is empty in an update with
// --target that leaves the databases out, because then no resource reads it.
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

// Databases are the logical databases for the schema program, in order, without secrets. Hosts are the databases' by
// instance.
func Databases(c config.Cluster, hosts map[string]string) []bootstrap.Database {
	var databases []bootstrap.Database
	for logical, l := range awskit.Sorted(c.Database.Logical) {
		user := ""
		if c.Database.RotatedUsers() {
			user = c.Database.User(logical)
		}
		databases = append(databases, bootstrap.Database{
			User: user, Revoked: c.Database.RevokedUser(logical),
			Owned:   c.Database.UserSecrets() != nil,
			Logical: logical, Engine: c.Database.Engine, Name: l.Name,
			URL:        nodeconfig.JDBCURL(c.Database, hosts[l.Instance], bootstrap.DatabasePlaceholder),
			Properties: nodeconfig.ConnectionProperties(c.Database),
			Scripts:    bootstrap.Scripts(c.Database, logical),
		})
	}
	return databases
}

// SchemaProperties is the input of the schema program in a container of the product's image. Hosts are the databases'
// by instance.
func SchemaProperties(c config.Cluster, hosts map[string]string) string {
	return bootstrap.SchemaProperties(c.Version, container.ServerHome(c.Version), Databases(c, hosts))
}

// VersionsSum is a checksum of a text and of the versions of secrets, short enough for ECS's startedBy. The schema program
// runs again when that of its inputs changes: it sets the users' passwords, and updates its check of the encryption key.
func VersionsSum(text pulumi.StringInput, versions map[string]pulumi.StringInput) pulumi.StringOutput {
	return awskit.Resolve(schemaInputs[pulumi.StringInput]{text, versions}, func(known schemaInputs[string]) (string, error) {
		sum := known.Text
		for variable, version := range awskit.Sorted(known.Versions) {
			sum += "\n" + variable + "=" + version
		}
		return Sum(sum)[:32], nil
	})
}

// schemaInputs are the inputs of the schema program.
type schemaInputs[T any] struct {
	Text     T
	Versions map[string]T
}

// ARNs are the ARNs of files in S3, sorted.
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

// SignedARNs are the ARNs of files that are fetched from S3 by an https URL, sorted. The bucket is the first part of
// the host or of the path (Amazon S3 user guide, "Virtual hosting of general purpose buckets").
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
