// Package guide lists the requirements of WSO2's guide "Deployment Patterns" for a cluster, and the parts of this
// program that fulfil them. A test that shows a row has the mark //guide:<row> above its function, with further rows
// behind it.
package guide

// Row is one requirement of the guide.
type Row struct {
	// ID is the row's name in marks.
	ID string
	// Section is the guide's heading, Asks the requirement.
	Section, Asks string
	// Delivered names the key or component, On the topologies.
	Delivered, On string
}

const (
	all       = "all"
	instances = "ec2"
	tasks     = "ecs"
	pods      = "eks"
)

// The guide's sections.
const (
	prerequisites = "Deployment prerequisites"
	databases     = "Configure databases"
	registry      = "Mount the shared registry"
	clustering    = "Clustering-related configurations"
	caching       = "Configure caching"
	names         = "Proxy port and hostname"
	artifacts     = "Enable artifact synchronization"
	balancer      = "Front with a load balancer"
	running       = "Run the cluster"
)

// Rows are in the guide's order.
var Rows = []Row{
	{"size", prerequisites, "A node has 4 vCPUs, 4 GB of memory and 10 GB of disk", "`nodes.instanceType`, `nodes.cpu`, `nodes.memory`, `nodes.rootVolume`: less is refused", all},
	{"jdk", prerequisites, "The JDK is one that WSO2 tests", "the release's row in `config/product`", instances},
	{"dbms", prerequisites, "The database is one that WSO2 tests", "the default of `database.version`; another one is a warning", all},
	{"directory", prerequisites, "A directory may hold the users by LDAP", "`userStore`", all},
	{"same-database", databases, "All nodes point to the same databases", "`components/nodeconfig`", all},
	{"logical", databases, "Data may be separated into logical databases", "`database.layout`, `database.logical`; `database.instances` for backups and a size of its own", all},
	{"database-keys", databases, "`deployment.toml` names the identity and the shared database", "`components/nodeconfig`", all},
	{"own-database", databases, "Host, port and user say where each database is", "`database.existing`, with the users of its `userSecretArns`", all},
	{"local-registry", registry, "The local registry is a database of each node's own", "nothing is written for it: the product's H2 stays", all},
	{"shared-registry", registry, "Configuration and governance registries are shared by all nodes", "the shared database of every node", all},
	{"version-on-change", registry, "Resources of the registry are not versioned on each change", "`enable_version_resources_on_change = false`", all},
	{"scheme", clustering, "Every node has the membership scheme that fits the deployment", "`clustering.scheme`, by the topology", all},
	{"wka-addresses", clustering, "`wka` is for nodes with static addresses", "`nodes.members`: each has an address of its own", instances},
	{"member-address", clustering, "A node's own address and port are its `local_member_host` and `local_member_port`", "`components/nodeconfig`", all},
	{"wka-members", clustering, "`members` lists every node's host and port", "`components/nodeconfig`, `clustering.wkaMembers`", instances},
	{"wka-range", clustering, "A range over the last octet may stand for members", "`clustering.wkaMembers`", instances},
	{"multicast", clustering, "Multicast is a scheme", "`clustering.scheme: multicast`, with a Transit Gateway multicast domain", instances},
	{"ecs-role", clustering, "The container instances' role may describe zones and instances", "`components/ecscluster`", tasks},
	{"hazelcast-ports", clustering, "Members reach each other on Hazelcast's ports, and nobody else does", "`components/firewall`", all},
	{"ecs-keys", clustering, "`aws-ecs` gets region, cluster and the VPC's range", "`components/nodeconfig`", tasks},
	{"ecs-image", clustering, "An image with the configuration runs as a task of a service", "`components/ecscluster`; the file is fetched, or baked into the image with `container.baked`", tasks},
	{"aws-scheme", clustering, "On EC2 the scheme is `aws`", "the default of `clustering.scheme`", instances},
	{"member-port", clustering, "A member's port is one from 5701 to 5800", "`clustering.port`: another one is refused", all},
	{"aws-keys", clustering, "`aws` gets region, security group, tag, and credentials", "`components/nodeconfig`, `clustering.aws`; by default those of the node's role", instances},
	{"one-group", clustering, "All nodes are in the same security group", "`components/firewall`", all},
	{"aws-policy", clustering, "A policy lets discovery describe instances", "`components/ec2cluster`, `components/ecscluster`", "ec2, ecs"},
	{"kubernetes-jar", clustering, "The membership scheme's jar is in dropins", "`eks.membershipScheme`, for releases that do not ship it", pods},
	{"kubernetes-keys", clustering, "`kubernetes` gets namespace and services, and the pod's address", "`components/nodeconfig`, `components/workload`", pods},
	{"kubernetes-role", clustering, "The pods' service account may read endpoints", "`components/workload`", pods},
	{"kubernetes-token", clustering, "A token and the API's endpoint may be given", "`clustering.kubernetes`", pods},
	{"no-distributed-cache", caching, "Distributed caching is not recommended", "`caching.scenario: distributed` is a warning", all},
	{"local-cache", caching, "`force_local_cache` keeps caches local, and Hazelcast's messages invalidate them", "`caching.scenario: localWithInvalidation`, the default", all},
	{"local-only", caching, "Without invalidation the time-out of caches is reduced", "`caching.scenario: localOnly`", all},
	{"no-cache", caching, "All caches may be off", "`caching.scenario: none`", all},
	{"selected-caches", caching, "Certain caches may be off", "`caching.scenario: selectedOff`, `caching.disabled`", all},
	{"proxy-port", names, "The proxy port is the load balancer's 443", "`components/nodeconfig`", all},
	{"hostname", names, "The hostname is that of the load balancer", "`hostname`", all},
	{"own-name", names, "A node reaches the cluster's name on itself, not through the load balancer", "`/etc/hosts` and a redirect, or host aliases", all},
	{"file-system", artifacts, "Nodes share a file system: NFS, SMB or Amazon EFS", "`fileSystem`: Amazon EFS, made by the stack", all},
	{"own-files", artifacts, "The shared file system may be an NFS export that exists", "`fileSystem.type: nfs`, except on Fargate", all},
	{"own-efs", artifacts, "The shared file system may be an EFS file system that exists", "`fileSystem.existing.fileSystemArn`", all},
	{"own-share", artifacts, "The shared file system may be an SMB share that exists", "`fileSystem.type: smb`, except on Fargate", all},
	{"mounted", artifacts, "Every node mounts it", "`components/bootstrap`, `components/ecscluster`, `components/workload`", all},
	{"userstores", artifacts, "`Userstores` holds user stores that change at run time", "`fileSystem.userstores`", all},
	{"tenants", artifacts, "`Tenants` holds the artifacts of tenants", "`fileSystem.tenants`", all},
	{"links", artifacts, "The product's directories are links, so that another product beside it finds them", "`components/bootstrap`; in containers the image is replaced whole, and volumes stay", instances},
	{"balancer", balancer, "A load balancer is in front of the nodes", "`loadBalancer`: an Application Load Balancer", all},
	{"own-balancer", balancer, "Any load balancer that is available may be used", "`loadBalancer.type: existing`", all},
	{"nginx", balancer, "nginx may front the nodes, with their stickiness, headers and WebSockets", "`loadBalancer.type: nginx`; the output `proxyFiles` for nginx and HAProxy of the team's own; an Ingress on eks", all},
	{"started", running, "Load balancer and nodes are started", "`pulumi up`, in the order that nodes need", all},
	{"console", running, "The Console is reached through the load balancer", "the output `consoleUrl`", all},
	{"one-lost", running, "While one node is down, another one serves", "`nodes.count`, health checks", all},
}
