package config

import (
	"fmt"
	"maps"
	"net/netip"
	"regexp"
	"slices"

	"github.com/wso2is-aws/wso2is/config/subnets"
)

func (v *validator) network() {
	v.logGroup("network.flowLogGroup", v.Network.FlowLogGroup)
	if v.Network.FlowLogGroup != "" && !v.Network.FlowLogs {
		v.refuse("network.flowLogGroup", "leave it out, or write network.flowLogs: true in a VPC of the stack", "the stack makes no flow log")
	}
	n := v.Network
	vpc, ok := v.cidr("network.cidr", n.CIDR)
	v.egress()
	v.proxy()
	v.buckets()
	if n.SESEndpoint && !n.InterfaceEndpoints {
		v.refuse("network.sesEndpoint", "write interfaceEndpoints: true, or the subnets of the VPC's own endpoint with the port "+
			"587 as egressCidrs", "the stack makes no VPC endpoints")
	}
	if n.Adopt != nil {
		v.adopted(vpc)
		return
	}
	switch {
	case !ok:
	case vpc.Bits() < 16 || vpc.Bits() > 22:
		v.refuse("network.cidr", "write a range from /16 to /22", "%q cannot be divided into 16 subnets that AWS allows", n.CIDR)
	case !vpc.Addr().IsPrivate():
		v.refuse("network.cidr", "write a range inside 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16", "%q is not private",
			n.CIDR)
	}
	v.zones()
	if len(n.EgressCIDRs) > 0 && n.NAT == NATNone {
		v.refuse("network.nat", "write single or perZone", "egressCidrs are outside the VPC, and nodes have no internet access")
	} else if n.Proxy.outside() && n.NAT == NATNone {
		v.refuse("network.nat", "write single or perZone", "the proxy is on the internet, and nodes have no internet access")
	}
	if !n.InterfaceEndpoints && !n.CallsHTTPS() {
		v.refuse("network.interfaceEndpoints", "write true, or egressCidrs that cover AWS's addresses",
			"without endpoints and without internet access no node reaches the AWS services that it calls")
	}
}

// AllBuckets stands for every bucket in network.s3Buckets.
const AllBuckets = "*"

// bucketName matches a bucket's name (Amazon S3 user guide, "General purpose bucket naming rules").
var bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

// buckets checks the buckets that the endpoint of S3 allows.
func (v *validator) buckets() {
	n := v.Network
	for i, bucket := range n.S3Buckets {
		path := fmt.Sprintf("network.s3Buckets[%d]", i)
		switch {
		case bucket == AllBuckets && len(n.S3Buckets) > 1:
			v.refuse(path, "leave the other buckets out, or *", "* is every bucket")
		case bucket != AllBuckets && !bucketName.MatchString(bucket):
			v.refuse(path, "write a bucket's name, such as acme-layers, or *", "%q is no name of a bucket", bucket)
		}
	}
	if len(n.S3Buckets) > 0 && n.Adopt != nil && !n.InterfaceEndpoints {
		v.refuse("network.s3Buckets", "leave it out, or write interfaceEndpoints: true", "the stack makes no VPC endpoint of S3")
	}
}

// egress checks the ranges that nodes may call. AWS and the engine refuse a duplicate rule.
func (v *validator) egress() {
	type rule struct {
		cidr netip.Prefix
		port int
	}
	seen := map[rule]bool{}
	for i, e := range v.Network.EgressCIDRs {
		path := fmt.Sprintf("network.egressCidrs[%d]", i)
		written, cidrPath := v.written.Network.EgressCIDRs[i].Ports, path
		if written != nil {
			cidrPath += ".cidr"
		}
		cidr, ok := v.cidr(cidrPath, e.CIDR)
		if written != nil && len(written) == 0 {
			v.refuse(path+".ports", "write a port such as 587, or leave ports out for 443", "there is no port in it")
		}
		for j, port := range e.Ports {
			if !ok || port == 0 { // refused already
				continue
			}
			at := cidrPath
			if written != nil {
				at = fmt.Sprintf("%s.ports[%d]", path, j)
			}
			if seen[rule{cidr, port}] {
				v.refuse(at, "write each port of a range once", "%s is there twice for port %d", cidr, port)
			}
			seen[rule{cidr, port}] = true
		}
	}
}

func (v *validator) zones() {
	seen := map[string]bool{}
	for i, zone := range v.Network.Zones {
		path := fmt.Sprintf("network.zones[%d]", i)
		_, ok := subnets.Letter(zone)
		switch {
		case !ok || zone[:len(zone)-1] != v.Region:
			v.refuse(path, fmt.Sprintf("write %sa to %sh", v.Region, v.Region), "%q is no availability zone of %s", zone,
				v.Region)
		case seen[zone]:
			v.refuse(path, "write each zone once", "%s is there twice", zone)
		}
		seen[zone] = true
	}
}

func (v *validator) adopted(vpc netip.Prefix) {
	n, a := v.Network, v.Network.Adopt
	v.id("network.adopt.vpc", a.VPC, "vpc-", "a VPC")
	if len(v.written.Network.Zones) > 0 {
		v.refuse("network.zones", "leave zones out", "the zones of an existing VPC are those of its private subnets")
	}
	if n.NAT != NATNone {
		v.refuse("network.nat", "leave nat out", "an existing VPC has its own internet access")
	}
	if n.FlowLogs {
		v.refuse("network.flowLogs", "leave flowLogs out", "the flow logs of an existing VPC belong to its owner")
	}
	if len(a.PrivateSubnets) < 2 {
		v.refuse("network.adopt.privateSubnets", "write one private subnet in each of two zones or more",
			"a load balancer and a database need two zones")
	}
	v.adoptedSubnets(vpc)
	if !v.LoadBalancer.Internal && v.LoadBalancer.Type != ExistingLoadBalancer {
		for _, zone := range slices.Sorted(maps.Keys(a.PrivateSubnets)) {
			if _, ok := a.PublicSubnets[zone]; !ok {
				v.refuse("network.adopt.publicSubnets."+zone, "write the zone's public subnet, or loadBalancer.internal: true",
					"the load balancer would not reach the nodes of %s", zone)
			}
		}
	}
	if a.EndpointSecurityGroup != "" {
		v.id("network.adopt.endpointSecurityGroup", a.EndpointSecurityGroup, "sg-", "a security group")
	}
	if a.S3PrefixList != "" {
		v.id("network.adopt.s3PrefixList", a.S3PrefixList, "pl-", "a prefix list")
	}
	for i, id := range a.PrivateRouteTables {
		v.id(fmt.Sprintf("network.adopt.privateRouteTables[%d]", i), id, "rtb-", "a route table")
	}
	switch {
	case n.InterfaceEndpoints && len(a.PrivateRouteTables) == 0:
		v.refuse("network.adopt.privateRouteTables", "write the route tables of the private subnets",
			"the S3 endpoint of interfaceEndpoints needs route tables")
	case !n.InterfaceEndpoints && !n.CallsHTTPS() && (a.EndpointSecurityGroup == "" || a.S3PrefixList == ""):
		v.refuse("network.adopt", "write endpointSecurityGroup and s3PrefixList, interfaceEndpoints: true, or egressCidrs",
			"no node reaches the AWS services that it calls")
	}
}

// adoptedSubnets checks that every subnet is inside the VPC and overlaps no other.
func (v *validator) adoptedSubnets(vpc netip.Prefix) {
	a := v.Network.Adopt
	var seen []netip.Prefix
	for _, group := range []struct {
		key     string
		subnets map[string]Subnet
	}{{"privateSubnets", a.PrivateSubnets}, {"publicSubnets", a.PublicSubnets}} {
		for _, zone := range slices.Sorted(maps.Keys(group.subnets)) {
			path := fmt.Sprintf("network.adopt.%s.%s", group.key, zone)
			if len(zone) <= len(v.Region) || zone[:len(v.Region)] != v.Region {
				v.refuse(path, fmt.Sprintf("write a zone such as %sa", v.Region), "%q is no availability zone of %s", zone,
					v.Region)
			}
			s := group.subnets[zone]
			v.id(path+".id", s.ID, "subnet-", "a subnet")
			subnet, ok := v.cidr(path+".cidr", s.CIDR)
			switch {
			case !ok || !vpc.IsValid():
				continue
			case subnet.Bits() < vpc.Bits() || !vpc.Contains(subnet.Addr()):
				v.refuse(path+".cidr", "write the subnet's range, and the VPC's as network.cidr", "%s is not inside %s", subnet,
					vpc)
			case slices.ContainsFunc(seen, subnet.Overlaps):
				v.refuse(path+".cidr", "write the subnet's own range", "%s overlaps another subnet", subnet)
			}
			seen = append(seen, subnet)
		}
	}
}
