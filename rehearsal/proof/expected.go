package proof

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// Expected has the external facts of a stack file. Everything else that a proof expects is true for every cluster.
type Expected struct {
	// Hostname is the cluster's own name.
	Hostname string
	// Clients are the ranges that may call the load balancer; empty means everyone, or the VPC if it is internal.
	Clients []netip.Prefix
	// Outside are the ranges that nodes may call, with the TCP ports.
	Outside []Egress
	// Proxy is the HTTP proxy of the stack file, with the ranges of its addresses, or has no host.
	Proxy Proxy
	// SES says that nodes send mail through a VPC endpoint of Amazon SES.
	SES bool
	// VPC is the range of a VPC that the stack does not make, and Subnets are its subnets by id.
	VPC     netip.Prefix
	Subnets map[string]Subnet
	// Existing is a database server that the stack does not make.
	Existing Existing
	// Share is a share on a file server that the stack does not make.
	Share Share
	// Balancer is a load balancer that the stack does not make. Nginx is the nginx that the stack makes.
	Balancer Balancer
	Nginx    Nginx
	// Key is the ARN of a KMS key that the stack does not make, or empty.
	Key string
	// LogGroup is the name of a log group for the nodes that the stack does not make, and NodeGroups are such security groups of nodes.
	LogGroup   string
	NodeGroups []string
	// Limits are what every role of the stack has in common.
	Limits Limits
	// DatabaseExtended and ClusterExtended say that the stack file buys extended support.
	DatabaseExtended, ClusterExtended bool
	// Lists says that the stack file names S3's prefix list by id. A state does not show its ranges.
	Lists bool
	// AnyBucket says that the stack file allows every bucket through the VPC endpoint of S3.
	AnyBucket bool
	// Directory are the addresses of the users' directory, and DirectoryPort its port.
	Directory     []netip.Prefix
	DirectoryPort int
	// Most is the largest number of nodes for scaling, 0 without scaling.
	Most int
	// Unprotected says that the stack file switches deletion protection off.
	Unprotected bool
	// LetGo says that the stack file deletes a database without a final snapshot, or without its automated backups.
	LetGo bool
	// Alone says that the stack file has no standby of a database.
	Alone bool
	// Undrained says that the stack file gives a deregistered node no time for its requests.
	Undrained bool
	// BackedUp says that AWS Backup must back the stack up.
	BackedUp bool
	// Renewed are the names of the secrets, without what their names have in common, whose values the stack file replaces.
	Renewed map[string]bool
	// Unknown says that a value of the configuration is known only after a planned update.
	Unknown bool
	// Prod says that the profile is prod. Release is the release of the product.
	Prod    bool
	Release string
}

// Egress is a range and the TCP ports that nodes may call there.
type Egress struct {
	Range netip.Prefix
	Ports []int
}

// Proxy is an HTTP proxy for the nodes' calls.
type Proxy struct {
	Host   string
	Port   int
	Ranges []netip.Prefix
}

// UnmarshalJSON reads a URL and ranges; without ranges the URL contains the address.
func (p *Proxy) UnmarshalJSON(raw []byte) error {
	var entry struct {
		URL   string
		CIDRs []string
	}
	if err := json.Unmarshal(raw, &entry); err != nil {
		return fmt.Errorf("reading the proxy: %w", err)
	}
	u, err := url.Parse(entry.URL)
	if err != nil {
		return fmt.Errorf("reading the proxy: %w", err)
	}
	p.Host = u.Hostname()
	p.Port, _ = state.Int(u.Port())
	if len(entry.CIDRs) == 0 {
		entry.CIDRs = []string{p.Host + "/32"}
	}
	p.Ranges, err = prefixes(entry.CIDRs)
	return err
}

// UnmarshalJSON reads a range as text, for HTTPS, or an object with ports.
func (e *Egress) UnmarshalJSON(raw []byte) error {
	var entry struct {
		CIDR  string
		Ports []int
	}
	if json.Unmarshal(raw, &entry.CIDR) != nil {
		if err := json.Unmarshal(raw, &entry); err != nil {
			return fmt.Errorf("reading what nodes may call: %w", err)
		}
	}
	ranges, err := prefixes([]string{entry.CIDR})
	if err != nil {
		return err
	}
	e.Range, e.Ports = ranges[0], entry.Ports
	if entry.Ports == nil {
		e.Ports = []int{publicHTTPS}
	}
	return nil
}

// String returns the range, and the ports if they are not that of HTTPS.
func (e Egress) String() string {
	if slices.Equal(e.Ports, []int{publicHTTPS}) {
		return e.Range.String()
	}
	return fmt.Sprintf("%s on %s", e.Range, list(e.traffic()))
}

// traffic is what nodes may send to the range.
func (e Egress) traffic() []traffic {
	all := make([]traffic, len(e.Ports))
	for i, port := range e.Ports {
		all[i] = tcpPort(port)
	}
	return all
}

// Subnet is a subnet that the stack does not make.
type Subnet struct {
	Zone string
	CIDR netip.Prefix
}

// nginxSecret names the certificate of the stack's own nginx.
type nginxSecret struct{ SecretARN, SecretKeyARN string }

// of returns what is expected of nginx with a type of load balancer.
func (n *nginxSecret) of(balancer string) Nginx {
	if balancer != "nginx" || n == nil {
		return Nginx{}
	}
	return Nginx{Given: true, Secret: n.SecretARN, Key: n.SecretKeyARN}
}

// ExpectedFrom reads the expected facts from a stack's configuration, by full key, in the engine's format: text, or
// JSON in text.
func ExpectedFrom(configuration map[string]string) (Expected, error) {
	e := Expected{Hostname: strings.Trim(configuration["wso2is:hostname"], `"`)}
	type protection struct{ DeletionProtection, MultiAZ, SkipFinalSnapshot, DeleteAutomatedBackups *bool }
	var balancer struct {
		protection
		Type                string
		Nginx               *nginxSecret
		AllowedCIDRs        []string
		DeregistrationDelay *int
	}
	var network struct {
		CIDR        string
		EgressCIDRs []Egress
		SESEndpoint bool
		S3Buckets   []string
		Proxy       Proxy
		Adopt       *struct {
			PublicSubnets, PrivateSubnets map[string]struct{ ID, CIDR string }
			S3PrefixList                  string
		}
	}
	var cluster struct{ ExtendedSupport bool }
	var database struct {
		ExtendedSupport bool
		Instance        protection
		Instances       map[string]protection
		Users           struct{ Generation int }
	}
	var users struct {
		URL          string
		CIDRs        []string
		BindPassword string
	}
	var admin struct{ Password string }
	var clustering struct {
		AWS        struct{ AccessKey, SecretKey string }
		Kubernetes struct{ Token string }
	}
	var secrets struct{ EncryptionKey, PreviousEncryptionKey, Keystore, KeystorePassword, KeyArn string }
	var nodes struct {
		Autoscaling    struct{ Max int }
		SecurityGroups []string
	}
	var observability struct{ LogGroup string }
	var backups struct{ Enabled *bool }
	for key, into := range map[string]any{
		"wso2is:loadBalancer": &balancer, "wso2is:network": &network, "wso2is:userStore": &users,
		"wso2is:database": &database, "wso2is:eks": &cluster, "wso2is:nodes": &nodes,
		"wso2is:backup": &backups, "wso2is:admin": &admin, "wso2is:clustering": &clustering, "wso2is:secrets": &secrets,
		"wso2is:observability": &observability,
	} {
		if raw := configuration[key]; raw != "" {
			if err := json.Unmarshal([]byte(raw), into); err != nil {
				return e, fmt.Errorf("reading %s: %w", key, err)
			}
		}
	}
	for _, p := range append(slices.Collect(maps.Values(database.Instances)), balancer.protection, database.Instance) {
		e.LetGo = e.LetGo || on(p.SkipFinalSnapshot) || on(p.DeleteAutomatedBackups)
		e.Alone = e.Alone || p.MultiAZ != nil && !*p.MultiAZ
		e.Unprotected = e.Unprotected || p.DeletionProtection != nil && !*p.DeletionProtection
	}
	e.Most, e.Outside, e.SES = nodes.Autoscaling.Max, network.EgressCIDRs, network.SESEndpoint
	e.Proxy, e.AnyBucket = network.Proxy, slices.Contains(network.S3Buckets, "*")
	e.Nginx = balancer.Nginx.of(balancer.Type)
	e.Undrained = balancer.DeregistrationDelay != nil && *balancer.DeregistrationDelay == 0
	// A text arrives as it is, or as JSON.
	e.Prod = strings.Trim(configuration["wso2is:profile"], `"`) == "prod"
	e.BackedUp = e.Prod
	if backups.Enabled != nil {
		e.BackedUp = *backups.Enabled
	}
	e.Renewed = map[string]bool{
		"admin-password": admin.Password != "", "userstore-password": users.BindPassword != "",
		"aws-access-key": clustering.AWS.AccessKey != "", "aws-secret-key": clustering.AWS.SecretKey != "",
		"kubernetes-token": clustering.Kubernetes.Token != "",
		"encryption-key":   secrets.EncryptionKey != "", "previous-encryption-key": secrets.PreviousEncryptionKey != "",
		"keystore": secrets.Keystore != "", "keystore-password": secrets.KeystorePassword != "",
	}
	for _, name := range []string{"identity", "shared", "user", "consent", "session", "config", "agent"} {
		for _, user := range []string{"", "-b"} {
			e.Renewed["database-"+name+user] = database.Users.Generation > 1
		}
	}
	e.Key, e.LogGroup, e.NodeGroups = secrets.KeyArn, observability.LogGroup, nodes.SecurityGroups
	e.Release = strings.Trim(configuration["wso2is:version"], `"`)
	e.DatabaseExtended, e.ClusterExtended = database.ExtendedSupport, cluster.ExtendedSupport
	e.Unknown = slices.ContainsFunc(slices.Collect(maps.Values(configuration)), func(text string) bool { return state.Unknown(text) })
	var err error
	if e.Existing, err = existingFrom(configuration["wso2is:database"]); err != nil {
		return e, err
	}
	if e.Share, err = shareFrom(configuration["wso2is:fileSystem"]); err != nil {
		return e, err
	}
	if e.Balancer, err = balancerFrom(configuration["wso2is:loadBalancer"]); err != nil {
		return e, err
	}
	if e.Limits, err = limitsFrom(configuration["wso2is:iam"]); err != nil {
		return e, err
	}
	for _, part := range []struct {
		into *[]netip.Prefix
		from []string
	}{{&e.Clients, balancer.AllowedCIDRs}, {&e.Directory, users.CIDRs}} {
		if *part.into, err = prefixes(part.from); err != nil {
			return e, err
		}
	}
	if network.Adopt != nil {
		e.Lists = network.Adopt.S3PrefixList != ""
		e.VPC, e.Subnets = parsePrefix(cmp.Or(network.CIDR, "10.0.0.0/16")), map[string]Subnet{}
		for _, subnets := range []map[string]struct{ ID, CIDR string }{network.Adopt.PublicSubnets, network.Adopt.PrivateSubnets} {
			for zone, subnet := range subnets {
				e.Subnets[subnet.ID] = Subnet{zone, parsePrefix(subnet.CIDR)}
			}
		}
	}
	e.DirectoryPort = directoryPort(users.URL)
	return e, nil
}

func on(written *bool) bool { return written != nil && *written }

// directoryPort is the port of a directory's URL, or 0 where there is none.
func directoryPort(of string) int {
	u, err := url.Parse(of)
	if err != nil || of == "" {
		return 0
	}
	if n, ok := state.Int(u.Port()); ok {
		return n
	}
	if u.Scheme == "ldaps" {
		return 636
	}
	return 389
}

func prefixes(cidrs []string) ([]netip.Prefix, error) {
	var all []netip.Prefix
	for _, cidr := range cidrs {
		p, err := netip.ParsePrefix(cidr)
		if err != nil {
			return nil, fmt.Errorf("reading the range %q: %w", cidr, err)
		}
		all = append(all, p.Masked())
	}
	return all, nil
}
