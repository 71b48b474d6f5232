package availability

import (
	"slices"
	"strings"
	"time"
)

// span is the time from a point until before another.
type span struct{ from, to time.Duration }

func (s span) has(t time.Duration) bool { return s.from <= t && t < s.to }

const forever = 1000 * time.Hour

func within(spans []span, t time.Duration) bool {
	return slices.ContainsFunc(spans, func(s span) bool { return s.has(t) })
}

// life has the times of a node's states.
type life struct {
	// member is the id of the fixed member that the node is or replaces.
	member string
	// target is the time in which the node is registered with the load balancer, healthy the time in which it passes
	// the check.
	target, healthy []span
	// listens is the time in which its Hazelcast port is open, and part its part of a split cluster.
	listens []span
	part    int
	// lost is the time in which the others still count it as a member after its end.
	lost span
}

// joining is the time from the opening of a member's port to its connection with the others: 30 seconds were measured
// on EKS, and less elsewhere.
const joining = 30 * time.Second

// sees counts the members with which a node is connected, including itself.
func (l *life) sees(w *world, t time.Duration) int {
	n := 1
	for _, other := range w.lives {
		if other != l && other.part == l.part && l.connected(t) && (other.connected(t) || other.lost.has(t)) {
			n++
		}
	}
	return n
}

func (l *life) connected(t time.Duration) bool {
	return slices.ContainsFunc(l.listens, func(s span) bool { return s.from+joining <= t && t < s.to })
}

// world has the simulated state from which metrics are computed.
type world struct {
	lives []*life
	// refused is the time in which the load balancer answers for the nodes, failing the time in which nodes answer with
	// errors.
	refused, failing []span
	// disk is the usage of the fullest disk in percent; nil is that of a new node.
	disk func(time.Duration) float64
	// storage is the allocated size in bytes of the smallest database, and database the time in which the databases
	// exist.
	storage  float64
	database time.Duration
	// down is the id of the instance on a failed host, since a time.
	down  string
	since time.Duration

	// nginx are the numbers of targets of the stack's own nginx, by target group.
	nginx map[string]float64

	known map[sample]measured
}

type sample struct {
	metric, statistic, instance, target string
	from, to                            time.Duration
}

type measured struct {
	value float64
	ok    bool
}

// Values of a healthy cluster.
const (
	usualDisk, usualMemory = 40, 70
	usualCPU               = 20
	usualConnections       = 10
	// usualLocal is the assumed free local storage of an Aurora instance in bytes.
	usualLocal   = 8 << 30
	usualSeconds = 0.3
	// usualImage is the largest usual age in days of the newest image: the one for ECS is made about twice a month,
	// from an Amazon Linux that is up to two weeks old (aws/amazon-ecs-ami, pull requests #137 to #142).
	usualImage = 28
	// requests is the number per second, and lifetime the validity in days of a new certificate of ACM.
	requests, lifetime = 10, 198
	// hourly is the least number of CPU credits that a small database or instance earns in an hour.
	hourly = 24
)

// statistic returns a statistic of a metric over a period; false without data in it.
func (w *world) statistic(q query, from time.Duration) (float64, bool) {
	key := sample{q.namespace + " " + q.metric, q.statics, q.dimensions["InstanceId"], q.dimensions["TargetGroup"], from, from + q.period}
	if w.known == nil {
		w.known = map[sample]measured{}
	}
	m, done := w.known[key]
	if !done {
		values := w.values(key)
		m = measured{aggregate(key.statistic, values), len(values) > 0}
		w.known[key] = m
	}
	return m.value, m.ok
}

func aggregate(statistic string, values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	switch statistic {
	case "SampleCount":
		return float64(len(values))
	case "Minimum":
		return slices.Min(values)
	case "Maximum":
		return slices.Max(values)
	case "Sum":
		return sum
	}
	if strings.HasPrefix(statistic, "p") {
		return slices.Max(values)
	}
	return sum / float64(len(values))
}

// values returns the reported values of a metric in a period.
func (w *world) values(s sample) []float64 {
	always := func(v float64) []float64 { return []float64{v} }
	switch s.metric {
	case balancerSpace + " HealthyHostCount", balancerSpace + " UnHealthyHostCount",
		networkSpace + " HealthyHostCount", networkSpace + " UnHealthyHostCount":
		if n, ok := w.nginx[s.target]; ok { // which no event here touches
			if strings.Contains(s.metric, "UnHealthy") {
				n = 0
			}
			return always(n)
		}
		return w.hosts(s, strings.Contains(s.metric, "UnHealthy"))
	case "WSO2IS ClusterMembers", "WSO2IS ClusterJoined":
		return w.members(s, strings.HasSuffix(s.metric, "Joined"))
	case balancerSpace + " HTTPCode_ELB_5XX_Count":
		return errorsIn(w.refused, s)
	case balancerSpace + " HTTPCode_Target_5XX_Count":
		return errorsIn(w.failing, s)
	case balancerSpace + " TargetResponseTime":
		if len(errorsIn(w.failing, s)) > 0 {
			return always(60) // a request waits for its database connection
		}
		return always(usualSeconds)
	case "WSO2IS DiskUsed":
		if w.disk != nil {
			return always(w.disk(s.to))
		}
		return always(usualDisk)
	case "WSO2IS MemoryUsed":
		return always(usualMemory)
	case "WSO2IS ImageAgeDays":
		return always(usualImage)
	case "AWS/RDS CPUUtilization", "AWS/ECS CPUUtilization", "AWS/EC2 CPUUtilization":
		return always(usualCPU)
	case "AWS/ECS MemoryUtilization":
		return always(usualMemory)
	case "AWS/RDS DatabaseConnections":
		return always(usualConnections)
	case "AWS/RDS FreeStorageSpace":
		return always(w.storage * 0.9)
	case "AWS/RDS FreeLocalStorage":
		return always(usualLocal)
	case "AWS/RDS CPUCreditBalance":
		if s.from < w.database {
			return nil
		}
		return always((s.from - w.database).Hours() * hourly)
	case "AWS/EC2 CPUCreditBalance":
		var all []float64
		for _, l := range w.lives {
			for _, up := range l.listens {
				if (s.instance == "" || s.instance == l.member) && up.from <= s.from && s.from < up.to {
					all = append(all, (s.from-up.from).Hours()*hourly)
				}
			}
		}
		return all
	case "AWS/CertificateManager DaysToExpiry":
		return always(lifetime)
	case "AWS/EC2 StatusCheckFailed_System", "AWS/EC2 StatusCheckFailed":
		if w.down != "" && w.down == s.instance && s.to > w.since {
			return always(1)
		}
		return always(0)
	}
	return nil
}

// hosts counts targets as the load balancer does: it reports nothing without registered targets.
func (w *world) hosts(s sample, unhealthy bool) []float64 {
	var all []float64
	for t := s.from; t < s.to; t += 5 * time.Second {
		registered, healthy := 0, 0
		for _, l := range w.lives {
			if within(l.target, t) {
				registered++
				if within(l.healthy, t) {
					healthy++
				}
			}
		}
		switch {
		case registered == 0:
		case unhealthy:
			all = append(all, float64(registered-healthy))
		default:
			all = append(all, float64(healthy))
		}
	}
	return all
}

// members returns the nodes' own reports, one each minute while their port is open.
func (w *world) members(s sample, joined bool) []float64 {
	var all []float64
	for t := s.from.Truncate(time.Minute); t < s.to; t += time.Minute {
		for _, l := range w.lives {
			if t < s.from || !within(l.listens, t) {
				continue
			}
			sees := l.sees(w, t)
			switch {
			case !joined:
				all = append(all, float64(sees))
			case sees > 1 || l.joined(w, t):
				all = append(all, 1)
			default:
				all = append(all, 0)
			}
		}
	}
	return all
}

// joined reports whether a node was connected with another since its port opened.
func (l *life) joined(w *world, now time.Duration) bool {
	for _, s := range l.listens {
		if !s.has(now) {
			continue
		}
		for t := s.from.Truncate(time.Minute); t <= now; t += time.Minute {
			if s.has(t) && l.sees(w, t) > 1 {
				return true
			}
		}
	}
	return false
}

func errorsIn(spans []span, s sample) []float64 {
	var all []float64
	for _, one := range spans {
		if seconds := (min(one.to, s.to) - max(one.from, s.from)).Seconds(); seconds > 0 {
			all = append(all, requests*seconds)
		}
	}
	return all
}
