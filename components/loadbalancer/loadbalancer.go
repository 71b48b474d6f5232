// Package loadbalancer builds the Application Load Balancer in front of the nodes, its certificate and its DNS name, or names a load
// balancer that exists.
package loadbalancer

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/acm"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lb"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/route53"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/awskit"
	"github.com/wso2is-aws/wso2is/components/storage"
	"github.com/wso2is-aws/wso2is/config"
	"github.com/wso2is-aws/wso2is/config/ports"
	"github.com/wso2is-aws/wso2is/config/product"
)

const component = "loadbalancer"

// Type is the component's Pulumi type token.
const Type = "wso2is:loadbalancer:LoadBalancer"

// otherKinds adds the other types as aliases. A stack that changes the kind keeps what both have, such as the DNS name's record: Route 53
// would refuse a second one while the old one exists.
func otherKinds(opts []pulumi.ResourceOption) []pulumi.ResourceOption {
	var aliases []pulumi.Alias
	for _, kind := range []string{Type, IngressType, NetworkType} {
		aliases = append(aliases, pulumi.Alias{Type: pulumi.String(kind)})
	}
	return awskit.With(opts, pulumi.Aliases(aliases))
}

// Args decides what the load balancer consists of.
type Args struct {
	awskit.Scope
	LoadBalancer config.LoadBalancer
	Hostname     string
	VPC          pulumi.StringInput
	// Subnets are the public subnets, or the private ones of an internal load balancer.
	Subnets pulumi.StringArrayInput
	// SecurityGroup admits the clients.
	SecurityGroup pulumi.StringInput
	// TargetType is instance or ip, as the topology registers its nodes.
	TargetType string
	// AliveOnly only checks that a node's server is alive. ECS needs this, since it replaces a node that fails the
	// check: with the health API, an outage of the database would replace every node.
	AliveOnly bool
}

// LoadBalancer is the entry for clients.
type LoadBalancer struct {
	pulumi.ResourceState
	ARN     pulumi.StringOutput
	DNSName pulumi.StringOutput
	// ARNSuffix and TargetGroupSuffix are the dimensions of CloudWatch's metrics.
	ARNSuffix         pulumi.StringOutput
	TargetGroupSuffix pulumi.StringOutput
	// TargetGroup is the ARN of the nodes' target group. It is empty behind an Ingress, which has its own, and behind an existing proxy.
	TargetGroup pulumi.StringOutput
	// Certificate is the ARN of the certificate that clients see.
	Certificate pulumi.StringInput
	// Annotations are those of the nodes' Ingress; nil without one.
	Annotations pulumi.StringMap
	// Proxies are the ARNs of the target groups of the stack's own nginx, and ProxiesSuffix the dimension of the one for HTTPS.
	Proxies       []pulumi.StringOutput
	ProxiesSuffix pulumi.StringOutput
	// Serving is done when a registered node gets traffic.
	Serving []pulumi.Resource

	args *Args
}

const (
	healthInterval = 15
	healthTimeout  = 10
	healthyAfter   = 2
	unhealthyAfter = 3
)

// New makes the load balancer, its listeners, the nodes' target group and the optional parts.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*LoadBalancer, error) {
	if args == nil {
		return nil, fmt.Errorf("load balancer %s: no arguments", name)
	}
	l := &LoadBalancer{}
	if err := ctx.RegisterComponentResource(Type, name, l, otherKinds(opts)...); err != nil {
		return nil, err
	}
	child := []pulumi.ResourceOption{pulumi.Parent(l)}
	balancer, err := l.balancer(ctx, args, child)
	if err != nil {
		return nil, fmt.Errorf("creating the load balancer: %w", err)
	}
	certificate, err := l.certificate(ctx, args, child)
	if err != nil {
		return nil, fmt.Errorf("obtaining the certificate: %w", err)
	}
	l.Certificate = certificate
	if err := l.listeners(ctx, args, balancer, certificate, child); err != nil {
		return nil, fmt.Errorf("creating the listeners: %w", err)
	}
	if args.LoadBalancer.HostedZone != "" {
		if err := alias(ctx, args, balancer.DnsName, balancer.ZoneId, child); err != nil {
			return nil, err
		}
	}
	if args.LoadBalancer.WebACLARN != "" {
		if err := attachWebACL(ctx, args.Named("web-acl"), args.LoadBalancer.WebACLARN, balancer.Arn, child); err != nil {
			return nil, fmt.Errorf("attaching the web ACL: %w", err)
		}
	}
	return l, ctx.RegisterResourceOutputs(l, pulumi.Map{"dnsName": l.DNSName, "targetGroup": l.TargetGroup})
}

// balancerName is the cluster's name within a load balancer's 32 characters.
func balancerName(scope awskit.Scope) string { return scope.Prefix(32) }

func (l *LoadBalancer) balancer(ctx *pulumi.Context, args *Args, child []pulumi.ResourceOption) (*lb.LoadBalancer, error) {
	in := &lb.LoadBalancerArgs{
		Name: pulumi.String(balancerName(args.Scope)), LoadBalancerType: pulumi.String("application"),
		Internal: pulumi.Bool(args.LoadBalancer.Internal), Subnets: args.Subnets,
		SecurityGroups:          pulumi.StringArray{args.SecurityGroup},
		IdleTimeout:             pulumi.Int(args.LoadBalancer.IdleTimeout),
		DropInvalidHeaderFields: pulumi.Bool(true),
		// The product builds URLs from its configured hostname and compares it with the client's.
		PreserveHostHeader:       pulumi.Bool(true),
		EnableDeletionProtection: pulumi.Bool(args.LoadBalancer.DeletionProtection),
		Tags:                     awskit.Tags(args.Cluster, component),
	}
	options := serving(args, child)
	if args.LoadBalancer.AccessLogs {
		bucket, err := l.accessLogs(ctx, args, child)
		if err != nil {
			return nil, err
		}
		in.AccessLogs = lb.LoadBalancerAccessLogsArgs{Bucket: bucket.Name, Enabled: pulumi.Bool(true)}
		// The load balancer writes a test object when logging is switched on.
		options = awskit.With(options, pulumi.DependsOn(bucket.Ready))
	}
	balancer, err := lb.NewLoadBalancer(ctx, args.Named("alb"), in, options...)
	if err != nil {
		return nil, err
	}
	l.ARN, l.DNSName, l.ARNSuffix = balancer.Arn, balancer.DnsName, balancer.ArnSuffix
	return balancer, nil
}

const accessLogDays = 90

func (l *LoadBalancer) accessLogs(
	ctx *pulumi.Context, args *Args, child []pulumi.ResourceOption,
) (*storage.Bucket, error) {
	return storage.NewBucket(ctx, args.Named("access-logs"), &storage.Args{
		Scope: args.Scope, Purpose: "access-logs", ExpireDays: accessLogDays,
		// Load balancer logs can only be encrypted with S3's own key. This service writes them in every Region; a policy for an account of
		// Elastic Load Balancing is the older way of some ("Enable access logs for your Application Load Balancer").
		Writer: &storage.Writer{
			Service: "logdelivery.elasticloadbalancing.amazonaws.com",
			Prefix:  "AWSLogs/" + args.Account + "/",
		},
	}, child...)
}

// certificate is the given certificate's ARN, or that of the stack's own once it is validated.
func (l *LoadBalancer) certificate(
	ctx *pulumi.Context, args *Args, child []pulumi.ResourceOption,
) (pulumi.StringInput, error) {
	if args.LoadBalancer.CertificateARN != "" {
		return args.Input(args.LoadBalancer.CertificateARN), nil
	}
	certificate, err := acm.NewCertificate(ctx, args.Named("certificate"), &acm.CertificateArgs{
		DomainName: pulumi.String(args.Hostname), ValidationMethod: pulumi.String("DNS"),
		Tags: awskit.Tags(args.Hostname, component),
	}, child...)
	if err != nil {
		return nil, err
	}
	option := certificate.DomainValidationOptions.ApplyT(
		func(all []acm.CertificateDomainValidationOption) acm.CertificateDomainValidationOption {
			if len(all) == 0 { // in an update with other targets, which omits the certificate
				return acm.CertificateDomainValidationOption{}
			}
			return all[0]
		}).(acm.CertificateDomainValidationOptionOutput)
	record, err := route53.NewRecord(ctx, args.Named("certificate"), &route53.RecordArgs{
		ZoneId: args.Input(args.LoadBalancer.HostedZone),
		Name:   option.ResourceRecordName().Elem(), Type: option.ResourceRecordType().Elem(), Ttl: pulumi.Int(60),
		Records: pulumi.StringArray{option.ResourceRecordValue().Elem()},
		// ACM returns the same record for a name each time; another stack for the name may have left it.
		AllowOverwrite: pulumi.Bool(true),
	}, child...)
	if err != nil {
		return nil, err
	}
	validation, err := acm.NewCertificateValidation(ctx, args.Named("certificate"), &acm.CertificateValidationArgs{
		CertificateArn: certificate.Arn, ValidationRecordFqdns: pulumi.StringArray{record.Fqdn},
	}, child...)
	if err != nil {
		return nil, err
	}
	return validation.CertificateArn, nil
}

// nodeCheck is the health check of nodes.
func nodeCheck(args *Args) lb.TargetGroupHealthCheckArgs {
	check := lb.TargetGroupHealthCheckArgs{
		Path: pulumi.String(product.HealthPath), Protocol: pulumi.String("HTTPS"), Matcher: pulumi.String("200"),
		Interval: pulumi.Int(healthInterval), Timeout: pulumi.Int(healthTimeout),
		HealthyThreshold: pulumi.Int(healthyAfter), UnhealthyThreshold: pulumi.Int(unhealthyAfter),
	}
	if args.AliveOnly {
		check.Path, check.Protocol = pulumi.String(product.AlivePath), pulumi.String("HTTP")
		check.Port = pulumi.String(fmt.Sprint(ports.HTTP))
	}
	return check
}

// targets makes the nodes' target group.
func (l *LoadBalancer) targets(ctx *pulumi.Context, args *Args, child []pulumi.ResourceOption) (*lb.TargetGroup, error) {
	group, err := lb.NewTargetGroup(ctx, args.Named("nodes-"+args.TargetType), &lb.TargetGroupArgs{
		Port: pulumi.Int(ports.HTTPS), Protocol: pulumi.String("HTTPS"), TargetType: pulumi.String(args.TargetType),
		VpcId: args.VPC.ToStringOutput().ToStringPtrOutput(), DeregistrationDelay: pulumi.Int(args.LoadBalancer.DeregistrationDelay),
		HealthCheck: nodeCheck(args),
		Stickiness: lb.TargetGroupStickinessArgs{
			Type: pulumi.String("lb_cookie"), Enabled: pulumi.Bool(args.LoadBalancer.Stickiness > 0),
			CookieDuration: pulumi.Int(max(args.LoadBalancer.Stickiness, 1)),
		},
		Tags: awskit.Tags(args.Cluster+"-nodes", component),
	}, child...)
	if err != nil {
		return nil, err
	}
	l.TargetGroup, l.TargetGroupSuffix = group.Arn, group.ArnSuffix
	return group, nil
}

func (l *LoadBalancer) listeners(
	ctx *pulumi.Context, args *Args, balancer *lb.LoadBalancer, certificate pulumi.StringInput, child []pulumi.ResourceOption,
) error {
	group, err := l.targets(ctx, args, child)
	if err != nil {
		return err
	}
	https, err := lb.NewListener(ctx, args.Named("https"), &lb.ListenerArgs{
		LoadBalancerArn: balancer.Arn, Port: pulumi.Int(ports.PublicHTTPS), Protocol: pulumi.String("HTTPS"),
		CertificateArn: certificate.ToStringOutput().ToStringPtrOutput(), SslPolicy: pulumi.String(args.LoadBalancer.TLSPolicy),
		DefaultActions: lb.ListenerDefaultActionArray{lb.ListenerDefaultActionArgs{
			Type: pulumi.String("forward"), TargetGroupArn: group.Arn,
		}},
		Tags: awskit.Tags(args.Cluster+"-https", component),
	}, serving(args, child)...)
	if err != nil {
		return err
	}
	_, err = lb.NewListener(ctx, args.Named("http"), &lb.ListenerArgs{
		LoadBalancerArn: balancer.Arn, Port: pulumi.Int(ports.PublicHTTP), Protocol: pulumi.String("HTTP"),
		DefaultActions: lb.ListenerDefaultActionArray{lb.ListenerDefaultActionArgs{
			Type: pulumi.String("redirect"),
			Redirect: lb.ListenerDefaultActionRedirectArgs{
				Port: pulumi.String("443"), Protocol: pulumi.String("HTTPS"), StatusCode: pulumi.String("HTTP_301"),
			},
		}},
		Tags: awskit.Tags(args.Cluster+"-http", component),
	}, serving(args, child)...)
	l.Serving = []pulumi.Resource{https}
	return err
}

// serving protects the clients' entry. It holds no data, but a destroy that Pulumi refuses because of the database must
// not have deleted it before.
func serving(args *Args, child []pulumi.ResourceOption) []pulumi.ResourceOption {
	return awskit.With(child, pulumi.Protect(args.Protect))
}
