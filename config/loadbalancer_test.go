package config_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/config"
	"github.com/wso2is-aws/wso2is/config/configtest"
)

const (
	ownTargets  = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/identity/0123456789abcdef"
	ownListener = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/platform/0123456789abcdef/fedcba9876543210"
)

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

	shared := configtest.Load(t, behind(object{"loadBalancer": object{"type": "existing", "stickiness": 60, "deregistrationDelay": 30,
		"existing": object{"securityGroup": "sg-01234567", "listenerArn": ownListener, "listenerPriority": 7}}}, nil)).Cluster
	require.False(t, shared.Proxied())
	require.True(t, shared.LoadBalancer.OnListener())
	require.Equal(t, []int{60, 30, 7}, []int{shared.LoadBalancer.Stickiness, shared.LoadBalancer.DeregistrationDelay, shared.LoadBalancer.Existing.ListenerPriority})
	for _, topology := range []string{"ecs", "eks"} {
		changes := object{"topology": topology, "clustering": object{}}
		if topology == "eks" {
			changes["eks"] = inCluster
		}
		require.True(t, configtest.Load(t, behind(changes, object{"listenerArn": ownListener})).Cluster.LoadBalancer.OnListener())
	}

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
	const target = "write listenerArn, a listener of your Application Load Balancer, or targetGroupArn, a target group of it for the nodes"
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
		"no listener": e(nil, object{"listenerArn": ownTargets}, `.listenerArn: "`+ownTargets+`" is not such an ARN; `+
			"write it as AWS shows it, such as arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/…"),
		"listener of another region": e(nil, object{"listenerArn": strings.Replace(ownListener, "eu-west-1", "eu-central-1", 1)},
			`.listenerArn: "`+strings.Replace(ownListener, "eu-west-1", "eu-central-1", 1)+`" is in another region; write one of eu-west-1`),
		"listener and target group": e(nil, object{"listenerArn": ownListener, "targetGroupArn": ownTargets},
			".targetGroupArn: with listenerArn the stack makes the target group; leave out either"),
		"listener and class": e(object{"topology": "eks", "clustering": object{}, "eks": inCluster}, object{"listenerArn": ownListener, "ingressClass": "nginx"},
			": the addresses of pods change with every update, so exactly one of listenerArn, targetGroupArn and ingressClass is needed; "+
				"write either listenerArn, targetGroupArn, or ingressClass with eks.cluster"),
		"priority of no rule": e(nil, object{"listenerPriority": 7}, ".listenerPriority: only the rule of a listener has a priority; leave it out, or write listenerArn"),
		"priority":            e(nil, object{"listenerArn": ownListener, "listenerPriority": 50001}, ".listenerPriority: 50001 is out of range; write 1 to 50000"),
		"name that no rule has": one(behind(object{"hostname": strings.Repeat("a.", 60) + "example.com"}, object{"listenerArn": ownListener}),
			"wso2is:hostname: it has 131 characters, and the rule of loadBalancer.existing.listenerArn cannot name it; write a name of at most 128 characters"),
		"group of instances": e(object{"clustering": object{"scheme": "aws"}}, nil, ": the addresses of an Auto Scaling group's instances change "+
			"with every replacement, so a list of them becomes wrong; "+target+", or write clustering.scheme: wka, because its nodes keep their addresses"),
		"tasks": e(object{"topology": "ecs", "clustering": object{}}, nil, ": the addresses of tasks change with every deployment, so a list "+
			"of them becomes wrong; "+target),
		"pods": e(object{"topology": "eks", "clustering": object{}, "eks": inCluster}, nil, ": the addresses of pods change with every update, "+
			"so exactly one of listenerArn, targetGroupArn and ingressClass is needed; write either listenerArn, targetGroupArn, or ingressClass with eks.cluster"),
		"class on instances": e(nil, object{"ingressClass": "nginx"},
			".ingressClass: the topology ec2 has no Kubernetes cluster; leave it out, or write topology: eks"),
		"class in a new cluster": e(object{"topology": "eks", "clustering": object{}, "eks": object{}}, object{"ingressClass": "nginx"},
			".ingressClass: a cluster that the stack creates does not have your ingress controller when its pods are created; "+
				"write eks.cluster, the cluster with the ingress controller, or write listenerArn"),
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

const nginxSecret = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:is.example.com-AbCdEf"

// proxied is a stack with nginx of its own, with changes to its other keys, to loadBalancer and to loadBalancer.nginx.
func proxied(changes, balancer, nginx object) object {
	tier := object{"secretArn": nginxSecret}
	maps.Copy(tier, nginx)
	lb := object{"type": "nginx", "nginx": tier}
	maps.Copy(lb, balancer)
	maps.DeleteFunc(lb, func(_ string, v any) bool { return v == nil })
	all := object{"loadBalancer": lb}
	maps.Copy(all, changes)
	return all
}

//guide:nginx
func TestNginxOfTheStackTakesThePlaceOfTheApplicationLoadBalancer(t *testing.T) {
	prod := configtest.Load(t, proxied(nil, object{"hostedZone": "Z0123456789ABC"}, nil)).Cluster
	require.True(t, prod.Nginx())
	require.True(t, prod.SharesTLSKey(), "nginx verifies the nodes")
	require.False(t, prod.Proxied(), "nodes are registered in a target group")
	require.True(t, prod.LoadBalancer.Registered())
	require.Equal(t, config.Nginx{SecretARN: nginxSecret, Count: 2, InstanceType: "m6i.large"}, *prod.LoadBalancer.Nginx)
	require.Empty(t, prod.LoadBalancer.TLSPolicy)
	require.Equal(t, []string{"0.0.0.0/0"}, prod.LoadBalancer.AllowedCIDRs)
	require.Equal(t, "t3.medium", configtest.Load(t, proxied(object{"profile": "dev"}, nil, nil)).Cluster.LoadBalancer.Nginx.InstanceType)

	// On eks it is the existing ingress controller.
	pods := configtest.Load(t, behind(object{"topology": "eks", "clustering": object{}, "eks": inCluster, "loadBalancer": object{
		"type": "nginx", "existing": object{"securityGroup": "sg-01234567"}}}, nil)).Cluster
	require.False(t, pods.Nginx())
	require.Equal(t, "nginx", pods.IngressClass())
	named := configtest.Load(t, behind(object{"topology": "eks", "clustering": object{}, "eks": inCluster}, object{"ingressClass": "nginx"})).Cluster
	require.Equal(t, named.LoadBalancer, pods.LoadBalancer, "both spellings are one thing")
}

func TestRefusesNginx(t *testing.T) {
	const path = "wso2is:loadBalancer"
	lb := func(balancer object, want string) refusal { return one(proxied(nil, balancer, nil), path+want) }
	n := func(nginx object, want string) refusal { return one(proxied(nil, nil, nginx), path+".nginx"+want) }
	check(t, map[string]refusal{
		"no certificate": lb(object{"nginx": nil}, ".nginx: nginx has no certificate for HTTPS; write nginx.secretArn, the secret with the certificate and the private key"),
		"part of an ARN": n(object{"secretArn": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:is"},
			`.secretArn: "arn:aws:secretsmanager:eu-west-1:123456789012:secret:is" is not the whole ARN, which permissions name; `+
				"write the whole ARN, with the hyphen and the six characters at its end"),
		"key":  n(object{"secretKeyArn": "alias/x"}, `.secretKeyArn: "alias/x" is not such an ARN; write it as AWS shows it, such as arn:aws:kms:eu-west-1:123456789012:key/…`),
		"one":  n(object{"count": 1}, ".count: 1 instances cannot be replaced one at a time while others serve; write 2 to 20"),
		"type": n(object{"instanceType": "m4.large"}, `.instanceType: "m4.large" is not a known instance type; write a newer type, such as m6i.large`),
		"certificate of ACM": lb(object{"certificateArn": "arn:aws:acm:eu-west-1:123456789012:certificate/1"},
			".certificateArn: nginx needs the private key too, and ACM keeps it; leave it out, and write nginx.secretArn"),
		"web ACL": lb(object{"webAclArn": "arn:aws:wafv2:eu-west-1:123456789012:regional/webacl/x/1"},
			".webAclArn: a web ACL cannot be attached to a Network Load Balancer; leave it out, or write loadBalancer.type: alb"),
		"TLS policy": lb(object{"tlsPolicy": "ELBSecurityPolicy-TLS13-1-2-2021-06"},
			".tlsPolicy: nginx has no policies of Elastic Load Balancing and takes TLS 1.2 and 1.3; leave it out"),
		"delay": lb(object{"deregistrationDelay": 10}, ".deregistrationDelay: nginx learns of a deregistered node after up to 10 seconds, and open requests need the rest; write 30 or more"),
		"of another type": one(object{"loadBalancer": object{"hostedZone": "Z0123456789ABC", "nginx": object{"secretArn": nginxSecret}}},
			path+".nginx: the stack makes no nginx; leave it out, or write loadBalancer.type: nginx on ec2 or ecs"),
		"existing": one(proxied(object{"network": there()}, object{"existing": object{"securityGroup": "sg-01234567"}}, nil),
			path+".existing: the stack makes a load balancer of its own; write loadBalancer.type: existing, or leave it out"),
		"pods of the stack's own": one2(object{"topology": "eks", "clustering": object{}, "eks": object{"publicAccessCidrs": []string{"203.0.113.7/32"}}, "loadBalancer": object{"type": "nginx", "nginx": object{"secretArn": nginxSecret}}},
			path+".existing: the existing load balancer is missing; write it, or loadBalancer.type: alb",
			path+".nginx: the stack makes no nginx; leave it out, or write loadBalancer.type: nginx on ec2 or ecs",
			"wso2is:network.adopt: an existing load balancer cannot reach a VPC that the stack creates; write the VPC that the load balancer reaches, and its subnets"),
		"listener of pods": one(behind(object{"topology": "eks", "clustering": object{}, "eks": inCluster, "loadBalancer": object{"type": "nginx",
			"existing": object{"securityGroup": "sg-01234567", "listenerArn": ownListener}}}, nil),
			path+".existing.listenerArn: on eks, the type nginx is an ingress controller; leave it out, or write loadBalancer.type: existing"),
		"targets of pods": one(behind(object{"topology": "eks", "clustering": object{}, "loadBalancer": object{"type": "nginx",
			"existing": object{"securityGroup": "sg-01234567", "targetGroupArn": ownTargets}}}, nil),
			path+".existing.targetGroupArn: on eks, the type nginx is an ingress controller; leave it out, or write loadBalancer.type: existing"),
	})
}
