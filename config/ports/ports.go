// Package ports names every port of the cluster, with the reason it is open. Ports of databases are in package engine.
package ports

const (
	// HTTPS is the port on which a node serves consoles, APIs and protocol endpoints; the load balancer's target port.
	HTTPS = 9443
	// HTTP is the node's plain-text servlet port. Its connector has its own threads. Requests come in over HTTPS only,
	// so this port still answers when all HTTPS threads wait for a database. The liveness check uses it.
	HTTP = 9763

	// PublicHTTPS is the load balancer's listener, and the proxyPort in the URLs that nodes issue.
	PublicHTTPS = 443
	// PublicHTTP only redirects to PublicHTTPS.
	PublicHTTP = 80

	// HazelcastFirst is the first port of Hazelcast's own numbering.
	HazelcastFirst = 5701
	// HazelcastLast is the last port that Hazelcast may use: if a port is busy, it tries the next one, a hundred ports
	// in all.
	HazelcastLast = 5800
	// HazelcastProbedLast is the last port that Hazelcast's AWS discovery probes. WSO2's membership schemes have no way
	// to pass hz-port, so a member above it listens but is never found.
	HazelcastProbedLast = 5708
	// HazelcastKernelDefault is the port of a node whose configuration names none. Discovery does not probe it and the
	// firewall does not open it, so local_member_port is always written.
	HazelcastKernelDefault = 4000

	// Kubelet is the port on which the Kubernetes API asks a node for pods, logs and metrics.
	Kubelet = 10250
	// Webhook is the port on which the load balancer controller and the log add-on's operator answer the Kubernetes
	// API. It has the number of HTTPS, but in other pods.
	Webhook = 9443
	// MetricsServer is the port on which the EKS add-on metrics-server answers the Kubernetes API. Upstream uses 10250,
	// which is the kubelet's port.
	MetricsServer = 10251
	// DNS is the port of CoreDNS in its pods.
	DNS = 53

	// SMTP is the port on which mail servers accept mail from each other.
	SMTP = 25
	// Submission is the port on which mail servers accept mail from their users. The product's mail sender uses it
	// unless its configuration names another port. Source: output_adapter.email.port in
	// org.wso2.carbon.event.output.adapter.default.json of wso2/carbon-analytics-common.
	Submission = 587

	// NFS is the port of an EFS mount target, and of a server of NFS 4.
	NFS = 2049
	// SMB is the port of a server of SMB 3.
	SMB = 445
)
