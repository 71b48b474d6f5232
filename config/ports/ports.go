// Package ports names every port of the cluster once, each with the reason it is open.
package ports

const (
	// HTTPS is the port on which a node serves consoles, APIs and protocol endpoints; the load balancer's target port.
	HTTPS = 9443
	// HTTP is the node's plain-text servlet port. Requests come in over HTTPS only, so that the threads of this port's
	// connector are free when all threads of the other one wait for a database: whether the server is alive is asked here.
	HTTP = 9763

	// PublicHTTPS is the load balancer's listener, and the proxyPort that nodes put into the URLs they issue.
	PublicHTTPS = 443
	// PublicHTTP only redirects to PublicHTTPS.
	PublicHTTP = 80

	// HazelcastFirst is where Hazelcast's own numbering starts.
	HazelcastFirst = 5701
	// HazelcastLast closes the range Hazelcast may use: a busy port moves up, a hundred ports at the most.
	HazelcastLast = 5800
	// HazelcastProbedLast is the last port that Hazelcast's AWS discovery probes. WSO2's membership schemes have no
	// way to pass hz-port, so a member above it is never found although it listens.
	HazelcastProbedLast = 5708
	// HazelcastKernelDefault is the port a node takes when its configuration names none. It lies outside the range
	// that discovery probes and the firewall opens, so local_member_port is always written.
	HazelcastKernelDefault = 4000

	// Kubelet is where the Kubernetes API asks a node for its pods, logs and measurements.
	Kubelet = 10250
	// Webhook is where the load balancer controller and the log add-on's operator answer the Kubernetes API. It is the
	// same number as HTTPS, in other pods.
	Webhook = 9443
	// MetricsServer is where the EKS add-on metrics-server answers the Kubernetes API: not on upstream's 10250, which is
	// the kubelet's.
	MetricsServer = 10251
	// DNS is CoreDNS in its pods.
	DNS = 53

	// SMTP is where mail servers take mail from each other.
	SMTP = 25
	// Submission is where mail servers take mail from their users: what the product's mail sender calls unless its
	// configuration names another port. Source: output_adapter.email.port in
	// org.wso2.carbon.event.output.adapter.default.json of wso2/carbon-analytics-common.
	Submission = 587

	// NFS is the port of an EFS mount target.
	NFS = 2049
)
