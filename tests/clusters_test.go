package tests

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/components/cluster"
	"github.com/wso2is-aws/wso2is/components/componenttest"
	"github.com/wso2is-aws/wso2is/config"
	"github.com/wso2is-aws/wso2is/stacks/stackstest"
)

// typed is a configuration that a Go program writes.
func typed(topology config.Topology) config.Cluster {
	c := config.Cluster{Topology: topology, Version: "7.3.0", Hostname: string(topology) + ".example.com"}
	c.LoadBalancer.CertificateARN = "arn:aws:acm:eu-west-1:123456789012:certificate/11111111-2222-3333-4444-555555555555"
	c.Nodes.Autoscaling = &config.Autoscaling{Max: 6}
	c.Container.Repository = topology != config.EC2
	if topology == config.EKS {
		c.EKS.PublicAccessCIDRs = []string{"198.51.100.7/32"}
		c.EKS.Admins = []string{"arn:aws:iam::123456789012:role/platform"}
	}
	return c
}

// two registers two clusters in one program, each through a provider of its own.
func two(t *testing.T, one, other *cluster.Args, regions [2]string) (*plan, [2]*cluster.Cluster) {
	t.Helper()
	p := &plan{}
	if one.ListenerARN != nil {
		p.Answers = stackstest.Listener("vpc-of-the-team", "group-of-the-listener")
	}
	var made [2]*cluster.Cluster
	require.NoError(t, pulumi.RunErr(func(ctx *pulumi.Context) error {
		for i, args := range []*cluster.Args{one, other} {
			name := []string{"login", "partners"}[i]
			provider, err := aws.NewProvider(ctx, name+"-"+regions[i], &aws.ProviderArgs{Region: pulumi.String(regions[i])})
			if err != nil {
				return err
			}
			if made[i], err = cluster.New(ctx, name, args, pulumi.Provider(provider)); err != nil {
				return err
			}
		}
		return nil
	}, pulumi.WithMocks("platform", "prod", p)))
	return p, made
}

// withinAnother are the types whose names are unique only within another resource.
var withinAnother = []string{
	"aws:iam/rolePolicy:RolePolicy", "aws:autoscaling/policy:Policy", "aws:appautoscaling/policy:Policy", "aws:ecs/service:Service",
	"aws:cloudwatch/eventTarget:EventTarget", "aws:route53/record:Record", "aws:autoscaling/lifecycleHook:LifecycleHook",
}

// collisions are what two resources of a program must not share: type and name in the program, and type and name in AWS.
func collisions(p *plan) []string {
	var found []string
	seen := map[string]bool{}
	take := func(what string) {
		if seen[what] {
			found = append(found, what)
		}
		seen[what] = true
	}
	for _, r := range p.Resources {
		take("resource " + r.Type + " " + r.Name)
		keys := []string{"name", "identifier", "dashboardName", "associationName"}
		switch {
		case !strings.HasPrefix(r.Type, "aws:") || slices.Contains(withinAnother, r.Type):
			continue
		case r.Type == "aws:s3/bucketV2:BucketV2":
			keys = []string{"bucket"}
		case r.Type == "aws:ecs/taskDefinition:TaskDefinition":
			keys = []string{"family"}
		case r.Type == "aws:ssm/association:Association":
			keys = []string{"associationName"} // its name is the document's
		}
		for _, key := range keys {
			if value, ok := r.Get(key).(string); ok {
				take("name in AWS " + r.Type + " " + value)
			}
		}
	}
	slices.Sort(found)
	return found
}

func TestTwoClustersOfAProgramDoNotCollide(t *testing.T) {
	for _, pair := range [][2]config.Topology{
		{config.EC2, config.EKS}, {config.EC2, config.EC2}, {config.ECS, config.ECS}, {config.EKS, config.EKS},
	} {
		t.Run(fmt.Sprint(pair), func(t *testing.T) {
			p, _ := two(t, &cluster.Args{Config: typed(pair[0])}, &cluster.Args{Config: typed(pair[1])}, [2]string{"eu-west-1", "eu-west-1"})
			assert.Empty(t, collisions(p))
		})
	}
}

// TestACollisionOfClustersIsNoticed gives both clusters the names of one.
func TestACollisionOfClustersIsNoticed(t *testing.T) {
	same := &cluster.Args{Config: typed(config.EC2), Name: "platform-prod"}
	p, _ := two(t, same, same, [2]string{"eu-west-1", "eu-west-1"})
	found := strings.Join(collisions(p), "\n")
	assert.Contains(t, found, "name in AWS aws:ec2/launchTemplate:LaunchTemplate ")

	whole := &cluster.Args{Config: typed(config.EC2), Whole: true}
	p, _ = two(t, whole, whole, [2]string{"eu-west-1", "eu-west-1"})
	assert.Contains(t, strings.Join(collisions(p), "\n"), "resource aws:ec2/vpc:Vpc vpc")
}

// TestNodesOfTwoClustersDoNotFindEachOther compares what each cluster's nodes look for with what the other's have.
func TestNodesOfTwoClustersDoNotFindEachOther(t *testing.T) {
	for _, topology := range config.Topologies() {
		t.Run(string(topology), func(t *testing.T) {
			p, _ := two(t, &cluster.Args{Config: typed(topology)}, &cluster.Args{Config: typed(topology)}, [2]string{"eu-west-1", "eu-west-1"})
			for _, own := range []string{"login", "partners"} {
				other := map[string]string{"login": "partners", "partners": "login"}[own]
				looks, has := lookFor(t, p, topology, own), discoverable(p, topology, own)
				assert.Contains(t, has, looks, "the nodes of %s do not find each other", own)
				assert.NotContains(t, discoverable(p, topology, other), looks, "the nodes of %s find those of %s", own, other)
			}
		})
	}
}

// lookFor is what deployment.toml says of a cluster's members: their tag or their namespace, and the domain.
func lookFor(t *testing.T, p *plan, topology config.Topology, name string) string {
	t.Helper()
	toml := ""
	for _, r := range p.Resources {
		if strings.HasPrefix(r.Name, name+"-") {
			if r.Type == "aws:s3/bucketObjectv2:BucketObjectv2" && strings.HasSuffix(r.Name, "deployment.toml") {
				toml = r.Get("content").(string)
			}
			if r.Type == "kubernetes:core/v1:ConfigMap" && r.Name == name+"-config" {
				toml = r.Get("data", "deployment.toml").(string)
			}
		}
	}
	require.NotEmpty(t, toml)
	assert.Contains(t, toml, "platform-prod-"+name+"'", "the domain in which Hazelcast accepts members")
	key := "tagValue = '"
	if topology == config.EKS {
		key = "KUBERNETES_NAMESPACE = '"
	}
	_, rest, found := strings.Cut(toml, key)
	require.True(t, found, toml)
	value, _, _ := strings.Cut(rest, "'")
	return value
}

// discoverable are the tags of a cluster's instances and tasks, or the namespaces of its pods.
func discoverable(p *plan, topology config.Topology, name string) []string {
	var all []string
	for _, r := range p.Resources {
		if !strings.HasPrefix(r.Name, name+"-") {
			continue
		}
		switch r.Type {
		case "aws:autoscaling/group:Group":
			for _, tag := range r.Get("tags").([]any) {
				if tag := tag.(map[string]any); tag["key"] == config.DiscoveryTagKey {
					all = append(all, tag["value"].(string))
				}
			}
		case "aws:ecs/service:Service":
			all = append(all, r.Get("tags", config.DiscoveryTagKey).(string))
		case "kubernetes:core/v1:Namespace":
			all = append(all, r.Get("metadata", "name").(string))
		}
	}
	return all
}

func TestEachClusterIsInTheRegionOfItsProvider(t *testing.T) {
	there := typed(config.EC2)
	there.LoadBalancer.CertificateARN = strings.Replace(there.LoadBalancer.CertificateARN, "eu-west-1", "eu-central-1", 1)
	p, made := two(t, &cluster.Args{Config: typed(config.EC2)}, &cluster.Args{Config: there}, [2]string{"eu-west-1", "eu-central-1"})
	dashboard := p.One(t, "aws:cloudwatch/dashboard:Dashboard", "partners-dashboard")
	assert.Contains(t, dashboard.Get("dashboardBody"), `"region":"eu-central-1"`)
	assert.NotContains(t, dashboard.Get("dashboardBody"), `"region":"eu-west-1"`)
	for _, call := range p.Calls {
		if strings.HasPrefix(call.Token, "aws:") {
			assert.Regexp(t, "::(login-eu-west-1|partners-eu-central-1)::", call.Provider, call.Token)
		}
	}
	for _, c := range made {
		assert.Contains(t, c.Outputs, "autoScalingGroup")
	}
}

// refused is what is wrong with a cluster of a team's own program.
func refused(t *testing.T, args *cluster.Args) error {
	t.Helper()
	p := &plan{}
	err := pulumi.RunErr(func(ctx *pulumi.Context) error {
		provider, err := aws.NewProvider(ctx, "login-eu-west-1", &aws.ProviderArgs{Region: pulumi.String("eu-west-1")})
		if err != nil {
			return err
		}
		_, err = cluster.New(ctx, "login", args, pulumi.Provider(provider))
		return err
	}, pulumi.WithMocks("platform", "prod", p))
	var why *cluster.Refused
	require.ErrorAs(t, err, &why)
	for _, r := range p.Resources {
		assert.Contains(t, []string{"pulumi:pulumi:Stack", "pulumi:providers:aws"}, r.Type, "%s was registered", r.Name)
	}
	return why.Cause
}

func TestAWrongClusterOfAProgramIsRefusedInTheWordsOfAStackFile(t *testing.T) {
	c := typed(config.EC2)
	c.Hostname, c.Nodes.InstanceType = "localhost", "t3.xlrage"
	err := refused(t, &cluster.Args{Config: c, Zero: []string{"network.flowLog"}})
	for _, path := range []string{"wso2is:hostname", "wso2is:nodes.instanceType", "wso2is:network.flowLog"} {
		assert.ErrorContains(t, err, path)
	}
	c = typed(config.EC2)
	c.Region, c.Provider.Profile = "us-east-1", "operations"
	err = refused(t, &cluster.Args{Config: c})
	assert.ErrorContains(t, err, "aws:region: the region is us-east-1, but the AWS provider has the region eu-west-1")
	assert.ErrorContains(t, err, "aws:profile")
}

func TestTagsOfAClusterAreOnItsResourcesOnly(t *testing.T) {
	c := typed(config.EC2)
	c.Tags = map[string]string{"CostCentre": "4711"}
	p, _ := two(t, &cluster.Args{Config: c}, &cluster.Args{Config: typed(config.EC2)}, [2]string{"eu-west-1", "eu-west-1"})
	vpc := p.One(t, "aws:ec2/vpc:Vpc", "login-vpc")
	assert.Equal(t, "4711", vpc.Get("tags", "CostCentre"))
	assert.Equal(t, "platform-prod-login", vpc.Get("tags", "Name"))
	assert.Nil(t, p.One(t, "aws:ec2/vpc:Vpc", "partners-vpc").Get("tags", "CostCentre"))
}

// id is an input that is known only once AWS has created something.
func id(value string) pulumi.StringInput { return pulumi.String(value).ToStringOutput() }

// inTheVPC is a cluster in the VPC of another component of the program.
func inTheVPC(topology config.Topology) *cluster.Args {
	c := typed(topology)
	c.LoadBalancer.CertificateARN = ""
	c.Network = config.Network{CIDR: "10.9.0.0/16", Adopt: &config.AdoptedNetwork{
		PrivateSubnets: map[string]config.Subnet{"eu-west-1a": {CIDR: "10.9.0.0/24"}, "eu-west-1b": {CIDR: "10.9.1.0/24"}},
		PublicSubnets:  map[string]config.Subnet{"eu-west-1a": {CIDR: "10.9.2.0/24"}, "eu-west-1b": {CIDR: "10.9.3.0/24"}},
	}}
	return &cluster.Args{
		Config: c, CertificateARN: id("arn:of:the:certificate"), HostedZone: id("zone-of-the-team"), AlarmTopicARN: id("arn:of:the:topic"),
		PermissionsBoundary: id("arn:of:the:boundary"), KeyARN: id("arn:of:the:key"), LogGroup: id("log-group-of-the-team"),
		NodeSecurityGroups: []pulumi.StringInput{id("group-of-nodes")},
		VPC: &cluster.VPC{
			ID:                    id("vpc-of-the-team"),
			PrivateSubnets:        map[string]pulumi.StringInput{"eu-west-1a": id("private-a"), "eu-west-1b": id("private-b")},
			PublicSubnets:         map[string]pulumi.StringInput{"eu-west-1a": id("public-a"), "eu-west-1b": id("public-b")},
			EndpointSecurityGroup: id("group-of-endpoints"), S3PrefixList: id("list-of-s3"),
		},
	}
}

// standIn is the shape of what stands for an input in the configuration.
var standIn = regexp.MustCompile(`(vpc|subnet|sg|pl|rtb)-0{10}|Z0{10}|:000000000000:|/000000000000/`)

// inputsReach checks that inputs are in the resources, and nothing that stands for one.
func inputsReach(t *testing.T, p *plan, inputs ...string) {
	t.Helper()
	all := ""
	for _, r := range p.Resources {
		if r.Type == cluster.Type {
			continue // it records the configuration
		}
		text := fmt.Sprint(componenttest.Reveal(resource.NewObjectProperty(r.Inputs)))
		assert.NotRegexp(t, standIn, text, "%s %s has what stands for an input", r.Type, r.Name)
		all += text
	}
	for _, input := range inputs {
		assert.Contains(t, all, input, "the input reaches no resource")
	}
}

func TestInputsOfAProgramReachTheirResources(t *testing.T) {
	for _, topology := range config.Topologies() {
		t.Run(string(topology), func(t *testing.T) {
			p, _ := two(t, inTheVPC(topology), &cluster.Args{Config: typed(config.EC2)}, [2]string{"eu-west-1", "eu-west-1"})
			inputsReach(t, p, "arn:of:the:certificate", "zone-of-the-team", "arn:of:the:topic", "vpc-of-the-team", "private-a",
				"arn:of:the:boundary", "arn:of:the:key", "log-group-of-the-team", "group-of-nodes", "private-b", "public-a", "public-b", "group-of-endpoints", "list-of-s3")
			for _, made := range [][2]string{
				{"aws:ec2/vpc:Vpc", "login-vpc"}, {"aws:kms/key:Key", "login-key"}, {"aws:cloudwatch/logGroup:LogGroup", "login-nodes"},
			} {
				for _, r := range p.All(made[0]) {
					assert.NotEqual(t, made[1], r.Name, "the program has one already")
				}
			}
		})
	}
}

// TestAListenerOfTheProgramForwardsToNodes has a load balancer of another component, whose listener forwards to a target group.
func TestAListenerOfTheProgramForwardsToNodes(t *testing.T) {
	args := inTheVPC(config.EC2)
	args.Config.LoadBalancer = config.LoadBalancer{Type: config.ExistingLoadBalancer, Existing: &config.ExistingBalancer{}}
	args.CertificateARN, args.HostedZone = nil, nil
	args.TargetGroupARN, args.LoadBalancerSecurityGroup = id("arn:of:the:targets"), id("group-of-the-listener")
	p, _ := two(t, args, &cluster.Args{Config: typed(config.EC2)}, [2]string{"eu-west-1", "eu-west-1"})
	group := p.One(t, "aws:autoscaling/group:Group", "login-nodes")
	assert.Equal(t, []any{"arn:of:the:targets"}, group.Get("targetGroupArns"))
	assert.Equal(t, "group-of-the-listener", p.One(t, ingress, "login-serve-in").Get("referencedSecurityGroupId"))
}

// TestADatabaseOfTheProgramIsThatOfNodes has a database of another component, with its secrets and its security group.
func TestADatabaseOfTheProgramIsThatOfNodes(t *testing.T) {
	for _, topology := range config.Topologies() {
		t.Run(string(topology), func(t *testing.T) {
			args := inTheVPC(topology)
			args.DatabaseHost, args.DatabaseSecurityGroup = id("host-of-the-team"), id("group-of-the-database")
			args.DatabaseSecretKeyARN = id("arn:of:the:database:key")
			args.DatabaseUserSecretARNs = map[string]pulumi.StringInput{"identity": id("arn:of:identity"), "shared": id("arn:of:shared"), "agent": id("arn:of:agent")}
			p, _ := two(t, args, &cluster.Args{Config: typed(config.EC2)}, [2]string{"eu-west-1", "eu-west-1"})
			all := ""
			for _, r := range p.Resources {
				if r.Type == cluster.Type {
					continue // it records the configuration
				}
				text := fmt.Sprint(componenttest.Reveal(resource.NewObjectProperty(r.Inputs)))
				assert.NotContains(t, text, "000000000000", "%s %s has what stands for an input", r.Type, r.Name)
				all += text
			}
			for _, input := range []string{"host-of-the-team:5432", "arn:of:the:database:key", "group-of-the-database", "arn:of:identity", "arn:of:shared", "arn:of:agent"} {
				assert.Contains(t, all, input, "the input reaches no resource")
			}
		})
	}
	args := inTheVPC(config.EC2)
	args.DatabaseHost, args.DatabaseMasterSecretARN, args.DatabaseSecurityGroup = id("host"), id("arn:of:the:administrator"), id("group")
	args.Config.Network.Proxy = &config.Proxy{URL: "http://203.0.113.9:3128"}
	assert.ErrorContains(t, refused(t, args), "wso2is:database.existing.host: it must be a plain value")
}

// TestARuleOnAListenerOfTheProgramLeadsToNodes has a load balancer of another component, on whose listener the cluster makes a rule.
func TestARuleOnAListenerOfTheProgramLeadsToNodes(t *testing.T) {
	args := inTheVPC(config.EC2)
	args.Config.LoadBalancer = config.LoadBalancer{Type: config.ExistingLoadBalancer, Existing: &config.ExistingBalancer{}}
	args.CertificateARN, args.HostedZone = nil, nil
	args.ListenerARN, args.LoadBalancerSecurityGroup = id(teamsListener), id("group-of-the-listener")
	p, _ := two(t, args, &cluster.Args{Config: typed(config.EC2)}, [2]string{"eu-west-1", "eu-west-1"})
	rule := p.One(t, "aws:lb/listenerRule:ListenerRule", "login-nodes")
	assert.Equal(t, teamsListener, rule.Get("listenerArn"))
	assert.Equal(t, rule.Get("actions", "0", "targetGroupArn"), p.One(t, "aws:autoscaling/group:Group", "login-nodes").Get("targetGroupArns", "0"))
	assert.Equal(t, "vpc-of-the-team", p.One(t, "aws:lb/targetGroup:TargetGroup", "login-nodes-instance").Get("vpcId"))
	assert.Equal(t, "group-of-the-listener", p.One(t, ingress, "login-serve-in").Get("referencedSecurityGroupId"))
}

// TestFlowLogsGoToALogGroupOfTheProgram has the log group of another component.
func TestFlowLogsGoToALogGroupOfTheProgram(t *testing.T) {
	args := &cluster.Args{Config: typed(config.EC2), FlowLogGroup: id("flows-of-the-team")}
	p, _ := two(t, args, &cluster.Args{Config: typed(config.EC2)}, [2]string{"eu-west-1", "eu-west-1"})
	const want = "arn:aws:logs:eu-west-1:123456789012:log-group:flows-of-the-team"
	assert.Equal(t, want, p.One(t, "aws:ec2/flowLog:FlowLog", "login-vpc").Get("logDestination"))
	assert.Contains(t, p.One(t, "aws:iam/rolePolicy:RolePolicy", "login-flow-logs").Get("policy"), `"`+want+`"`)
	for _, r := range p.All("aws:cloudwatch/logGroup:LogGroup") {
		assert.NotEqual(t, "login-flow-logs", r.Name, "the program has one already")
	}
}

// TestAFileSystemOfTheProgramIsThatOfNodes has an EFS file system of another component, with the security group of its mount targets.
func TestAFileSystemOfTheProgramIsThatOfNodes(t *testing.T) {
	for _, topology := range config.Topologies() {
		t.Run(string(topology), func(t *testing.T) {
			args := inTheVPC(topology)
			args.Config.FileSystem.Existing = &config.ExistingShare{Path: "/login"}
			args.FileSystemARN, args.FileSystemSecurityGroup = id(teamsFiles), id("group-of-the-files")
			p, _ := two(t, args, &cluster.Args{Config: typed(config.EC2)}, [2]string{"eu-west-1", "eu-west-1"})
			inputsReach(t, p, teamsFiles, "fs-0123456789abcdef1", "group-of-the-files", "/login/Userstores")
		})
	}
}

func TestAKeyAndItsInputAreRefused(t *testing.T) {
	args := inTheVPC(config.EC2)
	args.Config.LoadBalancer.HostedZone = "Z0123456789EXAMPLE"
	assert.ErrorContains(t, refused(t, args), "wso2is:loadBalancer.hostedZone: the key is written, but it also has an input")

	args = inTheVPC(config.EC2)
	args.VPC.PrivateSubnets["eu-west-1c"] = id("private-c")
	assert.ErrorContains(t, refused(t, args), "wso2is:network.adopt.privateSubnets.eu-west-1c")
	assert.Empty(t, args.Config.Network.Adopt.PrivateSubnets["eu-west-1a"].ID, "the team's own value is left as it is")
}

// TestInputsWorkWithASource gives the configuration as a source, which has 0 and false as written.
func TestInputsWorkWithASource(t *testing.T) {
	args := inTheVPC(config.EC2)
	args.Source, args.Config = config.Typed(args.Config, "fileSystem.tenants"), config.Cluster{}
	p, _ := two(t, args, &cluster.Args{Config: typed(config.EC2)}, [2]string{"eu-west-1", "eu-west-1"})
	var listeners []any
	for _, r := range p.All("aws:lb/listener:Listener") {
		if strings.HasPrefix(r.Name, "login-") {
			listeners = append(listeners, r.Get("certificateArn"))
		}
	}
	assert.Contains(t, listeners, "arn:of:the:certificate")
	for _, r := range p.All("aws:efs/accessPoint:AccessPoint") {
		assert.NotEqual(t, "login-tenants", r.Name, "false is left out")
	}

	args.Source = config.With(args.Source, map[string]any{"loadBalancer.certificateArn": "arn:aws:acm:eu-west-1:123456789012:certificate/1"})
	assert.ErrorContains(t, refused(t, args), "wso2is:loadBalancer.certificateArn: the key is written, but it also has an input")
}
