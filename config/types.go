// Package config defines the keys of Pulumi.<stack>.yaml under the namespace wso2is, their defaults and their rules. It
// is plain Go without AWS's SDK or Pulumi's engine, so every rule is checked before a resource is registered.
package config

import (
	"github.com/wso2is-aws/wso2is/config/engine"
	"github.com/wso2is-aws/wso2is/config/product"
)

//go:generate go -C .. run ./config/gen

// Namespace is the Pulumi configuration namespace of every key in this package.
const Namespace = "wso2is"

// Cluster is the whole configuration of one WSO2 Identity Server cluster, read, defaulted and validated by Load.
// The comment of each field is its entry in docs/configuration.md and in the editor's schema.
type Cluster struct {
	// Project is the Pulumi project's name. With Stack it forms the names and discovery tags that keep clusters apart.
	Project string `json:"-"`
	// Stack is the Pulumi stack's name.
	Stack string `json:"-"`
	// Region is the AWS region, from the key aws:region.
	Region string `json:"-"`
	// Provider is the configuration of the AWS provider, from the other keys of the namespace aws.
	Provider Provider `json:"-"`

	// name is the cluster's name, if it is not made of project and stack.
	name string
	// explicit are the paths of the numbers and booleans that the stack writes. So a written 0 or false gets no
	// default.
	explicit map[string]bool

	// Profile chooses the defaults of keys that a stack leaves out: `prod` is safe (zones, backups, protection), `dev`
	// is cheap and easy to destroy. Default: `prod`.
	Profile Profile `json:"profile,omitempty"`
	// Topology is what the nodes run on: instances (`ec2`), tasks (`ecs`) or pods (`eks`). Default: `ec2`.
	Topology Topology `json:"topology,omitempty"`
	// Version is the release of WSO2 Identity Server.
	Version product.Version `json:"version"`
	// Hostname is the DNS name under which clients reach the cluster. Nodes put it into the URLs they issue.
	Hostname string `json:"hostname"`

	// Nodes is the number of nodes and their size.
	Nodes Nodes `json:"nodes,omitempty"`
	// Load is the load that the cluster must hold. Nodes and database that a stack leaves out then have the sizes with
	// which WSO2 measured the load, plus one node. The output has WSO2's figures, and a warning names sizes of the
	// stack that are smaller.
	Load *TargetLoad `json:"load,omitempty"`
	// Network is the VPC that the stack makes, or an existing one.
	Network Network `json:"network,omitempty"`
	// Clustering says how nodes find each other.
	Clustering Clustering `json:"clustering,omitempty"`
	// Caching chooses one of the five cache scenarios of WSO2's deployment guide.
	Caching Caching `json:"caching,omitempty"`
	// Database is the database that all nodes share: one of RDS, or one that exists.
	Database Database `json:"database,omitempty"`
	// FileSystem is the file system for artifacts that change at run time.
	FileSystem FileSystem `json:"fileSystem,omitempty"`
	// Backup is the AWS Backup plan over database and file system, and the vault that it keeps them in.
	Backup Backup `json:"backup,omitempty"`
	// LoadBalancer is the load balancer in front of the nodes: an Application Load Balancer of the stack, or one that exists.
	LoadBalancer LoadBalancer `json:"loadBalancer,omitempty"`
	// Product says where nodes get the product and its JDBC driver.
	Product Product `json:"product,omitempty"`
	// Container is the images of tasks and pods, for the topologies ecs and eks.
	Container Container `json:"container,omitempty"`
	// ECS has the options of the topology ecs.
	ECS ECSOptions `json:"ecs,omitempty"`
	// EKS has the options of the topology eks.
	EKS EKSOptions `json:"eks,omitempty"`
	// JVM sizes the Java virtual machine of a node.
	JVM JVM `json:"jvm,omitempty"`
	// Admin is the super administrator that the first start creates.
	Admin Admin `json:"admin,omitempty"`
	// Secrets are values that a team sets itself. Values that are left out are generated once and kept.
	Secrets Secrets `json:"secrets,omitempty"`
	// RestoreFrom is the recovery point from which the stack makes its databases and secrets.
	RestoreFrom RestoreFrom `json:"restoreFrom,omitempty"`
	// Trust adds certificate authorities to those that the product trusts.
	Trust Trust `json:"trust,omitempty"`
	// IAM has what all roles of the stack have in common.
	IAM IAM `json:"iam,omitempty"`
	// UserStore is the primary user store: the shared database, or a directory.
	UserStore UserStore `json:"userStore,omitempty"`
	// Observability configures logs and alarms.
	Observability Observability `json:"observability,omitempty"`
	// Usage is the assumed use for a month's bill. A rehearsal prices the cluster with it; it changes no resource.
	Usage Usage `json:"usage,omitempty"`
	// ExtraConfig is merged into every node's deployment.toml, table by table. Keys that this program writes itself are
	// refused; the message names the configuration key to use instead.
	ExtraConfig map[string]any `json:"extraConfig,omitempty"`
	// Tags are put on every resource besides the program's own project, stack and component tags. Keys must not start
	// with `aws:`; 40 at the most.
	Tags map[string]string `json:"tags,omitempty"`
}

// Profile names a set of defaults.
type Profile string

// The profiles.
const (
	Dev  Profile = "dev"
	Prod Profile = "prod"
)

// Nodes is the size and number of the cluster's nodes.
type Nodes struct {
	// Count is the number of nodes, at least 1. Two or more make a cluster. Default: 2.
	Count int `json:"count,omitempty" jsonschema:"minimum=1" wrong:"nodes make no cluster"`
	// InstanceType is the EC2 instance type of a node; it must meet WSO2's system requirements (4 vCPU, 4 GB memory).
	// Exclusive with cpu and memory. Default: `t3.xlarge` in dev, `m6i.xlarge` in prod. On eks it is the type of a
	// Kubernetes node, which must hold a pod of cpu and memory besides its own daemons; the default is the smallest such
	// type of the families c6i, m6i and r6i.
	InstanceType string `json:"instanceType,omitempty"`
	// CPU is the number of vCPUs of a node, 4 or more, instead of an instance type. With memory it selects the smallest
	// type of the families c6i, m6i and r6i that has both. On Fargate it is the task's own size: 4, 8 or 16. On eks it
	// is the CPU request of a pod. Default there: 4.
	CPU int `json:"cpu,omitempty" jsonschema:"minimum=4" wrong:"vCPUs are too few for the server"`
	// Memory is the memory of a node in GiB, 4 or more, instead of an instance type. On Fargate it is the task's own
	// size: 8 to 30 with 4 vCPUs, 16 to 60 in steps of 4 with 8, 32 to 120 in steps of 8 with 16. Default there: 8 in
	// dev, 16 in prod. On eks it is a pod's. Default there: 8.
	Memory int `json:"memory,omitempty" jsonschema:"minimum=4" wrong:"GiB are too little for the server"`
	// SecurityGroups are the ids of more security groups of nodes, up to 4, such as one that a database of the team admits. Their
	// rules add to those of the stack's own group. Needs network.adopt; not with eks.cluster. Default: none.
	SecurityGroups []string `json:"securityGroups,omitempty"`
	// RootVolume is the size of a node's encrypted root volume in GiB, at least 10. On ecs it is at least 30, which the
	// image of container instances needs; on Fargate 21 to 200. Default: 30.
	RootVolume int `json:"rootVolume,omitempty" jsonschema:"minimum=10" wrong:"GiB are too little for the server"`
	// AMI is the Amazon Linux 2023 image; on ecs the one that is optimized for ECS. Left out, nodes keep the image that
	// was the newest when they were first made. `newest` uses the newest one at each update, and an id fixes one. A
	// different image replaces the nodes one at a time.
	AMI string `json:"ami,omitempty"`
	// Members defines the nodes one by one, for the schemes `wka` and `multicast`: name, zone, address and port of
	// each. Left out, `count` nodes named node-1, node-2, … are spread over the zones, each with an address of its own.
	// A list also sets count.
	Members []Member `json:"members,omitempty"`
	// Autoscaling adds and removes nodes by load: instances on ec2, tasks on ecs. It needs a scheme with discovery,
	// since well-known members have fixed addresses.
	Autoscaling *Autoscaling `json:"autoscaling,omitempty"`
}

// TargetLoad is a load in the terms of WSO2's published performance results (docs/performance.md has them).
type TargetLoad struct {
	// Scenarios are user actions, named as in the results, such as `OIDC Auth Code Grant Redirect Without Consent`.
	// WSO2 measured one at a time: the cluster must hold each by itself.
	Scenarios []string `json:"scenarios"`
	// Users is the number of users at the same time. The program uses the figures of the next larger number that WSO2
	// measured.
	Users int `json:"users" jsonschema:"minimum=1" wrong:"users are no load"`
	// P95 is the maximum response time in milliseconds of 95 of 100 requests.
	P95 int `json:"p95" jsonschema:"minimum=1" wrong:"milliseconds are no response time"`
}

// NewestImage is the value of nodes.ami that takes the newest image at each update.
const NewestImage = "newest"

// Member is one node with a fixed address.
type Member struct {
	// Name is the node's name: lower-case letters, digits and hyphens. It names the node's resources, so a renamed
	// member is a new node.
	Name string `json:"name"`
	// Zone is the availability zone the node runs in, one of network.zones.
	Zone string `json:"zone"`
	// Address is the node's private IPv4 address, inside the private subnet of its zone. Default: the first free
	// address of that subnet from its sixteenth on. The stack reserves the 16 addresses around it for nodes.
	Address string `json:"address,omitempty"`
	// Port is the node's own Hazelcast port. Default: clustering.port.
	Port int `json:"port,omitempty" jsonschema:"minimum=5701,maximum=5800" wrong:"is not a port that the firewall opens"`
}

// Autoscaling bounds the number of nodes and sets the load at which nodes are added.
type Autoscaling struct {
	// Max is the largest number of nodes; nodes.count is the smallest.
	Max int `json:"max" jsonschema:"minimum=1" wrong:"nodes make no cluster"`
	// CPU is the target for the average CPU use in percent, 10 to 90. Default: 65.
	CPU int `json:"cpu,omitempty" jsonschema:"minimum=10,maximum=90"`
	// Memory is the target for the average memory use in percent, 10 to 95. Not on ec2, where no metric has it.
	// Default: 80.
	Memory int `json:"memory,omitempty" jsonschema:"minimum=10,maximum=95"`
}

// NATStrategy says how private subnets reach the internet.
type NATStrategy string

// The NAT strategies.
const (
	NATNone    NATStrategy = "none"
	NATSingle  NATStrategy = "single"
	NATPerZone NATStrategy = "perZone"
)

// Network is the VPC of the cluster.
type Network struct {
	// CIDR is the VPC's private IPv4 range, /16 to /22. For an existing VPC, write its range. Default: `10.0.0.0/16`.
	CIDR string `json:"cidr,omitempty"`
	// Zones are the names of the availability zones to use, two or more: a load balancer and a database subnet group
	// need two. Left out, the stack uses the region's first zones: two in dev, three in prod. On eks, a zone must
	// accept a control plane: use1-az3, usw1-az2 and cac1-az3 do not. On Fargate, it must run tasks: usw1-az2, apne1-az3
	// and, in cn-north-1, all but cnn1-az1 and cnn1-az2 do not. `aws ec2 describe-availability-zones` shows the names of
	// these ids in your account.
	Zones []string `json:"zones,omitempty"`
	// NAT gives private subnets internet access through NAT gateways: one per zone, a single one, or none. Default:
	// `none` if egressCidrs is empty and no proxy is on the internet, otherwise `single` in dev and `perZone` in prod.
	NAT NATStrategy `json:"nat,omitempty"`
	// EgressCIDRs are the IPv4 ranges outside the VPC that nodes may call: upstream identity providers, mail and SMS
	// gateways. A range as text allows HTTPS. For other ports write an object, such as `{cidr: 198.51.100.0/24, ports:
	// [587]}`. Default: none. AWS's own services are reached through VPC endpoints and need no entry here.
	EgressCIDRs []Egress `json:"egressCidrs,omitempty"`
	// InterfaceEndpoints builds the VPC endpoints for the AWS services that nodes call. Default: true; false in an
	// existing VPC, which usually has them.
	InterfaceEndpoints bool `json:"interfaceEndpoints,omitempty"`
	// SESEndpoint builds a VPC endpoint of Amazon SES's SMTP interface. Nodes send mail through it on port 587 without
	// internet access. It costs in every zone, like each interface endpoint, and needs interfaceEndpoints. Default:
	// false.
	SESEndpoint bool `json:"sesEndpoint,omitempty"`
	// S3Buckets are the names of more buckets that the stack's VPC endpoint of S3 allows, such as those with the image
	// layers of a registry; `*` is every bucket. Default: only the buckets that nodes read by themselves. In an
	// existing VPC the default is `*`, since its other workloads use the endpoint too.
	S3Buckets []string `json:"s3Buckets,omitempty"`
	// SESZones are the cluster's zones in which SES has its endpoint. They are set once the zones are known.
	SESZones []string `json:"-"`
	// Proxy is the HTTP proxy through which the server calls others, if their addresses are not known. Default: none.
	Proxy *Proxy `json:"proxy,omitempty"`
	// FlowLogs keeps a log of the VPC's accepted and rejected connections. Default: true; false in an existing VPC.
	FlowLogs bool `json:"flowLogs,omitempty"`
	// FlowLogGroup is the name of an existing log group of CloudWatch Logs in this account and region for the flow logs. Its owner decides
	// on its retention and its KMS key. Default: a log group that the stack makes.
	FlowLogGroup string `json:"flowLogGroup,omitempty"`
	// Adopt uses an existing VPC instead of making one.
	Adopt *AdoptedNetwork `json:"adopt,omitempty"`
}

// Egress is a range outside the VPC that nodes may call. A text instead of the object is its cidr.
type Egress struct {
	// CIDR is the IPv4 range.
	CIDR string `json:"cidr" text:"true"`
	// Ports are the TCP ports that nodes may call there, such as 587 of a mail server. Default: `[443]`.
	Ports []int `json:"ports,omitempty" jsonschema:"minimum=1,maximum=65535" wrong:"is no TCP port"`
}

// Proxy is an HTTP proxy.
type Proxy struct {
	// URL is the proxy's URL, such as `http://proxy.example.com:3128`. It cannot contain a login, since Java takes none
	// from its command line. The proxy can recognize the nodes by their addresses.
	URL string `json:"url"`
	// CIDRs are the IPv4 ranges of the proxy's addresses; nodes may call its port there. Default: the address in url.
	CIDRs []string `json:"cidrs,omitempty"`
	// NoProxy are more hosts that the server calls without the proxy, such as `*.partner.example`. Java accepts a `*`
	// only at the beginning or at the end. The cluster's own name, its VPC, databases and the APIs for discovery need
	// no entry.
	NoProxy []string `json:"noProxy,omitempty"`
}

// AdoptedNetwork is an existing VPC with a public and a private subnet in each zone.
type AdoptedNetwork struct {
	// VPC is the id of the existing VPC; network.cidr must be its range.
	VPC string `json:"vpc"`
	// PublicSubnets has the load balancer's subnet of each zone. A private load balancer needs none, nor does one that exists.
	PublicSubnets map[string]Subnet `json:"publicSubnets,omitempty"`
	// PrivateSubnets has the subnet for nodes, database and file system of each zone.
	PrivateSubnets map[string]Subnet `json:"privateSubnets"`
	// EndpointSecurityGroup is the id of the security group on the VPC's existing interface endpoints. Nodes may call
	// it on 443. Needed unless interfaceEndpoints is true or egressCidrs covers these endpoints.
	EndpointSecurityGroup string `json:"endpointSecurityGroup,omitempty"`
	// S3PrefixList is the id of the region's S3 prefix list, to which the VPC's S3 gateway endpoint routes. Needed
	// unless interfaceEndpoints is true, which makes a gateway endpoint too.
	S3PrefixList string `json:"s3PrefixList,omitempty"`
	// PrivateRouteTables are the route tables of the private subnets, for the stack's gateway endpoint.
	PrivateRouteTables []string `json:"privateRouteTables,omitempty"`
}

// Subnet is an existing subnet.
type Subnet struct {
	// ID is the subnet's id.
	ID string `json:"id"`
	// CIDR is the subnet's IPv4 range.
	CIDR string `json:"cidr"`
}

// Scheme is a membership scheme of the Carbon clustering agent, spelled as in deployment.toml.
type Scheme string

// The membership schemes.
const (
	WKA        Scheme = "wka"
	Multicast  Scheme = "multicast"
	AWS        Scheme = "aws"
	AWSECS     Scheme = "aws-ecs"
	Kubernetes Scheme = "kubernetes"
)

// Clustering says how nodes find each other.
type Clustering struct {
	// Scheme is the membership scheme. On ec2: `aws` (discovery by tag, the default), `wka` (fixed addresses) or
	// `multicast` (through a Transit Gateway multicast domain). On ecs it is `aws-ecs`, on eks `kubernetes`.
	Scheme Scheme `json:"scheme,omitempty"`
	// Domain is the Hazelcast cluster name. Default: `<project>-<stack>`.
	Domain string `json:"domain,omitempty"`
	// Port is the Hazelcast port of a node: 5701 to 5800, and at most 5708 if discovery probes for it (schemes `aws`
	// and `aws-ecs`). Default: 5701.
	Port int `json:"port,omitempty" jsonschema:"minimum=5701,maximum=5800" wrong:"is not a port that the firewall opens"`
	// HeartbeatTimeout is the number of seconds without a heartbeat after which a node is removed, 10 to 600. Default:
	// 60; the product's own is 600.
	HeartbeatTimeout int `json:"heartbeatTimeout,omitempty" jsonschema:"minimum=10,maximum=600"`
	// ConnectionTimeout is how long a member waits for a connection or a discovery call, in seconds. Read by the
	// schemes wka, aws and aws-ecs.
	ConnectionTimeout int `json:"connectionTimeout,omitempty" jsonschema:"minimum=1,maximum=300"`
	// WKAMembers replaces the list of well-known members. By default it has the address and port of every node. An
	// entry is `address:port` or a range over the last octet, `10.0.1.10-20:5701`. The list must contain every node.
	WKAMembers []string `json:"wkaMembers,omitempty"`
	// Multicast sets the multicast group, for the scheme `multicast`.
	Multicast MulticastGroup `json:"multicast,omitempty"`
	// AWS adjusts discovery for the scheme `aws`.
	AWS AWSDiscovery `json:"aws,omitempty"`
	// Kubernetes adjusts discovery for the scheme `kubernetes`. The scheme reads these keys from 7.0.0 on, and in 5.11.0.
	Kubernetes KubernetesDiscovery `json:"kubernetes,omitempty"`
	// Hazelcast sets Hazelcast properties by name, for example `hazelcast.slow.operation.detector.enabled`.
	Hazelcast map[string]string `json:"hazelcast,omitempty"`
	// HazelcastXML is a complete hazelcast.xml for options without a property, such as TLS between members. The server
	// then reads the join configuration only from this file. It replaces everything else under clustering except
	// scheme, domain and port, which must match the file.
	HazelcastXML string `json:"hazelcastXml,omitempty"`
}

// MulticastGroup is an IPv4 multicast group.
type MulticastGroup struct {
	// Address is the group, inside 224.0.0.0/4 and outside 224.0.0.0/24. Default: `239.255.0.1`.
	Address string `json:"address,omitempty"`
	// Port is the group's UDP port. Default: 45564.
	Port int `json:"port,omitempty" jsonschema:"minimum=1024,maximum=65535"`
	// TTL is the packets' time to live, 1 to 255. Default: 100.
	TTL int `json:"ttl,omitempty" jsonschema:"minimum=1,maximum=255"`
	// Timeout is how long a starting member waits for an answer, in seconds. Default: 60.
	Timeout int `json:"timeout,omitempty" jsonschema:"minimum=1,maximum=600"`
}

// AWSDiscovery adjusts how the scheme `aws` asks EC2 for the cluster's nodes.
type AWSDiscovery struct {
	// AccessKey and SecretKey make nodes use a long-lived access key instead of the instance role's credentials.
	AccessKey Secret `json:"accessKey,omitempty"`
	// SecretKey belongs to AccessKey.
	SecretKey Secret `json:"secretKey,omitempty"`
	// IAMRole is the role whose credentials the metadata service returns. Default: the instance's own.
	IAMRole string `json:"iamRole,omitempty"`
	// HostHeader is the EC2 API's host. Default: Hazelcast's own choice for the region.
	HostHeader string `json:"hostHeader,omitempty"`
}

// KubernetesDiscovery adjusts how the scheme `kubernetes` asks the API server for the cluster's pods.
type KubernetesDiscovery struct {
	// APIServer is the URL of the Kubernetes API of the pods' own cluster, `https://host`, on port 443. Default: the
	// Service `kubernetes` of that cluster.
	APIServer string `json:"apiServer,omitempty"`
	// Token is a bearer token that members use instead of the token of their service account. It must not expire before
	// it is changed here, and its account must be allowed to get and list endpoints, and to get pods, in eks.namespace.
	Token Secret `json:"token,omitempty"`
}

// CacheScenario names one of the five cache scenarios of WSO2's deployment guide.
type CacheScenario string

// The cache scenarios, in the guide's order.
const (
	// CacheLocalInvalidation keeps caches local and sends invalidations over Hazelcast. WSO2 recommends it.
	CacheLocalInvalidation CacheScenario = "localWithInvalidation"
	// CacheLocal keeps caches local and switches clustering off. A change reaches other nodes only after the timeout.
	CacheLocal CacheScenario = "localOnly"
	// CacheNone switches off every cache that has a switch.
	CacheNone CacheScenario = "none"
	// CacheSelected is CacheLocalInvalidation with the caches under Disabled switched off.
	CacheSelected CacheScenario = "selectedOff"
	// CacheDistributed distributes caches over the members.
	CacheDistributed CacheScenario = "distributed"
)

// Caching configures the caches of a node.
type Caching struct {
	// Scenario is one of the guide's five: `localWithInvalidation` (recommended), `localOnly`, `none`, `selectedOff`,
	// `distributed`. Default: `localWithInvalidation`.
	Scenario CacheScenario `json:"scenario,omitempty"`
	// TimeoutMinutes is the default lifetime of a cache entry in minutes. Default: 15, and 1 with `localOnly`.
	TimeoutMinutes int `json:"timeoutMinutes,omitempty" jsonschema:"minimum=1,maximum=1440"`
	// Disabled lists the caches to switch off with `selectedOff`, by their id in deployment.toml, such as
	// `oauth_cache`.
	Disabled []string `json:"disabled,omitempty"`
	// Caches adjusts single caches by their id.
	Caches map[string]Cache `json:"caches,omitempty"`
}

// Cache adjusts one cache.
type Cache struct {
	// TimeoutSeconds is the lifetime of an entry in seconds.
	TimeoutSeconds int `json:"timeoutSeconds,omitempty" jsonschema:"minimum=1,maximum=604800"`
	// Capacity is the largest number of entries.
	Capacity int `json:"capacity,omitempty" jsonschema:"minimum=1,maximum=1000000"`
}

// DatabaseType says what RDS runs the database's engine on.
type DatabaseType string

// The types of databases.
const (
	RDSInstances DatabaseType = "rds"
	Aurora       DatabaseType = "aurora"
)

// Database is the database behind the cluster.
type Database struct {
	// Engine is the engine of RDS, one from the table of engines. Default: `postgres`.
	Engine engine.Name `json:"engine,omitempty"`
	// Type is `rds` for RDS instances, or `aurora` for Amazon Aurora clusters, with the engines postgres and mysql. Each of
	// instances is then a cluster. The type of a database with data cannot be changed in place (docs/operations.md). Default:
	// `rds`.
	Type DatabaseType `json:"type,omitempty"`
	// Version is the engine's release without a minor version, such as `16`, `8.4`, `10.11`, `15.00`, `19`. RDS chooses
	// the minor version and keeps it current. Default: a release on which WSO2 tests this release of Identity Server,
	// if RDS offers one. So the default can change with `version`.
	Version string `json:"version,omitempty"`
	// Edition is the engine's edition, such as `se` of mssql. Engines without editions have no such key. Default: the
	// first one in the table of engines.
	Edition string `json:"edition,omitempty"`
	// Layout puts the identity and the shared data into two logical databases (`separate`, the default) or into one
	// (`single`, as in the sample of WSO2's guide).
	Layout Layout `json:"layout,omitempty"`
	// Logical adds separate logical databases for `user`, `consent`, `session`, `config` or `agent` data, or moves
	// `identity` or `shared` to another instance. Its keys are these names. From 7.2.0 on `agent` always has one.
	Logical map[LogicalName]Logical `json:"logical,omitempty"`
	// Existing is an existing database server, of RDS or not, for example an Aurora cluster. All logical databases are made
	// on it, and the stack makes no RDS instance. Only with network.adopt. Its owner is responsible for its backups, its
	// standby and its alarms.
	Existing *ExistingDatabase `json:"existing,omitempty"`
	// Instance is the size of the main RDS instance, and the default for more instances.
	Instance DBInstance `json:"instance,omitempty"`
	// Instances are more RDS instances by name, for logical databases that name them. Values that are left out are
	// those of `instance`.
	Instances map[string]DBInstance `json:"instances,omitempty"`
	// CABundle is a PEM file with the certificate authorities of RDS, or of the existing database. With it, nodes verify the database's certificate and
	// name; without it, connections are encrypted but unverified.
	CABundle Artifact `json:"caBundle,omitempty"`
	// ExtendedSupport buys Amazon RDS Extended Support. It costs per vCPU and hour after the engine release's standard
	// support. Without it, RDS then upgrades the database to a release with standard support, and creates no new
	// database of the old release. RDS reads it only when a database is created. The table of engines says which
	// engines have it. Default: false.
	ExtendedSupport bool `json:"extendedSupport,omitempty"`
	// PoolSize is the largest number of connections of one data source on one node. Default: 50, or the number that the
	// class of the RDS instance allows with all nodes, at least 5.
	PoolSize int `json:"poolSize,omitempty" jsonschema:"minimum=5,maximum=500"`
	// Users rotates the users with which the servers log in to their logical databases.
	Users *DatabaseUsers `json:"users,omitempty"`
}

// DatabaseUsers rotates the servers' database users. Each logical database has two users in turn, as in AWS Secrets Manager's
// alternating users strategy: one has the name of the logical database, the other has `_b` after it. So old and new servers
// log in with different users while nodes are replaced.
type DatabaseUsers struct {
	// Generation is the present generation. Each higher number gives the servers the other user, with a new password. Raise
	// it by one at a time. Not for oracle, where the user is the schema. Default: 1.
	Generation int `json:"generation,omitempty" jsonschema:"minimum=1,maximum=9999"`
	// Revoked is the last generation that the database refuses: the generation before the present one, or an earlier one.
	// The schema program refuses a revocation while servers are connected as the revoked user. Default: 0, none.
	Revoked int `json:"revoked,omitempty" jsonschema:"minimum=0,maximum=9998"`
}

// ExistingDatabase is a database server that the stack does not make.
type ExistingDatabase struct {
	// Host is the DNS name or IPv4 address that takes writes; of an Aurora cluster its cluster endpoint, such as
	// `identity.cluster-abcdefghijkl.eu-west-1.rds.amazonaws.com`. It must resolve in the VPC.
	Host string `json:"host"`
	// Port is its port. Default: the engine's own, such as 5432 of postgres.
	Port int `json:"port,omitempty" jsonschema:"minimum=1,maximum=65535" wrong:"is no TCP port"`
	// ServiceName is the service of Oracle's database in which the logical databases become schemas. Needed with the engine
	// oracle, and only there.
	ServiceName string `json:"serviceName,omitempty"`
	// MasterSecretARN is the secret of Secrets Manager with an administrator's `username` and `password` as JSON, in this account and
	// region, as RDS and Secrets Manager's rotation write it. Only the program that makes the schema reads it, when it runs.
	// Exclusive with userSecretArns.
	MasterSecretARN string `json:"masterSecretArn,omitempty"`
	// UserSecretARNs are secrets of Secrets Manager, in this account and region, by the keys of database.logical. Each has the
	// `username` and `password` of the user of a logical database as JSON. Servers log in with them, and the program that makes the
	// schema too, which then makes no database and no user. Exclusive with masterSecretArn.
	UserSecretARNs map[LogicalName]string `json:"userSecretArns,omitempty"`
	// SecretKeyARN is the KMS key of these secrets. Left out, it is AWS's own key aws/secretsmanager.
	SecretKeyARN string `json:"secretKeyArn,omitempty"`
	// SecurityGroup is the id of the database's security group. It gets a rule that lets the nodes in. Exclusive with cidrs.
	SecurityGroup string `json:"securityGroup,omitempty"`
	// CIDRs are the IPv4 ranges that the database has its addresses in, for one without a security group that nodes could
	// name. Nodes may call its port there; its own firewall is its owner's. Exclusive with securityGroup.
	CIDRs []string `json:"cidrs,omitempty"`
}

// Layout is the number of logical databases for identity and shared data.
type Layout string

// The layouts.
const (
	Separate Layout = "separate"
	Single   Layout = "single"
)

// LogicalName is the use of a logical database.
type LogicalName string

// The logical databases of WSO2 Identity Server.
const (
	IdentityDB LogicalName = "identity"
	SharedDB   LogicalName = "shared"
	UserDB     LogicalName = "user"
	ConsentDB  LogicalName = "consent"
	SessionDB  LogicalName = "session"
	ConfigDB   LogicalName = "config"
	AgentDB    LogicalName = "agent"
)

// Logical is one logical database: a database of the engine, or a schema in the one database that an Oracle instance has.
type Logical struct {
	// Name is its name in the engine: lower-case letters, digits and underscores, at most 30. Default: `wso2<key>`,
	// such as wso2identity.
	Name string `json:"name,omitempty"`
	// Instance is a name of database.instances. Default: the main instance.
	Instance string `json:"instance,omitempty"`
}

// DBInstance is the size and the settings of one RDS instance.
type DBInstance struct {
	// Class is the RDS instance class. Default: that of the profile in the table of engines.
	Class string `json:"class,omitempty"`
	// Storage is the allocated storage in GiB, at least 20. Not with `database.type: aurora`, whose storage grows and shrinks by
	// itself. Default: 20 in dev, 100 in prod.
	Storage int `json:"storage,omitempty" jsonschema:"minimum=20,maximum=65536"`
	// MaxStorage is the size in GiB up to which RDS extends the storage, at least a tenth more than storage. With the same size as storage,
	// RDS extends nothing. Not with `database.type: aurora`. Default: five times storage.
	MaxStorage int `json:"maxStorage,omitempty" jsonschema:"minimum=20,maximum=65536"`
	// MultiAZ keeps a standby in another zone; with `database.type: aurora` a reader, which becomes the writer in a failover.
	// Default: false in dev, true in prod.
	MultiAZ bool `json:"multiAz,omitempty"`
	// BackupDays is the number of days that backups are kept, 0 to 35; 0 switches backups off, which Aurora does not allow.
	// Default: 1 in dev, 14 in prod.
	BackupDays int `json:"backupDays,omitempty" jsonschema:"minimum=0,maximum=35"`
	// BackupWindow is the time of backups, in UTC, such as `02:00-03:00`. Default: `02:00-03:00`.
	BackupWindow string `json:"backupWindow,omitempty"`
	// MaintenanceWindow is the time in which RDS may patch, in UTC. Default: `sun:03:30-sun:04:30`.
	MaintenanceWindow string `json:"maintenanceWindow,omitempty"`
	// DeletionProtection makes RDS refuse the instance's deletion. Default: false in dev, true in prod.
	DeletionProtection bool `json:"deletionProtection,omitempty"`
	// SkipFinalSnapshot deletes the instance without a final snapshot. Otherwise the snapshot `<instance>-final-<first
	// eight digits of the KMS key's id>` remains; with secrets.keyArn eight generated digits. Default: true in dev, false in prod.
	SkipFinalSnapshot bool `json:"skipFinalSnapshot,omitempty"`
	// DeleteAutomatedBackups deletes the automated backups with the instance. Otherwise they remain for backupDays.
	// Default: true in dev, false in prod.
	DeleteAutomatedBackups bool `json:"deleteAutomatedBackups,omitempty"`
	// PerformanceInsights keeps seven days of query statistics. Default: false in dev, true in prod.
	PerformanceInsights bool `json:"performanceInsights,omitempty"`
	// MonitoringInterval is how often, in seconds, RDS writes the figures of the instance's host to the log group `RDSOSMetrics`
	// (Enhanced Monitoring): 1, 5, 10, 15, 30 or 60; 0 for never. CloudWatch Logs charges for them. Default: 0.
	MonitoringInterval int `json:"monitoringInterval,omitempty" jsonschema:"minimum=0,maximum=60"`
}

// ThroughputMode is the throughput mode of EFS.
type ThroughputMode string

// The throughput modes.
const (
	Elastic     ThroughputMode = "elastic"
	Bursting    ThroughputMode = "bursting"
	Provisioned ThroughputMode = "provisioned"
)

// FileSystemType says which file system nodes share.
type FileSystemType string

// The types of file systems.
const (
	EFS FileSystemType = "efs"
	NFS FileSystemType = "nfs"
	SMB FileSystemType = "smb"
)

// FileSystem is the file system that nodes share.
type FileSystem struct {
	// Type is `efs` for an EFS file system, `nfs` for an export of your own NFS server, or `smb` for a share of your own SMB server. A
	// move to another type copies no files (docs/operations.md). Default: `efs`.
	Type FileSystemType `json:"type,omitempty"`
	// Existing is the export of `nfs`, the share of `smb`, or with `efs` a file system of your own. Left out with `efs`, the stack
	// makes the file system.
	Existing *ExistingShare `json:"existing,omitempty"`
	// Userstores shares the user stores that are added or changed at run time. Default: true.
	Userstores bool `json:"userstores,omitempty"`
	// Tenants shares the artifacts of tenants. Default: true.
	Tenants bool `json:"tenants,omitempty"`
	// ThroughputMode is `elastic`, `bursting` or `provisioned`. Default: `elastic`.
	ThroughputMode ThroughputMode `json:"throughputMode,omitempty"`
	// ProvisionedThroughput is the throughput in MiB/s with `provisioned`, 1 to 3414.
	ProvisionedThroughput int `json:"provisionedThroughput,omitempty" jsonschema:"minimum=1,maximum=3414"`
	// Backup makes EFS back up the file system each day into EFS's own vault, for 35 days, if backup.enabled is false.
	// Default: false in dev; true in prod without backup.enabled.
	Backup bool `json:"backup,omitempty"`
}

// ExistingShare is a directory on a file server of your own. It must have the directories Userstores and Tenants, as far as
// nodes share them. Uid and gid 802 own them on an NFS server, and on an SMB server the user of the secret may write there. On
// EFS they need not exist.
type ExistingShare struct {
	// FileSystemARN is an EFS file system of this account and region, which is encrypted. The stack makes an access point for each
	// directory. The mount targets, one in each zone of the nodes, and the file system's policy and backups are its owner's. Needed
	// with `efs`, and only there.
	FileSystemARN string `json:"fileSystemArn,omitempty"`
	// Host is the DNS name or IPv4 address of the file server. Needed with `nfs` and `smb`, and only there.
	Host string `json:"host,omitempty"`
	// Path is the directory's path on the server, such as `/exports/wso2is`. With `smb`, it begins with the name of the share. With
	// `efs`, it has three directories at most, and EFS makes them.
	Path string `json:"path"`
	// CredentialsSecretARN is the secret of Secrets Manager with the `username` and the `password` of a user of the share as JSON,
	// in this account and region. Needed with `smb`, and only there.
	CredentialsSecretARN string `json:"credentialsSecretArn,omitempty"`
	// SecretKeyARN is the KMS key of that secret. Left out, it is AWS's own key aws/secretsmanager.
	SecretKeyARN string `json:"secretKeyArn,omitempty"`
	// Domain is the domain of that user, such as `CORP`, if the user is in one. Only with `smb`.
	Domain string `json:"domain,omitempty"`
	// SecurityGroup is the id of the file server's security group, or of that of EFS mount targets. It gets a rule that lets the nodes
	// in. Exclusive with cidrs.
	SecurityGroup string `json:"securityGroup,omitempty"`
	// CIDRs are the IPv4 ranges of the file server's addresses, if it has no security group that a rule can name. Exclusive with
	// securityGroup.
	CIDRs []string `json:"cidrs,omitempty"`
}

// Backup configures AWS Backup: databases and files at the same time, on one schedule, into one vault, with a manifest
// of what belongs together. RDS's own automated backups cover the time between (database.instance.backupDays).
type Backup struct {
	// Enabled makes the plan and its vault. Default: false in dev, true in prod.
	Enabled bool `json:"enabled,omitempty"`
	// Schedule is the schedule of backups, a cron expression of AWS in UTC. Default: `cron(0 5 * * ? *)`, each day at
	// 5.
	Schedule string `json:"schedule,omitempty"`
	// StartWindow is the number of minutes in which a scheduled backup must start, at least 60. Default: 60.
	StartWindow int `json:"startWindow,omitempty" jsonschema:"minimum=60" wrong:"minutes are less than AWS Backup takes"`
	// CompletionWindow is the number of minutes in which a scheduled backup must be complete, at least an hour more
	// than startWindow. Default: 480.
	CompletionWindow int `json:"completionWindow,omitempty" jsonschema:"minimum=120" wrong:"minutes are less than AWS Backup takes"`
	// RetentionDays is the number of days that each backup is kept, 1 to 36500. Default: 35.
	RetentionDays int `json:"retentionDays,omitempty" jsonschema:"minimum=1,maximum=36500"`
	// Lock prevents everybody, administrators included, from deleting a backup before its time.
	Lock *VaultLock `json:"lock,omitempty"`
	// CopyTo copies each backup to a vault in another region, or in another account.
	CopyTo *BackupCopy `json:"copyTo,omitempty"`
}

// VaultLock is AWS Backup Vault Lock.
type VaultLock struct {
	// MinRetentionDays is the shortest retention of a backup, 1 to 36500.
	MinRetentionDays int `json:"minRetentionDays" jsonschema:"minimum=1,maximum=36500"`
	// MaxRetentionDays is the longest retention of a backup, up to 36500. Left out, there is no limit.
	MaxRetentionDays int `json:"maxRetentionDays,omitempty" jsonschema:"minimum=1,maximum=36500"`
	// ChangeableForDays is the number of days from the first update in which the lock can be changed or removed, 3 to
	// 36500. After that nobody can, AWS included, and the vault stays until its last backup has expired. Left out, the
	// lock can be removed at any time.
	ChangeableForDays int `json:"changeableForDays,omitempty" jsonschema:"minimum=3,maximum=36500"`
}

// BackupCopy is the destination of copied backups.
type BackupCopy struct {
	// VaultARN is an existing backup vault, in another region of this account or in this region of another account. AWS
	// Backup copies no RDS snapshot to both another region and another account at once.
	VaultARN string `json:"vaultArn"`
	// RetentionDays is the number of days that a copy is kept, 1 to 36500. Default: backup.retentionDays.
	RetentionDays int `json:"retentionDays,omitempty" jsonschema:"minimum=1,maximum=36500"`
	// SecretsKeyARN is a KMS key of the other region. With it, Secrets Manager replicates the stack's secrets there. A
	// copied database cannot be read without them.
	SecretsKeyARN string `json:"secretsKeyArn,omitempty"`
}

// LoadBalancerType says what clients reach the nodes through.
type LoadBalancerType string

// The types of load balancers.
const (
	ALB                  LoadBalancerType = "alb"
	NginxLoadBalancer    LoadBalancerType = "nginx"
	ExistingLoadBalancer LoadBalancerType = "existing"
)

// LoadBalancer is the load balancer and its DNS name.
type LoadBalancer struct {
	// Type is `alb`, an Application Load Balancer that the stack makes; `nginx`, instances with nginx that the stack makes behind a Network
	// Load Balancer; or `existing`: a load balancer or proxy of the team's own, for which the stack makes no load balancer, certificate
	// or DNS record. On eks, `nginx` is existing.ingressClass. Default: `alb`.
	Type LoadBalancerType `json:"type,omitempty"`
	// Nginx is the stack's own nginx on ec2 and ecs. Needed with the type nginx there, and only there.
	Nginx *Nginx `json:"nginx,omitempty"`
	// Existing is the load balancer that exists. Needed with the type existing, and on eks with the type nginx; needs network.adopt.
	Existing *ExistingBalancer `json:"existing,omitempty"`
	// CertificateARN is the ACM certificate of the HTTPS listener. Write this, hostedZone, or both. With both, the zone
	// only gets the alias record.
	CertificateARN string `json:"certificateArn,omitempty"`
	// HostedZone is the id of the Route 53 hosted zone of the hostname. It gets the alias record. Without
	// certificateArn the stack requests a certificate, and the zone gets its validation record.
	HostedZone string `json:"hostedZone,omitempty"`
	// Internal keeps the load balancer inside the VPC. Default: false.
	Internal bool `json:"internal,omitempty"`
	// AllowedCIDRs may call the load balancer. Default: every address (`0.0.0.0/0`), or the VPC when internal.
	AllowedCIDRs []string `json:"allowedCidrs,omitempty"`
	// IdleTimeout is the number of idle seconds after which a connection is closed, 1 to 4000. A load balancer that
	// exists must close idle connections to nodes after this time or earlier. Default: 300.
	IdleTimeout int `json:"idleTimeout,omitempty" jsonschema:"minimum=1,maximum=4000"`
	// Stickiness is the number of seconds that a browser stays with a node, 0 (off) to 604800. Console and My Account
	// need it. The target group of existing.targetGroupArn has its own. Default: 86400.
	Stickiness int `json:"stickiness,omitempty" jsonschema:"minimum=0,maximum=604800"`
	// DeregistrationDelay is the number of seconds in which a deregistered node may finish its requests, 0 to 3600, and 30 or more with
	// the type nginx. Write that of the target group with existing.targetGroupArn. Default: 60.
	DeregistrationDelay int `json:"deregistrationDelay,omitempty" jsonschema:"minimum=0,maximum=3600"`
	// AccessLogs writes access logs to an S3 bucket of the stack, or to the log group with the type nginx. Default: false in dev, true in
	// prod.
	AccessLogs bool `json:"accessLogs,omitempty"`
	// WebACLARN attaches an existing AWS WAF web ACL (regional scope).
	WebACLARN string `json:"webAclArn,omitempty"`
	// TLSPolicy is the listener's security policy. Default: `ELBSecurityPolicy-TLS13-1-2-2021-06`.
	TLSPolicy string `json:"tlsPolicy,omitempty"`
	// DeletionProtection makes AWS refuse the load balancer's deletion. Default: false in dev, true in prod.
	DeletionProtection bool `json:"deletionProtection,omitempty"`
}

// Nginx is the instances with nginx that the stack makes.
type Nginx struct {
	// SecretARN is the secret of Secrets Manager with nginx's certificate, in this account and region. It is a JSON object with
	// `certificate`, `privateKey` and, if clients need it, `chain`, each as PEM. Instances read it every hour, so that a renewed certificate
	// needs no update.
	SecretARN string `json:"secretArn"`
	// SecretKeyARN is the KMS key of that secret. Left out, it is AWS's own key aws/secretsmanager.
	SecretKeyARN string `json:"secretKeyArn,omitempty"`
	// Count is the number of instances, 2 to 20. Default: 2.
	Count int `json:"count,omitempty" jsonschema:"minimum=2,maximum=20" wrong:"instances cannot be replaced one at a time while others serve"`
	// InstanceType is the EC2 instance type of nginx. Default: `t3.medium` in dev, `m6i.large` in prod.
	InstanceType string `json:"instanceType,omitempty"`
}

// ExistingBalancer is a load balancer or proxy that the stack does not make. Nodes are reached through it in one of four ways: by their
// fixed addresses (on ec2 with the schemes wka and multicast), through listenerArn or targetGroupArn, or through ingressClass.
type ExistingBalancer struct {
	// SecurityGroup is the id of its security group. Only this group may call the nodes. Exclusive with cidrs.
	SecurityGroup string `json:"securityGroup,omitempty"`
	// CIDRs are the IPv4 ranges of its addresses, if it has no security group that a rule can name. Only these ranges may call
	// the nodes. Exclusive with securityGroup.
	CIDRs []string `json:"cidrs,omitempty"`
	// TargetGroupARN is a target group of the team's Application Load Balancer, in which nodes are registered. Its protocol must be HTTPS
	// and its port 9443. Its target type must be `instance` on ec2 and on ecs with instances, `ip` on Fargate and eks. This or listenerArn is
	// needed where the addresses of nodes change: on ec2 with the scheme aws, and on ecs.
	TargetGroupARN string `json:"targetGroupArn,omitempty"`
	// ListenerARN is an HTTPS listener on the port 443 of the team's Application Load Balancer, in the VPC of network.adopt. The stack makes
	// the target group and a rule of this listener, which forwards the requests for the hostname to it. Another listener in its place needs
	// the rule unprotected in prod. Exclusive with targetGroupArn and ingressClass.
	ListenerARN string `json:"listenerArn,omitempty"`
	// ListenerPriority is the priority of this rule, which no other rule of the listener may have. The rule with the lowest one comes first.
	// Default: the next one after the highest of the listener's rules.
	ListenerPriority int `json:"listenerPriority,omitempty" jsonschema:"minimum=1,maximum=50000"`
	// IngressClass is the class of an ingress-nginx controller that runs in the cluster of eks.cluster, such as `nginx`. The stack
	// makes an Ingress of this class. Exclusive with targetGroupArn.
	IngressClass string `json:"ingressClass,omitempty"`
	// IngressNamespace is the namespace of that controller's pods. Default: `ingress-nginx`.
	IngressNamespace string `json:"ingressNamespace,omitempty"`
}

// Artifact is a file that nodes fetch when they start.
type Artifact struct {
	// Source is `s3://bucket/key`, or an https URL with addresses in network.egressCidrs.
	Source string `json:"source,omitempty"`
	// SHA256 is the file's SHA-256 in hexadecimal. A node refuses to start with any other file.
	SHA256 string `json:"sha256,omitempty"`
}

// Product says where nodes get the product and its database driver.
type Product struct {
	// Archive is wso2is-<version>.zip, for the topology ec2. Default: `s3://wso2is-artifacts-<account id>-<region>/wso2is-<version>.zip`.
	Archive Artifact `json:"archive,omitempty"`
	// Driver is the JDBC driver's jar, which the product does not contain. Default: a release that fits the engine and
	// the JDK, with its checksum, under `s3://wso2is-artifacts-<account id>-<region>/`.
	Driver Artifact `json:"driver,omitempty"`
}

// Container is the images of tasks and pods.
type Container struct {
	// Image is the product's image, `registry/repository:tag` with or without `@sha256:digest`. It must be built like
	// WSO2's own: user and group 802, and an entrypoint that copies wso2-config-volume and wso2-artifact-volume over
	// the server. Default: `<account id>.dkr.ecr.<region>.amazonaws.com/wso2is:<version>`.
	Image string `json:"image,omitempty"`
	// ToolsImage has the AWS CLI, version 2, and bash, like public.ecr.aws/aws-cli/aws-cli. It fetches files for the
	// product's image and publishes the number of cluster members. Default: `<account
	// id>.dkr.ecr.<region>.amazonaws.com/aws-cli:2`.
	ToolsImage string `json:"toolsImage,omitempty"`
	// Repository makes private ECR repositories of the stack, `<project>-<stack>/wso2is` and
	// `<project>-<stack>/aws-cli`, and uses both images from there. They scan pushed images and expire old ones. image
	// and toolsImage are then a tag, such as `7.1.0-2`, a digest, `@sha256:…`, or both. Tags are immutable, so a
	// rebuilt image needs another one. Nodes start once the images are pushed. Default: false.
	Repository bool `json:"repository,omitempty"`
	// Baked says that the image contains the JDBC driver and the node's deployment.toml; nodes then fetch neither. The
	// stack's output `nodes` says where this file is. Default: false.
	Baked bool `json:"baked,omitempty"`
}

// LaunchType is the launch type of ECS tasks.
type LaunchType string

// The launch types.
const (
	LaunchEC2     LaunchType = "ec2"
	LaunchFargate LaunchType = "fargate"
)

// ECSOptions has the options of the topology ecs.
type ECSOptions struct {
	// LaunchType is `ec2` (one task on each container instance, on the instance's network, as WSO2 documents it) or
	// `fargate`. With `ec2` nodes.instanceType sizes a node, with `fargate` nodes.cpu and nodes.memory do. Default:
	// `ec2`.
	LaunchType LaunchType `json:"launchType,omitempty"`
	// Exec lets principals with ecs:ExecuteCommand open a shell in a running task. Default: false.
	Exec bool `json:"exec,omitempty"`
}

// JVM sizes a node's Java virtual machine.
type JVM struct {
	// Heap is the heap in MiB, at least 1024. Default: half of the node's memory.
	Heap int `json:"heap,omitempty" jsonschema:"minimum=1024"`
	// Options are further JVM options, such as `-Duser.timezone=UTC`.
	Options []string `json:"options,omitempty"`
}

// Admin is the super administrator.
type Admin struct {
	// Username is the super administrator's name. Default: `admin`.
	Username string `json:"username,omitempty"`
	// Password is the password with which the first start creates the user; change it later in the product. 8 to 64
	// letters, digits and -_.~!*+=@:,/ only. Default: generated.
	Password Secret `json:"password,omitempty"`
}

// Secrets are the values that every node must share.
type Secrets struct {
	// EncryptionKey encrypts data in the database: 32 hexadecimal digits; from 7.1.0 on 32, 48 or 64. A cluster keeps
	// its key when it changes to another release. A changed key makes this data unreadable, except in a rotation.
	// Default: generated.
	EncryptionKey Secret `json:"encryptionKey,omitempty"`
	// PreviousEncryptionKey is the encryption key before a rotation. The server still reads data that was encrypted
	// with it. From 7.1.0 on.
	PreviousEncryptionKey Secret `json:"previousEncryptionKey,omitempty"`
	// Keystore is a PKCS#12 keystore in base64 with one key, which signs tokens. In a rotation it has several RSA keys: the
	// one called `wso2is` signs, and the server publishes all of them. Each node makes its own key for TLS between load
	// balancer and nodes. Default: a generated self-signed one.
	Keystore Secret `json:"keystore,omitempty"`
	// KeystorePassword opens the keystore and its key. Needed with keystore.
	KeystorePassword Secret `json:"keystorePassword,omitempty"`
	// KeyARN is the ARN of an existing KMS key of this account and region, which then encrypts all that the stack stores. Its policy
	// must allow what docs/operations.md lists. Stored data keeps the key that it was written with, so a stack keeps the key with
	// which it began. Default: a key that the stack makes.
	KeyARN string `json:"keyArn,omitempty"`
	// RecoveryDays is the number of days in which a deleted secret or KMS key can be restored: 0 (secrets are deleted
	// at once, the key after 7 days) or 7 to 30. Default: 0 in dev, 30 in prod.
	RecoveryDays int `json:"recoveryDays,omitempty" jsonschema:"minimum=0,maximum=30"`
	// RetainKeyOnDelete keeps the KMS key when the stack is destroyed, and with it the vault of backup, the backups in
	// it and their manifests. Without the key, snapshots, automated backups and restorable secrets are unreadable.
	// Default: true with backup.enabled, or if a database leaves a final snapshot or its automated backups.
	RetainKeyOnDelete bool `json:"retainKeyOnDelete,omitempty"`
}

// RestoreFrom is a recovery point: snapshots of databases, files, and the secrets that belong to them.
type RestoreFrom struct {
	// DatabaseSnapshots are the ARNs of RDS snapshots by the name of the instance to make: `main` for
	// database.instance, or a name of database.instances. AWS Backup's recovery points of RDS are such snapshots. A
	// snapshot of another region or account works too, if this account may read it. With `database.type: aurora` they are
	// snapshots of clusters, or of RDS instances of the same engine, in this region. Keep the ARN in the stack file as
	// long as the instance is in use: it is part of the instance's identity.
	DatabaseSnapshots map[string]string `json:"databaseSnapshots,omitempty"`
	// Keep are RDS instances, or Aurora clusters, of the stack that a restored one has replaced, by their RDS name without
	// `<project>-<stack>-`: `main` for the one that was made without a snapshot. No node uses them. They stay
	// unchanged. To delete one, remove it from the list.
	Keep []string `json:"keep,omitempty"`
	// FileSystem is the ARN of the recovery point of AWS Backup that the shared files are restored from, into a file system of
	// their own, before a server starts. A recovery point is restored in its own region and account: take a copy of it there for a
	// stack in another one. The ARN stays in the stack file as long as the file system is in use: it is part of its identity.
	FileSystem string `json:"fileSystem,omitempty"`
	// KeepFileSystems are EFS file systems of the stack that a restored one has taken the place of, as Pulumi calls them: `shared`
	// for the one that was made without a recovery point. No node uses them. They stay as they are until they are let go by
	// taking them out of the list.
	KeepFileSystems []string `json:"keepFileSystems,omitempty"`
	// Secrets is the prefix of the names of the source stack's secrets, up to the last slash:
	// `<project>-<stack>/<creation>/`. Secrets that this stack creates get these values. Existing secrets keep theirs,
	// and values in the stack file take precedence.
	Secrets string `json:"secrets,omitempty"`
}

// Trust adds authorities to the server's truststore, besides the product's own, the nodes' own and database.caBundle.
type Trust struct {
	// CABundle is a PEM file with certificate authorities of the team: those of a directory, a mail server, or an
	// upstream identity provider. Without it the server refuses a certificate that none of the product's authorities
	// has signed.
	CABundle Artifact `json:"caBundle,omitempty"`
}

// IAM has the settings of every role and instance profile that the stack makes. AWS's service-linked roles are not affected.
type IAM struct {
	// PermissionsBoundary is the ARN of the policy that limits the permissions of each role. It must allow all that
	// docs/security.md lists for the roles. Default: none.
	PermissionsBoundary string `json:"permissionsBoundary,omitempty"`
	// Path is the path of each role and instance profile, such as `/identity/`. A change replaces all of them. Default: `/`.
	Path string `json:"path,omitempty"`
}

// UserStoreType is a kind of primary user store.
type UserStoreType string

// The primary user stores.
const (
	DatabaseUserStore        UserStoreType = "database"
	ReadOnlyLDAP             UserStoreType = "readOnlyLdap"
	ReadWriteLDAP            UserStoreType = "readWriteLdap"
	ReadOnlyActiveDirectory  UserStoreType = "readOnlyActiveDirectory"
	ReadWriteActiveDirectory UserStoreType = "readWriteActiveDirectory"
)

// UserStore is the primary user store.
type UserStore struct {
	// Type is `database` (the shared or the user database), or a directory: `readOnlyLdap`, `readWriteLdap`,
	// `readOnlyActiveDirectory`, `readWriteActiveDirectory`. A read-only directory must have the administrator,
	// admin.username, before the first start. With `readWriteLdap` the id of users and groups is the directory's
	// `entryUUID`, and a group is a `groupOfNames` with at least one member. Default: `database`.
	Type UserStoreType `json:"type,omitempty"`
	// URL is the directory's URL, `ldaps://host:636`. Needed for a directory. A private authority's certificate goes
	// into trust.caBundle.
	URL string `json:"url,omitempty"`
	// CIDRs are the ranges of the directory's servers. Nodes may connect to them on the URL's port. Needed for a
	// directory.
	CIDRs []string `json:"cidrs,omitempty"`
	// BindDN is the name with which nodes bind. Needed for a directory.
	BindDN string `json:"bindDn,omitempty"`
	// BindPassword belongs to BindDN. Needed for a directory.
	BindPassword Secret `json:"bindPassword,omitempty"`
	// UserSearchBase is the search base of users. Needed for a directory.
	UserSearchBase string `json:"userSearchBase,omitempty"`
	// GroupSearchBase is the search base of groups.
	GroupSearchBase string `json:"groupSearchBase,omitempty"`
	// UserNameAttribute is the attribute with the user's name. Default: `uid`, and `sAMAccountName` in Active Directory.
	UserNameAttribute string `json:"userNameAttribute,omitempty"`
	// UserObjectClass is the users' object class. Default: `inetOrgPerson`, and `user` in Active Directory.
	UserObjectClass string `json:"userObjectClass,omitempty"`
}

// Observability configures logs and alarms.
type Observability struct {
	// LogRetention is the number of days that logs are kept, one of CloudWatch's steps. Default: 14 in dev, 365 in
	// prod.
	LogRetention int `json:"logRetention,omitempty" jsonschema:"minimum=1,maximum=3653"`
	// LogGroup is the name of an existing log group of CloudWatch Logs in this account and region, to which nodes send their logs. Its
	// owner decides on its retention and its KMS key. Default: a log group that the stack makes.
	LogGroup string `json:"logGroup,omitempty"`
	// AlarmTopicARN is the SNS topic for alarms and for failures of refreshes, deployments, tasks and databases. Its
	// policy must let events.amazonaws.com publish. Without a topic the alarms exist, but nobody is notified.
	AlarmTopicARN string `json:"alarmTopicArn,omitempty"`
	// MaxImageAgeDays is the age in days of a node's Amazon Linux image at which an alarm goes off: 0 (no alarm) or 30
	// and more. Fargate and EKS have no such alarm, since AWS chooses their images. Default: 90, since Amazon Linux
	// 2023 has a new minor release each quarter.
	MaxImageAgeDays int `json:"maxImageAgeDays,omitempty" jsonschema:"minimum=0,maximum=3650"`
}

// Usage is the monthly use of what AWS charges by use. Amounts of data are in GB.
type Usage struct {
	// DataOut is the traffic from load balancer and nodes to the internet. Default: 100, which is free for each
	// account.
	DataOut int `json:"dataOut,omitempty" jsonschema:"minimum=0,maximum=10000000"`
	// DataBetweenZones is the traffic between load balancer, nodes, database and endpoints across zones, counted on
	// both sides. Default: 100.
	DataBetweenZones int `json:"dataBetweenZones,omitempty" jsonschema:"minimum=0,maximum=10000000"`
	// NATData is the traffic through NAT gateways. Default: 10.
	NATData int `json:"natData,omitempty" jsonschema:"minimum=0,maximum=10000000"`
	// EndpointData is the traffic through interface endpoints: logs, secrets, images. Default: 20.
	EndpointData int `json:"endpointData,omitempty" jsonschema:"minimum=0,maximum=10000000"`
	// CapacityUnits is the average number of capacity units of the load balancer: one is 25 new connections a second,
	// 3,000 connections a minute or 1 GB an hour. Default: 1.
	CapacityUnits int `json:"capacityUnits,omitempty" jsonschema:"minimum=0,maximum=10000000"`
	// Logs is the data that nodes and databases write to their log groups. Default: 10.
	Logs int `json:"logs,omitempty" jsonschema:"minimum=0,maximum=10000000"`
	// FlowLogs is the data of the VPC's flow logs. Default: 5.
	FlowLogs int `json:"flowLogs,omitempty" jsonschema:"minimum=0,maximum=10000000"`
	// ControlPlaneLogs is the data of an EKS control plane's logs, most of it the audit log. Default: 100.
	ControlPlaneLogs int `json:"controlPlaneLogs,omitempty" jsonschema:"minimum=0,maximum=10000000"`
	// DatabaseStorage is the data in each Aurora cluster. Default: 20.
	DatabaseStorage int `json:"databaseStorage,omitempty" jsonschema:"minimum=0,maximum=10000000"`
	// DatabaseRequests is the number of millions of requests of each Aurora cluster to its storage. Default: 10.
	DatabaseRequests int `json:"databaseRequests,omitempty" jsonschema:"minimum=0,maximum=10000000"`
	// Files is the data in the file system. Default: 1.
	Files int `json:"files,omitempty" jsonschema:"minimum=0,maximum=10000000"`
	// FilesRead is the data read from the file system. Default: 10.
	FilesRead int `json:"filesRead,omitempty" jsonschema:"minimum=0,maximum=10000000"`
	// FilesWritten is the data written to the file system. Default: 1.
	FilesWritten int `json:"filesWritten,omitempty" jsonschema:"minimum=0,maximum=10000000"`
	// Objects is the data in each bucket. Default: 5.
	Objects int `json:"objects,omitempty" jsonschema:"minimum=0,maximum=10000000"`
	// Images is the data in each of the stack's own image repositories. Default: 2.
	Images int `json:"images,omitempty" jsonschema:"minimum=0,maximum=10000000"`
	// Backups is the part of each database's backups that exceeds its storage, which is free. Default: 0.
	Backups int `json:"backups,omitempty" jsonschema:"minimum=0,maximum=10000000"`
	// APICalls is the number of calls of KMS, of Secrets Manager and of each bucket. Default: 100000.
	APICalls int `json:"apiCalls,omitempty" jsonschema:"minimum=0,maximum=10000000"`
}
