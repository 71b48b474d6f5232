package cloud

import (
	"fmt"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

const (
	ec2ARN            = "arn:{partition}:ec2:{region}:{account}:"
	dependencyViolate = "DependencyViolation"
)

// networkTypes are VPCs and their parts.
var networkTypes = []Type{
	{
		Token: state.VPC, ID: "vpc-{hex}", ARN: ec2ARN + "vpc/{id}", Tags: true, InUse: dependencyViolate,
		ExactlyOne: [][]string{{"cidrBlock", "ipv4IpamPoolId"}},
		Defaults:   Object{"enableDnsSupport": true, "instanceTenancy": "default"},
		Outputs: Object{
			"ownerId": "{account}", "defaultNetworkAclId": "acl-{hex}", "defaultRouteTableId": "rtb-{hex}",
			"mainRouteTableId": "rtb-{hex}", "defaultSecurityGroupId": "sg-{hex}", "dhcpOptionsId": "dopt-{hex}",
			"enableDnsHostnames": false, "enableNetworkAddressUsageMetrics": false,
		},
		Replace: []string{"cidrBlock", "ipv4IpamPoolId", "ipv4NetmaskLength"},
		Fields:  []Field{oneOf("instanceTenancy", "default", "dedicated")},
		Check:   []Rule{cidr("cidrBlock", 16, 28)},
	},
	{
		Token: state.Subnet, ID: "subnet-{hex}", ARN: ec2ARN + "subnet/{id}", Tags: true, InUse: dependencyViolate,
		Required: []string{"vpcId"},
		Defaults: Object{"mapPublicIpOnLaunch": false, "assignIpv6AddressOnCreation": false},
		Outputs:  Object{"ownerId": "{account}"},
		Replace:  []string{"vpcId", "cidrBlock", "availabilityZone", "availabilityZoneId", "outpostArn"},
		Refs:     []Ref{ref("vpcId", state.VPC)},
		Check:    []Rule{cidr("cidrBlock", 16, 28)},
		Rules:    []Rule{zoneExists("availabilityZone"), subnetFits},
		After: func(c *Call) {
			if c.Out["availabilityZone"] == nil {
				c.Out["availabilityZone"] = c.Cloud.zones()[0]
			}
			if zone := text(c.Out, "availabilityZone"); zone != "" {
				c.Out["availabilityZoneId"] = zoneID(zone)
			}
		},
	},
	{
		Token: state.SubnetCIDRReservation, ID: "scr-{hex}",
		Required: []string{"cidrBlock", "reservationType", "subnetId"},
		Outputs:  Object{"ownerId": "{account}"},
		Replace:  []string{"cidrBlock", "description", "reservationType", "subnetId"},
		Fields:   []Field{oneOf("reservationType", "explicit", "prefix")},
		Refs:     []Ref{ref("subnetId", state.Subnet)},
		Check:    []Rule{cidr("cidrBlock", 16, 32)},
		Rules:    []Rule{reservationFits},
	},
	{
		Token: state.InternetGateway, ID: "igw-{hex}", ARN: ec2ARN + "internet-gateway/{id}", Tags: true, InUse: dependencyViolate,
		Outputs: Object{"ownerId": "{account}"},
		Refs:    []Ref{ref("vpcId", state.VPC)},
		Unique:  []Unique{{By: []string{"vpcId"}, Code: "Resource.AlreadyAssociated"}},
		Deletable: []Rule{func(c *Call) error {
			// An internet gateway cannot be detached while public addresses are mapped in its VPC.
			for _, nat := range c.Cloud.all(state.NATGateway) {
				if text(nat.Outputs, "vpcId") == text(c.Out, "vpcId") {
					return fail(dependencyViolate, "Network %s has mapped public addresses: %s", text(c.Out, "vpcId"),
						nat.describe())
				}
			}
			return nil
		}},
	},
	{
		Token: state.ElasticIP, ID: "eipalloc-{hex}", ARN: ec2ARN + "elastic-ip/{id}", Tags: true, InUse: "AuthFailure",
		Outputs: Object{"allocationId": "{id}", "networkBorderGroup": "{region}", "publicIpv4Pool": "amazon"},
		Replace: []string{"domain", "address", "customerOwnedIpv4Pool", "networkBorderGroup", "publicIpv4Pool"},
		Fields:  []Field{oneOf("domain", "vpc", "standard")},
		Refs:    []Ref{ref("instance", state.EC2Instance), ref("networkInterface", state.NetworkInterface)},
		After: func(c *Call) {
			c.Out["publicIp"] = c.expand("{digits}")
			if digits, ok := c.Out["publicIp"].(string); ok {
				// 198.51.100.0/24 is reserved for documentation, so no address of a rehearsal belongs to anybody.
				var last int
				_, _ = fmt.Sscan(strings.TrimLeft(digits[7:], "0"), &last)
				c.Out["publicIp"] = fmt.Sprintf("198.51.100.%d", last%254+1)
			}
		},
	},
	{
		Token: state.NATGateway, ID: "nat-{hex}", Tags: true, InUse: dependencyViolate,
		Required: []string{"subnetId"},
		Defaults: Object{"connectivityType": "public"},
		Outputs:  Object{"networkInterfaceId": "eni-{hex}", "associationId": "eipassoc-{hex}"},
		Replace:  []string{"allocationId", "connectivityType", "privateIp", "subnetId"},
		Fields:   []Field{oneOf("connectivityType", "public", "private")},
		Refs:     []Ref{ref("subnetId", state.Subnet), ref("allocationId", state.ElasticIP)},
		Unique:   []Unique{{By: []string{"allocationId"}, Code: "Resource.AlreadyAssociated"}},
		Rules:    []Rule{natHasWayOut},
		After: func(c *Call) {
			c.placeInSubnet("subnetId", "privateIp")
			if a := c.Cloud.find(c.text("allocationId"), "id", state.ElasticIP); a != nil {
				c.Out["publicIp"] = a.Outputs["publicIp"]
			}
		},
	},
	{
		Token: state.RouteTable, ID: "rtb-{hex}", ARN: ec2ARN + "route-table/{id}", Tags: true, InUse: dependencyViolate,
		Required: []string{"vpcId"},
		Outputs:  Object{"ownerId": "{account}"},
		Replace:  []string{"vpcId"},
		Refs:     []Ref{ref("vpcId", state.VPC)},
	},
	{
		Token: state.Route, ID: "r-{routeTableId}-{destinationCidrBlock}{destinationPrefixListId}", InUse: dependencyViolate,
		Required: []string{"routeTableId"},
		ExactlyOne: [][]string{
			{"destinationCidrBlock", "destinationIpv6CidrBlock", "destinationPrefixListId"},
			{
				"gatewayId", "natGatewayId", "networkInterfaceId", "transitGatewayId", "vpcEndpointId", "vpcPeeringConnectionId",
				"egressOnlyGatewayId",
			},
		},
		Outputs: Object{"origin": "CreateRoute", "state": "active"},
		Replace: []string{"routeTableId", "destinationCidrBlock", "destinationIpv6CidrBlock", "destinationPrefixListId"},
		Refs: []Ref{
			ref("routeTableId", state.RouteTable), ref("gatewayId", state.InternetGateway).free(), ref("natGatewayId", state.NATGateway).free(),
			ref("transitGatewayId", state.TransitGateway).free(), ref("networkInterfaceId", state.NetworkInterface).free(),
		},
		Unique: []Unique{{By: []string{"routeTableId", "destinationCidrBlock", "destinationPrefixListId"},
			Code: "RouteAlreadyExists"}},
		Check: []Rule{cidr("destinationCidrBlock", 0, 32)},
		Rules: []Rule{sameVPC("routeTableId", "gatewayId", "natGatewayId")},
	},
	{
		Token: state.RouteTableAssociation, ID: "rtbassoc-{hex}",
		Required:   []string{"routeTableId"},
		ExactlyOne: [][]string{{"subnetId", "gatewayId"}},
		Replace:    []string{"subnetId", "gatewayId"},
		Refs: []Ref{
			ref("routeTableId", state.RouteTable), ref("subnetId", state.Subnet).free(), ref("gatewayId", state.InternetGateway),
		},
		Unique: []Unique{{By: []string{"subnetId"}, Code: "Resource.AlreadyAssociated"}},
		Rules:  []Rule{sameVPC("routeTableId", "subnetId")},
	},
	{
		Token: state.VPCEndpoint, ID: "vpce-{hex}", ARN: ec2ARN + "vpc-endpoint/{id}", Tags: true, InUse: dependencyViolate,
		Required: []string{"vpcId"},
		Defaults: Object{"vpcEndpointType": "Gateway"},
		Outputs:  Object{"ownerId": "{account}", "state": "available", "requesterManaged": false},
		Replace:  []string{"vpcId", "serviceName", "vpcEndpointType"},
		Fields:   []Field{oneOf("vpcEndpointType", "Gateway", "Interface", "GatewayLoadBalancer")},
		Refs: []Ref{
			ref("vpcId", state.VPC), ref("subnetIds[]", state.Subnet), ref("routeTableIds[]", state.RouteTable).free(),
			ref("securityGroupIds[]", state.SecurityGroup),
		},
		Check: []Rule{policyDocument("policy", resourcePolicy, 20480)},
		Rules: []Rule{
			sameVPC("vpcId", "subnetIds[]", "routeTableIds[]", "securityGroupIds[]"), endpointFits, endpointZones, endpointPolicy,
			oneSubnetPerZone("subnetIds[]", "DuplicateSubnetsInSameZone"),
		},
		After: endpointOutputs,
	},
	{
		Token: state.FlowLog, ID: "fl-{hex}", ARN: ec2ARN + "vpc-flow-log/{id}", Tags: true,
		ExactlyOne: [][]string{{"vpcId", "subnetId", "eniId", "transitGatewayId", "transitGatewayAttachmentId"}},
		Defaults:   Object{"logDestinationType": "cloud-watch-logs", "maxAggregationInterval": 600},
		Replace: []string{
			"vpcId", "subnetId", "eniId", "transitGatewayId", "transitGatewayAttachmentId", "logDestination", "logGroupName",
			"logDestinationType", "trafficType", "iamRoleArn", "deliverCrossAccountRole", "logFormat", "maxAggregationInterval",
			"destinationOptions",
		},
		Fields: []Field{
			oneOf("trafficType", "ACCEPT", "REJECT", "ALL"), oneOf("maxAggregationInterval", "60", "600"),
			oneOf("logDestinationType", "cloud-watch-logs", "s3", "kinesis-data-firehose"),
		},
		Refs: []Ref{
			ref("vpcId", state.VPC).free(), ref("subnetId", state.Subnet).free(),
			ref("logDestination", state.LogGroup, state.Bucket).by("arn").free().code("LogDestinationNotFoundException").or(existingLogGroup),
			ref("iamRoleArn", state.Role).by("arn").free().code("InvalidParameter"),
		},
		Check: []Rule{func(c *Call) error {
			if c.text("logDestinationType") == "cloud-watch-logs" && c.given([]string{"iamRoleArn"}) == 0 {
				return fail("InvalidParameter", "iamRoleArn is needed for a log in CloudWatch")
			}
			return nil
		}},
		Rules:  []Rule{trusts("iamRoleArn", "vpc-flow-logs.{suffix}", "vpc-flow-logs.amazonaws.com")},
		Unique: []Unique{{By: []string{"vpcId", "logDestination", "trafficType"}, Code: "FlowLogAlreadyExists"}},
	},
	{
		Token: state.NetworkInterface, ID: "eni-{hex}", ARN: ec2ARN + "network-interface/{id}", Tags: true,
		InUse:    "InvalidParameterValue",
		Required: []string{"subnetId"},
		Defaults: Object{"sourceDestCheck": true},
		Outputs:  Object{"ownerId": "{account}", "interfaceType": "interface", "macAddress": "02:00:00:00:00:01"},
		Replace:  []string{"subnetId", "privateIps"}, // the primary address; there is no other here
		Refs:     []Ref{ref("subnetId", state.Subnet), ref("securityGroups[]", state.SecurityGroup)},
		Rules:    []Rule{sameVPC("subnetId", "securityGroups[]"), addressFits("subnetId", "privateIps[]")},
		After: func(c *Call) {
			c.placeInSubnet("subnetId", "privateIp")
			if ips := texts(c.In, "privateIps[]"); len(ips) > 0 {
				c.Out["privateIp"] = ips[0]
			} else if ip := text(c.Out, "privateIp"); ip != "" {
				c.Out["privateIps"] = []any{ip}
			}
		},
	},
}
