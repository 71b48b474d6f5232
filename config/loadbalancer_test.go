package config_test

import (
	"maps"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/config"
	"github.com/wso2is-aws/wso2is/config/configtest"
)

const ownTargets = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/identity/0123456789abcdef"

// behind is a stack behind an existing load balancer, with changes to its other keys and to the keys of loadBalancer.existing.
func behind(changes, existing object) object {
	balancer := object{"securityGroup": "sg-01234567"}
	maps.Copy(balancer, existing)
	maps.DeleteFunc(balancer, func(_ string, v any) bool { return v == nil })
	network := there()["adopt"].(object)
	delete(network, "publicSubnets")
	all := object{
		"network": object{"adopt": network}, "clustering": object{"scheme": "wka"}, "loadBalancer": object{"type": "existing", "existing": balancer},
	}
	maps.Copy(all, changes)
	return all
}

// inCluster puts the pods into a cluster that exists.
var inCluster = object{"cluster": object{"name": "shared", "nodeSecurityGroup": "sg-01234567", "fileSystemRole": "arn:aws:iam::123456789012:role/efs"}}

//guide:own-balancer
func TestALoadBalancerThatExistsTakesThePlaceOfTheStacksOwn(t *testing.T) {
	proxy := configtest.Load(t, behind(nil, nil)).Cluster
	require.True(t, proxy.Proxied())
	require.False(t, proxy.LoadBalancer.AccessLogs, "the profile prod has them for a load balancer of the stack")
	require.False(t, proxy.LoadBalancer.DeletionProtection)
	require.Empty(t, proxy.LoadBalancer.AllowedCIDRs)
	require.Equal(t, 86400, proxy.LoadBalancer.Stickiness)

	group := configtest.Load(t, behind(object{"clustering": object{"scheme": "aws"}}, object{"targetGroupArn": ownTargets})).Cluster
	require.False(t, group.Proxied())
	require.True(t, group.LoadBalancer.Registered())

	pods := configtest.Load(t, behind(object{"topology": "eks", "clustering": object{}, "eks": inCluster}, object{"ingressClass": "nginx"})).Cluster
	require.True(t, pods.Proxied())
	require.Equal(t, "nginx", pods.IngressClass())
	require.Equal(t, "ingress-nginx", pods.LoadBalancer.Existing.IngressNamespace)

	own := configtest.Load(t, nil).Cluster
	require.Equal(t, config.ALB, own.LoadBalancer.Type)
	require.False(t, own.Proxied())
	require.True(t, own.LoadBalancer.AccessLogs)
}

func TestRefusesExistingLoadBalancers(t *testing.T) {
	const path = "wso2is:loadBalancer.existing"
	e := func(changes, existing object, want string) refusal { return one(behind(changes, existing), path+want) }
	const only = ": it only applies to the stack's own load balancer, but loadBalancer.type is existing; " +
		"leave it out; the load balancer's owner decides it"
	inOwnVPC := behind(nil, nil)
	delete(inOwnVPC, "network")
	balancer := func(more object) object {
		keys := object{"type": "existing", "existing": object{"securityGroup": "sg-01234567"}}
		maps.Copy(keys, more)
		return behind(object{"loadBalancer": keys}, nil)
	}
	const twice = ": exactly one of securityGroup and cidrs must name the load balancer's addresses; " +
		"write either securityGroup or, if a rule cannot name the security group, cidrs"
	const target = "write targetGroupArn, a target group of your Application Load Balancer for the nodes"
	check(t, map[string]refusal{
		"no way": one(inOwnVPC, "wso2is:network.adopt: an existing load balancer cannot reach a VPC that the stack creates; "+
			"write the VPC that the load balancer reaches, and its subnets"),
		"nothing said": one(behind(object{"loadBalancer": object{"type": "existing"}}, nil),
			path+": the existing load balancer is missing; write it, or loadBalancer.type: alb"),
		"another type": one(behind(object{"network": there(), "loadBalancer": object{"existing": object{"securityGroup": "sg-01234567"},
			"hostedZone": "Z0123456789ABC"}}, nil),
			path+": the stack makes a load balancer of its own; write loadBalancer.type: existing, or leave it out"),
		"nobody":     e(nil, object{"securityGroup": nil}, twice),
		"said twice": e(nil, object{"cidrs": []string{"10.9.0.0/28"}}, twice),
		"everybody": e(nil, object{"securityGroup": nil, "cidrs": []string{"0.0.0.0/0"}},
			".cidrs: 0.0.0.0/0 lets everyone call the nodes directly; write the ranges of the load balancer's addresses"),
		"group": e(nil, object{"securityGroup": "proxies"}, `.securityGroup: "proxies" is not the id of a security group; `+
			"write one such as sg-0123456789abcdef0"),
		"no target group": e(nil, object{"targetGroupArn": "identity"}, `.targetGroupArn: "identity" is not such an ARN; `+
			"write it as AWS shows it, such as arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/…"),
		"group of instances": e(object{"clustering": object{"scheme": "aws"}}, nil, ": the addresses of an Auto Scaling group's instances change "+
			"with every replacement, so a list of them becomes wrong; "+target+", or write clustering.scheme: wka, because its nodes keep their addresses"),
		"tasks": e(object{"topology": "ecs", "clustering": object{}}, nil, ": the addresses of tasks change with every deployment, so a list "+
			"of them becomes wrong; "+target),
		"pods": e(object{"topology": "eks", "clustering": object{}, "eks": inCluster}, nil, ": the addresses of pods change with every update, "+
			"so exactly one of targetGroupArn and ingressClass is needed; write either targetGroupArn, or ingressClass with eks.cluster"),
		"class on instances": e(nil, object{"ingressClass": "nginx"},
			".ingressClass: the topology ec2 has no Kubernetes cluster; leave it out, or write topology: eks"),
		"class in a new cluster": e(object{"topology": "eks", "clustering": object{}, "eks": object{}}, object{"ingressClass": "nginx"},
			".ingressClass: a cluster that the stack creates does not have your ingress controller when its pods are created; "+
				"write eks.cluster, the cluster with the ingress controller, or write targetGroupArn"),
		"namespace alone": e(nil, object{"ingressNamespace": "ingress"},
			".ingressNamespace: only an ingress controller reads it; leave it out, or write ingressClass"),
		"two load balancers": one(behind(object{"topology": "eks", "clustering": object{},
			"eks": object{"registration": "ingress"}}, object{"targetGroupArn": ownTargets}),
			"wso2is:eks.registration: the AWS Load Balancer Controller would make a second load balancer beside the existing one; "+
				"leave it out; loadBalancer.existing says how pods are reached"),
		"of the stack's own": {changes: balancer(object{"certificateArn": "arn:aws:acm:eu-west-1:123456789012:certificate/1", "hostedZone": "Z0123456789ABC",
			"internal": false, "allowedCidrs": []string{"10.0.0.0/8"}, "accessLogs": false, "tlsPolicy": "ELBSecurityPolicy-X", "deletionProtection": true,
			"webAclArn": "arn:aws:wafv2:eu-west-1:123456789012:regional/webacl/x/1"}), want: []string{
			"wso2is:loadBalancer.accessLogs" + only, "wso2is:loadBalancer.allowedCidrs" + only, "wso2is:loadBalancer.certificateArn" + only, "wso2is:loadBalancer.deletionProtection" + only,
			"wso2is:loadBalancer.hostedZone" + only, "wso2is:loadBalancer.internal" + only, "wso2is:loadBalancer.tlsPolicy" + only, "wso2is:loadBalancer.webAclArn" + only}},
		"delay of none": one(balancer(object{"deregistrationDelay": 30}), "wso2is:loadBalancer.deregistrationDelay: nodes are not registered in a target group, "+
			"so you take a node out of the proxy yourself; leave it out"),
		"stickiness of a group": one(behind(object{"loadBalancer": object{"type": "existing", "stickiness": 60,
			"existing": object{"securityGroup": "sg-01234567", "targetGroupArn": ownTargets}}}, nil),
			"wso2is:loadBalancer.stickiness: the target group of targetGroupArn has its own stickiness; leave it out, and set stickiness on the target group"),
	})
}
