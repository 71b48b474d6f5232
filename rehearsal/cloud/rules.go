package cloud

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/netip"
	"slices"
	"strings"
)

// zones are the regions that the cloud knows, with the letters of their availability zones.
var zones = map[string]string{
	"us-east-1": "abcdef", "us-east-2": "abc", "us-west-1": "ab", "us-west-2": "abcd", "ca-central-1": "abd",
	"ca-west-1": "abc", "sa-east-1": "abc", "mx-central-1": "abc",
	"eu-west-1": "abc", "eu-west-2": "abc", "eu-west-3": "abc", "eu-central-1": "abc", "eu-central-2": "abc",
	"eu-north-1": "abc", "eu-south-1": "abc", "eu-south-2": "abc",
	"ap-south-1": "abc", "ap-south-2": "abc", "ap-southeast-1": "abc", "ap-southeast-2": "abc", "ap-southeast-3": "abc",
	"ap-southeast-4": "abc", "ap-northeast-1": "acd", "ap-northeast-2": "abcd", "ap-northeast-3": "abc",
	"ap-east-1":  "abc",
	"me-south-1": "abc", "me-central-1": "abc", "af-south-1": "abc", "il-central-1": "abc",
	"cn-north-1": "abd", "cn-northwest-1": "abc", "us-gov-west-1": "abc", "us-gov-east-1": "abc",
}

func (c *Cloud) zones() []string {
	var names []string
	for _, letter := range zones[c.region] {
		names = append(names, c.region+string(letter))
	}
	return names
}

// zoneExists refuses an availability zone that the region does not have.
func zoneExists(path string) Rule {
	return func(c *Call) error {
		for _, at := range find(c.In, path) {
			if zone, ok := at.value.(string); ok && !slices.Contains(c.Cloud.zones(), zone) {
				return fail("InvalidParameterValue", "%s is %s; %s has the zones %s", at.path, zone, c.Cloud.region,
					strings.Join(c.Cloud.zones(), ", "))
			}
		}
		return nil
	}
}

// cidr refuses a range that is none, has host bits, or is longer or shorter than the service takes.
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

// sameVPC refuses resources of different VPCs in one place. Each path names subnets or security groups by id.
func sameVPC(paths ...string) Rule {
	return func(c *Call) error {
		var first *Resource
		vpc := ""
		for _, path := range paths {
			for _, id := range texts(c.In, path) {
				r := c.Cloud.find(id, "id", vpcType, subnetType, groupType, routeTableType, gatewayType, natType, targetGroupType)
				if r == nil {
					if r = c.Cloud.find(id, "arn", targetGroupType); r == nil {
						continue
					}
				}
				in := text(r.Outputs, "vpcId")
				if r.Token == vpcType {
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

// userData refuses data that is no base64 (where the API takes base64), or over EC2's 16 KiB once decoded.
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
