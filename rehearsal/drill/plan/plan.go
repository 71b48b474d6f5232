// Package plan reads from an exported state its nodes, the files and settings with which they start, and their
// database.
package plan

import (
	"cmp"
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"

	"github.com/wso2is-aws/wso2is/rehearsal/drill/aws"
	"github.com/wso2is-aws/wso2is/rehearsal/drill/proxy"
	"github.com/wso2is-aws/wso2is/rehearsal/drill/vpc"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// Plan is the part of a stack that runs.
type Plan struct {
	Network  *vpc.Network
	Account  *aws.Account
	Balancer *proxy.Balancer
	Nodes    []Node
	// Spare are the places of tasks and pods that only a deployment fills.
	Spare    []Node
	Database Database
	// Directory is nil if the users are in the database.
	Directory *Directory
	// Kubernetes is nil if the nodes are no pods.
	Kubernetes *Kubernetes
	// Hostname is the public name of the cluster, Version the release of the product and Hazelcast its release of Hazelcast.
	Hostname, Version, Hazelcast string
	// Heartbeat is the time after which a silent member is removed. Merge is the time after which two halves of a
	// cluster first look for each other, and Again the time between later attempts.
	Heartbeat, Merge, Again time.Duration
	// Closed is the number of addresses without a listener that one search for the other half tries.
	Closed int
	// Scheme is the membership scheme, or empty if the nodes form no cluster.
	Scheme string
	// Stale is the time for which a node may take a revoked session, and Why its source in deployment.toml.
	Stale time.Duration
	Why   string
	// Keystore is the one of the nodes' HTTPS.
	Keystore Keystore
}

// Programs are what the machine of a drill brings: tools by their name, jars, of which the last one is the JDBC driver, and the archive
// of the product, or nothing.
type Programs struct {
	Tools   map[string]string
	Jars    []string
	Product string
}

// probed is the number of ports of each node that Hazelcast's discovery on AWS lists.
const probed = 8

// Node is an instance and the files that its user data fetches, a task and the files that its first container fetches, or a pod and
// the files that it mounts.
type Node struct {
	Name string
	// Instance is nil for a pod and for a task with an interface of its own. Task and Pod are nil for an instance.
	Instance *aws.Instance
	Task     *Task
	Pod      *Pod
	Device   string
	Address  netip.Addr
	// UserData is its user data. Settings are the variables at the start of it and those of the instance, as text.
	UserData, Settings string
	// Files are the fetched files by their path on the node, and Config is its deployment.toml.
	Files  map[string]string
	Config string
	// Secrets are the values of its server's secrets, by their variable.
	Secrets map[string]string
	// Containers are those of a task or a pod, in the order of the state, with their volumes.
	Containers []*Container
	Volumes    []Volume
	// Ready is the longest time until it is ready, and Members the least number of members that it then sees.
	Ready   time.Duration
	Members int
}

// Database is the nodes' database instance, and the program that makes its schema.
type Database struct {
	Device, Name, Engine string
	Port                 int
	// Master is the account that makes databases, and Password its password.
	Master, Password string
	// Program makes the schema; it reads Properties and Environment.
	Program, Properties string
	Environment         map[string]string
}

// Of reads a plan. If something cannot run here, the error says why.
func Of(s *state.State) (*Plan, error) {
	p := &Plan{}
	var err error
	if p.Network, err = vpc.Of(s); err != nil {
		return nil, err
	}
	if p.Balancer, err = proxy.Of(s); err != nil {
		return nil, err
	}
	p.Account = aws.Of(p.Network)
	if len(s.Of(state.Deployment)) > 0 {
		if err := p.kubernetes(s); err != nil {
			return nil, err
		}
	}
	if err := p.database(s); err != nil {
		return nil, err
	}
	for _, i := range p.Network.Find(vpc.Node) {
		if err := p.add(s, i); err != nil {
			return nil, err
		}
	}
	// A member waits for those before it, and node-10 is before node-2 in the state.
	slices.SortStableFunc(p.Nodes, func(a, b Node) int { return cmp.Compare(a.Members, b.Members) })
	p.Closed *= len(p.Nodes)
	if len(p.Nodes) < 2 {
		return nil, fmt.Errorf("a drill stops one node and looks at the others: the state has %d", len(p.Nodes))
	}
	return p, nil
}

// add adds the node at an interface. The tasks beyond a service's desired number are spare.
func (p *Plan) add(s *state.State, i *vpc.Interface) error {
	place := p.Account.PlaceAt(i.Address)
	if place == nil && len(p.Account.Places) > 0 {
		return nil // an instance without a task
	}
	read := p.node
	if place != nil {
		read = func(s *state.State, i *vpc.Interface) (*Node, error) { return p.task(s, i, place) }
	}
	if i.Of.Type == state.Deployment {
		read = p.pod
	}
	n, err := read(s, i)
	if err != nil {
		return err
	}
	if err := p.clustering(n, i); err != nil {
		return err
	}
	if n.Replaceable() && len(p.Nodes) >= n.Rollout().Wanted {
		p.Spare = append(p.Spare, *n)
		return nil
	}
	p.Nodes = append(p.Nodes, *n)
	return nil
}

// Discovers reports whether nodes find each other by a tag or a label, and not by addresses.
func (p *Plan) Discovers() bool { return p.Scheme != "" && p.Scheme != "wka" }

// Variable returns the value of a variable at the start of a user data.
func Variable(settings, name string) string {
	m := regexp.MustCompile(`(?m)^` + name + `=(?:'([^']*)'|(\S*))$`).FindStringSubmatch(settings)
	if m == nil {
		return ""
	}
	return m[1] + m[2]
}

// list returns the elements of an array of the user data, each split at its bars.
func list(settings, name string) [][]string {
	_, rest, found := strings.Cut(settings, "\n"+name+"=(")
	if !found {
		return nil
	}
	body, _, _ := strings.Cut(rest, ")")
	var all [][]string
	for _, m := range regexp.MustCompile(`'([^']*)'`).FindAllStringSubmatch(body, -1) {
		all = append(all, strings.Split(m[1], "|"))
	}
	return all
}

// settingsOf returns the start of a user data: the variables that its program reads.
func settingsOf(encoded string) string {
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return ""
	}
	head, _, _ := strings.Cut(string(raw), "\n\n")
	return head
}

// Keystore is the file of a keystore, and its type.
type Keystore struct {
	File string `toml:"file_name"`
	Type string `toml:"type"`
}

// settings are the settings in a deployment.toml that a drill reads.
type settings struct {
	Server struct {
		Cached string `toml:"default_cache_timeout"`
		Local  *bool  `toml:"force_local_cache"`
	} `toml:"server"`
	Cache map[string]struct {
		Enable  *bool `toml:"enable"`
		Timeout any   `toml:"timeout"`
	} `toml:"cache"`
	Clustering struct {
		Scheme     string            `toml:"membership_scheme"`
		Properties map[string]string `toml:"properties"`
	} `toml:"clustering"`
	Hazelcast map[string]string `toml:"hazelcast"`
	UserStore struct {
		Properties map[string]any `toml:"properties"`
	} `toml:"user_store"`
	Keystore struct {
		TLS Keystore `toml:"tls"`
	} `toml:"keystore"`
}

func (p *Plan) node(s *state.State, i *vpc.Interface) (*Node, error) {
	instance := p.Account.At(i.Address)
	encoded := cmp.Or(i.Of.Text("userDataBase64"), s.Get(state.LaunchTemplate, instance.Template).Text("userData"))
	head := settingsOf(encoded)
	script, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return nil, fmt.Errorf("%s: reading its user data: %w", i.Of, err)
	}
	n := &Node{
		Name: i.Name, Instance: instance, Device: i.Device, Address: i.Address, Files: map[string]string{}, UserData: string(script),
		Secrets: map[string]string{"NODE_IP": i.Address.String()},
		// The user data asks the metadata service for these.
		Settings: head + fmt.Sprintf("\nINSTANCE=%s\nNODE=%s\nNODE_ADDRESS=%s", instance.ID, cmp.Or(Variable(head, "NODE"), instance.ID), i.Address),
	}
	home := "wso2is-" + Variable(head, "VERSION")
	for array, below := range map[string]string{"FILES": home + "/", "PROGRAMS": ""} {
		for _, file := range list(head, array) {
			objects := s.With(state.BucketObject, "key", file[0])
			if len(file) != 3 || len(objects) == 0 {
				return nil, fmt.Errorf("%s fetches %s, which is not in the state", i.Of, file[0])
			}
			n.Files[below+file[2]] = objects[0].Text("content")
		}
	}
	n.Config = home + "/repository/conf/deployment.toml"
	for _, one := range list(head, "SECRETS") {
		n.Secrets[one[0]] = aws.Secret(one[1])
		if len(one) > 2 && one[2] != "" {
			n.Secrets[one[2]] = aws.Secret(one[1] + one[2])
		}
	}
	seconds, _ := strconv.Atoi(Variable(head, "READY_SECONDS"))
	n.Ready = time.Duration(seconds) * time.Second
	n.Members, _ = strconv.Atoi(Variable(head, "READY_MEMBERS"))
	p.Hostname, p.Version, p.Hazelcast = Variable(head, "PUBLIC_NAME"), Variable(head, "VERSION"), Variable(head, "HAZELCAST")
	return n, nil
}

// clustering reads how the members of a node's file find and lose each other, and where their users are.
func (p *Plan) clustering(n *Node, i *vpc.Interface) error {
	var config settings
	if err := toml.Unmarshal([]byte(n.Files[n.Config]), &config); err != nil {
		return fmt.Errorf("reading the deployment.toml of %s: %w", i.Of, err)
	}
	scheme := config.Clustering.Scheme
	if scheme != "" && !slices.Contains([]string{"wka", "aws", "aws-ecs", "kubernetes"}, scheme) {
		return fmt.Errorf("%s: a drill runs the membership schemes wka, aws, aws-ecs and kubernetes so far, and not %q", i.Of, scheme)
	}
	if scheme == "kubernetes" && strings.HasPrefix(p.Version, "5.") {
		return fmt.Errorf("%s: release %s finds members with a client of the scheme's own jar, and not with Hazelcast's, which a drill runs", i.Of, p.Version)
	}
	after := func(property string, absent int) time.Duration {
		if n, err := strconv.Atoi(config.Hazelcast[property]); err == nil {
			absent = n
		}
		return time.Duration(absent) * time.Second
	}
	// The agent's defaults apply if the file has no value.
	p.Heartbeat = after("hazelcast.max.no.heartbeat.seconds", 600)
	p.Merge, p.Again = after("hazelcast.merge.first.run.delay.seconds", 60), after("hazelcast.merge.next.run.delay.seconds", 30)
	if scheme == "aws" || scheme == "aws-ecs" {
		// Discovery lists 5701-5708 of each node (AwsDiscoveryStrategy), which listens on one of them.
		p.Closed = probed - 1
	}
	p.Scheme, p.Keystore = scheme, config.Keystore.TLS
	p.Stale, p.Why = config.stale()
	return p.directory(&config, n, i)
}

// told is the longest time for a message between members, or for a query.
const told = 2 * time.Second

// stale is the time for which one node may still take what another one has revoked: sessions have the settings of the product's
// cache of tokens, oauth_cache. The guide's five caching scenarios differ in it.
func (s *settings) stale() (time.Duration, string) {
	cache := s.Cache["oauth_cache"]
	seconds, own := state.Int(cache.Timeout)
	minutes, _ := strconv.Atoi(strings.TrimSuffix(s.Server.Cached, "m"))
	lifetime := time.Duration(minutes) * time.Minute
	if own {
		lifetime = time.Duration(seconds) * time.Second
	}
	switch {
	case cache.Enable != nil && !*cache.Enable:
		return told, "the cache is off (cache.oauth_cache.enable)"
	case s.Clustering.Scheme == "":
		return lifetime + told, "no node tells another, so that the entry lives its time (cache.oauth_cache.timeout, or default_cache_timeout)"
	case s.Server.Local != nil && !*s.Server.Local:
		return told, "all members have one cache (force_local_cache)"
	}
	return told, fmt.Sprintf("a message between members, where the cache alone would keep it for %s (default_cache_timeout)", s.Server.Cached)
}

// database reads the instance or the Aurora cluster, for whose writer a PostgreSQL stands in, and the launch template or the task definition that makes its schema.
func (p *Plan) database(s *state.State) error {
	found := p.Network.Find(vpc.Database)
	if len(found) != 1 {
		return fmt.Errorf("the state has %d database instances: a drill runs one", len(found))
	}
	of := found[0].Of
	d := Database{Device: found[0].Device, Name: cmp.Or(of.Text("address"), of.Text("endpoint")), Environment: map[string]string{},
		Engine: strings.Replace(of.Text("engine"), "aurora-postgresql", "postgres", 1)}
	if d.Engine != "postgres" && d.Engine != "mariadb" {
		return fmt.Errorf("%s runs %s: a drill runs PostgreSQL or MariaDB, which others may run too", of, d.Engine)
	}
	d.Port, _ = of.Int("port")
	d.Master = cmp.Or(of.Text("username"), of.Text("masterUsername"))
	for _, t := range s.Of(state.LaunchTemplate) {
		head := settingsOf(t.Text("userData"))
		databases := list(head, "DATABASES")
		if len(databases) == 0 {
			continue
		}
		_, properties, _ := strings.Cut(head, "\nSCHEMA=$'")
		properties, _, _ = strings.Cut(properties, "'\n")
		d.Properties = strings.ReplaceAll(properties, `\n`, "\n")
		for _, one := range list(head, "SECRETS") {
			d.Environment[one[0]] = aws.Secret(one[1])
		}
		for _, one := range databases {
			d.Password = aws.Secret(one[1])
			key := "SCHEMA_" + strings.ToUpper(one[0])
			d.Environment[key+"_MASTER_USERNAME"], d.Environment[key+"_MASTER_PASSWORD"] = d.Master, d.Password
		}
		for _, file := range list(head, "PROGRAMS") {
			if strings.HasSuffix(file[0], "/SchemaBootstrap.java") {
				for _, o := range s.With(state.BucketObject, "key", file[0]) {
					d.Program = o.Text("content")
				}
			}
		}
	}
	if d.Properties == "" {
		if err := errors.Join(schemaTask(s, &d), p.schemaJob(s, &d)); err != nil {
			return err
		}
		p.Version = versionOf(d.Properties)
		p.Hazelcast = hazelcastOf(p.Version)
	}
	if d.Properties == "" || d.Program == "" {
		return fmt.Errorf("nothing in the state makes the schema of %s", found[0].Of)
	}
	p.Database = d
	return nil
}
