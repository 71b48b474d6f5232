package cloud

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// subnetFits refuses a subnet outside its VPC, or one that overlaps another.
func subnetFits(c *Call) error {
	vpc := c.Cloud.find(c.text("vpcId"), "id", state.VPC)
	own := prefix(c.text("cidrBlock"))
	if vpc == nil || !own.IsValid() {
		return nil
	}
	if outer := prefix(text(vpc.Outputs, "cidrBlock")); outer.IsValid() && !contains(outer, own) {
		return fail("InvalidSubnet.Range", "the CIDR %s is not within %s of %s", own, outer, vpc.describe())
	}
	for _, other := range c.Cloud.all(state.Subnet) {
		if other.ID == c.ID || text(other.Outputs, "vpcId") != vpc.ID {
			continue
		}
		if p := prefix(text(other.Outputs, "cidrBlock")); p.IsValid() && p.Overlaps(own) {
			return fail("InvalidSubnet.Conflict", "the CIDR %s overlaps %s of %s", own, p, other.describe())
		}
	}
	return nil
}

// reservationFits refuses a range outside its subnet, and one that overlaps another reservation in the VPC.
func reservationFits(c *Call) error {
	subnet, own := c.Cloud.find(c.text("subnetId"), "id", state.Subnet), prefix(c.text("cidrBlock"))
	if subnet == nil || !own.IsValid() {
		return nil
	}
	if outer := prefix(text(subnet.Outputs, "cidrBlock")); outer.IsValid() && !contains(outer, own) {
		return fail("InvalidParameterValue", "the CIDR %s is not within %s of %s", own, outer, subnet.describe())
	}
	for _, other := range c.Cloud.all(state.SubnetCIDRReservation) {
		if other.ID != c.ID && prefix(text(other.Outputs, "cidrBlock")).Overlaps(own) &&
			text(other.Outputs, "subnetId") == subnet.ID {
			return fail("InvalidParameterValue", "the CIDR %s overlaps %s of %s", own, text(other.Outputs, "cidrBlock"),
				other.describe())
		}
	}
	return nil
}

// isReserved reports whether a subnet gives an address only on explicit request.
func (c *Cloud) isReserved(subnet string, a netip.Addr) bool {
	return slices.ContainsFunc(c.all(state.SubnetCIDRReservation), func(r *Resource) bool {
		return text(r.Outputs, "subnetId") == subnet && prefix(text(r.Outputs, "cidrBlock")).Contains(a)
	})
}

func contains(outer, inner netip.Prefix) bool {
	return outer.Bits() <= inner.Bits() && outer.Contains(inner.Addr())
}

// reserved reports whether AWS uses an address of a subnet: the first four and the last.
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
		if eni := c.resources[state.NetworkInterface+" "+text(r.Outputs, "primaryNetworkInterfaceId")]; eni != nil && eni != r {
			continue // the address belongs to its network interface
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
		subnet := c.Cloud.find(c.text(subnetPath), "id", state.Subnet)
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

// placeInSubnet fills in the VPC, the zone and, without a requested address, an address. The resource's name chooses it from
// the upper half of the subnet, so that it does not depend on the order in which resources are created.
func (c *Call) placeInSubnet(subnetPath, address string) {
	if c.Out[address] == nil {
		c.Out[address] = Unknown{}
	}
	s := c.Cloud.find(text(c.Out, subnetPath), "id", state.Subnet)
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
		if !reserved(within, a) && used[a.String()] == nil && !c.isReserved(subnet.ID, a) {
			return a.String()
		}
	}
	return ""
}
