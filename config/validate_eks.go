package config

import (
	"fmt"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/config/capacity"
	"github.com/wso2is-aws/wso2is/config/instancetype"
	"github.com/wso2is-aws/wso2is/config/subnets"
)

var (
	principalARN  = regexp.MustCompile(`^arn:(aws|aws-cn|aws-us-gov):iam::\d{12}:(role|user)/[\w+=,.@/-]+$`)
	roleARN       = regexp.MustCompile(`^arn:(aws|aws-cn|aws-us-gov):iam::\d{12}:role/[\w+=,.@/-]+$`)
	namespaceName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
	clusterEKS    = regexp.MustCompile(`^[0-9A-Za-z][A-Za-z0-9_-]{0,99}$`)
	addonVersion  = regexp.MustCompile(`^v\d+\.\d+\.\d+-eksbuild\.\d+$`)
	chartVersion  = regexp.MustCompile(`^\d+\.\d+\.\d+$`)
	chartSource   = regexp.MustCompile(`^(https|oci)://[A-Za-z0-9.-]+(:\d+)?(/[A-Za-z0-9._~/-]*)?$`)
)

// systemNamespaces belong to Kubernetes and to the add-ons.
var systemNamespaces = []string{
	"default", "kube-system", "kube-public", "kube-node-lease", "amazon-cloudwatch", "aws-secrets-manager",
}

// eks checks the options of the topology eks.
func (v *validator) eks() {
	e := v.EKS
	v.tokenOfCLI()
	if !namespaceName.MatchString(e.Namespace) || slices.Contains(systemNamespaces, e.Namespace) {
		v.refuse("eks.namespace", "write lower-case letters, digits and hyphens, 63 at the most, such as wso2is",
			"%q cannot be the namespace of the pods", e.Namespace)
	}
	v.membershipScheme()
	if e.Cluster != nil {
		v.adoptedCluster()
		return
	}
	v.apiAccess()
	v.nodeRelease()
	for _, name := range slices.Sorted(maps.Keys(e.Addons)) {
		path := "eks.addons." + string(name)
		switch version := e.Addons[name]; {
		case !addonVersion.MatchString(version):
			v.refuse(path, "write one such as v1.12.4-eksbuild.1; `aws eks describe-addon-versions` lists them",
				"%q is not the version of an EKS add-on", version)
		case name == AddonMetricsServer && v.Nodes.Autoscaling == nil:
			v.refuse(path, "leave it out, or write nodes.autoscaling", "without autoscaling nothing reads metrics")
		case name == AddonSecretsStore && e.Secrets != SecretsCSI:
			v.refuse(path, "leave it out, or write eks.secrets: csi", "Kubernetes secrets need no driver")
		}
	}
	ownVersion := !strings.HasPrefix(e.Controller.Chart, "1.") && !strings.HasPrefix(e.Controller.Chart, "0.")
	if v.chart("eks.controller", "3.5.0", e.Controller.Chart, "https://aws.github.io/eks-charts", e.Controller.Repository) &&
		e.Controller.Image == "" && !ownVersion {
		v.refuse("eks.controller.image", "write the image, or a chart from 3.0.0 on",
			"the version %s of the chart is not the controller's, whose image is therefore not known", e.Controller.Chart)
	}
	v.image("eks.controller.image", e.Controller.Image)
	v.smbDriver()
}

// chart checks the version and the repository of a Helm chart, and reports whether the version is one.
func (v *validator) chart(path, exampleVersion, version, exampleRepository, repository string) bool {
	if !chartSource.MatchString(repository) {
		v.refuse(path+".repository", "write one such as "+exampleRepository, "%q is not a Helm repository", repository)
	}
	if !chartVersion.MatchString(version) {
		v.refuse(path+".chart", "write one such as "+exampleVersion, "%q is not one version of a chart", version)
		return false
	}
	return true
}

// smbDriver checks the Helm release of the SMB CSI driver.
func (v *validator) smbDriver() {
	const path = "eks.smbDriver"
	d := v.EKS.SMBDriver
	if v.FileSystem.Type != SMB {
		if d != (SMBDriver{}) {
			v.refuse(path, "leave it out, or write fileSystem.type: smb", "no pod mounts an SMB share")
		}
		return
	}
	v.chart(path, "1.20.3", d.Chart, "https://kubernetes-csi.github.io/csi-driver-smb", d.Repository)
	v.image(path+".image", d.Image)
	if repository, _, err := SplitImage(d.Image); err == nil && !strings.HasSuffix(repository, "/smbplugin") {
		v.refuse(path+".image", "write one such as 123456789012.dkr.ecr.eu-west-1.amazonaws.com/sig-storage/smbplugin:v1.20.3",
			"%q is not called smbplugin, and the chart looks for its other images beside it", d.Image)
	}
}

// apiAccess checks who reaches the Kubernetes API, and with which permissions.
func (v *validator) apiAccess() {
	e := v.EKS
	if len(e.PublicAccessCIDRs) == 0 && v.Network.Adopt == nil {
		v.refuse("eks.publicAccessCidrs",
			"write the public addresses of the machine that runs pulumi, such as 203.0.113.7/32, or use a VPC "+
				"that it reaches with network.adopt",
			"pulumi cannot reach a private endpoint in a new VPC, so it could not create anything in the cluster")
	}
	v.cidrs("eks.publicAccessCidrs", e.PublicAccessCIDRs)
	for i, text := range e.PublicAccessCIDRs {
		if p, err := netip.ParsePrefix(text); err == nil && p.Bits() > 0 && p.Addr().IsPrivate() {
			v.refuse(fmt.Sprintf("eks.publicAccessCidrs[%d]", i), "write public addresses, or leave it out",
				"%s is private, and private addresses reach the private endpoint", text)
		}
	}
	seen := map[string]bool{}
	for i, arn := range e.Admins {
		path := fmt.Sprintf("eks.admins[%d]", i)
		switch {
		case !principalARN.MatchString(arn):
			v.refuse(path, "write one such as arn:aws:iam::123456789012:role/platform",
				"%q is not the ARN of an IAM role or user", arn)
		case seen[arn]:
			v.refuse(path, "write each principal once", "%s is there twice", arn)
		}
		seen[arn] = true
	}
}

// membershipScheme checks the jar of a release that lacks the scheme.
func (v *validator) membershipScheme() {
	const path = "eks.membershipScheme"
	jar := v.EKS.MembershipScheme
	needed := v.facts.KubernetesSchemeJar && v.Clustered()
	switch {
	case jar == (Artifact{}) && needed && !v.Container.Baked:
		v.refuse(path, "write source: s3://…/kubernetes-membership-scheme-1.0.x.jar, or container.baked: true",
			"%s does not ship the membership scheme kubernetes", v.Version)
	case jar != (Artifact{}) && v.facts.Kernel != "" && (!needed || v.Container.Baked):
		v.refuse(path, "leave it out", "the release, the image or a cluster without members does not need the jar "+
			"read it")
	case jar != (Artifact{}):
		v.artifact(path, jar)
	}
}

// adoptedCluster checks an existing cluster, and refuses keys for the stack's own cluster.
func (v *validator) adoptedCluster() {
	a, e := v.EKS.Cluster, v.written.EKS
	if v.Network.Adopt == nil {
		v.refuse("network.adopt", "write the VPC and the subnets of the cluster", "the cluster of eks.cluster is in a VPC")
	}
	if !clusterEKS.MatchString(a.Name) {
		v.refuse("eks.cluster.name", "write the cluster's name as `aws eks list-clusters` shows it",
			"%q is not the name of an EKS cluster", a.Name)
	}
	v.id("eks.cluster.nodeSecurityGroup", a.NodeSecurityGroup, "sg-", "a security group")
	if v.FileSystem.Type == EFS && !roleARN.MatchString(a.FileSystemRole) {
		v.refuse("eks.cluster.fileSystemRole", "write one such as arn:aws:iam::123456789012:role/efs-csi-node",
			"%q is not the ARN of an IAM role", a.FileSystemRole)
	}
	for _, own := range []struct {
		path string
		set  bool
	}{
		{"eks.version", e.Version != ""}, {"eks.publicAccessCidrs", len(e.PublicAccessCIDRs) > 0},
		{"eks.extendedSupport", e.ExtendedSupport}, {"eks.admins", len(e.Admins) > 0}, {"eks.nodeGroup", e.NodeGroup != NodeGroup{}},
		{"eks.controller", e.Controller != Controller{}}, {"eks.smbDriver", e.SMBDriver != SMBDriver{}}, {"eks.addons", len(e.Addons) > 0},
		{"nodes.instanceType", v.written.Nodes.InstanceType != ""}, {"nodes.rootVolume", v.written.Nodes.RootVolume != 0},
	} {
		if own.set {
			v.refuse(own.path, "leave it out, or leave eks.cluster out", "it belongs to the owner of the existing cluster")
		}
	}
}

// podNodes checks the size of a pod and of the Kubernetes nodes.
func (v *validator) podNodes() {
	n, written := v.Nodes, v.written.Nodes
	if written.AMI != "" {
		v.refuse("nodes.ami", "write eks.nodeGroup.ami: al2023 or bottlerocket",
			"EKS chooses the image of its nodes for the Kubernetes version")
	}
	if len(written.Members) > 0 {
		v.refuse("nodes.members", "write nodes.count", "pods have no fixed addresses")
	}
	v.heap()
	if v.EKS.Cluster != nil {
		return
	}
	t, known := instancetype.Lookup(n.InstanceType)
	switch {
	case n.InstanceType == "":
		v.refuse("nodes.cpu", "write smaller pods and more of them", "no instance type holds a pod with %d vCPU and %d GiB", n.CPU,
			n.Memory)
	case !known:
		v.refuse("nodes.instanceType", knownTypes, "%q is not a known instance type", n.InstanceType)
	case v.PodsPerNode() == 0:
		free := capacity.Allocatable(t)
		fix := "write smaller pods"
		if fitting := capacity.SmallestNode(v.PodSize()); fitting != "" {
			fix = fmt.Sprintf("write a type as large as %s, or smaller nodes.cpu and nodes.memory", fitting)
		}
		v.refuse("nodes.instanceType", fix,
			"a node of %s has %.1f vCPU and %.1f GiB for pods and their daemons, and one pod asks for %d vCPU and %d GiB",
			t.Name, float64(free.CPU)/1000, float64(free.Memory)/mib, n.CPU, n.Memory)
	default:
		v.offeredType("2xlarge")
	}
}

// maxGroup is EKS's quota of nodes in a managed node group.
const maxGroup = 450

// validatePodCapacity sizes the node group, and checks that it holds the pods and that its nodes' addresses fit the
// subnets.
func (c *Cluster) validatePodCapacity() Problems {
	var p Problems
	if c.EKS.Cluster != nil {
		return p
	}
	c.sizeNodeGroup()
	g, zones := c.EKS.NodeGroup, len(c.Network.Zones)
	if c.PodsPerNode() > 0 {
		if needed := c.nodesNeeded(); g.Min < needed {
			p.refuse("eks.nodeGroup.min", fmt.Sprintf("write %d or more, or a larger nodes.instanceType", needed),
				"%d nodes of %s in %d zones do not hold %d pods and the one that a rolling update adds", g.Min,
				c.Nodes.InstanceType, zones, c.MaxNodes())
		}
	}
	if g.Max < g.Min {
		p.refuse("eks.nodeGroup.max", fmt.Sprintf("write %d or more", g.Min), "%d is no upper bound for min, which is %d",
			g.Max, g.Min)
	}
	if g.Max > maxGroup {
		p.refuse("eks.nodeGroup", "write fewer pods, or a larger nodes.instanceType",
			"%d nodes are more than the %d of one managed node group", g.Max, maxGroup)
		return p
	}
	for _, s := range c.Subnets() {
		subnet, err := netip.ParsePrefix(s.Private.CIDR)
		if err != nil {
			continue // the subnet has its own problem
		}
		// An update of the node group starts a node in each zone before it ends one.
		fits := (subnets.Room(subnet)/capacity.NodeAddresses(c.PodsPerNode()) - 1) * zones
		if most := max(g.Max, g.Min); most > fits {
			p.refuse("network.cidr", "write a larger network, or fewer nodes",
				"%d Kubernetes nodes with %d addresses each do not fit private subnets such as %s in %d zones", most,
				capacity.NodeAddresses(c.PodsPerNode()), subnet, zones)
			break
		}
	}
	return p
}

var nodeRelease = regexp.MustCompile(`^\d+\.\d+\.\d+-[0-9a-f]{8}$`)

// nodeRelease checks the release of the nodes' image. Amazon Linux's begins with the Kubernetes version, and EKS
// refuses one of another version. Bottlerocket has its own numbers.
func (v *validator) nodeRelease() {
	g, version := v.EKS.NodeGroup, string(v.EKS.Version)
	switch {
	case g.Release == "":
	case !nodeRelease.MatchString(g.Release):
		v.refuse("eks.nodeGroup.release", fmt.Sprintf("write one such as %s.0-20261101 of al2023, or 1.52.0-2a4a7d1c of bottlerocket",
			version), "%q is no release of an image for EKS", g.Release)
	case g.AMI == AL2023 && !strings.HasPrefix(g.Release, version+"."):
		v.refuse("eks.nodeGroup.release", "write one of that version, or leave it out while you raise the version",
			"%s is not an image for Kubernetes %s", g.Release, version)
	}
}
