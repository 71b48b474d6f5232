package cloud

import (
	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// natHasWayOut refuses a public NAT gateway without an address, or in a VPC without an internet gateway.
func natHasWayOut(c *Call) error {
	if c.text("connectivityType") != "public" || c.Preview {
		return nil
	}
	if c.given([]string{"allocationId"}) == 0 {
		return fail("MissingParameter", "a public NAT gateway needs an allocationId")
	}
	subnet := c.Cloud.find(c.text("subnetId"), "id", state.Subnet)
	if subnet == nil {
		return nil
	}
	return c.Cloud.hasGateway(text(subnet.Outputs, "vpcId"), "Gateway.NotAttached")
}

// hasGateway refuses a VPC without an internet gateway. The gateway of an existing VPC is not known.
func (c *Cloud) hasGateway(vpc, code string) error {
	if v := c.find(vpc, "id", state.VPC); v == nil || v.Existing {
		return nil
	}
	for _, g := range c.all(state.InternetGateway) {
		if text(g.Outputs, "vpcId") == vpc {
			return nil
		}
	}
	return fail(code, "network %s has no internet gateway attached; the resource must depend on the gateway", vpc)
}
