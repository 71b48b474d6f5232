package config

import (
	"cmp"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/wso2is-aws/wso2is/config/ports"
)

var (
	domainName    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)
	roleName      = regexp.MustCompile(`^[\w+=,.@-]{1,64}$`)
	hazelcastName = regexp.MustCompile(`^hazelcast(\.[A-Za-z0-9_-]+)+$`)
)

// ownHazelcast are the properties that have a configuration key or on which the program relies.
var ownHazelcast = map[string]string{
	"hazelcast.max.no.heartbeat.seconds": "write clustering.heartbeatTimeout",
	"hazelcast.config":                   "write clustering.hazelcastXml",
}

// schemeNeeds are the requirements of each scheme.
var schemeNeeds = map[Scheme]string{
	AWS:        "aws asks EC2 for instances that are nodes",
	WKA:        "wka lists nodes with fixed addresses",
	Multicast:  "multicast needs instances in a Transit Gateway multicast domain",
	AWSECS:     "aws-ecs asks ECS for the cluster's tasks",
	Kubernetes: "kubernetes asks a Kubernetes API server for pods",
}

func (v *validator) scheme() {
	allowed := v.row().schemes
	if !slices.Contains(allowed, v.Clustering.Scheme) && schemeNeeds[v.Clustering.Scheme] != "" {
		v.refuse("clustering.scheme", oneOf(allowed), "%s, and the topology %s has none", schemeNeeds[v.Clustering.Scheme],
			v.Topology)
	}
}

// orScheme is advice that names another scheme that would work, if the topology has it.
func (v *validator) orScheme(advice string, scheme Scheme) string {
	if slices.Contains(v.row().schemes, scheme) {
		advice += ", or write clustering.scheme: " + string(scheme)
	}
	return advice
}

func (v *validator) clustering() {
	v.scheme()
	k, written := v.Clustering, v.written.Clustering
	if !domainName.MatchString(k.Domain) {
		v.refuse("clustering.domain", "write letters, digits, dots, hyphens and underscores, 63 at the most",
			"%q cannot name a Hazelcast cluster", k.Domain)
	}
	if (k.Scheme == AWS || k.Scheme == AWSECS) && k.Port > ports.HazelcastProbedLast {
		v.refuse("clustering.port", fmt.Sprintf("write %d to %d", ports.HazelcastFirst, ports.HazelcastProbedLast),
			"%d is not a port that the scheme %s probes, so no node would find another", k.Port, k.Scheme)
	}
	for _, unread := range []struct {
		key  string
		set  bool
		by   []Scheme
		then Scheme
	}{
		{"connectionTimeout", written.ConnectionTimeout != 0, []Scheme{AWS, WKA, AWSECS}, AWS},
		{"wkaMembers", len(written.WKAMembers) > 0, []Scheme{WKA}, WKA},
		{"multicast", written.Multicast != MulticastGroup{}, []Scheme{Multicast}, Multicast},
		{"aws", written.AWS != AWSDiscovery{}, []Scheme{AWS}, AWS},
		{"kubernetes", written.Kubernetes != KubernetesDiscovery{}, []Scheme{Kubernetes}, Kubernetes},
	} {
		switch path := "clustering." + unread.key; {
		case !unread.set:
		case unread.key == "aws" && k.Scheme == AWSECS && written.AWS.IAMRole != "":
			v.refuse(path+".iamRole", "leave it out; the task's own role is then used",
				"with it Hazelcast asks the metadata service for the role's credentials instead of ECS; a task with an address "+
					"of its own gets none there and starts alone")
		case !slices.Contains(unread.by, k.Scheme):
			v.refuse(path, v.orScheme("leave it out", unread.then), "the scheme %s does not read it", k.Scheme)
		case k.HazelcastXML != "":
			v.refuse(path, "leave it out, and write it in hazelcastXml", "the server reads hazelcastXml instead")
		}
	}
	group, err := netip.ParseAddr(k.Multicast.Address)
	if err != nil || !group.Is4() || !group.IsMulticast() || group.IsLinkLocalMulticast() {
		v.refuse("clustering.multicast.address", "write one inside 239.0.0.0/8",
			"%q is not a multicast group that a router forwards",
			k.Multicast.Address)
	}
	v.awsDiscovery()
	v.kubernetesDiscovery()
	v.hazelcast()
}

// kubernetesDiscovery has no keys for basic authentication, which the guide also names: Kubernetes 1.19 removed it
// (kubernetes/kubernetes #89069).
func (v *validator) kubernetesDiscovery() {
	const path = "clustering.kubernetes"
	k := v.Clustering.Kubernetes
	if k == (KubernetesDiscovery{}) {
		return
	}
	if !v.facts.KubernetesAPIProperties {
		v.refuse(path, "leave it out; members call the API server of their own cluster with their service account",
			"the scheme of %s does not read it", v.Version)
	}
	v.secretText(path+".token", k.Token, 20, 4096)
	if k.APIServer == "" {
		return
	}
	u, err := url.Parse(k.APIServer)
	if err != nil || u.Scheme != "https" || !hostName.MatchString(strings.ToLower(u.Hostname())) || strings.TrimSuffix(u.Path, "/") != "" ||
		u.RawQuery != "" || u.User != nil || u.Port() != "" && u.Port() != strconv.Itoa(ports.PublicHTTPS) {
		v.refuse(path+".apiServer", "write the URL of the cluster's API, such as https://kubernetes.default.svc",
			"%q is no https URL of a host on port %d, to which the pods' rules are open", k.APIServer, ports.PublicHTTPS)
	}
}

func (v *validator) awsDiscovery() {
	a := v.Clustering.AWS
	if a.AccessKey.Set() != a.SecretKey.Set() {
		v.refuse("clustering.aws", "write accessKey and secretKey, or neither to use the instance's role",
			"the access key is incomplete")
	}
	v.secretText("clustering.aws.accessKey", a.AccessKey, 16, 128)
	v.secretText("clustering.aws.secretKey", a.SecretKey, 16, 128)
	if a.IAMRole != "" && !roleName.MatchString(a.IAMRole) {
		v.refuse("clustering.aws.iamRole", "write the role's name, not its ARN", "%q is no role's name", a.IAMRole)
	}
	if a.HostHeader != "" && !hostName.MatchString(a.HostHeader) {
		v.refuse("clustering.aws.hostHeader", "write a host such as ec2.amazonaws.com", "%q is no host", a.HostHeader)
	}
}

func (v *validator) hazelcast() {
	k := v.Clustering
	for _, name := range slices.Sorted(maps.Keys(k.Hazelcast)) {
		path := "clustering.hazelcast." + name
		switch fix, own := ownHazelcast[name]; {
		case !hazelcastName.MatchString(name):
			v.refuse(path, "write a name such as hazelcast.slow.operation.detector.enabled", "%q is no Hazelcast property", name)
		case own:
			v.refuse(path, fix, "the property has its own configuration key")
		default:
			v.literalText(path, k.Hazelcast[name])
		}
	}
	if k.HazelcastXML == "" {
		return
	}
	if len(k.Hazelcast) > 0 {
		v.refuse("clustering.hazelcast", "write <properties> in hazelcastXml", "the server reads hazelcastXml instead")
	}
	v.hazelcastXML()
}

func (v *validator) hazelcastXML() {
	const path = "clustering.hazelcastXml"
	file, err := parseHazelcastXML(v.Clustering.HazelcastXML)
	if err != nil {
		v.refuse(path, "write a complete hazelcast.xml", "%s", err)
		return
	}
	if file.name != v.Clustering.Domain {
		v.refuse(path, fmt.Sprintf("write <cluster-name>%s</cluster-name>, or that name as clustering.domain",
			v.Clustering.Domain),
			"its cluster name is %q", file.name)
	}
	ports := []int{v.Clustering.Port}
	for _, m := range v.Nodes.Members {
		if m.Port != 0 && !slices.Contains(ports, m.Port) {
			ports = append(ports, m.Port)
		}
	}
	for _, port := range ports {
		if file.port != strconv.Itoa(port) {
			v.refuse(path, fmt.Sprintf("write <port>%d</port> under <network>", port), "its port is %q", file.port)
		}
	}
}

// hazelcastFile is the part of a hazelcast.xml that must match the configuration.
type hazelcastFile struct{ name, port string }

func parseHazelcastXML(text string) (hazelcastFile, error) {
	var file struct {
		XMLName     xml.Name
		ClusterName string `xml:"cluster-name"`
		Group       string `xml:"group>name"` // before Hazelcast 4
		Port        string `xml:"network>port"`
	}
	decoder := xml.NewDecoder(strings.NewReader(text))
	if err := decoder.Decode(&file); err != nil {
		return hazelcastFile{}, fmt.Errorf("it cannot be read: %w", err)
	}
	if file.XMLName.Local != "hazelcast" {
		return hazelcastFile{}, fmt.Errorf("its root is <%s>, not <hazelcast>", file.XMLName.Local)
	}
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if _, isElement := token.(xml.StartElement); err != nil || isElement {
			return hazelcastFile{}, errors.New("something follows the end of <hazelcast>")
		}
	}
	return hazelcastFile{
		name: strings.TrimSpace(file.ClusterName + file.Group), port: strings.TrimSpace(file.Port),
	}, nil
}

// wkaMembers checks that the list of well-known members has every node. A missing node would form a cluster of its own.
func (v *validator) wkaMembers() {
	covered := map[netip.AddrPort]bool{}
	for i, text := range v.Clustering.WKAMembers {
		path := fmt.Sprintf("clustering.wkaMembers[%d]", i)
		switch expanded := ExpandMember(text); {
		case len(expanded) == 0:
			v.refuse(path, "write address:port, or a range over the last octet that rises, such as 10.0.1.10-20:5701",
				"%q is no well-known member", text)
		case expanded[0].Port() < ports.HazelcastFirst || expanded[0].Port() > ports.HazelcastLast:
			v.refuse(path, fmt.Sprintf("write a port from %d to %d", ports.HazelcastFirst, ports.HazelcastLast),
				"%d is not a port that the firewall opens", expanded[0].Port())
		default:
			for _, member := range expanded {
				covered[member] = true
			}
		}
	}
	for _, m := range v.Nodes.Members {
		member := fmt.Sprintf("%s:%d", m.Address, m.Port)
		own, err := netip.ParseAddrPort(member)
		if err == nil && len(v.Clustering.WKAMembers) > 0 && !covered[own] {
			v.refuse("clustering.wkaMembers", "add "+member, "%s is not in the list of well-known members and would form its own cluster",
				m.Name)
		}
	}
}

// wkaMember matches a well-known member: the address without its last octet, that octet, the last one of a range, and
// the port.
var wkaMember = regexp.MustCompile(`^(\d{1,3}\.\d{1,3}\.\d{1,3})\.(\d{1,3})(?:-(\d{1,3}))?:([1-9]\d{0,4})$`)

// ExpandMember lists the addresses of a well-known member: address:port, or a range over the last octet such as
// 10.0.1.10-20:5701. It returns none for any other text.
func ExpandMember(text string) []netip.AddrPort {
	m := wkaMember.FindStringSubmatch(text)
	if m == nil {
		return nil
	}
	first, err := netip.ParseAddrPort(m[1] + "." + m[2] + ":" + m[4])
	last, errLast := netip.ParseAddr(m[1] + "." + cmp.Or(m[3], m[2]))
	if err != nil || errLast != nil {
		return nil
	}
	var all []netip.AddrPort
	for a := first.Addr(); a.IsValid() && a.Compare(last) <= 0; a = a.Next() {
		all = append(all, netip.AddrPortFrom(a, first.Port()))
	}
	return all
}
