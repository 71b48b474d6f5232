package availability

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/wso2is-aws/wso2is/rehearsal/proof"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// Event is a failure around a cluster, and its effects.
type Event struct {
	// What is the failure in a few words.
	What string
	// Terminated is the number of serving nodes that are terminated, by the stack itself or with the failure.
	Terminated int
	// Dark is the longest time without a serving node, and Ends says that it ends without the team.
	Dark time.Duration
	Ends bool
	// Cut names the lost requests.
	Cut string
	// Rings are the alarms and EventBridge rules that notify, in the order of time.
	Rings []Ring
	// Acts names the one that has to act.
	Acts string
	// Faults are the reasons for which the stack does not survive it, Warnings are facts for its team.
	Faults, Warnings []string
}

// Ring is an alarm or a rule, and its time after the event.
type Ring struct {
	Name  string
	After time.Duration
}

// Times of AWS and Kubernetes.
const (
	// failover is the typical longest time of a Multi-AZ failover ("Failing over a Multi-AZ DB instance for Amazon RDS"
	// says 60 to 120 seconds).
	failover = 120 * time.Second
	// auroraFailover is the longest usual time until a reader is the writer, and restarted that of a new writer without a reader
	// ("High availability for Amazon Aurora", fault tolerance: less than 60 seconds, and less than 10 minutes).
	auroraFailover, restarted = time.Minute, 10 * time.Minute
	// givenUp is the time in which EC2's status checks and a group give up a lost instance: checks run each minute, and
	// a group replaces an impaired instance within a few ("Health checks for instances in an Auto Scaling group").
	givenUp = 5 * time.Minute
	// evicted is the time in which Kubernetes leaves pods on a silent node: 50 seconds until it is not ready, as of 1.32
	// (--node-monitor-grace-period, kubernetes/kubernetes#126287), and then the 300 of the default toleration ("Taints and
	// Tolerations").
	evicted = 350 * time.Second
	// directoryAway is the assumed outage of a partner's directory.
	directoryAway = time.Hour
	// fillRate is the assumed growth of a log in GiB an hour.
	fillRate = 1.0
)

// events are the failures that every cluster has one day.
func (f *fleet) events(alarms []*alarm) []*Event {
	return []*Event{
		f.databaseFails(alarms), f.nodeDies(alarms), f.zoneLost(alarms), f.dependencyAway("A partner's directory is away for an hour",
			aDirectory, directoryAway, alarms), f.releaseFails(alarms), f.disksFill(alarms),
	}
}

// addAlarms adds the alarms that ring in a world.
func (e *Event) addAlarms(f *fleet, w *world, alarms []*alarm) {
	for _, a := range alarms {
		if !a.notifies() {
			continue
		}
		if at, rings := a.firstRing(w, event-15*time.Minute, event+horizon); rings {
			e.Rings = append(e.Rings, Ring{a.shortName(f.cluster), at - event})
		}
	}
	slices.SortStableFunc(e.Rings, func(a, b Ring) int { return int(a.After - b.After) })
}

// addEventRules adds the EventBridge rules that match an event of a type.
func (e *Event) addEventRules(f *fleet, after time.Duration, types ...string) {
	for _, r := range f.Of(state.EventRule) {
		pattern := r.Text("eventPattern")
		told := slices.ContainsFunc(f.Of(state.EventTarget), func(t *state.Resource) bool {
			return t.Text("rule") == r.Text("name")
		})
		if told && slices.ContainsFunc(types, func(t string) bool { return strings.Contains(pattern, `"`+t+`"`) }) {
			e.Rings = append(e.Rings, Ring{strings.TrimPrefix(r.Text("name"), f.cluster+"-"), after})
		}
	}
	slices.SortStableFunc(e.Rings, func(a, b Ring) int { return int(a.After - b.After) })
}

// failoverEvent is what a rule must name to tell of a failover. That of a cluster is an event of another type ("Amazon RDS event
// categories and event messages" in the Aurora user guide).
func (f *fleet) failoverEvent() string {
	if len(f.Of(state.DBCluster)) > 0 {
		return "RDS DB Cluster Event"
	}
	return "failover"
}

func (f *fleet) databaseFails(alarms []*alarm) *Event {
	var warnings []string
	lasts := failover
	if clusters := f.Of(state.DBCluster); len(clusters) > 0 {
		lasts = auroraFailover
		for _, cluster := range clusters {
			if len(f.DatabaseMembers(cluster)) < 2 {
				lasts = restarted
				e := fmt.Sprintf("%s has no reader: when its writer fails, Aurora starts another one in up to %.0f minutes", cluster.Text("clusterIdentifier"),
					restarted.Minutes())
				warnings = append(warnings, e)
			}
		}
	}
	e := f.dependencyAway(fmt.Sprintf("The database fails over (%.0f s)", lasts.Seconds()), theDatabase, lasts, alarms)
	e.Warnings = append(e.Warnings, warnings...)
	e.addEventRules(f, 0, f.failoverEvent())
	if len(f.Databases()) == 0 {
		e.Warnings = append(e.Warnings, databaseElsewhere)
	}
	for _, db := range f.Of(state.DBInstance) {
		if db.At("multiAz") != true {
			e.Warnings = append(e.Warnings, fmt.Sprintf("%s has no standby: when its host fails, RDS starts it on another one; when "+
				"its zone fails, it is down until somebody restores it", db.Text("identifier")))
		}
	}
	return e
}

// databaseElsewhere says what no state shows of an existing database.
const databaseElsewhere = "the database is not this stack's: whether it has a standby, the time of a failover and its alarms are its owner's"

// dependencyAway simulates the outage of a dependency for some time.
func (f *fleet) dependencyAway(what string, away dependency, lasts time.Duration, alarms []*alarm) *Event {
	e := &Event{What: what, Ends: true, Cut: "none is cut; requests that need " + string(away) + " fail during its outage"}
	back := event + lasts
	w := f.steadyWorld()
	if away == theDatabase {
		w.failing = []span{{event, back}}
	}
	if f.fails(f.path, away) && lasts > f.unhealthyAfter {
		// Without a healthy target, the load balancer sends requests to all of them ("Health checks for Application
		// Load Balancer target groups", fail-open).
		for _, l := range w.lives {
			l.healthy = []span{{-forever, event + f.unhealthyAfter}, {back + f.healthyAfter, forever}}
		}
	}
	var ended time.Duration
	for _, c := range f.endingChecks() {
		if !f.fails(c.path, away) || c.after >= lasts {
			continue
		}
		e.Faults = append(e.Faults, fmt.Sprintf("%s ends all %d nodes after %s: the checked path %s fails during the outage of %s",
			c.who, f.nodes, short(c.after), c.path, away))
		if ended == 0 || c.after < ended {
			ended = c.after
		}
	}
	switch {
	case ended > 0:
		e.Terminated = f.nodes
		e.Dark = lasts + f.start - ended
		e.Cut = "all open requests on ended nodes, after " + short(f.drain)
		for _, l := range w.lives {
			l.leave(event+ended, 0)
		}
		for range f.nodes {
			w.lives = append(w.lives, f.newLife(back, back+f.start))
		}
		w.refused = []span{{event + ended, event + ended + e.Dark}}
	default:
		if after, path := f.unreadyAfter(away); after > 0 && after < lasts {
			// A pod that is not ready is no longer a target. Without targets the load balancer answers 503.
			e.Dark = lasts - after + f.healthyAfter
			e.Warnings = append(e.Warnings, fmt.Sprintf("all pods leave the load balancer after %s, since their readiness probe asks %s", short(after), path))
			for _, l := range w.lives {
				l.target = []span{{-forever, event + after}, {back, forever}}
			}
			w.refused = []span{{event + after, event + after + e.Dark}}
		}
	}
	e.addAlarms(f, w, alarms)
	e.Acts = "nobody: nodes continue after the outage"
	if away == aDirectory {
		e.Acts = "the partner; only its users cannot log in"
	}
	if ended > 0 {
		e.Acts = "the team, at once"
	}
	return e
}

// unreadyAfter returns the time after which pods are not ready during an outage, and the path of their probe.
func (f *fleet) unreadyAfter(away dependency) (time.Duration, string) {
	for _, c := range f.containers() {
		paths, after := probeTarget(state.At(c, "readinessProbe"))
		for _, path := range paths {
			if f.fails(path, away) {
				return after, path
			}
		}
	}
	return 0, ""
}

// loseNodes terminates some nodes at once, and starts their replacements if something does.
func (f *fleet) loseNodes(e *Event, lost int, alarms []*alarm) {
	e.Terminated = lost
	w := f.steadyWorld()
	gone, by := f.replacement()
	for i := range lost {
		l := w.lives[i]
		end(l.healthy, event+f.unhealthyAfter)
		end(l.listens, event)
		l.lost = span{event, event + f.heartbeat}
		if gone > 0 {
			end(l.target, event+gone)
			w.lives = append(w.lives, f.newLife(event+gone, event+gone+f.start))
		}
	}
	if f.kind == state.EC2Instance && len(f.members) > 0 {
		w.down, w.since = f.members[0].ID, event
	}
	e.Acts, e.Ends = by, gone > 0
	if f.nodes-lost <= 0 {
		e.Dark = gone + f.start
		if gone == 0 {
			e.Dark = forever
		}
		w.refused = []span{{event, event + e.Dark}}
	}
	e.Cut = fmt.Sprintf("all open requests on %s, and a share of the new ones for %s; threads that wait for a lost member continue after %s",
		count(lost, "node"), short(f.unhealthyAfter), short(f.heartbeat))
	e.addAlarms(f, w, alarms)
}

// replacement returns the time until a lost node's replacement starts, and who starts it; 0 if nothing does.
func (f *fleet) replacement() (time.Duration, string) {
	switch f.kind {
	case state.AutoScalingGroup:
		return givenUp, "nobody: the Auto Scaling group starts another"
	case state.ECSService:
		return f.unhealthyAfter, "nobody: ECS starts another task"
	case state.Deployment:
		return evicted, "nobody: Kubernetes starts another pod"
	}
	for _, m := range f.members {
		if m.Text("maintenanceOptions.autoRecovery") != "disabled" {
			return givenUp, "nobody if the host has failed: EC2 starts the instance on another one; the team if the system hangs"
		}
	}
	return 0, "the team: nothing restarts a member"
}

func (f *fleet) nodeDies(alarms []*alarm) *Event {
	e := &Event{What: "A node dies"}
	lost := 1
	if why := f.sharedHost(); why != "" && f.nodes > 1 {
		lost = f.nodes
		e.Faults = append(e.Faults, fmt.Sprintf("nobody serves when one host is lost: %s", why))
	}
	f.loseNodes(e, min(lost, f.nodes), alarms)
	switch asked := f.totalNodes(); {
	case f.nodes == 0:
		e.Faults = append(e.Faults, fmt.Sprintf("nobody serves at all: of %d nodes none is a target of the load balancer", asked))
	case f.nodes == 1 && asked > 1:
		e.Faults = append(e.Faults, fmt.Sprintf("nobody serves when one node is lost: of %d nodes only one is a target of the load balancer", asked))
	case f.nodes == 1:
		e.Warnings = append(e.Warnings, "nodes.count is 1: nobody serves until the only node is back")
	}
	return e
}

// totalNodes is the number of nodes, with those that serve nobody.
func (f *fleet) totalNodes() int {
	if f.kind == state.EC2Instance {
		return len(f.Of(state.EC2Instance))
	}
	return f.nodes
}

// sharedHost says why several nodes may be on one host, or nothing.
func (f *fleet) sharedHost() string {
	switch f.kind {
	case state.Deployment:
		list := f.origin.List("spec.template.spec.topologySpreadConstraints")
		for _, c := range list {
			if state.Text(state.At(c, "whenUnsatisfiable")) == "DoNotSchedule" && state.Number(state.At(c, "maxSkew"), 1) < float64(f.nodes) && f.zones > 1 ||
				state.Text(state.At(c, "topologyKey")) == "kubernetes.io/hostname" && state.Text(state.At(c, "whenUnsatisfiable")) == "DoNotSchedule" {
				return ""
			}
		}
		if f.origin.At("spec.template.spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution") != nil {
			return ""
		}
		return "no constraint keeps the pods from all being on one"
	case state.ECSService:
		if f.origin.At("networkConfiguration") != nil && len(f.NodeGroups()) == 0 {
			return "" // each task on Fargate has its own host
		}
		for _, c := range f.origin.List("placementConstraints") {
			if state.Text(state.At(c, "type")) == "distinctInstance" {
				return ""
			}
		}
		return "no placement constraint keeps the tasks from all being on one"
	}
	return ""
}

func (f *fleet) zoneLost(alarms []*alarm) *Event {
	e := &Event{What: "A zone is lost"}
	f.loseNodes(e, min(f.worst, f.nodes), alarms)
	for _, db := range f.Databases() {
		if f.HasStandby(db) {
			e.addEventRules(f, 0, f.failoverEvent())
			continue
		}
		e.Acts = "the team: a database without a standby is restored by hand"
		e.Warnings = append(e.Warnings, fmt.Sprintf("if it is the zone of %s, nobody can log in", state.DatabaseName(db)))
	}
	if len(f.Databases()) == 0 {
		e.Warnings = append(e.Warnings, databaseElsewhere)
	}
	if f.zones == 1 {
		e.Warnings = append(e.Warnings, "all nodes are in one zone")
	}
	return e
}

// releaseFails simulates a release that never becomes healthy.
func (f *fleet) releaseFails(alarms []*alarm) *Event {
	e := &Event{What: "A release never becomes healthy", Ends: true, Cut: "none", Acts: "the team: `up` fails, and the old nodes continue"}
	w := f.steadyWorld()
	switch f.kind {
	case state.AutoScalingGroup:
		if whole := f.origin.Number("instanceRefresh.preferences.minHealthyPercentage", 100); whole < 100 {
			e.Terminated = int(float64(f.nodes) * (100 - whole) / 100)
		}
		wait := f.origin.Number("initialLifecycleHooks.heartbeatTimeout", 3600)
		e.addEventRules(f, seconds(wait), "EC2 Instance Launch Unsuccessful")
	case state.ECSService:
		if f.origin.Number("deploymentMinimumHealthyPercent", 100) < 100 {
			e.Terminated = 1
		}
		// The first failing check gives up a hanging task.
		each := seconds(f.origin.Number("healthCheckGracePeriodSeconds", 0)) + f.unhealthyAfter
		d := f.One(state.TaskDefinition, f.origin.Text("taskDefinition"), "arn")
		for _, c := range definitions(d.Text("containerDefinitions")) {
			if h := state.At(c, "healthCheck"); h != nil {
				each = min(each, seconds(state.Number(state.At(h, "startPeriod"), 0)+state.Number(state.At(h, "interval"), 30)*state.Number(state.At(h, "retries"), 3)))
			}
		}
		// "How the Amazon ECS deployment circuit breaker detects failures": half of the tasks, at least three.
		if f.origin.At("deploymentCircuitBreaker.enable") == true {
			fails := time.Duration(max(3, (f.nodes+1)/2)) * each
			e.addEventRules(f, each, "ECS Task State Change")
			e.addEventRules(f, fails, "SERVICE_DEPLOYMENT_FAILED")
			e.Acts = "the team: ECS rolls back to the old revision after " + short(fails) + ", and `up` fails"
		} else {
			e.Acts = "the team: ECS tries again without an end"
		}
	case state.Deployment:
		if f.origin.Text("spec.strategy.rollingUpdate.maxUnavailable") != "" ||
			f.origin.Number("spec.strategy.rollingUpdate.maxUnavailable", 1) > 0 {
			e.Terminated = 1
		}
		e.Acts = fmt.Sprintf("the team: `up` fails after %s, and the old pods continue",
			short(seconds(f.origin.Number("spec.progressDeadlineSeconds", 600))))
	case state.EC2Instance:
		if f.nodes == 0 {
			break
		}
		// The old member is terminated first, and the next one waits for its check.
		e.Terminated = 1
		w.lives[0].leave(event, f.drain)
		w.lives = append(w.lives, &life{target: []span{{event + f.drain + goneAfter, forever}}})
		e.Cut = "those that take longer than " + short(f.drain)
		e.Acts = "the team: `up` fails, and the other members continue"
		if f.nodes == 1 {
			e.Dark, e.Ends = forever, false
			w.refused = []span{{event, forever}}
		}
	}
	e.addAlarms(f, w, alarms)
	return e
}

// disksFill simulates logs that grow without a limit on two nodes.
func (f *fleet) disksFill(alarms []*alarm) *Event {
	filled := min(2, f.nodes)
	e := &Event{What: fmt.Sprintf("The disks of %s fill, by %g GiB an hour", count(filled, "node"), fillRate), Ends: true,
		Cut: "none until they are full"}
	size := f.disk()
	w := f.steadyWorld()
	full := event + time.Duration((100-usualDisk)/100.0*size/fillRate*float64(time.Hour))
	w.disk = func(t time.Duration) float64 {
		if t < event {
			return usualDisk
		}
		return min(100, usualDisk+(t-event).Hours()*fillRate/size*100)
	}
	var first time.Duration
	for _, a := range alarms {
		if at, rings := a.firstRing(w, event-15*time.Minute, full); rings && a.notifies() {
			e.Rings = append(e.Rings, Ring{a.shortName(f.cluster), at - event})
			if first == 0 || at < first {
				first = at
			}
		}
	}
	if first == 0 {
		e.Warnings = append(e.Warnings, "no alarm rings before the disks are full")
		e.Acts = "the team, and no alarm tells it"
	} else {
		e.Acts = fmt.Sprintf("the team, within %s of the alarm: then the disks of %g GiB are full", short(full-first), size)
	}
	if f.nodes == filled {
		e.Warnings = append(e.Warnings, "when they are full, no node can write")
	}
	return e
}

// disk is the size of a node's disk in GiB, or the default of EC2, ECS and EKS.
func (f *fleet) disk() float64 {
	for _, r := range f.Of(state.EC2Instance) {
		return r.Number("rootBlockDevice.volumeSize", 8)
	}
	for _, r := range f.Of(state.LaunchTemplate) {
		size := 0.0
		for _, device := range r.List("blockDeviceMappings") {
			size = max(size, state.Number(state.At(device, "ebs.volumeSize"), 0))
		}
		if size > 0 {
			return size
		}
	}
	for _, r := range f.Of(state.NodeGroup) {
		return r.Number("diskSize", 20)
	}
	if d := f.One(state.TaskDefinition, f.origin.Text("taskDefinition"), "arn"); d != nil {
		return d.Number("ephemeralStorage.sizeInGib", 20)
	}
	return 20
}

// outageProofs proves that no outage elsewhere terminates a node, and that after the loss of one node others serve.
func outageProofs(events []*Event) []*proof.Verdict {
	outage := &proof.Verdict{Claim: "An outage of a dependency ends no node", Shown: "no check that ends a node depends on anything outside it"}
	loss := &proof.Verdict{Claim: "The loss of one node leaves others that serve"}
	for _, e := range events {
		for _, fault := range e.Faults {
			v := outage
			if e.What == "A node dies" {
				v = loss
			}
			if !slices.Contains(v.Faults, fault) {
				v.Faults = append(v.Faults, fault)
			}
		}
		if e.What == "A node dies" {
			loss.Open = e.Warnings
			loss.Shown = "the others serve at once"
		}
	}
	return []*proof.Verdict{outage, loss}
}

func count(n int, what string) string {
	if n == 1 {
		return "one " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// short formats a duration for a reader.
func short(d time.Duration) string {
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d < 2*time.Hour:
		return fmt.Sprintf("%.0f min", d.Minutes())
	}
	return fmt.Sprintf("%.0f h", d.Hours())
}

// Darkness says for how long no node serves.
func (e *Event) Darkness() string {
	switch {
	case e.Dark == 0:
		return "none"
	case e.Dark >= forever:
		return "until the team acts"
	}
	return short(e.Dark)
}

// Told says which alarms ring, and when.
func (e *Event) Told() string {
	if len(e.Rings) == 0 {
		return "none"
	}
	parts := make([]string, len(e.Rings))
	for i, r := range e.Rings {
		parts[i] = fmt.Sprintf("`%s` after %s", r.Name, short(r.After))
		if r.After <= 0 {
			parts[i] = fmt.Sprintf("`%s` at once", r.Name)
		}
	}
	return strings.Join(parts, ", ")
}
