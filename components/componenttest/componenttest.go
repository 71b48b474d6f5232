// Package componenttest builds components without an engine or an account, and records what they register.
package componenttest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/components/awskit"
)

// Scope is the scope of the tests' components.
func Scope() awskit.Scope {
	return awskit.Scope{Cluster: "wso2is-test", Region: "eu-west-1", Partition: "aws", Account: "123456789012"}
}

// Resource is a resource that a component registered.
type Resource struct {
	Type, Name string
	Inputs     resource.PropertyMap
	Protect    bool
	// Retain says that the resource stays in AWS when it is removed from the program.
	Retain bool
	// DeleteFirst says that it is deleted before its replacement is created.
	DeleteFirst bool
	// Dependencies are URNs.
	Dependencies []string
	// Ignore are the properties whose changes are ignored, and ReplaceOn those whose changes replace the resource.
	Ignore, ReplaceOn []string
}

// Get returns an input in plain Go, or nil: keys of objects and indices of lists lead to it.
func (r Resource) Get(path ...string) any { return At(r.Inputs, path...) }

// Manifest is a Kubernetes object in plain Go, with its name.
func (r Resource) Manifest() map[string]any {
	manifest := Reveal(resource.NewObjectProperty(r.Inputs)).(map[string]any)
	if metadata := manifest["metadata"].(map[string]any); metadata["name"] == nil {
		metadata["name"] = given(r.Name, r.Inputs)
	}
	return manifest
}

// DependsOn reports whether a resource of the name is among the dependencies.
func (r Resource) DependsOn(name string) bool {
	return slices.ContainsFunc(r.Dependencies, func(urn string) bool { return strings.HasSuffix(urn, "::"+name) })
}

// ARN is the ARN in the answer of Created.
func (r Resource) ARN() string { return arn(r.Type, r.Name) }

func arn(token, name string) string {
	return fmt.Sprintf("arn:aws:mock:eu-west-1:123456789012:%s/%s", token[strings.LastIndex(token, ":")+1:], name)
}

// Plan is what a component, or a whole program, registered.
type Plan struct {
	mu sync.Mutex
	// Resources are in the order of their registration.
	Resources []Resource
}

// Run builds components, and fails the test where they fail.
func Run(t *testing.T, build func(*pulumi.Context) error) *Plan {
	t.Helper()
	p := &Plan{}
	require.NoError(t, pulumi.RunErr(build, pulumi.WithMocks("wso2is", "test", p)))
	return p
}

// NewResource records a registration, and answers it like Created. Registrations arrive on concurrent goroutines.
func (p *Plan) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	r := Resource{
		Type: args.TypeToken, Name: args.Name, Inputs: args.Inputs, Protect: args.RegisterRPC.GetProtect(),
		Retain: args.RegisterRPC.GetRetainOnDelete(), DeleteFirst: args.RegisterRPC.GetDeleteBeforeReplace(),
		Dependencies: args.RegisterRPC.GetDependencies(), Ignore: args.RegisterRPC.GetIgnoreChanges(),
		ReplaceOn: args.RegisterRPC.GetReplaceOnChanges(),
	}
	p.mu.Lock()
	p.Resources = append(p.Resources, r)
	p.mu.Unlock()
	id, outputs := Created(args)
	return id, outputs, nil
}

// Call refuses every call of a function.
func (p *Plan) Call(args pulumi.MockCallArgs) (resource.PropertyMap, error) {
	return nil, fmt.Errorf("a component calls %s", args.Token)
}

// All are the resources of a type.
func (p *Plan) All(token string) []Resource {
	var found []Resource
	for _, r := range p.Resources {
		if r.Type == token {
			found = append(found, r)
		}
	}
	return found
}

// Providers are the providers of a package, such as aws. A mock may call it while the program runs.
func (p *Plan) Providers(of string) []Resource {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.All("pulumi:providers:" + of)
}

// One is the resource of a type with a name. A test without it fails.
func (p *Plan) One(t *testing.T, token, name string) Resource {
	t.Helper()
	for _, r := range p.All(token) {
		if r.Name == name {
			return r
		}
	}
	t.Fatalf("there is no %s named %s", token, name)
	return Resource{}
}

// Created answers a registration like AWS, with an id, an ARN and the outputs that later resources read.
func Created(args pulumi.MockResourceArgs) (string, resource.PropertyMap) {
	out := args.Inputs.Copy()
	id := args.Name + "-id"
	text := func(key, value string) {
		if !out.HasValue(resource.PropertyKey(key)) {
			out[resource.PropertyKey(key)] = resource.NewStringProperty(value)
		}
	}
	text("arn", arn(args.TypeToken, args.Name))
	switch args.TypeToken {
	case "aws:rds/instance:Instance":
		text("address", args.Name+".db.example.internal")
		out["masterUserSecrets"] = resource.NewArrayProperty([]resource.PropertyValue{
			resource.NewObjectProperty(resource.PropertyMap{
				"secretArn": resource.NewStringProperty("arn:aws:secretsmanager:eu-west-1:123456789012:secret:rds!db-" + args.Name),
			}),
		})
	case "aws:rds/cluster:Cluster":
		text("endpoint", args.Name+".cluster.example.internal")
		out["masterUserSecrets"] = resource.NewArrayProperty([]resource.PropertyValue{
			resource.NewObjectProperty(resource.PropertyMap{
				"secretArn": resource.NewStringProperty("arn:aws:secretsmanager:eu-west-1:123456789012:secret:rds!cluster-" + args.Name),
			}),
		})
	case "aws:ecr/repository:Repository":
		text("repositoryUrl", "123456789012.dkr.ecr.eu-west-1.amazonaws.com/"+args.Inputs["name"].StringValue())
	case "aws:kms/key:Key":
		text("keyId", id)
	case "aws:lb/loadBalancer:LoadBalancer":
		text("dnsName", "alb.example.com")
		text("zoneId", "Z1")
		text("arnSuffix", "app/alb/1")
	case "aws:lb/targetGroup:TargetGroup":
		text("arnSuffix", "targetgroup/nodes/1")
	case "aws:ec2/vpcEndpoint:VpcEndpoint":
		text("prefixListId", "pl-s3")
	case "aws:ec2/launchTemplate:LaunchTemplate":
		out["latestVersion"] = resource.NewNumberProperty(1)
	case "aws:acm/certificate:Certificate":
		out["domainValidationOptions"] = resource.NewArrayProperty([]resource.PropertyValue{
			resource.NewObjectProperty(resource.PropertyMap{
				"domainName":          resource.NewStringProperty("is.example.com"),
				"resourceRecordName":  resource.NewStringProperty("_x.is.example.com"),
				"resourceRecordType":  resource.NewStringProperty("CNAME"),
				"resourceRecordValue": resource.NewStringProperty("_y.acm-validations.aws"),
			}),
		})
	case "aws:route53/record:Record":
		text("fqdn", "_x.is.example.com")
	case "aws:eks/nodeGroup:NodeGroup":
		out["resources"] = resource.NewPropertyValue([]any{map[string]any{"autoscalingGroups": []any{map[string]any{"name": "eks-nodes"}}}})
	case "aws:eks/cluster:Cluster":
		text("endpoint", "https://0123456789ABCDEF.gr7.eu-west-1.eks.amazonaws.com")
		out["certificateAuthority"] = resource.NewObjectProperty(resource.PropertyMap{
			"data": resource.NewStringProperty("QUJD"),
		})
	case "aws:s3/bucketV2:BucketV2":
		id = args.Inputs["bucket"].StringValue()
	}
	if metadata, ok := out["metadata"]; ok && strings.HasPrefix(args.TypeToken, "kubernetes:") {
		named := metadata.ObjectValue().Copy()
		if !named.HasValue("name") {
			named["name"] = resource.NewStringProperty(given(args.Name, args.Inputs))
		}
		out["metadata"] = resource.NewObjectProperty(named)
		out["status"] = resource.NewPropertyValue(map[string]any{"loadBalancer": map[string]any{
			"ingress": []any{map[string]any{"hostname": "ingress.elb.amazonaws.com"}},
		}})
	}
	return id, out
}

// given is the name that the Kubernetes provider generates for an object without one: a changed object gets another
// name.
func given(name string, inputs resource.PropertyMap) string {
	text, err := json.Marshal(Reveal(resource.NewObjectProperty(inputs)))
	if err != nil {
		panic(err)
	}
	hash := sha256.Sum256(text)
	return name + "-" + hex.EncodeToString(hash[:])[:8]
}

// Reveal unwraps secrets and converts a value to plain Go.
func Reveal(v resource.PropertyValue) any {
	for v.IsSecret() || v.IsOutput() {
		if v.IsSecret() {
			v = v.SecretValue().Element
		} else {
			v = v.OutputValue().Element
		}
	}
	return v.MapRepl(nil, func(inner resource.PropertyValue) (any, bool) {
		if inner.IsSecret() || inner.IsOutput() {
			return Reveal(inner), true
		}
		return nil, false
	})
}

// At returns one of a resource's inputs in plain Go, or nil: keys of objects and indices of lists lead to it.
func At(inputs resource.PropertyMap, path ...string) any {
	value := Reveal(resource.NewObjectProperty(inputs))
	for _, key := range path {
		switch v := value.(type) {
		case map[string]any:
			value = v[key]
		case []any:
			var i int
			if _, err := fmt.Sscan(key, &i); err != nil || i >= len(v) {
				return nil
			}
			value = v[i]
		default:
			return nil
		}
	}
	return value
}
