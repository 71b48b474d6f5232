package config

import (
	"fmt"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/config/product"
)

// validator checks one configuration and collects problems. Decoding already checks ranges of numbers and lists of
// values; the rules here need more than one value.
type validator struct {
	Problems
	// Cluster has its defaults.
	Cluster
	// written has only the values of the stack file.
	written Cluster
	// facts are empty for an unknown release, which decoding reports.
	facts product.Facts
}

// validate checks everything that does not depend on the zones.
func (c *Cluster) validate(written Cluster) Problems {
	v := validator{Cluster: *c, written: written}
	if f, err := c.Version.Facts(); err == nil {
		v.facts = f
	}
	v.identity()
	v.provider()
	v.topology()
	v.nodes()
	v.load()
	v.network()
	v.clustering()
	v.caching()
	v.database()
	v.trust()
	v.connections()
	v.fileSystem()
	v.backup()
	v.loadBalancer()
	v.product()
	v.jvm()
	v.container()
	v.admin()
	v.secrets()
	v.restoreFrom()
	v.iam()
	v.userStore()
	v.observability()
	v.tags()
	v.extraConfig()
	return v.Problems
}

const (
	// maxName leaves room in RDS's 63 characters for what follows the cluster's name. Where AWS allows less, the
	// program shortens the name.
	maxName = 40
	// maxTags leaves room for the program's own tags in AWS's 50.
	maxTags = 40
)

var (
	clusterName = regexp.MustCompile(`^[a-z]([a-z0-9-]*[a-z0-9])?$`)
	hostName    = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$`)
	regionName  = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-\d$`)
	tagText     = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`)
	ownTags     = []string{DiscoveryTagKey, "Name", "component", "project", "stack"}
)

// takenPrefix is what a cluster's name must not begin with, since AWS keeps it: the names of security groups and of the load balancer begin
// with the cluster's (CreateSecurityGroup in the API reference of EC2, CreateLoadBalancer in that of Elastic Load Balancing). It is empty
// if the name is free.
func (v *validator) takenPrefix() string {
	taken := []string{"sg-"}
	if v.LoadBalancer.Existing == nil {
		taken = append(taken, "internal-")
	}
	for _, prefix := range taken {
		if strings.HasPrefix(v.Name(), prefix) {
			return prefix
		}
	}
	return ""
}

func (v *validator) identity() {
	if taken := v.takenPrefix(); taken != "" {
		path, fix := "stack", "choose another name of the project"
		if v.name != "" {
			path, fix = "name", "write another name"
		}
		v.Problems = append(v.Problems, Problem{Path: path, Problem: fmt.Sprintf("%q begins with %s, which AWS keeps", v.Name(), taken), Fix: fix})
	}
	if name := v.Name(); !clusterName.MatchString(name) || strings.Contains(name, "--") || len(name) > maxName {
		path, from := "stack", ", from project and stack,"
		fix := fmt.Sprintf("name both with letters, digits and single hyphens, at most %d characters together, "+
			"beginning with a letter", maxName-1)
		if v.name != "" {
			path, from = "name", ""
			fix = fmt.Sprintf("write lower-case letters, digits and single hyphens, at most %d characters, beginning with a letter", maxName)
		}
		v.Problems = append(v.Problems, Problem{
			Path:    path,
			Problem: fmt.Sprintf("%q%s cannot be the prefix of AWS names", name, from),
			Fix:     fix,
		})
	}
	if !regionName.MatchString(v.Region) {
		v.Problems = append(v.Problems, Problem{
			Path: RegionKey, Problem: fmt.Sprintf("%q is not a region", v.Region),
			Fix: "run `pulumi config set aws:region eu-west-1`, with a region of yours",
		})
	} else if isolated := strings.Split(v.Region, "-")[1]; strings.HasPrefix(isolated, "iso") {
		// Their ARNs, DNS suffixes and endpoint services have other names.
		v.Problems = append(v.Problems, Problem{
			Path: RegionKey, Problem: fmt.Sprintf("%q is in a partition that the program does not know", v.Region),
			Fix: "write a region of the partitions aws, aws-cn and aws-us-gov",
		})
	}
	if v.Version == "" {
		v.refuse("version", oneOf(product.Versions()), "the release is missing")
	}
	if !hostName.MatchString(v.Hostname) || len(v.Hostname) > 253 {
		v.refuse("hostname", "write a name with a domain, in lower case, such as is.example.com", "%q is not a DNS name",
			v.Hostname)
	}
}

func (v *validator) tags() {
	count := len(v.Tags)
	if given := v.Provider.DefaultTags; given != nil {
		count += len(given.Tags)
	}
	if count > maxTags {
		v.refuse("tags", fmt.Sprintf("write at most %d", maxTags),
			"%d tags and the program's own are more than AWS allows", count)
	}
	for _, key := range slices.Sorted(maps.Keys(v.Tags)) {
		v.tag("tags."+key, key, v.Tags[key])
	}
}

// tag checks one tag of a team.
func (v *validator) tag(path, key, value string) {
	switch {
	case strings.HasPrefix(strings.ToLower(key), "aws:"):
		v.refuse(path, "write a key without that prefix", "AWS reserves the prefix aws:")
	case slices.Contains(ownTags, key):
		v.refuse(path, "write another key", "the program sets this tag itself")
	case key == "" || len([]rune(key)) > 128 || !tagText.MatchString(key):
		v.refuse(path, "write 1 to 128 letters, digits, blanks and _.:/=+-@", "AWS does not allow the key")
	case len([]rune(value)) > 256 || !tagText.MatchString(value):
		v.refuse(path, "write at most 256 letters, digits, blanks and _.:/=+-@", "AWS does not allow the value")
	}
}

// cidrs checks a list of IPv4 ranges.
func (v *validator) cidrs(path string, list []string) {
	for i, text := range list {
		v.cidr(fmt.Sprintf("%s[%d]", path, i), text)
	}
}

// cidr checks one IPv4 range, and returns it only if it is valid.
func (v *validator) cidr(path, text string) (netip.Prefix, bool) {
	prefix, err := netip.ParsePrefix(text)
	switch {
	case err != nil || !prefix.Addr().Is4():
		v.refuse(path, "write a range such as 203.0.113.0/24", "%q is not an IPv4 range", text)
	case prefix != prefix.Masked():
		v.refuse(path, "write "+prefix.Masked().String(), "%q has bits set beyond its mask", text)
	default:
		return prefix, true
	}
	return netip.Prefix{}, false
}

var arnShape = regexp.MustCompile(`^arn:(aws|aws-cn|aws-us-gov):([a-z0-9-]+):([a-z0-9-]*):(\d{12}):(.+)$`)

// arn checks the ARN of a resource in the cluster's region. Resource is the beginning of its last part.
func (v *validator) arn(path, arn, service, resource string) {
	parts := arnShape.FindStringSubmatch(arn)
	switch {
	case parts == nil || parts[2] != service || !strings.HasPrefix(parts[5], resource):
		v.refuse(path, fmt.Sprintf("write it as AWS shows it, such as arn:aws:%s:%s:123456789012:%s…", service, v.Region,
			resource),
			"%q is not such an ARN", arn)
	case parts[3] != v.Region:
		v.refuse(path, "write one of "+v.Region, "%q is in another region", arn)
	}
}

// wholeSecret checks the ARN of a secret, with the characters that Secrets Manager appends to its name.
func (v *validator) wholeSecret(path, arn string) {
	v.arn(path, arn, "secretsmanager", "secret:")
	if parts := arnShape.FindStringSubmatch(arn); parts != nil && !secretARN.MatchString(arn) {
		v.refuse(path, "write the whole ARN, with the hyphen and the six characters at its end",
			"%q is not the whole ARN, which permissions name", arn)
	}
}

// id checks an AWS id by its prefix.
func (v *validator) id(path, id, prefix, what string) {
	if rest, ok := strings.CutPrefix(id, prefix); !ok || !regexp.MustCompile(`^[0-9a-f]{8,17}$`).MatchString(rest) {
		v.refuse(path, fmt.Sprintf("write one such as %s0123456789abcdef0", prefix), "%q is not the id of %s", id, what)
	}
}
