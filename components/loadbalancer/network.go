package loadbalancer

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lb"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/awskit"
	"github.com/wso2is-aws/wso2is/config/ports"
)

// NetworkType is the type token of the load balancer in front of the stack's own nginx.
const NetworkType = "wso2is:loadbalancer:Network"

// NetworkWarmup is the time in seconds until a Network Load Balancer sends connections to a new target ("Health checks for Network Load
// Balancer target groups").
const NetworkWarmup = 300

// A Network Load Balancer forgets a connection that is idle for 350 seconds, if its TCP listener does not say 60 to 6000 ("Update the TCP
// idle timeout for your Network Load Balancer listener"). It must be more patient than nginx, which answers a client whose node does not.
const networkIdle, networkPatience = 350, 50

// NewForNginx makes a Network Load Balancer for the stack's own nginx, with nginx's target groups and that of the nodes.
//
// Nodes are registered in a target group as behind an Application Load Balancer, so that everything that drains, replaces and checks
// nodes stays the same. nginx asks for the healthy targets of this group, and calls them itself. The load balancer checks only targets of
// a group that a listener names ("Target groups for your Network Load Balancers"). This listener is on the nodes' own port. No rule of the
// security group lets a client reach it.
func NewForNginx(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*LoadBalancer, error) {
	if args == nil {
		return nil, fmt.Errorf("load balancer %s: no arguments", name)
	}
	l := &LoadBalancer{}
	if err := ctx.RegisterComponentResource(NetworkType, name, l, otherKinds(opts)...); err != nil {
		return nil, err
	}
	child := []pulumi.ResourceOption{pulumi.Parent(l)}
	balancer, err := lb.NewLoadBalancer(ctx, args.Named("nlb"), &lb.LoadBalancerArgs{
		Name: pulumi.String(args.Prefix(28) + "-nlb"), LoadBalancerType: pulumi.String("network"),
		Internal: pulumi.Bool(args.LoadBalancer.Internal), Subnets: args.Subnets, SecurityGroups: pulumi.StringArray{args.SecurityGroup},
		// A zone without nginx then serves too. And each zone's own metrics then count all targets, as the alarms expect.
		EnableCrossZoneLoadBalancing: pulumi.Bool(true),
		EnableDeletionProtection:     pulumi.Bool(args.LoadBalancer.DeletionProtection),
		Tags:                         awskit.Tags(args.Cluster, component),
	}, serving(args, child)...)
	if err != nil {
		return nil, fmt.Errorf("creating the load balancer: %w", err)
	}
	l.ARN, l.DNSName, l.ARNSuffix = balancer.Arn, balancer.DnsName, balancer.ArnSuffix
	nodes, err := l.forward(ctx, args, balancer, &forward{
		name: "nlb-nodes", group: "nlb-nodes-" + args.TargetType, targets: args.TargetType, port: ports.HTTPS, check: nodeCheck(args),
	}, child)
	if err != nil {
		return nil, err
	}
	l.TargetGroup, l.TargetGroupSuffix = nodes.Arn, nodes.ArnSuffix
	for _, f := range []*forward{
		{name: "nlb-https", group: "nginx-https", port: ports.PublicHTTPS}, {name: "nlb-http", group: "nginx-http", port: ports.PublicHTTP},
	} {
		f.targets, f.clients = "instance", true
		f.check = lb.TargetGroupHealthCheckArgs{
			Path: pulumi.String(NginxHealth), Protocol: pulumi.String("HTTP"), Port: pulumi.String(fmt.Sprint(ports.PublicHTTP)),
			Matcher: pulumi.String("200"), Interval: pulumi.Int(healthInterval), Timeout: pulumi.Int(healthTimeout),
			HealthyThreshold: pulumi.Int(healthyAfter), UnhealthyThreshold: pulumi.Int(unhealthyAfter),
		}
		group, err := l.forward(ctx, args, balancer, f, child)
		if err != nil {
			return nil, err
		}
		l.Proxies = append(l.Proxies, group.Arn)
		if f.port == ports.PublicHTTPS {
			l.ProxiesSuffix = group.ArnSuffix
		}
	}
	if args.LoadBalancer.HostedZone != "" {
		if err := alias(ctx, args, balancer.DnsName, balancer.ZoneId, child); err != nil {
			return nil, err
		}
	}
	return l, ctx.RegisterResourceOutputs(l, pulumi.Map{"dnsName": l.DNSName, "targetGroup": l.TargetGroup})
}

// forward is a listener that passes connections to a target group. Their names are others than behind an Application Load Balancer:
// neither can be changed into the other, and both are there until the nodes have moved.
type forward struct {
	name, group, targets string
	port                 int
	check                lb.TargetGroupHealthCheckArgs
	// clients says that clients call it, so that targets must see their addresses.
	clients bool
}

func (l *LoadBalancer) forward(
	ctx *pulumi.Context, args *Args, balancer *lb.LoadBalancer, f *forward, child []pulumi.ResourceOption,
) (*lb.TargetGroup, error) {
	in := &lb.TargetGroupArgs{
		Port: pulumi.Int(f.port), Protocol: pulumi.String("TCP"), TargetType: pulumi.String(f.targets),
		VpcId: args.VPC.ToStringOutput().ToStringPtrOutput(), DeregistrationDelay: pulumi.Int(args.LoadBalancer.DeregistrationDelay),
		HealthCheck: f.check, Tags: awskit.Tags(args.Cluster+"-"+f.group, component),
	}
	if f.clients {
		in.PreserveClientIp = pulumi.String("true")
	}
	group, err := lb.NewTargetGroup(ctx, args.Named(f.group), in, child...)
	if err != nil {
		return nil, fmt.Errorf("creating the target group %s: %w", f.group, err)
	}
	listener, err := lb.NewListener(ctx, args.Named(f.name), &lb.ListenerArgs{
		LoadBalancerArn: balancer.Arn, Port: pulumi.Int(f.port), Protocol: pulumi.String("TCP"),
		TcpIdleTimeoutSeconds: pulumi.Int(max(networkIdle, args.LoadBalancer.IdleTimeout+networkPatience)),
		DefaultActions: lb.ListenerDefaultActionArray{lb.ListenerDefaultActionArgs{
			Type: pulumi.String("forward"), TargetGroupArn: group.Arn,
		}},
		Tags: awskit.Tags(args.Cluster+"-"+f.name, component),
	}, serving(args, child)...)
	if err != nil {
		return nil, fmt.Errorf("creating the listener %s: %w", f.name, err)
	}
	l.Serving = append(l.Serving, listener)
	return group, nil
}
