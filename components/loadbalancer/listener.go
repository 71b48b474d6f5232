package loadbalancer

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lb"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/awskit"
	"github.com/wso2is-aws/wso2is/config"
	"github.com/wso2is-aws/wso2is/config/ports"
)

// NewOnListener makes the nodes' target group, and a rule on a listener of the team's own Application Load Balancer. The rule forwards the
// requests for the hostname to the group.
func NewOnListener(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*LoadBalancer, error) {
	if args == nil || !args.LoadBalancer.OnListener() {
		return nil, fmt.Errorf("load balancer %s: no listener", name)
	}
	l := &LoadBalancer{}
	if err := ctx.RegisterComponentResource(Type, name, l, opts...); err != nil {
		return nil, err
	}
	child := []pulumi.ResourceOption{pulumi.Parent(l)}
	group, err := l.targets(ctx, args, child)
	if err != nil {
		return nil, fmt.Errorf("creating the target group: %w", err)
	}
	in := &lb.ListenerRuleArgs{
		ListenerArn: l.findListener(ctx, args),
		Actions:     lb.ListenerRuleActionArray{lb.ListenerRuleActionArgs{Type: pulumi.String("forward"), TargetGroupArn: group.Arn}},
		Conditions: lb.ListenerRuleConditionArray{lb.ListenerRuleConditionArgs{
			HostHeader: lb.ListenerRuleConditionHostHeaderArgs{Values: pulumi.ToStringArray([]string{args.Hostname})},
		}},
		Tags: awskit.Tags(args.Cluster+"-nodes", component),
	}
	// Without a priority the provider takes the one after the listener's highest (aws_lb_listener_rule in the provider's documentation).
	if priority := args.LoadBalancer.Existing.ListenerPriority; priority != 0 {
		in.Priority = pulumi.Int(priority)
	}
	// Only one load balancer can have a target group (TargetGroupAssociationLimit of CreateRule in the API reference of Elastic Load
	// Balancing), so a rule on another listener cannot be made before this one is gone.
	rule, err := lb.NewListenerRule(ctx, args.Named("nodes"), in, awskit.With(serving(args, child), pulumi.DeleteBeforeReplace(true))...)
	if err != nil {
		return nil, fmt.Errorf("creating the listener's rule: %w", err)
	}
	l.Serving = []pulumi.Resource{rule}
	return l, ctx.RegisterResourceOutputs(l, pulumi.Map{"targetGroup": l.TargetGroup})
}

// findListener looks up the listener and its load balancer, checks both, and returns the listener's ARN.
func (l *LoadBalancer) findListener(ctx *pulumi.Context, args *Args) pulumi.StringOutput {
	existing := args.LoadBalancer.Existing
	listener := lb.LookupListenerOutput(ctx, lb.LookupListenerOutputArgs{
		Arn: args.Input(existing.ListenerARN).ToStringOutput().ToStringPtrOutput(),
	}, pulumi.Parent(l))
	balancer := lb.LookupLoadBalancerOutput(ctx, lb.LookupLoadBalancerOutputArgs{
		Arn: listener.LoadBalancerArn().ToStringPtrOutput(),
	}, pulumi.Parent(l))
	l.ARN, l.DNSName, l.ARNSuffix = balancer.Arn(), balancer.DnsName(), balancer.ArnSuffix()
	group := pulumi.StringInput(pulumi.String(""))
	if existing.SecurityGroup != "" {
		group = args.Input(existing.SecurityGroup)
	}
	return pulumi.All(listener, balancer, args.VPC, group).ApplyT(func(all []any) (string, error) {
		found, of := all[0].(lb.LookupListenerResult), all[1].(lb.LookupLoadBalancerResult)
		vpc, _ := all[2].(string)
		group, _ := all[3].(string)
		return found.Arn, unfit(found, of, vpc, group, args.LoadBalancer.IdleTimeout)
	}).(pulumi.StringOutput)
}

// unfit says why clients cannot reach the nodes through a listener. On a port other than 443 a load balancer adds the port to the header
// Host ("Edit attributes for your Application Load Balancer", host header preservation), which the product compares with its own name.
func unfit(listener lb.LookupListenerResult, of lb.LookupLoadBalancerResult, vpc, group string, idle int) error {
	var why []string
	for _, fact := range []struct {
		what       string
		is, needed any
	}{
		{"protocol", listener.Protocol, "HTTPS"}, {"port", listener.Port, ports.PublicHTTPS},
		{"load balancer's type", of.LoadBalancerType, "application"}, {"load balancer's VPC", of.VpcId, vpc},
	} {
		if fact.is != fact.needed {
			why = append(why, fmt.Sprintf("its %s is %v, and must be %v", fact.what, fact.is, fact.needed))
		}
	}
	if group != "" && !slices.Contains(of.SecurityGroups, group) {
		why = append(why, fmt.Sprintf("its load balancer does not have the security group %s", group))
	}
	if of.IdleTimeout > idle {
		why = append(why, fmt.Sprintf("its load balancer keeps an idle connection for %d seconds, and nodes know of %d: write loadBalancer.idleTimeout: %d",
			of.IdleTimeout, idle, of.IdleTimeout))
	}
	if len(why) == 0 {
		return nil
	}
	return fmt.Errorf("%s:loadBalancer.existing.listenerArn: clients cannot reach the nodes through %s: %s", config.Namespace, listener.Arn,
		strings.Join(why, "; "))
}
