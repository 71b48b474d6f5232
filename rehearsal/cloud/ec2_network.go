package cloud

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
)

const (
	vpcType           = "aws:ec2/vpc:Vpc"
	subnetType        = "aws:ec2/subnet:Subnet"
	reservationType   = "aws:ec2/subnetCidrReservation:SubnetCidrReservation"
	gatewayType       = "aws:ec2/internetGateway:InternetGateway"
	addressType       = "aws:ec2/eip:Eip"
	natType           = "aws:ec2/natGateway:NatGateway"
	routeTableType    = "aws:ec2/routeTable:RouteTable"
	routeType         = "aws:ec2/route:Route"
	associationType   = "aws:ec2/routeTableAssociation:RouteTableAssociation"
	endpointType      = "aws:ec2/vpcEndpoint:VpcEndpoint"
	flowLogType       = "aws:ec2/flowLog:FlowLog"
	networkInterface  = "aws:ec2/networkInterface:NetworkInterface"
	ec2ARN            = "arn:{partition}:ec2:{region}:{account}:"
	dependencyViolate = "DependencyViolation"
)

// networkTypes are VPCs and what lies in them.
var networkTypes = []Type{
	{
		Token: vpcType, ID: "vpc-{hex}", ARN: ec2ARN + "vpc/{id}", Tags: true, InUse: dependencyViolate,
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
		Token: subnetType, ID: "subnet-{hex}", ARN: ec2ARN + "subnet/{id}", Tags: true, InUse: dependencyViolate,
		Required: []string{"vpcId"},
		Defaults: Object{"mapPublicIpOnLaunch": false, "assignIpv6AddressOnCreation": false},
		Outputs:  Object{"ownerId": "{account}"},
		Replace:  []string{"vpcId", "cidrBlock", "availabilityZone", "availabilityZoneId", "outpostArn"},
		Refs:     []Ref{ref("vpcId", vpcType)},
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
		Token: reservationType, ID: "scr-{hex}",
		Required: []string{"cidrBlock", "reservationType", "subnetId"},
		Outputs:  Object{"ownerId": "{account}"},
		Replace:  []string{"cidrBlock", "description", "reservationType", "subnetId"},
		Fields:   []Field{oneOf("reservationType", "explicit", "prefix")},
		Refs:     []Ref{ref("subnetId", subnetType)},
		Check:    []Rule{cidr("cidrBlock", 16, 32)},
		Rules:    []Rule{reservationFits},
	},
	{
		Token: gatewayType, ID: "igw-{hex}", ARN: ec2ARN + "internet-gateway/{id}", Tags: true, InUse: dependencyViolate,
		Outputs: Object{"ownerId": "{account}"},
		Refs:    []Ref{ref("vpcId", vpcType)},
		Unique:  []Unique{{By: []string{"vpcId"}, Code: "Resource.AlreadyAssociated"}},
		Deletable: []Rule{func(c *Call) error {
			// An internet gateway cannot be detached while public addresses are mapped in its VPC.
			for _, nat := range c.Cloud.all(natType) {
				if text(nat.Outputs, "vpcId") == text(c.Out, "vpcId") {
					return fail(dependencyViolate, "Network %s has mapped public addresses: %s", text(c.Out, "vpcId"),
						nat.describe())
				}
			}
			return nil
		}},
	},
	{
		Token: addressType, ID: "eipalloc-{hex}", ARN: ec2ARN + "elastic-ip/{id}", Tags: true, InUse: "AuthFailure",
		Outputs: Object{"allocationId": "{id}", "networkBorderGroup": "{region}", "publicIpv4Pool": "amazon"},
		Replace: []string{"domain", "address", "customerOwnedIpv4Pool", "networkBorderGroup", "publicIpv4Pool"},
		Fields:  []Field{oneOf("domain", "vpc", "standard")},
		Refs:    []Ref{ref("instance", instanceType), ref("networkInterface", networkInterface)},
		After: func(c *Call) {
			c.Out["publicIp"] = c.expand("{digits}")
			if digits, ok := c.Out["publicIp"].(string); ok {
				// 198.51.100.0/24 is set aside for documentation, so no address of a rehearsal is anybody's.
				var last int
				_, _ = fmt.Sscan(strings.TrimLeft(digits[7:], "0"), &last)
				c.Out["publicIp"] = fmt.Sprintf("198.51.100.%d", last%254+1)
			}
		},
	},
	{
		Token: natType, ID: "nat-{hex}", Tags: true, InUse: dependencyViolate,
		Required: []string{"subnetId"},
		Defaults: Object{"connectivityType": "public"},
		Outputs:  Object{"networkInterfaceId": "eni-{hex}", "associationId": "eipassoc-{hex}"},
		Replace:  []string{"allocationId", "connectivityType", "privateIp", "subnetId"},
		Fields:   []Field{oneOf("connectivityType", "public", "private")},
		Refs:     []Ref{ref("subnetId", subnetType), ref("allocationId", addressType)},
		Unique:   []Unique{{By: []string{"allocationId"}, Code: "Resource.AlreadyAssociated"}},
		Rules:    []Rule{natHasWayOut},
		After: func(c *Call) {
			c.placed("subnetId", "privateIp")
			if a := c.Cloud.find(c.text("allocationId"), "id", addressType); a != nil {
				c.Out["publicIp"] = a.Outputs["publicIp"]
			}
		},
	},
	{
		Token: routeTableType, ID: "rtb-{hex}", ARN: ec2ARN + "route-table/{id}", Tags: true, InUse: dependencyViolate,
		Required: []string{"vpcId"},
		Outputs:  Object{"ownerId": "{account}"},
		Replace:  []string{"vpcId"},
		Refs:     []Ref{ref("vpcId", vpcType)},
	},
	{
		Token: routeType, ID: "r-{routeTableId}-{destinationCidrBlock}{destinationPrefixListId}", InUse: dependencyViolate,
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
			ref("routeTableId", routeTableType), ref("gatewayId", gatewayType).free(), ref("natGatewayId", natType).free(),
			ref("transitGatewayId", transitGatewayType).free(), ref("networkInterfaceId", networkInterface).free(),
		},
		Unique: []Unique{{By: []string{"routeTableId", "destinationCidrBlock", "destinationPrefixListId"},
			Code: "RouteAlreadyExists"}},
		Check: []Rule{cidr("destinationCidrBlock", 0, 32)},
		Rules: []Rule{sameVPC("routeTableId", "gatewayId", "natGatewayId")},
	},
	{
		Token: associationType, ID: "rtbassoc-{hex}",
		Required:   []string{"routeTableId"},
		ExactlyOne: [][]string{{"subnetId", "gatewayId"}},
		Replace:    []string{"subnetId", "gatewayId"},
		Refs: []Ref{
			ref("routeTableId", routeTableType), ref("subnetId", subnetType).free(), ref("gatewayId", gatewayType),
		},
		Unique: []Unique{{By: []string{"subnetId"}, Code: "Resource.AlreadyAssociated"}},
		Rules:  []Rule{sameVPC("routeTableId", "subnetId")},
	},
	{
		Token: endpointType, ID: "vpce-{hex}", ARN: ec2ARN + "vpc-endpoint/{id}", Tags: true, InUse: dependencyViolate,
		Required: []string{"vpcId"},
		Defaults: Object{"vpcEndpointType": "Gateway"},
		Outputs:  Object{"ownerId": "{account}", "state": "available", "requesterManaged": false},
		Replace:  []string{"vpcId", "serviceName", "vpcEndpointType"},
		Fields:   []Field{oneOf("vpcEndpointType", "Gateway", "Interface", "GatewayLoadBalancer")},
		Refs: []Ref{
			ref("vpcId", vpcType), ref("subnetIds[]", subnetType), ref("routeTableIds[]", routeTableType).free(),
			ref("securityGroupIds[]", groupType),
		},
		Check: []Rule{policyDocument("policy", resourcePolicy, 20480)},
		Rules: []Rule{
			sameVPC("vpcId", "subnetIds[]", "routeTableIds[]", "securityGroupIds[]"), endpointFits, endpointZones,
			oneSubnetPerZone("subnetIds[]", "DuplicateSubnetsInSameZone"),
		},
		After: endpointOutputs,
	},
	{
		Token: flowLogType, ID: "fl-{hex}", ARN: ec2ARN + "vpc-flow-log/{id}", Tags: true,
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
			ref("vpcId", vpcType).free(), ref("subnetId", subnetType).free(),
			ref("logDestination", logGroupType, bucketType).by("arn").free().code("LogDestinationNotFoundException"),
			ref("iamRoleArn", roleType).by("arn").free().code("InvalidParameter"),
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
		Token: networkInterface, ID: "eni-{hex}", ARN: ec2ARN + "network-interface/{id}", Tags: true,
		InUse:    "InvalidParameterValue",
		Required: []string{"subnetId"},
		Defaults: Object{"sourceDestCheck": true},
		Outputs:  Object{"ownerId": "{account}", "interfaceType": "interface", "macAddress": "02:00:00:00:00:01"},
		Replace:  []string{"subnetId"},
		Refs:     []Ref{ref("subnetId", subnetType), ref("securityGroups[]", groupType)},
		Rules:    []Rule{sameVPC("subnetId", "securityGroups[]"), addressFits("subnetId", "privateIps[]")},
		After: func(c *Call) {
			c.placed("subnetId", "privateIp")
			if ips := texts(c.In, "privateIps[]"); len(ips) > 0 {
				c.Out["privateIp"] = ips[0]
			} else if ip := text(c.Out, "privateIp"); ip != "" {
				c.Out["privateIps"] = []any{ip}
			}
		},
	},
}

// otherIDs are the ids that do not follow the letter: us-west-1 offers an account two of its three zones, usw1-az1 and
// usw1-az3 to newer accounts.
var otherIDs = map[string]string{"us-west-1b": "usw1-az3"}

// zoneID makes a zone id of the usual form, such as euw1-az1. The account decides which zone it really is.
func zoneID(zone string) string {
	if id, ok := otherIDs[zone]; ok {
		return id
	}
	region, letter := zone[:len(zone)-1], zone[len(zone)-1]
	parts := strings.Split(region, "-")
	short := parts[0]
	for _, word := range parts[1:] {
		switch word {
		case "northeast", "southeast", "northwest", "southwest":
			short += word[:1] + word[5:6]
		default:
			short += word[:1]
		}
	}
	return fmt.Sprintf("%s-az%d", short, letter-'a'+1)
}

// subnetFits refuses a subnet outside its VPC or over another one.
func subnetFits(c *Call) error {
	vpc := c.Cloud.find(c.text("vpcId"), "id", vpcType)
	own := prefix(c.text("cidrBlock"))
	if vpc == nil || !own.IsValid() {
		return nil
	}
	if outer := prefix(text(vpc.Outputs, "cidrBlock")); outer.IsValid() && !contains(outer, own) {
		return fail("InvalidSubnet.Range", "the CIDR %s is not within %s of %s", own, outer, vpc.describe())
	}
	for _, other := range c.Cloud.all(subnetType) {
		if other.ID == c.ID || text(other.Outputs, "vpcId") != vpc.ID {
			continue
		}
		if p := prefix(text(other.Outputs, "cidrBlock")); p.IsValid() && p.Overlaps(own) {
			return fail("InvalidSubnet.Conflict", "the CIDR %s overlaps %s of %s", own, p, other.describe())
		}
	}
	return nil
}

// reservationFits refuses a range that is not in its subnet, and one that overlaps another reservation in the VPC.
func reservationFits(c *Call) error {
	subnet, own := c.Cloud.find(c.text("subnetId"), "id", subnetType), prefix(c.text("cidrBlock"))
	if subnet == nil || !own.IsValid() {
		return nil
	}
	if outer := prefix(text(subnet.Outputs, "cidrBlock")); outer.IsValid() && !contains(outer, own) {
		return fail("InvalidParameterValue", "the CIDR %s is not within %s of %s", own, outer, subnet.describe())
	}
	for _, other := range c.Cloud.all(reservationType) {
		if other.ID != c.ID && prefix(text(other.Outputs, "cidrBlock")).Overlaps(own) &&
			text(other.Outputs, "subnetId") == subnet.ID {
			return fail("InvalidParameterValue", "the CIDR %s overlaps %s of %s", own, text(other.Outputs, "cidrBlock"),
				other.describe())
		}
	}
	return nil
}

// kept reports whether a subnet's address is given only to who asks for it.
func (c *Cloud) kept(subnet string, a netip.Addr) bool {
	return slices.ContainsFunc(c.all(reservationType), func(r *Resource) bool {
		return text(r.Outputs, "subnetId") == subnet && prefix(text(r.Outputs, "cidrBlock")).Contains(a)
	})
}

func contains(outer, inner netip.Prefix) bool {
	return outer.Bits() <= inner.Bits() && outer.Contains(inner.Addr())
}

// natHasWayOut refuses a public NAT gateway without an address, or in a VPC without an internet gateway.
func natHasWayOut(c *Call) error {
	if c.text("connectivityType") != "public" || c.Preview {
		return nil
	}
	if c.given([]string{"allocationId"}) == 0 {
		return fail("MissingParameter", "a public NAT gateway needs an allocationId")
	}
	subnet := c.Cloud.find(c.text("subnetId"), "id", subnetType)
	if subnet == nil {
		return nil
	}
	return c.Cloud.hasGateway(text(subnet.Outputs, "vpcId"), "Gateway.NotAttached")
}

// hasGateway refuses a VPC without an internet gateway. What an adopted VPC has is not known.
func (c *Cloud) hasGateway(vpc, code string) error {
	if v := c.find(vpc, "id", vpcType); v == nil || v.Existing {
		return nil
	}
	for _, g := range c.all(gatewayType) {
		if text(g.Outputs, "vpcId") == vpc {
			return nil
		}
	}
	return fail(code, "network %s has no internet gateway attached; the resource must depend on the gateway", vpc)
}

// oneSubnetPerZone refuses two subnets of one zone where the service wants one per zone.
func oneSubnetPerZone(path, code string) Rule {
	return func(c *Call) error {
		taken := map[string]*Resource{}
		for _, id := range texts(c.In, path) {
			s := c.Cloud.find(id, "id", subnetType)
			if s == nil {
				continue
			}
			zone := text(s.Outputs, "availabilityZone")
			if other := taken[zone]; other != nil && zone != "" {
				return fail(code, "%s and %s are both in %s; one subnet per zone is possible", other.describe(), s.describe(), zone)
			}
			taken[zone] = s
		}
		return nil
	}
}

// reserved says whether a subnet keeps an address for itself: the first four and the last.
func reserved(subnet netip.Prefix, a netip.Addr) bool {
	low := subnet.Addr()
	for range 4 {
		if a == low {
			return true
		}
		low = low.Next()
	}
	return a == last(subnet)
}

func last(p netip.Prefix) netip.Addr {
	b := p.Addr().As4()
	for i := p.Bits(); i < 32; i++ {
		b[i/8] |= 1 << (7 - i%8)
	}
	return netip.AddrFrom4(b)
}

// taken lists the addresses in use in a subnet.
func (c *Cloud) taken(subnet string) map[string]*Resource {
	used := map[string]*Resource{}
	for _, r := range c.resources {
		if eni := c.resources[networkInterface+" "+text(r.Outputs, "primaryNetworkInterfaceId")]; eni != nil && eni != r {
			continue // the address is its network interface's
		}
		for path, in := range map[string]string{
			"privateIp": "subnetId", "ipAddress": "subnetId", "addresses": "",
		} {
			if in != "" && text(r.Outputs, in) == subnet && text(r.Outputs, path) != "" {
				used[text(r.Outputs, path)] = r
			}
		}
	}
	return used
}

// addressFits refuses addresses outside the subnet, reserved by it, or in use.
func addressFits(subnetPath, path string) Rule {
	return func(c *Call) error {
		subnet := c.Cloud.find(c.text(subnetPath), "id", subnetType)
		if subnet == nil {
			return nil
		}
		within := prefix(text(subnet.Outputs, "cidrBlock"))
		var wrong []error
		for _, at := range find(c.In, path) {
			s, ok := at.value.(string)
			if !ok {
				continue
			}
			a, err := netip.ParseAddr(s)
			if err != nil {
				wrong = append(wrong, fail("InvalidParameterValue", "%s is %q, which is no address", at.path, s))
				continue
			}
			if !within.IsValid() {
				continue
			}
			if !within.Contains(a) || reserved(within, a) {
				wrong = append(wrong, fail("InvalidParameterValue",
					"%s is %s, which cannot be had in %s of %s (its first four addresses and its last are reserved)", at.path, a,
					within, subnet.describe()))
			}
			if other := c.Cloud.taken(subnet.ID)[s]; other != nil && other != c.Old && !c.Preview {
				wrong = append(wrong, fail("InvalidIPAddress.InUse", "%s is %s, which %s has", at.path, a, other.describe()))
			}
		}
		return errors.Join(wrong...)
	}
}

// placed fills in the VPC, the zone and, where none was asked for, an address. Addresses are taken from the upper half
// of the subnet by the resource's name, so that they do not hang on the order in which resources come up.
func (c *Call) placed(subnetPath, address string) {
	if c.Out[address] == nil {
		c.Out[address] = Unknown{}
	}
	s := c.Cloud.find(text(c.Out, subnetPath), "id", subnetType)
	if s == nil {
		return
	}
	c.Out["vpcId"] = s.Outputs["vpcId"]
	if !c.Preview && hasUnknown(c.Out[address]) {
		c.Out[address] = c.Cloud.freeAddress(s, c.URN)
	}
}

func (c *Cloud) freeAddress(subnet *Resource, seed string) string {
	within := prefix(text(subnet.Outputs, "cidrBlock"))
	if !within.IsValid() || !within.Addr().Is4() {
		return ""
	}
	used := c.taken(subnet.ID)
	size := uint64(1) << (32 - within.Bits())
	var start uint64
	_, _ = fmt.Sscan(strings.TrimLeft(identifier(seed, "digits"), "0"), &start)
	base := within.Addr().As4()
	first := uint64(base[0])<<24 | uint64(base[1])<<16 | uint64(base[2])<<8 | uint64(base[3])
	for i := range size {
		n := size/2 + (start+i)%(size/2)
		if i >= size/2 {
			n = i - size/2
		}
		v := first + n
		a := netip.AddrFrom4([4]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)})
		if !reserved(within, a) && used[a.String()] == nil && !c.kept(subnet.ID, a) {
			return a.String()
		}
	}
	return ""
}

// endpointServices are the AWS services that the cloud knows an endpoint of, by kind.
var endpointServices = map[string][]string{
	"Gateway": {"s3", "dynamodb"},
	"Interface": {
		"autoscaling", "cloudformation", "ec2", "ec2messages", "ecr.api", "ecr.dkr", "ecs", "ecs-agent", "ecs-telemetry",
		"eks",
		"eks-auth", "elasticfilesystem", "elasticloadbalancing", "email-smtp", "events", "kms", "logs", "monitoring", "rds",
		"s3",
		"secretsmanager", "sns", "sqs", "ssm", "ssmmessages", "sts", "wafv2", "xray",
	},
}

// chineseServices are the services whose interface endpoints begin with cn. in China's regions. All others' names begin
// with com.amazonaws there too, as do all names in GovCloud (aws-cdk, aws-ec2/lib/vpc-endpoint.ts,
// VPC_ENDPOINT_SERVICE_EXCEPTIONS).
var chineseServices = []string{
	"autoscaling", "cloudformation", "ec2", "ecr.api", "ecr.dkr", "eks", "elasticfilesystem", "monitoring", "rds", "s3", "sqs",
	"sts", "xray",
}

// endpointService is the full name of an endpoint service.
func (c *Cloud) endpointService(kindOf, service string) string {
	name := "com.amazonaws." + c.region + "." + service
	if kindOf == "Interface" && c.partition() == "aws-cn" && slices.Contains(chineseServices, service) {
		return "cn." + name
	}
	return name
}

// noSESEndpoint are the ids of the zones in which Amazon SES has no VPC endpoint.
// Source: https://docs.aws.amazon.com/ses/latest/dg/send-email-set-up-vpc-endpoints.html
var noSESEndpoint = []string{
	"use1-az2", "use1-az3", "use1-az5", "usw1-az2", "usw2-az4", "apne2-az4", "cac1-az3", "cac1-az4",
}

// endpointZones refuses an endpoint in a zone in which its service has none.
func endpointZones(c *Call) error {
	name := c.text("serviceName")
	if !strings.HasSuffix(name, ".email-smtp") {
		return nil
	}
	zones, _ := c.Cloud.subnetZones(texts(c.In, "subnetIds[]"))
	for _, zone := range slices.Sorted(maps.Keys(zones)) {
		if slices.Contains(noSESEndpoint, zones[zone]) {
			return fail("InvalidParameter", "The VPC endpoint service %s does not support the availability zone of the subnet: "+
				"%s is %s", name, zone, zones[zone])
		}
	}
	return nil
}

// endpointFits refuses an unknown service, and a private name that the VPC does not resolve or that is taken.
func endpointFits(c *Call) error {
	name, kindOf := c.text("serviceName"), c.text("vpcEndpointType")
	middle := "com.amazonaws." + c.Cloud.region + "."
	if _, service, found := strings.Cut(name, middle); name != "" &&
		(!found || !slices.Contains(endpointServices[kindOf], service) || name != c.Cloud.endpointService(kindOf, service)) {
		problem := fmt.Sprintf("there is no %s endpoint of the service %s in %s", strings.ToLower(kindOf), name, c.Cloud.region)
		if found && slices.Contains(endpointServices[kindOf], service) {
			problem += "; it is called " + c.Cloud.endpointService(kindOf, service)
		}
		return fail("InvalidServiceName", "%s", problem)
	}
	if kindOf == "Gateway" && c.given([]string{"subnetIds", "securityGroupIds"}) > 0 {
		return fail("InvalidParameter", "a gateway endpoint has no subnets and no security groups")
	}
	if kindOf == "Interface" && c.given([]string{"routeTableIds"}) > 0 {
		return fail("InvalidParameter", "an interface endpoint has no route tables")
	}
	for _, e := range c.Cloud.all(endpointType) {
		shared := func(table string) bool { return slices.Contains(texts(e.Outputs, "routeTableIds[]"), table) }
		if kindOf == "Gateway" && e.ID != c.ID && !c.Preview && text(e.Outputs, "serviceName") == name &&
			slices.ContainsFunc(texts(c.In, "routeTableIds[]"), shared) {
			return fail("RouteAlreadyExists", "%s has a route to %s in the same route table already", e.describe(), name)
		}
	}
	if !flag(c.In, "privateDnsEnabled") {
		return nil
	}
	vpc := c.Cloud.find(c.text("vpcId"), "id", vpcType)
	if vpc != nil && !vpc.Existing &&
		(!flag(vpc.Outputs, "enableDnsSupport") || !flag(vpc.Outputs, "enableDnsHostnames")) {
		return fail("InvalidParameter", "private DNS needs enableDnsSupport and enableDnsHostnames of %s", vpc.describe())
	}
	for _, e := range c.Cloud.all(endpointType) {
		if e.ID != c.ID && !c.Preview && flag(e.Outputs, "privateDnsEnabled") &&
			text(e.Outputs, "vpcId") == c.text("vpcId") && text(e.Outputs, "serviceName") == name {
			return fail("InvalidParameter", "%s has the private name of %s already", e.describe(), name)
		}
	}
	return nil
}

func endpointOutputs(c *Call) {
	if c.text("vpcEndpointType") == "Gateway" {
		c.Out["cidrBlocks"] = []any{"52.218.0.0/17", "3.5.64.0/21"}
		c.Out["prefixListId"] = c.Cloud.prefixList(c.text("serviceName"))
		return
	}
	var interfaces []any
	for _, f := range find(c.In, "subnetIds[]") {
		if subnet, ok := f.value.(string); ok {
			interfaces = append(interfaces, "eni-"+identifier(c.URN+subnet, "hex"))
		}
	}
	c.Out["networkInterfaceIds"] = interfaces
	service := c.text("serviceName")
	c.Out["dnsEntries"] = []any{Object{
		"dnsName":      service[strings.LastIndex(service, ".")+1:] + "." + c.Cloud.region + "." + c.Cloud.suffix(),
		"hostedZoneId": "Z7HUB22UULQXV",
	}}
}

// prefixList is the id of an AWS service's prefix list, the same for every VPC of a region.
func (c *Cloud) prefixList(service string) string { return "pl-" + identifier(service, "hex8") }
