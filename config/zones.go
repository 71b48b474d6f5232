package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/config/offering"
)

// Zone is an availability zone. Its name depends on the account: the same name may be another zone in another account.
// Its id is the same in every account.
type Zone struct{ Name, ID string }

// noControlPlane are the ids of the zones in which EKS creates no control plane. Source: "Subnet requirements for
// clusters" in https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html
var noControlPlane = []string{"use1-az3", "usw1-az2", "cac1-az3"}

// noSESEndpoint are the ids of the zones in which Amazon SES has no VPC endpoint.
// Source: "Limitations" in https://docs.aws.amazon.com/ses/latest/dg/send-email-set-up-vpc-endpoints.html
var noSESEndpoint = []string{
	"use1-az2", "use1-az3", "use1-az5", "usw1-az2", "usw2-az4", "apne2-az4", "cac1-az3", "cac1-az4",
}

// chooseSESZones returns the cluster's zones in which SES has an endpoint. Nodes in other zones use these.
func (c *Cluster) chooseSESZones(all []Zone) (p Problems) {
	if !c.Network.SESEndpoint {
		return nil
	}
	without := func(name string) bool {
		return slices.ContainsFunc(all, func(z Zone) bool { return z.Name == name && slices.Contains(noSESEndpoint, z.ID) })
	}
	c.Network.SESZones = slices.DeleteFunc(slices.Clone(c.Network.Zones), without)
	if len(c.Network.SESZones) == 0 {
		p.refuse("network.sesEndpoint", "write another zone, or the mail server's range with its port as egressCidrs",
			"Amazon SES has no VPC endpoint in any of %s", strings.Join(c.Network.Zones, ", "))
	}
	return p
}

// MakesControlPlane reports whether the stack makes its own EKS cluster.
func (c Cluster) MakesControlPlane() bool { return c.row().pods && c.EKS.Cluster == nil }

// zonesDiffer reports whether the cluster cannot use all zones of its Region.
func (c Cluster) zonesDiffer() bool {
	return c.MakesControlPlane() || c.Fargate() && offering.FargateInSomeZones(c.Region)
}

// unusable says why the cluster cannot use the zone. It is empty if it can.
func (c Cluster) unusable(z Zone) string {
	switch {
	case c.MakesControlPlane() && slices.Contains(noControlPlane, z.ID):
		return "EKS puts no control plane there"
	case c.Fargate() && !offering.FargateIn(c.Region, z.ID):
		return "Fargate runs no tasks there, as of " + offering.Read
	}
	return ""
}

// chooseZones returns the first usable zones of the account.
func (c *Cluster) chooseZones(all []Zone) {
	names := c.zonesTaken(all)
	c.Network.Zones = names[:min(len(names), profiles[c.Profile].zones)]
}

// zonesTaken returns the names of the usable zones, sorted.
func (c Cluster) zonesTaken(all []Zone) []string {
	var names []string
	for _, z := range all {
		if c.unusable(z) == "" {
			names = append(names, z.Name)
		}
	}
	slices.Sort(names)
	return names
}

// validateZones refuses zones of the stack file that the cluster cannot use. It accepts a zone that the account does
// not list at the moment, such as an impaired one, since an update must still work.
func (c Cluster) validateZones(all []Zone) Problems {
	fix := "leave it out"
	free := slices.DeleteFunc(c.zonesTaken(all), func(name string) bool { return slices.Contains(c.Network.Zones, name) })
	if len(free) > 0 {
		fix = "write another zone: " + strings.Join(free, ", ")
	}
	var p Problems
	for i, name := range c.Network.Zones {
		at := slices.IndexFunc(all, func(z Zone) bool { return z.Name == name })
		if at < 0 {
			continue
		}
		why := c.unusable(all[at])
		if why == "" {
			continue
		}
		path := fmt.Sprintf("network.zones[%d]", i)
		if c.Network.Adopt != nil {
			path = "network.adopt.privateSubnets." + name
		}
		p.refuse(path, fix, "%s is %s in this account, and %s", name, all[at].ID, why)
	}
	return p
}
