package proof

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

var download = compile(`\b(s3://[a-z0-9][a-z0-9.-]+|https://[A-Za-z0-9][A-Za-z0-9.-]+\.[A-Za-z]{2,})`)

// proveDownloads proves the path to every bucket, server and image in a node's user data or containers.
func (p *proofs) proveDownloads() {
	what := map[string]bool{}
	for _, n := range p.nodes {
		for _, source := range p.sources(n) {
			what[source] = true
			switch {
			case strings.HasPrefix(source, "s3://"):
				p.call(n, "s3", p.downloads)
			case strings.Contains(source, ".dkr.ecr."):
				for _, service := range []string{"ecr.api", "ecr.dkr", "s3"} { // layers are in S3
					p.call(n, service, p.downloads)
				}
			default:
				p.callOut(n, source, p.downloads)
			}
		}
	}
	p.downloads.Shown = strings.Join(slices.Sorted(maps.Keys(what)), ", ")
}

// sources returns the sources of a node's downloads: from user data, S3 buckets and HTTPS servers; from containers,
// their environment's addresses, and images; from Helm releases, the image of the chart. Amazon Linux stores its
// packages in S3.
func (p *proofs) sources(n *node) []string {
	var texts []string
	for _, line := range strings.Split(n.text, "\n") {
		// A script's comments and calls to the metadata service name no source.
		if n.task == nil && strings.Contains(line, "_SOURCE=") {
			texts = append(texts, line)
		}
	}
	found := map[string]bool{}
	for _, c := range n.containers() {
		found[c.Text("image")] = true
		for _, e := range slices.Concat(c.Objects("environment"), c.Objects("env")) {
			texts = append(texts, e.Text("value"))
		}
	}
	if n.pod != nil {
		for _, r := range p.Of(state.HelmRelease) {
			image := r.Object("values").Object("image")
			if base := image.Text("baseRepo"); base != "" {
				found[base+"/smbplugin:"+image.Object("smb").Text("tag")] = true
				continue
			}
			found[cmp.Or(image.Text("repository"), "the public registry of the chart "+r.Text("chart"))+":"+image.Text("tag")] = true
		}
	}
	for _, text := range texts {
		for _, m := range download.all(text) {
			found[m[1]] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// proveControl proves the connections of the stack's own Kubernetes cluster: kubelets and pods call the API, and it
// calls kubelets.
func (p *proofs) proveControl() {
	for _, c := range p.cluster.control {
		for _, n := range p.nodes {
			take(p.control)(p.net.reach(&n.endpoint, c, tcpPort(publicHTTPS)))
			take(p.control)(p.net.reach(c, &n.endpoint, tcpPort(kubelet)))
		}
		p.control.Shown = c.name
	}
}

func (p *proofs) proveOutside() {
	for _, n := range p.nodes {
		if n.elsewhere != "" {
			p.outside.open("%s", n.elsewhere)
			continue
		}
		for _, e := range p.want.Outside {
			for _, t := range e.traffic() {
				p.proveEgressTo(p.outside, n, e.Range, t)
			}
		}
		for _, to := range p.want.Directory {
			t := tcpPort(p.want.DirectoryPort)
			out := p.net.allowed(n.groups, false, func(r *rule) bool { return within(to, r.peerRange) })
			for _, missing := range t.minus(out...) {
				p.outside.fault("no egress rule of %s lets %s out to the directory at %s", p.net.groupNames(n.groups), missing, to)
			}
		}
	}
	p.outside.Shown = "nowhere"
	var all []fmt.Stringer
	for _, e := range p.want.Outside {
		all = append(all, e)
	}
	for _, to := range p.want.Directory {
		all = append(all, to)
	}
	if len(all) > 0 {
		p.outside.Shown = list(all)
	}
}

// proveEgressTo proves that a node reaches a range outside the VPC.
func (p *proofs) proveEgressTo(v *Verdict, n *node, to netip.Prefix, t traffic) {
	p.letOut(v, n, to, t)
	take(v)(p.net.leave(&n.endpoint, to, t))
}

// letOut proves that security groups let a node out to a range, and NetworkPolicies too if it is a pod.
func (p *proofs) letOut(v *Verdict, n *node, to netip.Prefix, t traffic) {
	out := p.net.allowed(n.groups, false, func(r *rule) bool { return within(to, r.peerRange) })
	for _, missing := range t.minus(out...) {
		v.fault("no egress rule of %s lets %s out to %s", p.net.groupNames(n.groups), missing, to)
	}
	if n.pod != nil {
		for _, closed := range n.pod.closed("Egress", peer{addr: to, name: to.String()}, t) {
			v.fault("%s", closed)
		}
	}
}

func (p *proofs) proveInternet() {
	private := slices.DeleteFunc(slices.Concat(p.databases, p.files), func(d *endpoint) bool { return d.of == nil })
	for _, n := range p.nodes {
		private = append(private, &n.endpoint)
	}
	for _, one := range private {
		if one.public {
			p.internet.fault("%s has a public address: %s gives it one", one, one.of)
		}
		if r := p.net.toInternet(one.subnet); r != nil {
			p.internet.fault("%s is in %s, which %s opens to the internet", one, p.net.subnetName(one.subnet), r.of)
		}
	}
	p.noteForeignSubnets(p.internet)
	p.internet.Shown = fmt.Sprintf("%s have no public address and no route from an internet gateway", count(len(private), "interface"))
}
