package config

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/wso2is-aws/wso2is/config/instancetype"
	"github.com/wso2is-aws/wso2is/config/offering"
)

var (
	zoneID    = regexp.MustCompile(`^Z[A-Z0-9]{4,31}$`)
	tlsPolicy = regexp.MustCompile(`^ELBSecurityPolicy-[A-Za-z0-9-]+$`)
)

func (v *validator) loadBalancer() {
	lb := v.LoadBalancer
	if lb.Nginx != nil && !v.Nginx() {
		v.refuse("loadBalancer.nginx", "leave it out, or write loadBalancer.type: nginx on ec2 or ecs", "the stack makes no nginx")
	}
	if lb.Type == ExistingLoadBalancer {
		v.existingBalancer()
		return
	}
	if lb.Existing != nil {
		v.refuse("loadBalancer.existing", "write loadBalancer.type: existing, or leave it out", "the stack makes a load balancer of its own")
	}
	v.clients()
	if v.Nginx() {
		v.nginx()
		return
	}
	if lb.CertificateARN == "" && lb.HostedZone == "" {
		v.refuse("loadBalancer", "write certificateArn, or hostedZone to have a certificate made and validated",
			"there is no certificate for HTTPS")
	}
	if lb.CertificateARN != "" {
		v.arn("loadBalancer.certificateArn", lb.CertificateARN, "acm", "certificate/")
	}
	if lb.WebACLARN != "" {
		v.arn("loadBalancer.webAclArn", lb.WebACLARN, "wafv2", "regional/webacl/")
	}
	if !tlsPolicy.MatchString(lb.TLSPolicy) {
		v.refuse("loadBalancer.tlsPolicy", "write a policy such as ELBSecurityPolicy-TLS13-1-2-2021-06",
			"%q is not a security policy of a load balancer", lb.TLSPolicy)
	}
}

// clients checks how clients find and reach the stack's own load balancer.
func (v *validator) clients() {
	lb := v.LoadBalancer
	if lb.HostedZone != "" && !zoneID.MatchString(lb.HostedZone) {
		v.refuse("loadBalancer.hostedZone", "write the zone's id, such as Z0123456789ABC",
			"%q is not the id of a hosted zone",
			lb.HostedZone)
	}
	if written := v.written.LoadBalancer.AllowedCIDRs; written != nil && len(written) == 0 {
		v.refuse("loadBalancer.allowedCidrs", "write the ranges of clients, or leave it out for everyone",
			"an empty list allows no client")
	}
	v.cidrs("loadBalancer.allowedCidrs", lb.AllowedCIDRs)
}

// minNginxDelay is the time in seconds in which every nginx has learned of a deregistered node, and open requests have time left.
const minNginxDelay = 30

// nginx checks the stack's own nginx. It refuses the keys that only apply to an Application Load Balancer.
func (v *validator) nginx() {
	const path = "loadBalancer.nginx"
	lb := v.LoadBalancer
	for _, key := range []struct{ name, written, why, fix string }{
		{"certificateArn", lb.CertificateARN, "nginx needs the private key too, and ACM keeps it", "leave it out, and write nginx.secretArn"},
		{"webAclArn", lb.WebACLARN, "a web ACL cannot be attached to a Network Load Balancer", "leave it out, or write loadBalancer.type: alb"},
		{"tlsPolicy", v.written.LoadBalancer.TLSPolicy, "nginx has no policies of Elastic Load Balancing and takes TLS 1.2 and 1.3", "leave it out"},
	} {
		if key.written != "" {
			v.refuse("loadBalancer."+key.name, key.fix, "%s", key.why)
		}
	}
	if lb.DeregistrationDelay < minNginxDelay {
		v.refuse("loadBalancer.deregistrationDelay", fmt.Sprintf("write %d or more", minNginxDelay),
			"nginx learns of a deregistered node after up to %d seconds, and open requests need the rest", NginxPollSeconds)
	}
	if lb.Nginx == nil {
		v.refuse(path, "write nginx.secretArn, the secret with the certificate and the private key", "nginx has no certificate for HTTPS")
		return
	}
	v.wholeSecret(path+".secretArn", lb.Nginx.SecretARN)
	if lb.Nginx.SecretKeyARN != "" {
		v.arn(path+".secretKeyArn", lb.Nginx.SecretKeyARN, "kms", "key/")
	}
	name := lb.Nginx.InstanceType
	switch _, known := instancetype.Lookup(name); {
	case preNitro.MatchString(name) || !known:
		v.refuse(path+".instanceType", "write a newer type, such as m6i.large", "%q is not a known instance type", name)
	case !offering.InstanceTypes.Exists(v.Region, name):
		v.refuse(path+".instanceType", "write a type that the region has, such as "+offering.InstanceTypes.Such(v.Region, "large"),
			"AWS offers no %s in %s, as of %s", name, v.Region, offering.Read)
	}
}

var ingressClass = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$`)

// existingBalancer checks an existing load balancer. It refuses the keys that only apply to the stack's own load balancer.
func (v *validator) existingBalancer() {
	v.onlyOfBalancer()
	e := v.LoadBalancer.Existing
	const path = "loadBalancer.existing"
	if v.written.LoadBalancer.Type == NginxLoadBalancer && e != nil && e.TargetGroupARN != "" {
		v.refuse(path+".targetGroupArn", "leave it out, or write loadBalancer.type: existing", "on eks, the type nginx is an ingress controller")
	}
	if v.written.LoadBalancer.Type == NginxLoadBalancer && v.LoadBalancer.OnListener() {
		v.refuse(path+".listenerArn", "leave it out, or write loadBalancer.type: existing", "on eks, the type nginx is an ingress controller")
	}
	if v.Network.Adopt == nil {
		v.refuse("network.adopt", "write the VPC that the load balancer reaches, and its subnets",
			"an existing load balancer cannot reach a VPC that the stack creates")
	}
	if e == nil {
		v.refuse(path, "write it, or loadBalancer.type: alb", "the existing load balancer is missing")
		return
	}
	switch {
	case (e.SecurityGroup == "") == (len(e.CIDRs) == 0):
		v.refuse(path, "write either securityGroup or, if a rule cannot name the security group, cidrs",
			"exactly one of securityGroup and cidrs must name the load balancer's addresses")
	case e.SecurityGroup != "":
		v.id(path+".securityGroup", e.SecurityGroup, "sg-", "a security group")
	default:
		v.cidrs(path+".cidrs", e.CIDRs)
		if i := slices.Index(e.CIDRs, everyone); i >= 0 {
			v.refuse(path+".cidrs", "write the ranges of the load balancer's addresses", "%s lets everyone call the nodes directly", everyone)
		}
	}
	if e.TargetGroupARN != "" {
		v.arn(path+".targetGroupArn", e.TargetGroupARN, "elasticloadbalancing", "targetgroup/")
	}
	v.listener(*e)
	v.existingWay(*e)
}

// maxHostHeader is the maximum length of a name in a rule's condition (HostHeaderConditionConfig in the API reference of Elastic Load
// Balancing).
const maxHostHeader = 128

// listener checks the existing listener. What is not in its ARN, loadbalancer.NewOnListener looks up.
func (v *validator) listener(e ExistingBalancer) {
	const path = "loadBalancer.existing"
	if e.ListenerARN == "" {
		if e.ListenerPriority != 0 {
			v.refuse(path+".listenerPriority", "leave it out, or write listenerArn", "only the rule of a listener has a priority")
		}
		return
	}
	v.arn(path+".listenerArn", e.ListenerARN, "elasticloadbalancing", "listener/app/")
	if e.TargetGroupARN != "" {
		v.refuse(path+".targetGroupArn", "leave out either", "with listenerArn the stack makes the target group")
	}
	if len(v.Hostname) > maxHostHeader {
		v.refuse("hostname", fmt.Sprintf("write a name of at most %d characters", maxHostHeader),
			"it has %d characters, and the rule of %s.listenerArn cannot name it", len(v.Hostname), path)
	}
}

// existingWay checks how the existing load balancer finds the nodes.
func (v *validator) existingWay(e ExistingBalancer) {
	const path = "loadBalancer.existing"
	const target = "write listenerArn, a listener of your Application Load Balancer, or targetGroupArn, a target group of it for the nodes"
	registered := v.LoadBalancer.Registered()
	switch {
	case v.Topology == EC2 && !v.Fixed() && !registered:
		v.refuse(path, target+", or write clustering.scheme: wka, because its nodes keep their addresses",
			"the addresses of an Auto Scaling group's instances change with every replacement, so a list of them becomes wrong")
	case v.Topology == ECS && !registered:
		v.refuse(path, target, "the addresses of tasks change with every deployment, so a list of them becomes wrong")
	case v.Topology == EKS && registered == (e.IngressClass != ""):
		v.refuse(path, "write either listenerArn, targetGroupArn, or ingressClass with eks.cluster",
			"the addresses of pods change with every update, so exactly one of listenerArn, targetGroupArn and ingressClass is needed")
	}
	switch {
	case v.Topology != EKS && e.IngressClass != "":
		v.refuse(path+".ingressClass", "leave it out, or write topology: eks", "the topology %s has no Kubernetes cluster", v.Topology)
	case e.IngressClass == "" && v.written.LoadBalancer.Existing.IngressNamespace != "":
		v.refuse(path+".ingressNamespace", "leave it out, or write ingressClass", "only an ingress controller reads it")
	case e.IngressClass == "":
	case v.EKS.Cluster == nil:
		v.refuse(path+".ingressClass", "write eks.cluster, the cluster with the ingress controller, or write listenerArn",
			"a cluster that the stack creates does not have your ingress controller when its pods are created")
	case !ingressClass.MatchString(e.IngressClass):
		v.refuse(path+".ingressClass", "write the name of an IngressClass, such as nginx", "%q is not the name of an IngressClass", e.IngressClass)
	case !namespaceName.MatchString(e.IngressNamespace):
		v.refuse(path+".ingressNamespace", "write the namespace of the controller's pods, such as ingress-nginx",
			"%q is not the name of a namespace", e.IngressNamespace)
	}
	if v.Topology == EKS && v.EKS.Registration == Ingress {
		v.refuse("eks.registration", "leave it out; loadBalancer.existing says how pods are reached",
			"the AWS Load Balancer Controller would make a second load balancer beside the existing one")
	}
}

// onlyOfBalancer refuses the keys that only apply to the stack's own load balancer.
func (v *validator) onlyOfBalancer() {
	const fix = "leave it out; the load balancer's owner decides it"
	const why = "it only applies to the stack's own load balancer, but loadBalancer.type is existing"
	lb := v.written.LoadBalancer
	for _, key := range []struct {
		name  string
		given bool
	}{
		{"certificateArn", lb.CertificateARN != ""}, {"hostedZone", lb.HostedZone != ""}, {"internal", lb.Internal || v.explicit["loadBalancer.internal"]},
		{"allowedCidrs", lb.AllowedCIDRs != nil}, {"accessLogs", v.explicit["loadBalancer.accessLogs"]}, {"webAclArn", lb.WebACLARN != ""},
		{"tlsPolicy", lb.TLSPolicy != ""}, {"deletionProtection", v.explicit["loadBalancer.deletionProtection"]},
		{"deregistrationDelay", v.explicit["loadBalancer.deregistrationDelay"] && v.Proxied() && !v.row().pods},
		{"stickiness", v.explicit["loadBalancer.stickiness"] && lb.Existing != nil && lb.Existing.TargetGroupARN != ""},
	} {
		switch {
		case !key.given:
		case key.name == "deregistrationDelay":
			v.refuse("loadBalancer."+key.name, "leave it out", "nodes are not registered in a target group, so you take a node out of the proxy yourself")
		case key.name == "stickiness":
			v.refuse("loadBalancer."+key.name, "leave it out, and set stickiness on the target group", "the target group of targetGroupArn has its own stickiness")
		default:
			v.refuse("loadBalancer."+key.name, fix, why)
		}
	}
}
