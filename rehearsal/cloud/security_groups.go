package cloud

import (
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

const (
	// groupText is the pattern of names and descriptions of groups and rules in EC2.
	groupText = `[0-9A-Za-z_ .:/()#,@\[\]+=&;{}!$*-]*`
	groupWant = "letters, digits, spaces and ._-:/()#,@[]+=&;{}!$*"
)

// securityGroupTypes are security groups and their rules.
var securityGroupTypes = []Type{
	{
		Token: state.SecurityGroup, ID: "sg-{hex}", ARN: ec2ARN + "security-group/{id}", Tags: true, InUse: dependencyViolate,
		Name: "name", NamePrefix: "namePrefix",
		Defaults: Object{"description": "Managed by Pulumi", "revokeRulesOnDelete": false},
		Outputs:  Object{"ownerId": "{account}"},
		Replace:  []string{"name", "namePrefix", "description", "vpcId"},
		Refs: []Ref{ref("vpcId", state.VPC), ref("ingress[].securityGroups[]", state.SecurityGroup),
			ref("egress[].securityGroups[]", state.SecurityGroup)},
		Unique: []Unique{{By: []string{"vpcId", "name"}, Code: "InvalidGroup.Duplicate"}},
		Fields: []Field{like("name", groupText, groupWant, 1, 255), like("description", groupText, groupWant, 0, 255)},
		Check: []Rule{func(c *Call) error {
			if strings.HasPrefix(c.text("name"), "sg-") {
				return fail("InvalidParameterValue", "name is %q; a group's name cannot begin with sg-", c.text("name"))
			}
			return nil
		}, cidr("ingress[].cidrBlocks[]", 0, 32), cidr("egress[].cidrBlocks[]", 0, 32)},
	},
	{
		// It is the default group of every VPC; deleting it here leaves it in the VPC.
		Token: state.DefaultSecurityGroup, Put: true, ID: "sg-{hex}", ARN: ec2ARN + "security-group/{id}", Tags: true,
		Outputs: Object{"ownerId": "{account}", "name": "default", "description": "default VPC security group"},
		Replace: []string{"vpcId"},
		Refs:    []Ref{ref("vpcId", state.VPC).free()},
		Unique:  []Unique{{By: []string{"vpcId"}, Code: "InvalidGroup.Duplicate"}},
	},
	rule(state.SecurityGroupIngressRule, "ingress"), rule(state.SecurityGroupEgressRule, "egress"),
}

func rule(token, direction string) Type {
	return Type{
		Token: token, ID: "sgr-{hex}", ARN: ec2ARN + "security-group-rule/{id}", Tags: true,
		Required:   []string{"securityGroupId", "ipProtocol"},
		ExactlyOne: [][]string{{"cidrIpv4", "cidrIpv6", "prefixListId", "referencedSecurityGroupId"}},
		Outputs:    Object{"securityGroupRuleId": "{id}"},
		Replace:    []string{"securityGroupId"},
		Refs: []Ref{
			// A group's own rules are deleted with it; a rule of another group that names it prevents its deletion.
			ref("securityGroupId", state.SecurityGroup, state.DefaultSecurityGroup).code("InvalidGroup.NotFound").free(),
			ref("referencedSecurityGroupId", state.SecurityGroup, state.DefaultSecurityGroup).code("InvalidGroup.NotFound"),
		},
		Fields: []Field{
			between("fromPort", -1, 65535), between("toPort", -1, 65535), like("description", groupText, groupWant, 0, 255),
			like("ipProtocol", `tcp|udp|icmp|icmpv6|-1|\d{1,3}`, "tcp, udp, icmp, icmpv6, -1 for all, or a protocol number"),
			like("prefixListId", `pl-[0-9a-f]{8,17}`, "the id of a prefix list, pl-…"),
		},
		Unique: []Unique{{Code: "InvalidPermission.Duplicate", By: []string{
			"securityGroupId", "ipProtocol", "fromPort", "toPort", "cidrIpv4", "cidrIpv6", "prefixListId",
			"referencedSecurityGroupId",
		}}},
		Check: []Rule{cidr("cidrIpv4", 0, 32), portsFit},
		Rules: []Rule{sameVPC("securityGroupId", "referencedSecurityGroupId"), notTooManyRules(token, direction)},
	}
}

// portsFit refuses ports for a protocol without ports, and missing ports for one with ports.
func portsFit(c *Call) error {
	from, hasFrom := number(c.In, "fromPort")
	to, hasTo := number(c.In, "toPort")
	if c.unknown("fromPort", "toPort", "ipProtocol") {
		return nil
	}
	switch protocol := c.text("ipProtocol"); {
	case protocol == "tcp" || protocol == "udp" || protocol == "6" || protocol == "17":
		if !hasFrom || !hasTo {
			return fail("InvalidParameterValue", "fromPort and toPort are needed for %s", protocol)
		}
		if from < 0 || from > to {
			return fail("InvalidParameterValue", "the ports %g to %g are no range", from, to)
		}
	case protocol == "-1" && (hasFrom || hasTo):
		return fail("InvalidParameterValue",
			"ipProtocol -1 is every port of every protocol; fromPort and toPort must be left out")
	}
	return nil
}

// notTooManyRules enforces the default quota of a security group, 60 rules in each direction ("Amazon VPC quotas").
func notTooManyRules(token, direction string) Rule {
	const quota = 60
	return func(c *Call) error {
		n := 0
		for _, r := range c.Cloud.all(token) {
			if text(r.Inputs, "securityGroupId") == c.text("securityGroupId") {
				n++
			}
		}
		if c.Old == nil && n >= quota {
			return fail("RulesPerSecurityGroupLimitExceeded", "the group %s has %d %s rules already; the quota is %d",
				c.text("securityGroupId"), n, direction, quota)
		}
		return nil
	}
}

var onOff = []string{"enable", "disable"}

// transitGatewayTypes are the resources for multicast between subnets.
var transitGatewayTypes = []Type{
	{
		Token: state.TransitGateway, ID: "tgw-{hex}", ARN: ec2ARN + "transit-gateway/{id}", Tags: true, InUse: "IncorrectState",
		Defaults: Object{
			"amazonSideAsn": 64512, "autoAcceptSharedAttachments": "disable", "defaultRouteTableAssociation": "enable",
			"defaultRouteTablePropagation": "enable", "dnsSupport": "enable", "multicastSupport": "disable",
			"vpnEcmpSupport": "enable",
		},
		Outputs: Object{
			"ownerId": "{account}", "associationDefaultRouteTableId": "tgw-rtb-{hex}",
			"propagationDefaultRouteTableId": "tgw-rtb-{hex}",
		},
		Replace: []string{"multicastSupport"},
		Fields:  []Field{oneOf("multicastSupport", onOff...), oneOf("dnsSupport", onOff...)},
	},
	{
		Token: state.TransitGatewayVPCAttachment, ID: "tgw-attach-{hex}", ARN: ec2ARN + "transit-gateway-attachment/{id}", Tags: true,
		InUse:    "IncorrectState",
		Required: []string{"subnetIds", "transitGatewayId", "vpcId"},
		Defaults: Object{
			"applianceModeSupport": "disable", "dnsSupport": "enable", "ipv6Support": "disable",
			"transitGatewayDefaultRouteTableAssociation": true, "transitGatewayDefaultRouteTablePropagation": true,
		},
		Outputs: Object{"vpcOwnerId": "{account}"},
		Replace: []string{"transitGatewayId", "vpcId"},
		Refs:    []Ref{ref("subnetIds[]", state.Subnet), ref("transitGatewayId", state.TransitGateway), ref("vpcId", state.VPC)},
		Unique:  []Unique{{By: []string{"transitGatewayId", "vpcId"}, Code: "DuplicateTransitGatewayAttachment"}},
		Rules:   []Rule{sameVPC("vpcId", "subnetIds[]"), oneSubnetPerZone("subnetIds[]", "DuplicateSubnetsInSameZone")},
	},
	{
		Token: state.MulticastDomain, ID: "tgw-mcast-domain-{hex}", ARN: ec2ARN + "transit-gateway-multicast-domain/{id}", Tags: true,
		InUse:    "IncorrectState",
		Required: []string{"transitGatewayId"},
		Defaults: Object{
			"autoAcceptSharedAssociations": "disable", "igmpv2Support": "disable", "staticSourcesSupport": "disable",
		},
		Outputs: Object{"ownerId": "{account}"},
		Replace: []string{"transitGatewayId", "autoAcceptSharedAssociations", "igmpv2Support", "staticSourcesSupport"},
		Refs:    []Ref{ref("transitGatewayId", state.TransitGateway)},
		Fields:  []Field{oneOf("igmpv2Support", onOff...), oneOf("staticSourcesSupport", onOff...)},
		Check: []Rule{func(c *Call) error {
			if c.text("igmpv2Support") == "enable" && c.text("staticSourcesSupport") == "enable" {
				return fail("InvalidParameterValue", "igmpv2Support and staticSourcesSupport exclude each other")
			}
			return nil
		}},
		Rules: []Rule{func(c *Call) error {
			gateway := c.Cloud.find(c.text("transitGatewayId"), "id", state.TransitGateway)
			if gateway != nil && text(gateway.Outputs, "multicastSupport") != "enable" {
				return fail("IncorrectState", "%s does not support multicast", gateway.describe())
			}
			return nil
		}},
	},
	{
		Token: state.MulticastDomainAssociation, ID: "{transitGatewayMulticastDomainId}/{transitGatewayAttachmentId}/{subnetId}",
		Required: []string{"subnetId", "transitGatewayAttachmentId", "transitGatewayMulticastDomainId"},
		Replace:  []string{"subnetId", "transitGatewayAttachmentId", "transitGatewayMulticastDomainId"},
		Refs: []Ref{
			ref("subnetId", state.Subnet), ref("transitGatewayAttachmentId", state.TransitGatewayVPCAttachment),
			ref("transitGatewayMulticastDomainId", state.MulticastDomain),
		},
		Unique: []Unique{{By: []string{"transitGatewayMulticastDomainId", "subnetId"}, Code: "Resource.AlreadyAssociated"}},
		Rules: []Rule{func(c *Call) error {
			attachment := c.Cloud.find(c.text("transitGatewayAttachmentId"), "id", state.TransitGatewayVPCAttachment)
			subnet := c.Cloud.find(c.text("subnetId"), "id", state.Subnet)
			if attachment == nil || subnet == nil {
				return nil
			}
			if in, at := text(subnet.Outputs, "vpcId"), text(attachment.Outputs, "vpcId"); in != "" && in != at {
				return fail("InvalidParameterValue", "%s is in %s, and the attachment is of %s", subnet.describe(), in, at)
			}
			zone := text(subnet.Outputs, "availabilityZone")
			for _, id := range texts(attachment.Outputs, "subnetIds[]") {
				if s := c.Cloud.find(id, "id", state.Subnet); s == nil || text(s.Outputs, "availabilityZone") == zone {
					return nil
				}
			}
			return fail("InvalidParameterValue", "the attachment has no subnet in %s, the zone of %s", zone, subnet.describe())
		}},
	},
}
