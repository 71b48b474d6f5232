package loadbalancer

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"

	"github.com/wso2is-aws/wso2is/components/awskit"
	"github.com/wso2is-aws/wso2is/components/componenttest"
	"github.com/wso2is-aws/wso2is/config/configtest"
)

const (
	balancerType   = "aws:lb/loadBalancer:LoadBalancer"
	groupType      = "aws:lb/targetGroup:TargetGroup"
	listenerType   = "aws:lb/listener:Listener"
	recordType     = "aws:route53/record:Record"
	validationType = "aws:acm/certificateValidation:CertificateValidation"
)

type object = map[string]any

// args returns the arguments of a stack on ec2 with the key loadBalancer.
func args(t *testing.T, options object) *Args {
	t.Helper()
	c := configtest.Load(t, object{"loadBalancer": options}).Cluster
	scope := componenttest.Scope()
	scope.Protect = true
	return &Args{
		Scope: scope, LoadBalancer: c.LoadBalancer, Hostname: c.Hostname, VPC: pulumi.String("vpc-1"),
		Subnets:       pulumi.ToStringArray([]string{"subnet-a", "subnet-b"}),
		SecurityGroup: pulumi.String("sg-balancer"), TargetType: "instance",
	}
}

func made(t *testing.T, a *Args) *componenttest.Plan {
	t.Helper()
	return componenttest.Run(t, func(ctx *pulumi.Context) error {
		_, err := New(ctx, "load-balancer", a)
		return err
	})
}

const certificate = "arn:aws:acm:eu-west-1:123456789012:certificate/11111111-2222-3333-4444-555555555555"

func given(pairs ...any) object {
	options := object{"certificateArn": certificate}
	for i := 0; i < len(pairs); i += 2 {
		options[pairs[i].(string)] = pairs[i+1]
	}
	return options
}

//guide:balancer
func TestClientsComeInOverTLSAlone(t *testing.T) {
	p := made(t, args(t, given()))
	https := p.One(t, listenerType, "https")
	assert.Equal(t, []any{443.0, "HTTPS", certificate}, []any{https.Get("port"), https.Get("protocol"), https.Get("certificateArn")})
	assert.Contains(t, https.Get("sslPolicy"), "TLS13")
	http := p.One(t, listenerType, "http")
	assert.Equal(t, 80.0, http.Get("port"))
	assert.Equal(t, map[string]any{"port": "443", "protocol": "HTTPS", "statusCode": "HTTP_301"}, http.Get("defaultActions", "0", "redirect"))
	balancer := p.One(t, balancerType, "alb")
	assert.Equal(t, true, balancer.Get("preserveHostHeader"), "the product compares the hostname with its own")
	assert.Equal(t, []any{"sg-balancer"}, balancer.Get("securityGroups"))
	for _, r := range append(p.All(listenerType), balancer) {
		assert.True(t, r.Protect, "%s %s goes although Pulumi refuses to delete the database", r.Type, r.Name)
	}
}

//guide:balancer one-lost
func TestANodeGetsRequestsWhileItIsHealthy(t *testing.T) {
	group := made(t, args(t, given())).One(t, groupType, "nodes-instance")
	assert.Equal(t, []any{9443.0, "HTTPS", "instance"}, []any{group.Get("port"), group.Get("protocol"), group.Get("targetType")})
	assert.Equal(t, "/api/health-check/v1.0/health", group.Get("healthCheck", "path"))
	assert.Nil(t, group.Get("healthCheck", "port"), "the port of the traffic")

	a := args(t, given())
	a.TargetType, a.AliveOnly = "ip", true
	check := made(t, a).One(t, groupType, "nodes-ip").Get("healthCheck").(map[string]any)
	assert.Equal(t, []any{"HTTP", "9763"}, []any{check["protocol"], check["port"]})
	assert.NotContains(t, check["path"], "health-check", "ECS would replace every node while the database is away")
}

func TestAClientStaysWithItsNode(t *testing.T) {
	group := made(t, args(t, given("stickiness", 60))).One(t, groupType, "nodes-instance")
	assert.Equal(t, []any{true, 60.0}, []any{group.Get("stickiness", "enabled"), group.Get("stickiness", "cookieDuration")})
	group = made(t, args(t, given("stickiness", 0))).One(t, groupType, "nodes-instance")
	assert.Equal(t, false, group.Get("stickiness", "enabled"))
}

func TestACertificateIsRequestedWhereNoneIsGiven(t *testing.T) {
	p := made(t, args(t, object{"hostedZone": "Z0123456789EXAMPLE"}))
	assert.Equal(t, "is.example.com", p.One(t, "aws:acm/certificate:Certificate", "certificate").Get("domainName"))
	validation := p.One(t, recordType, "certificate")
	assert.Equal(t, "Z0123456789EXAMPLE", validation.Get("zoneId"))
	assert.Equal(t, "_x.is.example.com", validation.Get("name"))
	assert.Equal(t, []any{"_x.is.example.com"}, p.One(t, validationType, "certificate").Get("validationRecordFqdns"))
	assert.True(t, p.One(t, listenerType, "https").DependsOn("certificate"), "AWS refuses a certificate that is not issued")

	alias := p.One(t, recordType, "alias")
	assert.Equal(t, "is.example.com", alias.Get("name"))
	assert.Equal(t, "alb.example.com", alias.Get("aliases", "0", "name"))

	p = made(t, args(t, given()))
	assert.Empty(t, p.All("aws:acm/certificate:Certificate"))
	assert.Empty(t, p.All(recordType), "without a hosted zone the team writes the record")
}

func TestAccessLogsAreWrittenByTheLoadBalancerAlone(t *testing.T) {
	p := made(t, args(t, given("accessLogs", true)))
	balancer := p.One(t, balancerType, "alb")
	assert.Equal(t, true, balancer.Get("accessLogs", "enabled"))
	policy := p.One(t, "aws:s3/bucketPolicy:BucketPolicy", "access-logs")
	assert.Contains(t, policy.Get("policy"), `"Principal":{"Service":"logdelivery.elasticloadbalancing.amazonaws.com"},"Action":["s3:PutObject"]`)
	assert.Contains(t, policy.Get("policy"), "/AWSLogs/123456789012/*")
	assert.True(t, balancer.DependsOn("access-logs"), "it writes a test object when logging is switched on")
	assert.Empty(t, made(t, args(t, given("accessLogs", false))).All("aws:s3/bucketV2:BucketV2"))
}

func TestAWebACLIsAttached(t *testing.T) {
	const acl = "arn:aws:wafv2:eu-west-1:123456789012:regional/webacl/x/11111111-2222-3333-4444-555555555555"
	const token = "aws:wafv2/webAclAssociation:WebAclAssociation"
	p := made(t, args(t, given("webAclArn", acl)))
	attached := p.One(t, token, "web-acl")
	assert.Equal(t, []any{p.One(t, balancerType, "alb").ARN(), acl}, []any{attached.Get("resourceArn"), attached.Get("webAclArn")})
	assert.Empty(t, made(t, args(t, given())).All(token))
}

// TestAnIngressIsTheSameLoadBalancer compares the annotations with the resources that they replace.
func TestAnIngressIsTheSameLoadBalancer(t *testing.T) {
	a := args(t, given("stickiness", 60, "internal", true))
	a.TargetType = "ip"
	p := made(t, a)
	q := componenttest.Run(t, func(ctx *pulumi.Context) error {
		l, err := NewForIngress(ctx, "load-balancer", a)
		if err != nil {
			return err
		}
		return ctx.RegisterResource("kubernetes:networking.k8s.io/v1:Ingress", "server", pulumi.Map{
			"metadata": pulumi.Map{"annotations": l.Annotations},
		}, &pulumi.CustomResourceState{})
	})
	assert.Empty(t, q.All(balancerType))
	assert.Empty(t, q.All(groupType))
	annotation := func(key string) any {
		return q.One(t, "kubernetes:networking.k8s.io/v1:Ingress", "server").Get("metadata", "annotations", prefix+key)
	}
	balancer, group, https := p.One(t, balancerType, "alb"), p.One(t, groupType, "nodes-ip"), p.One(t, listenerType, "https")
	assert.Equal(t, true, balancer.Get("internal"))
	assert.Equal(t, "internal", annotation("scheme"))
	for key, want := range map[string]any{
		"load-balancer-name": balancer.Get("name"), "subnets": "subnet-a,subnet-b", "security-groups": "sg-balancer",
		"certificate-arn": https.Get("certificateArn"), "ssl-policy": https.Get("sslPolicy"),
		"target-type": group.Get("targetType"), "backend-protocol": group.Get("protocol"),
		"healthcheck-path": group.Get("healthCheck", "path"), "success-codes": group.Get("healthCheck", "matcher"),
		"listen-ports": `[{"HTTP":80},{"HTTPS":443}]`, "ssl-redirect": "443",
	} {
		assert.Equal(t, want, annotation(key), key)
	}
	assert.Contains(t, annotation("target-group-attributes"), "stickiness.lb_cookie.duration_seconds=60")
	assert.Contains(t, annotation("load-balancer-attributes"), "routing.http.preserve_host_header.enabled=true")
	assert.Contains(t, annotation("load-balancer-attributes"), "deletion_protection.enabled=true")
}

func TestANameFitsALoadBalancer(t *testing.T) {
	scope := awskit.Scope{Cluster: "a-project-with-a-long-name-and-a-stack-with-another"}
	assert.LessOrEqual(t, len(balancerName(scope)), 32)
	assert.NotEqual(t, balancerName(scope), balancerName(awskit.Scope{Cluster: scope.Cluster + "-2"}))
}
