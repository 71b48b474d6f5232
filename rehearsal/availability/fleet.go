package availability

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// Clock has the times of a first `up` and of a node's start.
type Clock struct {
	// Began and Done are the times at which `up` begins and finishes a resource, by URN.
	Began, Done map[string]time.Duration
	// Start is the time from a node's launch until it serves, by the type that starts it.
	Start map[string]time.Duration
}

// fleet has the nodes: what starts them, what replaces them, and what checks their health.
type fleet struct {
	*state.State
	clock Clock
	// origin starts the nodes: a group, a service or a Deployment. members are fixed members.
	origin  *state.Resource
	members []*state.Resource
	kind    string
	cluster string
	nodes   int
	// zones is the number of zones with nodes; worst is the largest number of nodes in one.
	zones, worst int
	start        time.Duration
	// early says that a node is a target before it serves, and surge that a new one serves before an old one leaves.
	early, surge bool
	// drain is the time in which a leaving node finishes its requests.
	drain time.Duration
	// The load balancer's check.
	interval, healthyAfter, unhealthyAfter time.Duration
	path, protocol                         string
	// heartbeat is the time after which Hazelcast removes a silent member.
	heartbeat time.Duration
	// health is the configuration of the product's own health API.
	health struct {
		enabled, primaryOnly, baked bool
	}
}

func seconds(n float64) time.Duration { return time.Duration(n) * time.Second }

// fleetOf finds the nodes, or returns nil without any.
func fleetOf(s *state.State, clock Clock) (*fleet, error) {
	f := &fleet{State: s, clock: clock}
	if !f.findOrigin() {
		return nil, nil //nolint:nilnil // no nodes, nothing to say of them
	}
	f.start = clock.Start[f.kind]
	f.cluster = f.prefix()
	group := f.group()
	get := func(otherwise float64, key, annotation string) float64 {
		if group != nil {
			return group.Number("healthCheck."+key, otherwise)
		}
		return state.Number(f.annotation(annotation), otherwise)
	}
	// The defaults are those of Elastic Load Balancing ("Health checks for Application Load Balancer target groups").
	f.interval = seconds(get(30, "interval", "healthcheck-interval-seconds"))
	f.healthyAfter = f.interval * time.Duration(get(5, "healthyThreshold", "healthy-threshold-count"))
	f.unhealthyAfter = f.interval * time.Duration(get(2, "unhealthyThreshold", "unhealthy-threshold-count"))
	f.path, f.protocol = group.Text("healthCheck.path"), group.Text("healthCheck.protocol")
	f.drain = seconds(group.Number("deregistrationDelay", 300))
	if group == nil {
		f.path, f.protocol = state.Text(f.annotation("healthcheck-path")), "HTTPS"
		if m := deregistration.FindStringSubmatch(state.Text(f.annotation("target-group-attributes"))); m != nil {
			f.drain = seconds(state.Number(m[1], 300))
		}
	}
	return f, f.configure()
}

// prefix is the start of the names of the stack's alarms: the cluster name in the nodes' metrics.
func (f *fleet) prefix() string {
	for _, a := range alarmsOf(f.State) {
		for _, q := range a.queries {
			if cluster := q.dimensions["Cluster"]; cluster != "" {
				return cluster
			}
		}
	}
	return ""
}

var deregistration = regexp.MustCompile(`deregistration_delay\.timeout_seconds=(\d+)`)

// group returns the nodes' target group, or nil: behind an Ingress the load balancer controller makes its own.
func (f *fleet) group() *state.Resource {
	for _, g := range f.NodeTargets() {
		return g
	}
	return nil
}

// annotation returns an annotation of the load balancer controller on the Ingress.
func (f *fleet) annotation(key string) any {
	if r := f.first(state.Ingress); r != nil {
		return r.Object("metadata").Object("annotations")["alb.ingress.kubernetes.io/"+key]
	}
	return nil
}

// first returns the only resource of a type, or nil.
func (f *fleet) first(token string) *state.Resource {
	if all := f.Of(token); len(all) > 0 {
		return all[0]
	}
	return nil
}

func (f *fleet) findOrigin() bool {
	if r := f.first(state.Deployment); r != nil {
		f.origin, f.kind, f.surge = r, state.Deployment, true
		f.nodes = int(state.Number(state.At(r.Inputs, "spec.replicas"), 1))
		zones := f.nodes // in an existing cluster, its owner spreads the hosts
		if subnets := f.subnetsUnder(state.NodeGroup, "subnetIds"); subnets != nil {
			zones = f.zonesOf(subnets)
		}
		f.spread(zones)
		return true
	}
	if r := f.first(state.ECSService); r != nil {
		f.origin, f.kind, f.early, f.surge = r, state.ECSService, true, true
		f.nodes = int(r.Number("desiredCount", 1))
		subnets := r.List("networkConfiguration.subnets")
		if subnets == nil {
			for _, g := range f.NodeGroups() {
				subnets = append(subnets, g.List("vpcZoneIdentifiers")...)
			}
		}
		f.spread(f.zonesOf(subnets))
		return true
	}
	if groups := f.NodeGroups(); len(groups) > 0 {
		r := groups[0]
		f.origin, f.kind, f.surge = r, state.AutoScalingGroup, true
		f.early = r.List("initialLifecycleHooks") == nil
		f.nodes = int(r.Number("desiredCapacity", r.Number("minSize", 1)))
		f.spread(f.zonesOf(r.List("vpcZoneIdentifiers")))
		return true
	}
	// An instance without an attachment serves nobody.
	in := map[string]int{}
	for _, r := range f.Of(state.EC2Instance) {
		if f.One(state.TargetGroupAttachment, r.ID, "targetId") != nil {
			f.members = append(f.members, r)
			in[r.Text("availabilityZone")]++
			f.worst = max(f.worst, in[r.Text("availabilityZone")])
		}
	}
	f.kind, f.early, f.nodes, f.zones = state.EC2Instance, true, len(f.members), len(in)
	return len(f.Of(state.EC2Instance)) > 0 && len(f.Of(state.TargetGroup)) > 0
}

func (f *fleet) subnetsUnder(token, property string) []any {
	var all []any
	for _, r := range f.Of(token) {
		all = append(all, r.List(property)...)
	}
	return all
}

// zonesOf counts the zones of subnets. Those of an existing network are not in the state, and are assumed to be in one
// zone each.
func (f *fleet) zonesOf(subnets []any) int {
	zones := map[string]bool{}
	for _, id := range subnets {
		zone := state.Text(id)
		for _, r := range f.Of(state.Subnet) {
			if r.ID == zone {
				zone = r.Text("availabilityZone")
			}
		}
		zones[zone] = true
	}
	return max(len(zones), 1)
}

func (f *fleet) spread(zones int) {
	f.zones = zones
	f.worst = (f.nodes + zones - 1) / zones
}

// configure reads the health settings in the nodes' deployment.toml.
func (f *fleet) configure() error {
	var files []string
	for _, r := range f.Of(state.BucketObject) {
		if strings.HasSuffix(r.Text("key"), "deployment.toml") {
			files = append(files, r.Text("content"))
		}
	}
	for _, r := range f.Of(state.ConfigMap) {
		if file := state.AsObject(r.Inputs["data"]).Text("deployment.toml"); file != "" {
			files = append(files, file)
		}
	}
	f.heartbeat = time.Minute // the product's default
	f.health.enabled, f.health.baked = true, len(files) == 0
	for i, file := range files {
		var settings map[string]any
		if err := toml.Unmarshal([]byte(file), &settings); err != nil {
			return fmt.Errorf("reading a deployment.toml: %w", err)
		}
		if n := state.Number(state.AsObject(settings["hazelcast"])["hazelcast.max.no.heartbeat.seconds"], 0); n > 0 {
			f.heartbeat = seconds(n)
		}
		enabled := state.At(settings, "carbon_health_check.enable") == true
		stores := state.Text(find(settings, "monitored.user.stores"))
		f.health.enabled = i > 0 && f.health.enabled || enabled
		f.health.primaryOnly = (i == 0 || f.health.primaryOnly) && strings.EqualFold(stores, "primary")
	}
	return nil
}

// find returns the first value of a key in a tree of tables.
func find(v any, key string) any {
	switch v := v.(type) {
	case map[string]any:
		if found, ok := v[key]; ok {
			return found
		}
		for _, e := range v {
			if found := find(e, key); found != nil {
				return found
			}
		}
	case []any:
		for _, e := range v {
			if found := find(e, key); found != nil {
				return found
			}
		}
	}
	return nil
}

// dependency is a service outside the nodes.
type dependency string

const (
	theDatabase dependency = "the database"
	aDirectory  dependency = "a partner's directory"
)

// healthAPI answers 503 when a data source or a user store fails, if [carbon_health_check] is on
// (DataSourceHealthChecker and SuperTenantUSHealthChecker of carbon-health-check). It watches every user store of the
// super tenant, also those created at run time, unless monitored.user.stores is primary.
const healthAPI = "/api/health-check/v1.0/health"

// independentPaths are the paths that need only the server's threads and keystore.
var independentPaths = []string{"/oauth2/jwks", "/carbon/admin/login.jsp"}

// fails reports whether the answer on a path fails during the outage of a dependency.
func (f *fleet) fails(path string, away dependency) bool {
	switch {
	case path == "" || slices.Contains(independentPaths, path):
		return false
	case path == healthAPI && !f.health.enabled:
		return false
	case path == healthAPI && away == aDirectory:
		return !f.health.primaryOnly
	}
	return true
}

// check is a check that ends a failing node.
type check struct {
	// who ends the node, path is what the check asks, and after is the time of failures before it acts.
	who, path string
	after     time.Duration
}

var (
	asked = regexp.MustCompile(`https?://localhost(?::\d+)?(/[^\s'"]*)`)
	// running matches the part of a check after the server's start, if it asks for more before.
	running = regexp.MustCompile(`(?s)\bthen (.*?); else `)
)

// pathsOf returns the paths of the server in a command.
func pathsOf(command string) []string {
	if m := running.FindStringSubmatch(command); m != nil {
		command = m[1]
	}
	var all []string
	for _, m := range asked.FindAllStringSubmatch(command, -1) {
		all = append(all, m[1])
	}
	return all
}

// probeTarget returns the paths of a Kubernetes probe, and the time of failures before it acts. The defaults are Kubernetes'
// own ("Configure Liveness, Readiness and Startup Probes").
func probeTarget(probe any) (paths []string, after time.Duration) {
	if probe == nil {
		return nil, 0
	}
	after = seconds(state.Number(state.At(probe, "periodSeconds"), 10) * state.Number(state.At(probe, "failureThreshold"), 3))
	if path := state.Text(state.At(probe, "httpGet.path")); path != "" {
		return []string{path}, after
	}
	return pathsOf(strings.Join(texts(state.At(probe, "exec.command")), " ")), after
}

// endingChecks returns the checks that end a node after enough failures.
func (f *fleet) endingChecks() []check {
	var all []check
	switch f.kind {
	case state.AutoScalingGroup:
		// "Health checks for instances in an Auto Scaling group": with the type ELB, a group replaces instances that
		// the load balancer finds unhealthy.
		if f.origin.Text("healthCheckType") == "ELB" {
			all = append(all, check{"the Auto Scaling group with HealthCheckType ELB", f.path, f.unhealthyAfter})
		}
	case state.ECSService:
		// A service replaces a task if its target or an essential container is unhealthy ("Amazon ECS services").
		if f.origin.List("loadBalancers") != nil {
			all = append(all, check{"the ECS service, by its target group's check,", f.path, f.unhealthyAfter})
		}
		d := f.One(state.TaskDefinition, f.origin.Text("taskDefinition"), "arn")
		for _, c := range definitions(d.Text("containerDefinitions")) {
			if c["healthCheck"] == nil || c["essential"] == false {
				continue
			}
			after := seconds(state.Number(state.At(c, "healthCheck.interval"), 30) * state.Number(state.At(c, "healthCheck.retries"), 3))
			for _, path := range pathsOf(strings.Join(texts(state.At(c, "healthCheck.command")), " ")) {
				all = append(all, check{"the ECS service, by the container's check,", path, after})
			}
		}
	case state.Deployment:
		for _, c := range f.containers() {
			paths, after := probeTarget(state.At(c, "livenessProbe"))
			for _, path := range paths {
				all = append(all, check{"the liveness probe", path, after})
			}
		}
	}
	return all
}

func (f *fleet) containers() []any {
	return f.origin.List("spec.template.spec.containers")
}
