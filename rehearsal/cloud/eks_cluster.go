package cloud

import (
	"encoding/base64"
	"errors"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// kubernetesVersions are the versions for new clusters in EKS, in standard and extended support, the oldest first.
var kubernetesVersions = []string{"1.32", "1.33", "1.34", "1.35", "1.36"}

// endpointReachable refuses a cluster without a reachable endpoint, and public ranges without a public endpoint.
func endpointReachable(c *Call) error {
	public, private := flag(c.In, "vpcConfig.endpointPublicAccess"), flag(c.In, "vpcConfig.endpointPrivateAccess")
	if !public && !private {
		return fail("InvalidParameterException", "private and public endpoint access cannot both be off")
	}
	if !public && c.given([]string{"vpcConfig.publicAccessCidrs"}) > 0 {
		return fail("InvalidParameterException", "vpcConfig.publicAccessCidrs needs endpointPublicAccess")
	}
	var wrong []error
	for _, text := range texts(c.In, "vpcConfig.publicAccessCidrs[]") {
		if p, err := netip.ParsePrefix(text); err == nil && p.Bits() > 0 && p.Addr().IsPrivate() {
			wrong = append(wrong, fail("InvalidParameterException", "vpcConfig.publicAccessCidrs has %s, which is private", text))
		}
	}
	return errors.Join(wrong...)
}

// subnetZones returns the zones of subnets by name, with their ids. It is false if one is not known.
func (c *Cloud) subnetZones(ids []string) (map[string]string, bool) {
	zones := map[string]string{}
	for _, id := range ids {
		s := c.find(id, "id", state.Subnet)
		if s == nil || text(s.Outputs, "availabilityZone") == "" {
			return nil, false
		}
		zones[text(s.Outputs, "availabilityZone")] = text(s.Outputs, "availabilityZoneId")
	}
	return zones, true
}

// clusterSubnets refuses subnets in a single zone.
func clusterSubnets(c *Call) error {
	zones, known := c.Cloud.subnetZones(texts(c.In, "vpcConfig.subnetIds[]"))
	if known && !c.Preview && len(zones) < 2 {
		return fail("InvalidParameterException", "the subnets are in %d zone; a cluster needs two at least", len(zones))
	}
	return nil
}

// noControlPlane are the ids of the zones without EKS control planes.
// Source: https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html
var noControlPlane = []string{"use1-az3", "usw1-az2", "cac1-az3"}

// controlPlaneZones refuses a new cluster in these zones.
func controlPlaneZones(c *Call) error {
	zones, _ := c.Cloud.subnetZones(texts(c.In, "vpcConfig.subnetIds[]"))
	for _, zone := range slices.Sorted(maps.Keys(zones)) {
		if c.Old == nil && slices.Contains(noControlPlane, zones[zone]) {
			return fail("UnsupportedAvailabilityZoneException", "Cannot create cluster '%s' because %s (%s), the targeted "+
				"availability zone, does not currently have sufficient capacity to support the cluster", c.text("name"), zone,
				zones[zone])
		}
	}
	return nil
}

// sameZones refuses other zones than those of the cluster's creation. EKS reports this only during the update; a
// preview does not show it.
// Source: "Update existing VPC and subnets" in
// https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html; containers-roadmap #2330.
func sameZones(c *Call) error {
	if c.Old == nil || c.Preview {
		return nil
	}
	was, known := c.Cloud.subnetZones(texts(c.Old.Inputs, "vpcConfig.subnetIds[]"))
	are, alsoKnown := c.Cloud.subnetZones(texts(c.In, "vpcConfig.subnetIds[]"))
	if known && alsoKnown && !maps.Equal(was, are) {
		names := func(zones map[string]string) string { return strings.Join(slices.Sorted(maps.Keys(zones)), ",") }
		return fail("InvalidParameterException", "Provided subnets belong to the AZs '%s'. But they should belong to the "+
			"exact set of AZs '%s' in which subnets were provided during cluster creation", names(are), names(was))
	}
	return nil
}

// serviceRange refuses a service range that is public or overlaps the VPC's.
func serviceRange(c *Call) error {
	services, err := netip.ParsePrefix(c.text("kubernetesNetworkConfig.serviceIpv4Cidr"))
	if err != nil {
		return nil
	}
	if !services.Addr().IsPrivate() {
		return fail("InvalidParameterException", "kubernetesNetworkConfig.serviceIpv4Cidr is %s, which is not private", services)
	}
	for _, id := range texts(c.In, "vpcConfig.subnetIds[]") {
		s := c.Cloud.find(id, "id", state.Subnet)
		if s == nil {
			continue
		}
		vpc := c.Cloud.find(text(s.Outputs, "vpcId"), "id", state.VPC)
		if vpc == nil {
			continue
		}
		if p, err := netip.ParsePrefix(text(vpc.Outputs, "cidrBlock")); err == nil && p.Overlaps(services) {
			return fail("InvalidParameterException", "kubernetesNetworkConfig.serviceIpv4Cidr, %s, overlaps %s, which is %s",
				services, vpc.describe(), p)
		}
	}
	return nil
}

// minor returns the minor version of a Kubernetes version, or -1.
func minor(version string) int {
	n, err := strconv.Atoi(strings.TrimPrefix(version, "1."))
	if err != nil || !strings.HasPrefix(version, "1.") {
		return -1
	}
	return n
}

// oneMinorUp refuses an older version of the control plane, and one that skips a minor version.
func oneMinorUp(c *Call) error {
	if c.Old == nil || c.unknown("version") {
		return nil
	}
	was, is := text(c.Old.Outputs, "version"), c.text("version")
	if a, b := minor(was), minor(is); a >= 0 && b >= 0 && b != a && b != a+1 {
		return fail("InvalidParameterException", "version is %s; a cluster of %s becomes one of 1.%d", is, was, a+1)
	}
	return nil
}

func (c *Call) cluster() *Resource {
	return c.Cloud.find(c.text("clusterName"), "name", state.EKSCluster)
}

// clusterOutputs computes what EKS makes: addresses, its own security group, and a log group if there is none. EKS does
// not delete the log group again.
func clusterOutputs(c *Call) {
	config := objectAt(c.Out, "vpcConfig")
	config["clusterSecurityGroupId"], config["vpcId"] = c.expand("sg-{hex}"), Unknown{}
	if c.Old != nil {
		config["clusterSecurityGroupId"] = get(c.Old.Outputs, "vpcConfig.clusterSecurityGroupId")
	}
	for _, id := range texts(c.In, "vpcConfig.subnetIds[]") {
		if s := c.Cloud.find(id, "id", state.Subnet); s != nil {
			config["vpcId"] = s.Outputs["vpcId"]
		}
	}
	c.Out["vpcConfig"] = config
	c.Out["certificateAuthority"] = Unknown{}
	if c.Preview && c.Old == nil {
		return
	}
	c.Out["certificateAuthority"] = Object{"data": base64.StdEncoding.EncodeToString([]byte("rehearsed " + c.ID))}
	if !c.Preview && c.given([]string{"enabledClusterLogTypes"}) > 0 {
		c.ownLogGroup("/aws/eks/" + c.text("name") + "/cluster")
	}
}

// eksFunctions are the functions of EKS.
var eksFunctions = map[string]func(*Cloud, Object) (Object, error){
	"aws:eks/getAddonVersion:getAddonVersion": func(_ *Cloud, args Object) (Object, error) {
		name, version := text(args, "addonName"), text(args, "kubernetesVersion")
		known, ok := addons[name]
		if !ok || !slices.Contains(kubernetesVersions, version) {
			return nil, fail("InvalidParameterException", "there is no add-on %s for Kubernetes %s", name, version)
		}
		return Object{
			"id": name, "addonName": name, "kubernetesVersion": version, "mostRecent": flag(args, "mostRecent"),
			"version": strings.ReplaceAll(known.release, "{kubernetes}", version),
		}, nil
	},
	"aws:lb/getLoadBalancer:getLoadBalancer": func(c *Cloud, args Object) (Object, error) {
		for _, property := range []string{"name", "arn"} {
			if r := c.find(text(args, property), property, state.LoadBalancer); r != nil && text(args, property) != "" {
				return clone(r.Outputs), nil
			}
		}
		return nil, fail("LoadBalancerNotFound", "there is no load balancer %s%s", text(args, "name"), text(args, "arn"))
	},
	"aws:eks/getCluster:getCluster": func(c *Cloud, args Object) (Object, error) {
		r := c.find(text(args, "name"), "name", state.EKSCluster)
		if r == nil {
			return nil, fail("ResourceNotFoundException", "no cluster found for name: %s", text(args, "name"))
		}
		out := clone(r.Outputs)
		list := func(key string) []any {
			if o, ok := out[key]; ok {
				return []any{o}
			}
			return []any{}
		}
		out["certificateAuthorities"] = list("certificateAuthority")
		out["kubernetesNetworkConfigs"] = list("kubernetesNetworkConfig")
		return out, nil
	},
}

// existingCluster is the existing EKS cluster of a configuration. A rehearsal assumes that it is in the configuration's
// VPC.
func existingCluster(config map[string]string) (Resource, bool) {
	var eks struct {
		Cluster struct{ Name string }
	}
	var network struct {
		Adopt struct{ VPC string }
	}
	section(config, "eks", &eks)
	section(config, "network", &network)
	name := eks.Cluster.Name
	return Resource{Token: state.EKSCluster, ID: name, Inputs: Object{}, Outputs: Object{
		"name": name, "status": "ACTIVE", "endpoint": "https://" + identifier(name, "hex") + ".eks",
		"arn":                     "arn:aws:eks:" + config["aws:region"] + ":123456789012:cluster/" + name,
		"certificateAuthority":    Object{"data": base64.StdEncoding.EncodeToString([]byte("existing " + name))},
		"kubernetesNetworkConfig": Object{"serviceIpv4Cidr": "10.100.0.0/16"},
		"vpcConfig":               Object{"vpcId": network.Adopt.VPC},
	}}, name != ""
}
