package cloud

import (
	"errors"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

const (
	elbARN = "arn:{partition}:elasticloadbalancing:{region}:{account}:"

	// balancerName is the pattern of names of load balancers and target groups.
	balancerName = `[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?`
	balancerWant = "letters, digits and hyphens, the last not at either end"

	// logDeliveryAccount may also write access logs in a Region from before August 2022, by a policy of the older kind ("Enable access logs
	// for your Application Load Balancer").
	logDeliveryAccount = "156460612806"
	// balancerZone and networkZone are the hosted zones for alias records of Application and of Network Load Balancers (AWS General
	// Reference, "Elastic Load Balancing endpoints and quotas").
	balancerZone, networkZone = "Z32O12XQLNTSW2", "Z2IFOLAFXWLO4F"
)

// loadBalancerTypes are load balancers, listeners and target groups.
var loadBalancerTypes = []Type{
	{
		Token: state.LoadBalancer, ID: "{arn}", Name: "name", NamePrefix: "namePrefix", Tags: true, InUse: "ResourceInUse",
		Protection: "enableDeletionProtection",
		Defaults: Object{
			"clientKeepAlive": 3600, "desyncMitigationMode": "defensive", "dropInvalidHeaderFields": false,
			"enableCrossZoneLoadBalancing": false, "enableDeletionProtection": false, "enableHttp2": true,
			"enableTlsVersionAndCipherSuiteHeaders": false, "enableWafFailOpen": false, "enableXffClientPort": false,
			"idleTimeout": 60, "loadBalancerType": "application", "preserveHostHeader": false,
			"xffHeaderProcessingMode": "append",
		},
		Outputs: Object{"internal": false, "ipAddressType": "ipv4", "zoneId": balancerZone},
		Replace: []string{"name", "namePrefix", "internal", "loadBalancerType"},
		Fields: []Field{
			like("name", balancerName, balancerWant, 1, 32), between("idleTimeout", 1, 4000),
			oneOf("loadBalancerType", "application", "network", "gateway"),
			oneOf("desyncMitigationMode", "monitor", "defensive", "strictest"),
		},
		Unique: []Unique{{By: []string{"name"}, Code: "DuplicateLoadBalancerName"}},
		Refs: []Ref{
			ref("subnets[]", state.Subnet).code("SubnetNotFound"), ref("subnetMappings[].subnetId",
				state.Subnet).code("SubnetNotFound"),
			ref("securityGroups[]", state.SecurityGroup).code("InvalidSecurityGroup"),
			ref("accessLogs.bucket", state.Bucket).free().code("InvalidConfigurationRequest"),
		},
		Check: []Rule{func(c *Call) error {
			if strings.HasPrefix(c.text("name"), "internal-") {
				return fail("ValidationError", "name is %q; internal- is kept for AWS", c.text("name"))
			}
			return nil
		}},
		Rules: []Rule{
			sameVPC("subnets[]", "securityGroups[]"), oneSubnetPerZone("subnets[]", "InvalidConfigurationRequest"), twoZones,
			logsCanBeWritten,
		},
		After: func(c *Call) {
			name := c.text("name")
			kind, zone := "app", balancerZone
			if c.text("loadBalancerType") == "network" {
				kind, zone = "net", networkZone
			}
			c.Out["zoneId"] = zone
			suffix := c.expand(kind + "/{name}/{hex8}{hex8}")
			if c.Old != nil {
				suffix = c.Old.Outputs["arnSuffix"]
			}
			c.Out["arnSuffix"] = suffix
			c.Out["arn"], c.Out["dnsName"] = Unknown{}, Unknown{}
			if c.Old != nil {
				c.Out["arn"], c.Out["dnsName"], c.Out["vpcId"] = c.Old.Outputs["arn"], c.Old.Outputs["dnsName"],
					c.Old.Outputs["vpcId"]
			} else if s, ok := suffix.(string); ok {
				c.Out["arn"] = c.expand(elbARN + "loadbalancer/" + s)
				scheme := ""
				if flag(c.In, "internal") {
					scheme = "internal-"
				}
				c.Out["dnsName"] = c.expand(scheme + name + "-{digits}.{region}.elb.{suffix}")
			}
			for _, id := range texts(c.In, "subnets[]") {
				if s := c.Cloud.find(id, "id", state.Subnet); s != nil {
					c.Out["vpcId"] = s.Outputs["vpcId"]
				}
			}
			c.identify()
		},
	},
	{
		Token: state.TargetGroup, ID: "{arn}", Name: "name", NamePrefix: "namePrefix", Tags: true, InUse: "ResourceInUse",
		Defaults: Object{
			"deregistrationDelay": 300, "lambdaMultiValueHeadersEnabled": false, "proxyProtocolV2": false, "slowStart": 0,
			"targetType": "instance",
		},
		Outputs: Object{
			"ipAddressType": "ipv4", "loadBalancingAlgorithmType": "round_robin",
			"loadBalancingCrossZoneEnabled": "use_load_balancer_configuration", "protocolVersion": "HTTP1",
		},
		Replace: []string{"name", "namePrefix", "port", "protocol", "protocolVersion", "targetType", "vpcId",
			"ipAddressType"},
		Fields: []Field{
			like("name", balancerName, balancerWant, 1, 32), between("port", 1, 65535), between("deregistrationDelay", 0, 3600),
			oneOf("protocol", "HTTP", "HTTPS", "TCP", "TLS", "UDP", "TCP_UDP", "GENEVE"),
			oneOf("targetType", "instance", "ip", "lambda", "alb"), between("healthCheck.interval", 5, 300),
			between("healthCheck.timeout", 2, 120), between("healthCheck.healthyThreshold", 2, 10),
			between("healthCheck.unhealthyThreshold", 2, 10), like("healthCheck.path", `/.*`, "a path from / on", 1, 1024),
			like("healthCheck.matcher", `\d{3}(?:[,-]\d{3})*`, "codes such as 200, 200,302 or 200-299"),
			oneOf("stickiness.type", "lb_cookie", "app_cookie", "source_ip"), between("stickiness.cookieDuration", 1, 604800),
		},
		Unique: []Unique{{By: []string{"name"}, Code: "DuplicateTargetGroupName"}},
		Refs:   []Ref{ref("vpcId", state.VPC).free().code("ValidationError")},
		Check: []Rule{func(c *Call) error {
			interval, ok := number(c.In, "healthCheck.interval")
			timeout, given := number(c.In, "healthCheck.timeout")
			if ok && given && timeout >= interval {
				return fail("ValidationError", "healthCheck.timeout is %g and must be smaller than healthCheck.interval, %g",
					timeout,
					interval)
			}
			if network := !strings.HasPrefix(c.text("protocol"), "HTTP"); flag(c.In, "stickiness.enabled") &&
				network != (c.text("stickiness.type") == "source_ip") {
				return fail("InvalidConfigurationRequest", "stickiness of the type %s is not for the protocol %s", c.text("stickiness.type"), c.text("protocol"))
			}
			if c.text("targetType") != "lambda" && c.given([]string{"port", "protocol", "vpcId"}) < 3 {
				return fail("ValidationError", "port, protocol and vpcId are needed")
			}
			return nil
		}},
		After: func(c *Call) {
			c.Out["arnSuffix"] = c.expand("targetgroup/{name}/{hex8}{hex8}")
			if c.Old != nil {
				c.Out["arnSuffix"], c.Out["arn"] = c.Old.Outputs["arnSuffix"], c.Old.Outputs["arn"]
			} else {
				c.Out["arn"] = c.expand(elbARN + "{arnSuffix}")
			}
			c.identify()
		},
	},
	{
		Token: state.Listener, ID: "{arn}", Tags: true, InUse: "ResourceInUse",
		Required: []string{"defaultActions", "loadBalancerArn"},
		Replace:  []string{"loadBalancerArn"},
		Fields: []Field{
			between("port", 1, 65535), oneOf("protocol", "HTTP", "HTTPS", "TCP", "TLS", "UDP", "TCP_UDP", "GENEVE"),
			oneOf("defaultActions[].type", "forward", "redirect", "fixed-response", "authenticate-cognito", "authenticate-oidc"),
			oneOf("defaultActions[].redirect.statusCode", "HTTP_301", "HTTP_302"),
			like("sslPolicy", `ELBSecurityPolicy-[A-Za-z0-9-]+`, "a policy of Elastic Load Balancing"),
			between("tcpIdleTimeoutSeconds", 60, 6000), // ListenerAttribute in the API reference of Elastic Load Balancing
		},
		Unique: []Unique{{By: []string{"loadBalancerArn", "port"}, Code: "DuplicateListener"}},
		Refs: []Ref{
			ref("loadBalancerArn", state.LoadBalancer).by("arn").free().code("LoadBalancerNotFound"),
			ref("defaultActions[].targetGroupArn", state.TargetGroup).by("arn").code("TargetGroupNotFound"),
			ref("defaultActions[].forward.targetGroups[].arn", state.TargetGroup).by("arn").code("TargetGroupNotFound"),
			ref("certificateArn", state.Certificate).by("arn").code("CertificateNotFound"),
		},
		Check: []Rule{listenerFits}, Rules: []Rule{certificateIssued, sameVPCAsBalancer, protocolsFit},
		After: func(c *Call) {
			if c.Old != nil {
				c.Out["arn"] = c.Old.Outputs["arn"]
			} else if lb := c.Cloud.find(c.text("loadBalancerArn"), "arn", state.LoadBalancer); lb != nil {
				c.Out["arn"] = c.expand(elbARN + "listener/" + text(lb.Outputs, "arnSuffix") + "/{hex8}{hex8}")
			} else {
				c.Out["arn"] = Unknown{}
			}
			if c.text("protocol") == "HTTPS" && c.Out["sslPolicy"] == nil {
				c.Out["sslPolicy"] = "ELBSecurityPolicy-2016-08"
			}
			c.identify()
		},
	},
	{
		Token: state.ListenerRule, ID: "{arn}", Tags: true, Required: []string{"actions", "conditions", "listenerArn"},
		Replace: []string{"listenerArn"},
		Fields: []Field{
			between("priority", 1, 50000), between("conditions[].hostHeader.values[]", 1, 128), // HostHeaderConditionConfig in the API reference
			oneOf("actions[].type", "forward", "redirect", "fixed-response", "authenticate-cognito", "authenticate-oidc"),
		},
		Unique: []Unique{{By: []string{"listenerArn", "priority"}, Code: "PriorityInUse"}},
		Refs: []Ref{
			ref("listenerArn", state.Listener).by("arn").free().code("ListenerNotFound"),
			ref("actions[].targetGroupArn", state.TargetGroup).by("arn").code("TargetGroupNotFound"),
		},
		Rules: []Rule{oneBalancer},
		After: func(c *Call) {
			if c.Old != nil {
				c.Out["arn"] = c.Old.Outputs["arn"]
			} else if of := c.text("listenerArn"); of != "" {
				c.Out["arn"] = c.expand(strings.Replace(of, ":listener/", ":listener-rule/", 1) + "/{hex8}{hex8}")
			} else {
				c.Out["arn"] = Unknown{}
			}
			// The provider takes the one after the highest (resourceListenerRuleCreate in internal/service/elbv2/listener_rule.go of
			// terraform-provider-aws). Those of rules that the stack did not make are not known.
			if c.Out["priority"] == nil && c.Old != nil {
				c.Out["priority"] = c.Old.Outputs["priority"]
			} else if c.Out["priority"] == nil {
				highest := 0.
				for _, r := range c.Cloud.all(state.ListenerRule) {
					if p, _ := number(r.Outputs, "priority"); text(r.Inputs, "listenerArn") == c.text("listenerArn") {
						highest = max(highest, p)
					}
				}
				c.Out["priority"] = highest + 1
			}
			c.identify()
		},
	},
	{
		Token: state.TargetGroupAttachment, Put: true, ID: "{targetGroupArn}-{hex}",
		Required: []string{"targetGroupArn", "targetId"},
		Replace:  []string{"targetGroupArn", "targetId", "port", "availabilityZone"},
		Fields:   []Field{between("port", 1, 65535)},
		Unique:   []Unique{{By: []string{"targetGroupArn", "targetId", "port"}, Code: "DuplicateTarget"}},
		Refs: []Ref{
			ref("targetGroupArn", state.TargetGroup).by("arn").free().code("TargetGroupNotFound"),
			ref("targetId", state.EC2Instance).free().code("InvalidTarget").or(func(c *Call, value string) bool {
				group := c.Cloud.find(c.text("targetGroupArn"), "arn", state.TargetGroup)
				return group == nil || text(group.Inputs, "targetType") != "instance"
			}),
		},
		Rules: []Rule{func(c *Call) error {
			group := c.Cloud.find(c.text("targetGroupArn"), "arn", state.TargetGroup)
			instance := c.Cloud.find(c.text("targetId"), "id", state.EC2Instance)
			if group == nil || instance == nil {
				return nil
			}
			subnet := c.Cloud.find(text(instance.Outputs, "subnetId"), "id", state.Subnet)
			if subnet != nil && text(subnet.Outputs, "vpcId") != "" && text(subnet.Outputs, "vpcId") != text(group.Outputs,
				"vpcId") {
				return fail("InvalidTarget", "%s is in %s and %s is in %s", instance.describe(), text(subnet.Outputs, "vpcId"),
					group.describe(), text(group.Outputs, "vpcId"))
			}
			return nil
		}},
	},
}

// identify sets the ARN as the id, for types whose id is the ARN.
func (c *Call) identify() {
	c.Out["id"] = c.Out["arn"]
	if arn, ok := c.Out["arn"].(string); ok {
		c.ID = arn
	}
}

// twoZones refuses a load balancer in fewer than two zones, or an internet-facing one in a VPC without an internet
// gateway.
func twoZones(c *Call) error {
	subnets := texts(c.In, "subnets[]")
	if c.text("loadBalancerType") != "application" || c.unknown("subnets") {
		return nil
	}
	if len(subnets) < 2 {
		return fail("ValidationError", "at least two subnets in two different zones must be specified")
	}
	if flag(c.In, "internal") || c.Preview {
		return nil
	}
	if s := c.Cloud.find(subnets[0], "id", state.Subnet); s != nil {
		return c.Cloud.hasGateway(text(s.Outputs, "vpcId"), "InvalidSubnet")
	}
	return nil
}

// logsCanBeWritten refuses access logs to a bucket with a policy that does not let the service write.
func logsCanBeWritten(c *Call) error {
	if !flag(c.In, "accessLogs.enabled") || c.Preview {
		return nil
	}
	bucket := c.Cloud.find(c.text("accessLogs.bucket"), "id", state.Bucket)
	if bucket == nil || bucket.Existing {
		return nil
	}
	for _, p := range c.Cloud.all(state.BucketPolicy) {
		policy := text(p.Inputs, "policy")
		if text(p.Inputs, "bucket") == bucket.ID && strings.Contains(policy, "s3:PutObject") &&
			(strings.Contains(policy, "logdelivery.elasticloadbalancing.amazonaws.com") ||
				strings.Contains(policy, logDeliveryAccount)) {
			return nil
		}
	}
	return fail("InvalidConfigurationRequest",
		"access denied for %s: no policy lets the load balancer put objects into it; "+
			"the load balancer must depend on the policy",
		bucket.describe())
}

// balancerOf returns the ARN of a listener's load balancer.
func balancerOf(listener string) string {
	arn := strings.Replace(listener, ":listener/", ":loadbalancer/", 1)
	return arn[:max(strings.LastIndex(arn, "/"), 0)]
}

// forwards reports whether a listener or a rule sends requests to a target group.
func forwards(r *Resource, group string) bool {
	return slices.Contains(texts(r.Inputs, "defaultActions[].targetGroupArn"), group) || slices.Contains(texts(r.Inputs, "actions[].targetGroupArn"), group)
}

// oneBalancer refuses a target group that another load balancer has (CreateRule in the API reference of Elastic Load Balancing).
func oneBalancer(c *Call) error {
	of := balancerOf(c.text("listenerArn"))
	for _, group := range texts(c.In, "actions[].targetGroupArn") {
		for _, r := range append(c.Cloud.all(state.ListenerRule), c.Cloud.all(state.Listener)...) {
			other := text(r.Inputs, "loadBalancerArn")
			if r.Token == state.ListenerRule {
				other = balancerOf(text(r.Inputs, "listenerArn"))
			}
			if forwards(r, group) && other != of {
				return fail("TargetGroupAssociationLimit", "%s has a target group of %s already", other, r.describe())
			}
		}
	}
	return nil
}

// listenerFacts returns what Elastic Load Balancing says of a listener. Of one that the configuration names, only its ARN is known: it is
// taken for one of a team's own that is in order.
func listenerFacts(c *Cloud, args Object) (Object, error) {
	arn := text(args, "arn")
	r := c.find(arn, "arn", state.Listener)
	if r == nil {
		return nil, fail("ListenerNotFound", "there is no listener %s", arn)
	}
	out := clone(r.Outputs)
	if r.Existing {
		out["protocol"], out["port"], out["loadBalancerArn"] = "HTTPS", 443.0, balancerOf(arn)
	}
	out["id"] = arn
	return out, nil
}

func listenerFits(c *Call) error {
	var wrong []error
	certificate := c.given([]string{"certificateArn"}) == 1
	switch c.text("protocol") {
	case "HTTPS", "TLS":
		if !certificate {
			wrong = append(wrong, fail("CertificateNotFound", "an %s listener needs a certificateArn", c.text("protocol")))
		}
	case "HTTP", "TCP":
		if certificate || c.given([]string{"sslPolicy"}) == 1 {
			wrong = append(wrong, fail("InvalidConfigurationRequest", "an %s listener has no certificate and no sslPolicy",
				c.text("protocol")))
		}
	}
	if c.given([]string{"tcpIdleTimeoutSeconds"}) == 1 && c.text("protocol") != "TCP" {
		wrong = append(wrong, fail("InvalidConfigurationRequest", "only a TCP listener has tcpIdleTimeoutSeconds"))
	}
	for i, a := range objects(c.In, "defaultActions[]") {
		if a["type"] == "forward" && a["targetGroupArn"] == nil && a["forward"] == nil {
			wrong = append(wrong, fail("ValidationError", "defaultActions[%d] forwards to no target group", i))
		}
		if a["type"] == "redirect" && text(a, "redirect.statusCode") == "" {
			wrong = append(wrong, fail("ValidationError", "defaultActions[%d] redirects without a statusCode", i))
		}
	}
	return errors.Join(wrong...)
}

// protocolsFit refuses a listener with a protocol that its kind of load balancer does not have, and a forward to a target group with a
// protocol of the other kind (CreateListener and CreateTargetGroup in the API reference of Elastic Load Balancing).
func protocolsFit(c *Call) error {
	lb := c.Cloud.find(c.text("loadBalancerArn"), "arn", state.LoadBalancer)
	if lb == nil {
		return nil
	}
	network := text(lb.Inputs, "loadBalancerType") == "network"
	if strings.HasPrefix(c.text("protocol"), "HTTP") == network {
		return fail("ValidationError", "%s has no listeners for %s", lb.describe(), c.text("protocol"))
	}
	for _, arn := range texts(c.In, "defaultActions[].targetGroupArn") {
		if group := c.Cloud.find(arn, "arn", state.TargetGroup); group != nil && strings.HasPrefix(text(group.Inputs, "protocol"), "HTTP") == network {
			return fail("InvalidConfigurationRequest", "%s has the protocol %s, which a listener for %s does not forward to", group.describe(),
				text(group.Inputs, "protocol"), c.text("protocol"))
		}
	}
	return nil
}

// certificateIssued refuses a certificate that is not validated yet.
func certificateIssued(c *Call) error {
	if certificate := c.Cloud.find(c.text("certificateArn"), "arn", state.Certificate); certificate != nil &&
		!certificate.Existing && !c.Preview && !c.Cloud.validated(certificate) {
		return fail("UnsupportedCertificate", "%s is not issued yet; the listener must wait for its validation",
			certificate.describe())
	}
	return nil
}

func sameVPCAsBalancer(c *Call) error {
	lb := c.Cloud.find(c.text("loadBalancerArn"), "arn", state.LoadBalancer)
	for _, arn := range texts(c.In, "defaultActions[].targetGroupArn") {
		group := c.Cloud.find(arn, "arn", state.TargetGroup)
		if lb == nil || group == nil {
			continue
		}
		in, at := text(group.Outputs, "vpcId"), text(lb.Outputs, "vpcId")
		if in != "" && at != "" && in != at {
			return fail("InvalidConfigurationRequest", "%s is in %s and %s is in %s", group.describe(), in, lb.describe(), at)
		}
	}
	return nil
}

// wafTypes attach web ACLs.
var wafTypes = []Type{{
	Token: state.WebACLAssociation, Put: true, ID: "{webAclArn},{resourceArn}",
	Required: []string{"resourceArn", "webAclArn"},
	Replace:  []string{"resourceArn", "webAclArn"},
	Refs:     []Ref{ref("resourceArn", state.LoadBalancer).by("arn").free().code("WAFNonexistentItemException")},
	Fields: []Field{
		like("webAclArn", `arn:aws[a-z-]*:wafv2:[a-z0-9-]+:\d{12}:regional/webacl/[^/]+/[0-9a-f-]+`,
			"the ARN of a regional web ACL"),
	},
	Unique: []Unique{{By: []string{"resourceArn"}, Code: "WAFAssociatedItemException"}},
	Rules: []Rule{func(c *Call) error {
		if region, _ := placeOf(c.text("webAclArn")); region != "" && region != c.Cloud.region {
			return fail("WAFNonexistentItemException", "webAclArn is in %s and the load balancer in %s", region, c.Cloud.region)
		}
		return nil
	}},
}}
