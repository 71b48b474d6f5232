package loadbalancer

import (
	"fmt"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lb"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/route53"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/awskit"
	"github.com/wso2is-aws/wso2is/config"
	"github.com/wso2is-aws/wso2is/config/ports"
	"github.com/wso2is-aws/wso2is/config/product"
)

// IngressType is the type token of a load balancer that the AWS Load Balancer Controller makes.
const IngressType = "wso2is:loadbalancer:Ingress"

// prefix is the prefix of the annotations that the controller reads.
const prefix = "alb.ingress.kubernetes.io/"

// NewForIngress prepares a load balancer that the AWS Load Balancer Controller makes from an Ingress with the result's
// annotations: its certificate and the bucket for its logs. Call Publish once the Ingress exists.
func NewForIngress(
	ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption,
) (*LoadBalancer, error) {
	if args == nil {
		return nil, fmt.Errorf("load balancer %s: no arguments", name)
	}
	l := &LoadBalancer{args: args}
	if err := ctx.RegisterComponentResource(IngressType, name, l, otherKinds(opts)...); err != nil {
		return nil, err
	}
	child := []pulumi.ResourceOption{pulumi.Parent(l)}
	certificate, err := l.certificate(ctx, args, child)
	if err != nil {
		return nil, fmt.Errorf("obtaining the certificate: %w", err)
	}
	l.Certificate = certificate
	o := args.LoadBalancer
	attributes := []pulumi.StringInput{
		setting("idle_timeout.timeout_seconds", o.IdleTimeout), setting("routing.http.drop_invalid_header_fields.enabled", true),
		setting("routing.http.preserve_host_header.enabled", true),
		setting("deletion_protection.enabled", o.DeletionProtection),
	}
	if o.AccessLogs {
		bucket, err := l.accessLogs(ctx, args, child)
		if err != nil {
			return nil, fmt.Errorf("creating the bucket of the access logs: %w", err)
		}
		attributes = append(attributes, setting("access_logs.s3.enabled", true),
			pulumi.Sprintf("access_logs.s3.bucket=%s", bucket.Name))
		l.Serving = bucket.Ready
	}
	scheme := "internet-facing"
	if o.Internal {
		scheme = "internal"
	}
	l.Annotations = annotations(map[string]pulumi.StringInput{
		"load-balancer-name": pulumi.String(balancerName(args.Scope)), "scheme": pulumi.String(scheme),
		"subnets": joined(args.Subnets), "security-groups": args.SecurityGroup,
		"manage-backend-security-group-rules": pulumi.String("false"),
		"listen-ports":                        pulumi.String(fmt.Sprintf(`[{"HTTP":%d},{"HTTPS":%d}]`, ports.PublicHTTP, ports.PublicHTTPS)),
		"ssl-redirect":                        pulumi.String(fmt.Sprint(ports.PublicHTTPS)),
		"certificate-arn":                     certificate, "ssl-policy": pulumi.String(o.TLSPolicy),
		"load-balancer-attributes": joined(pulumi.StringArray(attributes)),
		"target-type":              pulumi.String(args.TargetType), "backend-protocol": pulumi.String("HTTPS"),
		"target-group-attributes":      targetAttributes(o),
		"healthcheck-path":             pulumi.String(product.HealthPath),
		"healthcheck-protocol":         pulumi.String("HTTPS"),
		"healthcheck-port":             pulumi.String("traffic-port"),
		"success-codes":                pulumi.String("200"),
		"healthcheck-interval-seconds": pulumi.String(fmt.Sprint(healthInterval)),
		"healthcheck-timeout-seconds":  pulumi.String(fmt.Sprint(healthTimeout)),
		"healthy-threshold-count":      pulumi.String(fmt.Sprint(healthyAfter)),
		"unhealthy-threshold-count":    pulumi.String(fmt.Sprint(unhealthyAfter)),
	})
	if o.WebACLARN != "" {
		l.Annotations[prefix+"wafv2-acl-arn"] = pulumi.String(o.WebACLARN)
	}
	return l, ctx.RegisterResourceOutputs(l, pulumi.Map{})
}

func annotations(values map[string]pulumi.StringInput) pulumi.StringMap {
	all := pulumi.StringMap{}
	for key, value := range awskit.Sorted(values) {
		all[prefix+key] = value
	}
	return all
}

func setting(key string, value any) pulumi.StringInput {
	return pulumi.String(fmt.Sprintf("%s=%v", key, value))
}

func joined(values pulumi.StringArrayInput) pulumi.StringOutput {
	return values.ToStringArrayOutput().ApplyT(func(v []string) string { return strings.Join(v, ",") }).(pulumi.StringOutput)
}

func targetAttributes(o config.LoadBalancer) pulumi.StringInput {
	sticky := o.Stickiness > 0
	all := fmt.Sprintf("deregistration_delay.timeout_seconds=%d,stickiness.enabled=%t", o.DeregistrationDelay, sticky)
	if sticky {
		all += fmt.Sprintf(",stickiness.type=lb_cookie,stickiness.lb_cookie.duration_seconds=%d", o.Stickiness)
	}
	return pulumi.String(all)
}

// Publish finds the load balancer that the controller has made by the hostname, and points the DNS name at it.
func (l *LoadBalancer) Publish(ctx *pulumi.Context, hostname pulumi.StringInput) error {
	name := hostname.ToStringOutput().ApplyT(func(string) string { return balancerName(l.args.Scope) }).(pulumi.StringOutput)
	made := lb.LookupLoadBalancerOutput(ctx, lb.LookupLoadBalancerOutputArgs{Name: name.ToStringPtrOutput()},
		pulumi.Parent(l))
	l.ARN, l.ARNSuffix, l.DNSName = made.Arn(), made.ArnSuffix(), hostname.ToStringOutput()
	if l.args.LoadBalancer.HostedZone == "" {
		return nil
	}
	return alias(ctx, l.args, l.DNSName, made.ZoneId(), []pulumi.ResourceOption{pulumi.Parent(l)})
}

// alias points the cluster's name at the load balancer.
func alias(
	ctx *pulumi.Context, args *Args, hostname, zone pulumi.StringInput, child []pulumi.ResourceOption,
) error {
	_, err := route53.NewRecord(ctx, args.Named("alias"), &route53.RecordArgs{
		ZoneId: args.Input(args.LoadBalancer.HostedZone), Name: pulumi.String(args.Hostname), Type: pulumi.String("A"),
		Aliases: route53.RecordAliasArray{route53.RecordAliasArgs{
			Name: hostname, ZoneId: zone, EvaluateTargetHealth: pulumi.Bool(true),
		}},
	}, child...)
	if err != nil {
		return fmt.Errorf("creating the alias record: %w", err)
	}
	return nil
}
