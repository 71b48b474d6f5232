// Package stackstest plans clusters in unit tests, under Pulumi's mocks, without an engine and an account:
//
//	plan := stackstest.Deploy(t, "Pulumi.prod.yaml")
//	assert.Equal(t, true, plan.One(t, "aws:rds/instance:Instance", "main").Get("multiAz"))
package stackstest

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/components/componenttest"
	"github.com/wso2is-aws/wso2is/config/stackfile"
	"github.com/wso2is-aws/wso2is/stacks"
)

// Resource is a registered resource, with its inputs and options.
type Resource = componenttest.Resource

// Answer is the mock of a function, such as aws:ssm/getParameter:getParameter. It returns the function's result.
type Answer func(pulumi.MockCallArgs) (map[string]any, error)

// Plan has what a program registers and calls.
type Plan struct {
	componenttest.Plan
	// Calls are the called functions, without a certain order.
	Calls []pulumi.MockCallArgs
	// Answers replace the answers of functions by token, or add answers for functions that only the test's program calls.
	Answers map[string]Answer

	mu sync.Mutex
}

// Deploy plans the stack that a stack file describes. The stack's name is that of the file, Pulumi.<stack>.yaml. Encrypted
// values are replaced by stand-ins. The test fails if the stack file is refused.
func Deploy(t *testing.T, file string) *Plan {
	t.Helper()
	written, err := stackfile.Load(file, nil, stackfile.StandIn)
	require.NoError(t, err)
	stack := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(file), "Pulumi."), ".yaml")
	p := &Plan{}
	require.NoError(t, p.Run(t, stacks.Deploy, stack, written.All(), slices.Sorted(maps.Keys(written.Secrets))...))
	return p
}

// Run runs a program as the project wso2is, and returns the program's error. Configuration is by full key, such as
// wso2is:hostname: text, or JSON in text. The secret keys count as encrypted. For a configuration that is refused,
// errors.As finds config.Problems. Run sets environment variables, so that its test cannot be parallel.
func (p *Plan) Run(t *testing.T, program pulumi.RunFunc, stack string, configuration map[string]string, secretKeys ...string) error {
	t.Helper()
	text, err := json.Marshal(configuration)
	require.NoError(t, err)
	t.Setenv(pulumi.EnvConfig, string(text))
	encrypted, err := json.Marshal(secretKeys)
	require.NoError(t, err)
	t.Setenv(pulumi.EnvConfigSecretKeys, string(encrypted))
	return pulumi.RunErr(program, pulumi.WithMocks("wso2is", stack, p))
}

// Call answers a function. It refuses functions that it does not know, so that a misspelt token fails the test.
func (p *Plan) Call(args pulumi.MockCallArgs) (resource.PropertyMap, error) {
	p.mu.Lock()
	p.Calls = append(p.Calls, args)
	p.mu.Unlock()
	answer, ok := p.Answers[args.Token]
	if !ok {
		answer, ok = answers[args.Token]
	}
	if !ok && args.Token == "aws:index/getRegion:getRegion" {
		answer, ok = p.region, true
	}
	if !ok {
		return nil, fmt.Errorf("the program calls %s, which has no answer in the test: add one to Plan.Answers", args.Token)
	}
	result, err := answer(args)
	if err != nil {
		return nil, err
	}
	return resource.NewPropertyMapFromMap(result), nil
}

// region answers with the region of the provider that makes the call, whose reference is <URN>::<id>.
func (p *Plan) region(args pulumi.MockCallArgs) (map[string]any, error) {
	for _, provider := range p.Providers("aws") {
		if region, ok := provider.Get("region").(string); ok && strings.Contains(args.Provider, "::"+provider.Name+"::") {
			return map[string]any{"name": region}, nil
		}
	}
	return map[string]any{"name": "eu-west-1"}, nil
}

// Deployment is the deployment.toml of a node, such as node-1. Where all nodes have one file, the name is all.
func (p *Plan) Deployment(t *testing.T, node string) string {
	t.Helper()
	text, ok := p.One(t, "aws:s3/bucketObjectv2:BucketObjectv2", "nodes/"+node+"/deployment.toml").Get("content").(string)
	require.True(t, ok, "the deployment.toml of %s has no content", node)
	return text
}

// Zones answers the look-up of zones: their ids by name.
func Zones(ids map[string]string) Answer {
	return func(pulumi.MockCallArgs) (map[string]any, error) {
		var names, zoneIDs []any
		for _, name := range slices.Sorted(maps.Keys(ids)) {
			names, zoneIDs = append(names, name), append(zoneIDs, ids[name])
		}
		return map[string]any{"names": names, "zoneIds": zoneIDs}, nil
	}
}

// ZonesOf is the token of the look-up that Zones answers.
const ZonesOf = "aws:index/getAvailabilityZones:getAvailabilityZones"

// ListenerOf is the token of the look-up of a listener, and BalancerOf that of its load balancer.
const (
	ListenerOf = "aws:lb/getListener:getListener"
	BalancerOf = "aws:lb/getLoadBalancer:getLoadBalancer"
)

// Listener answers both look-ups with an HTTPS listener of an Application Load Balancer in a VPC, which has a security group.
func Listener(vpc, securityGroup string) map[string]Answer {
	return map[string]Answer{
		ListenerOf: func(args pulumi.MockCallArgs) (map[string]any, error) {
			arn := args.Args["arn"].StringValue()
			balancer := strings.Replace(arn, ":listener/", ":loadbalancer/", 1)
			return map[string]any{
				"arn": arn, "port": 443, "protocol": "HTTPS", "loadBalancerArn": balancer[:max(strings.LastIndex(balancer, "/"), 0)],
			}, nil
		},
		BalancerOf: func(args pulumi.MockCallArgs) (map[string]any, error) {
			arn := args.Args["arn"].StringValue()
			_, suffix, _ := strings.Cut(arn, ":loadbalancer/")
			return map[string]any{
				"arn": arn, "arnSuffix": suffix, "dnsName": "existing.elb.amazonaws.com", "loadBalancerType": "application", "vpcId": vpc,
				"securityGroups": []any{securityGroup}, "idleTimeout": 60,
			}, nil
		},
	}
}

func always(result map[string]any) Answer {
	return func(pulumi.MockCallArgs) (map[string]any, error) { return result, nil }
}

// FileSystemOf is the token of the look-up of an EFS file system. It is answered with one that is encrypted, in every zone.
const FileSystemOf = "aws:efs/getFileSystem:getFileSystem"

// answers are those of an account in eu-west-1 that has what a stack file names.
var answers = map[string]Answer{
	ZonesOf: Zones(map[string]string{"eu-west-1a": "euw1-az1", "eu-west-1b": "euw1-az2", "eu-west-1c": "euw1-az3"}),
	"aws:index/getCallerIdentity:getCallerIdentity":          always(map[string]any{"accountId": "123456789012"}),
	"aws:index/getPartition:getPartition":                    always(map[string]any{"partition": "aws"}),
	"aws:resourcegroupstaggingapi/getResources:getResources": always(map[string]any{"resourceTagMappingLists": []any{}}),
	"aws:ssm/getParameter:getParameter":                      always(map[string]any{"insecureValue": "ami-0123456789abcdef0", "value": "ami-0123456789abcdef0"}),
	"aws:secretsmanager/getSecretVersion:getSecretVersion":   always(map[string]any{"secretString": `{"username":"wso2master","password":"Marker0Master1"}`}),
	"aws:ec2/getManagedPrefixList:getManagedPrefixList":      always(map[string]any{"entries": []any{map[string]any{"cidr": "52.218.0.0/17"}, map[string]any{"cidr": "3.5.64.0/21"}}}),
	"aws:kms/getKey:getKey": func(args pulumi.MockCallArgs) (map[string]any, error) {
		return map[string]any{
			"arn": args.Args["keyId"].StringValue(), "awsAccountId": "123456789012", "keyManager": "CUSTOMER", "keySpec": "SYMMETRIC_DEFAULT",
			"keyUsage": "ENCRYPT_DECRYPT", "keyState": "Enabled",
		}, nil
	},
	FileSystemOf: func(args pulumi.MockCallArgs) (map[string]any, error) {
		id := args.Args["fileSystemId"].StringValue()
		return map[string]any{
			"fileSystemId": id, "arn": "arn:aws:elasticfilesystem:eu-west-1:123456789012:file-system/" + id, "encrypted": true, "availabilityZoneName": "",
		}, nil
	},
	"aws:eks/getAddonVersion:getAddonVersion": func(args pulumi.MockCallArgs) (map[string]any, error) {
		return map[string]any{"version": "v1.0.0-eksbuild." + args.Args["kubernetesVersion"].StringValue()[2:]}, nil
	},
	BalancerOf: func(args pulumi.MockCallArgs) (map[string]any, error) {
		return map[string]any{
			"arn":       "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/" + args.Args["name"].StringValue(),
			"arnSuffix": "app/made/1", "dnsName": "ingress.elb.amazonaws.com", "zoneId": "Z2",
		}, nil
	},
	"aws:eks/getCluster:getCluster": func(args pulumi.MockCallArgs) (map[string]any, error) {
		return map[string]any{
			"name": args.Args["name"].StringValue(), "arn": "arn:aws:eks:eu-west-1:123456789012:cluster/" + args.Args["name"].StringValue(),
			"status": "ACTIVE", "endpoint": "https://existing.eks", "version": "1.35",
			"certificateAuthorities":   []any{map[string]any{"data": "QUJD"}},
			"kubernetesNetworkConfigs": []any{map[string]any{"serviceIpv4Cidr": "10.100.0.0/16"}},
			"vpcConfig":                map[string]any{"vpcId": "vpc-0123456789abcdef0"},
		}, nil
	},
}
