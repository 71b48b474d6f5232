package config

// KubernetesVersion is a minor version of Kubernetes as EKS names it.
type KubernetesVersion string

// The versions in EKS's standard support for which this program's manifests are validated, the oldest first.
const (
	Kubernetes1_34 KubernetesVersion = "1.34"
	Kubernetes1_35 KubernetesVersion = "1.35"
	Kubernetes1_36 KubernetesVersion = "1.36"
)

// KubernetesVersions are the values of eks.version, the oldest first.
func KubernetesVersions() []KubernetesVersion {
	return []KubernetesVersion{Kubernetes1_34, Kubernetes1_35, Kubernetes1_36}
}

// NodeImage is the operating system of an EKS node.
type NodeImage string

// The node images.
const (
	AL2023       NodeImage = "al2023"
	Bottlerocket NodeImage = "bottlerocket"
)

// Registration is how pods become targets of the load balancer.
type Registration string

// The ways of registration.
const (
	TargetGroupBinding Registration = "targetGroupBinding"
	Ingress            Registration = "ingress"
)

// SecretStore is where pods read their secrets.
type SecretStore string

// The secret stores.
const (
	SecretsCSI        SecretStore = "csi"
	SecretsKubernetes SecretStore = "kubernetes"
)

// Addon is an EKS add-on that the program installs.
type Addon string

// The add-ons.
const (
	AddonVPCCNI        Addon = "vpc-cni"
	AddonKubeProxy     Addon = "kube-proxy"
	AddonCoreDNS       Addon = "coredns"
	AddonPodIdentity   Addon = "eks-pod-identity-agent"
	AddonEFS           Addon = "aws-efs-csi-driver"
	AddonSecretsStore  Addon = "aws-secrets-store-csi-driver-provider"
	AddonMetricsServer Addon = "metrics-server"
	AddonObservability Addon = "amazon-cloudwatch-observability"
)

// Addons are the add-ons that eks.addons may pin, in the order they are listed here.
func Addons() []Addon {
	return []Addon{
		AddonVPCCNI, AddonKubeProxy, AddonPodIdentity, AddonCoreDNS, AddonEFS, AddonSecretsStore, AddonMetricsServer,
		AddonObservability,
	}
}

// EKSOptions has the options of the topology eks.
type EKSOptions struct {
	// Version is the Kubernetes version: `1.34`, `1.35` or `1.36`, in quotes. EKS raises it one minor version at a time
	// and never lowers it. Default: `1.36`.
	Version KubernetesVersion `json:"version,omitempty"`
	// ExtendedSupport keeps the cluster on a Kubernetes version past its standard support. The control plane then costs
	// six times as much an hour. Without it, EKS upgrades the cluster by itself at the end of standard support. EKS
	// refuses to switch it off while the version is in extended support. Default: false.
	ExtendedSupport bool `json:"extendedSupport,omitempty"`
	// PublicAccessCIDRs are the public IPv4 ranges that may call the Kubernetes API from outside the VPC. One must
	// contain the machine that runs pulumi. Without any, the API has only a private endpoint, which needs an existing
	// VPC that the machine reaches.
	PublicAccessCIDRs []string `json:"publicAccessCidrs,omitempty"`
	// Admins are the ARNs of IAM roles or users that administer the cluster, besides its creator: leave out who runs the first update,
	// since EKS gives its creator access by itself.
	Admins []string `json:"admins,omitempty"`
	// NodeGroup is the managed node group of the pods; nodes.instanceType and nodes.rootVolume size its nodes.
	NodeGroup NodeGroup `json:"nodeGroup,omitempty"`
	// Namespace is the Kubernetes namespace of the pods. Default: `<project>-<stack>`.
	Namespace string `json:"namespace,omitempty"`
	// Registration makes pods targets of the load balancer. `targetGroupBinding` uses the stack's load balancer, as on
	// ec2. `ingress` lets the AWS Load Balancer Controller make the load balancer. Default: `targetGroupBinding`.
	Registration Registration `json:"registration,omitempty"`
	// Secrets is how pods get the cluster's secrets: from Secrets Manager by the Secrets Store CSI driver (`csi`), or as
	// Kubernetes secrets that pulumi writes (`kubernetes`). Default: `csi`.
	Secrets SecretStore `json:"secrets,omitempty"`
	// Controller is the AWS Load Balancer Controller.
	Controller Controller `json:"controller,omitempty"`
	// SMBDriver is the SMB CSI driver, which mounts the share of fileSystem.type smb.
	SMBDriver SMBDriver `json:"smbDriver,omitempty"`
	// Addons pins add-ons to versions, such as `coredns: v1.12.4-eksbuild.1`. Left out, an add-on has the version that
	// EKS recommends for the Kubernetes version.
	Addons map[Addon]string `json:"addons,omitempty"`
	// MembershipScheme is WSO2's jar with the membership scheme `kubernetes`, which release 5.11.0 does not ship.
	MembershipScheme Artifact `json:"membershipScheme,omitempty"`
	// Cluster puts the pods into an existing EKS cluster instead of making one.
	Cluster *AdoptedCluster `json:"cluster,omitempty"`
}

// NodeGroup is a managed node group.
type NodeGroup struct {
	// Min is the number of nodes that always run. Default: enough for one pod more than nodes.count or
	// nodes.autoscaling.max, because a rolling update starts one, and at least one node in each zone.
	Min int `json:"min,omitempty" jsonschema:"minimum=1" wrong:"nodes hold no pod"`
	// Max is the largest number of nodes for a node autoscaler of your own. Default: min.
	Max int `json:"max,omitempty" jsonschema:"minimum=1" wrong:"nodes hold no pod"`
	// AMI is the nodes' operating system, `al2023` or `bottlerocket`; EKS chooses the image. Default: `al2023`.
	AMI NodeImage `json:"ami,omitempty"`
	// Release is the release of the nodes' image, such as `1.36.0-20261101` of al2023 or `1.52.0-2a4a7d1c` of
	// bottlerocket. A change replaces the nodes one at a time. Left out, EKS takes the newest one when the group is
	// made and with each other Kubernetes version, and nodes keep it.
	Release string `json:"release,omitempty"`
}

// Controller is the Helm release of the AWS Load Balancer Controller.
type Controller struct {
	// Chart is the version of the chart aws-load-balancer-controller. Before 3.0.0 it differs from the controller's
	// version, and image is needed. Default: `3.5.0`.
	Chart string `json:"chart,omitempty"`
	// Repository is the Helm repository of the chart. Default: `https://aws.github.io/eks-charts`.
	Repository string `json:"repository,omitempty"`
	// Image is the controller's image, `registry/repository:tag`. It is published on public.ecr.aws, which nodes do not
	// reach: mirror it like the other images. Default: aws-load-balancer-controller:v<chart> in the account's registry,
	// or in the stack's own repository with container.repository.
	Image string `json:"image,omitempty"`
}

// SMBDriver is the Helm release of the SMB CSI driver. The stack installs it only with fileSystem.type smb.
type SMBDriver struct {
	// Chart is the version of the chart csi-driver-smb. Default: `1.20.3`.
	Chart string `json:"chart,omitempty"`
	// Repository is the Helm repository of the chart. Default: `https://kubernetes-csi.github.io/csi-driver-smb`.
	Repository string `json:"repository,omitempty"`
	// Image is the driver's image, `registry/path/smbplugin:tag`. It is published in registry.k8s.io/sig-storage, which nodes do not
	// reach: mirror it, and beside it livenessprobe, csi-node-driver-registrar, csi-provisioner and csi-resizer with the tags of the
	// chart. Default: sig-storage/smbplugin:v<chart> in the account's registry.
	Image string `json:"image,omitempty"`
}

// AdoptedCluster is an existing EKS cluster. docs/topologies.md lists what it must have.
type AdoptedCluster struct {
	// Name is the cluster's name.
	Name string `json:"name"`
	// Kubeconfig replaces the default one, which asks the AWS CLI for a token.
	Kubeconfig Secret `json:"kubeconfig,omitempty"`
	// NodeSecurityGroup is the id of the security group on the cluster's nodes. It gets rules for the load balancer and
	// for Hazelcast.
	NodeSecurityGroup string `json:"nodeSecurityGroup"`
	// FileSystemRole is the ARN of the role of the EFS CSI driver's node pods (efs-csi-node-sa). Only this role may
	// mount the file system. Needed with fileSystem.type efs, and only there.
	FileSystemRole string `json:"fileSystemRole,omitempty"`
}
