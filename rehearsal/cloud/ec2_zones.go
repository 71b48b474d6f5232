package cloud

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// otherIDs are the ids that do not follow the letter: us-west-1 has three zones but offers an account two of them,
// usw1-az1 and usw1-az3 to newer accounts.
var otherIDs = map[string]string{"us-west-1b": "usw1-az3"}

// zoneID makes a zone id of the usual form, such as euw1-az1. In AWS, the account decides which zone this is.
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

// oneSubnetPerZone refuses two subnets in one zone if the service needs one for each zone.
func oneSubnetPerZone(path, code string) Rule {
	return func(c *Call) error {
		taken := map[string]*Resource{}
		for _, id := range texts(c.In, path) {
			s := c.Cloud.find(id, "id", state.Subnet)
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

// zones are the known regions, with the letters of their availability zones.
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

// zoneExists refuses an availability zone that is not in the region.
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
