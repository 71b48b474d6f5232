package cloud

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/netip"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// cidr refuses a malformed range, one with host bits, and one that is longer or shorter than the service accepts.
func cidr(path string, shortest, longest int) Rule {
	return func(c *Call) error {
		var wrong []error
		for _, at := range find(c.In, path) {
			s, ok := at.value.(string)
			if !ok {
				continue
			}
			p, err := netip.ParsePrefix(s)
			switch {
			case err != nil:
				wrong = append(wrong, fail("InvalidParameterValue", "%s is %q, which is no CIDR", at.path, s))
			case p.Masked() != p:
				wrong = append(wrong, fail("InvalidParameterValue", "%s is %s, which has bits beyond its mask; %s is meant",
					at.path, s, p.Masked()))
			case p.Bits() < shortest || p.Bits() > longest:
				wrong = append(wrong, fail("InvalidVpc.Range", "%s is %s; /%d to /%d are possible", at.path, s, shortest,
					longest))
			}
		}
		return errors.Join(wrong...)
	}
}

func prefix(s string) netip.Prefix {
	p, _ := netip.ParsePrefix(s)
	return p
}

// sameVPC refuses resources of different VPCs together. Each path names subnets or security groups by id.
func sameVPC(paths ...string) Rule {
	return func(c *Call) error {
		var first *Resource
		vpc := ""
		for _, path := range paths {
			for _, id := range texts(c.In, path) {
				r := c.Cloud.find(id, "id", state.VPC, state.Subnet, state.SecurityGroup, state.RouteTable, state.InternetGateway, state.NATGateway, state.TargetGroup)
				if r == nil {
					if r = c.Cloud.find(id, "arn", state.TargetGroup); r == nil {
						continue
					}
				}
				in := text(r.Outputs, "vpcId")
				if r.Token == state.VPC {
					in = r.ID
				}
				switch {
				case in == "":
				case vpc == "":
					first, vpc = r, in
				case in != vpc:
					return fail("InvalidParameter", "%s is in %s and %s is in %s", first.describe(), vpc, r.describe(), in)
				}
			}
		}
		return nil
	}
}

// userData refuses data that is not base64 (if the API takes base64), or over EC2's 16 KiB once decoded.
func userData(path string, encoded bool) Rule {
	return func(c *Call) error {
		for _, at := range find(c.In, path) {
			s, ok := at.value.(string)
			if !ok {
				continue
			}
			size := len(s)
			if encoded {
				raw, err := base64.StdEncoding.DecodeString(s)
				if err != nil {
					return fail("InvalidUserData.Malformed", "%s is not encoded in base64", at.path)
				}
				size = len(raw)
			}
			if size > 16384 {
				return fail("InvalidParameterValue", "%s has %d bytes; user data is limited to 16384", at.path, size)
			}
		}
		return nil
	}
}

// jsonText refuses a text that is no JSON object.
func jsonText(path, code string) Rule {
	return func(c *Call) error {
		for _, s := range texts(c.In, path) {
			var v map[string]any
			if err := json.Unmarshal([]byte(s), &v); err != nil {
				return fail(code, "%s is no JSON object: %v", path, err)
			}
		}
		return nil
	}
}
