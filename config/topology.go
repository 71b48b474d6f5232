package config

import (
	"reflect"
	"strings"
)

// Topology is where nodes run.
type Topology string

// The topologies.
const (
	EC2 Topology = "ec2"
	ECS Topology = "ecs"
	EKS Topology = "eks"
)

// topology has the properties of a topology. Other code reads them instead of comparing names. The half of a row that
// uses Pulumi is in the package components/cluster.
type topology struct {
	name Topology
	// schemes are the membership schemes of the topology, the default first.
	schemes []Scheme
	// containers says that nodes run images instead of the product's archive, pods that they run in Kubernetes.
	containers, pods bool
	// aliveOnly says that a node is replaced when it fails the load balancer's check. The check must then only ask
	// whether the server is alive: the health API would have every node replaced during an outage of the database.
	aliveOnly bool
	// options returns the options under the topology's own key, or nil if it has none. what names their subject.
	options func(*Cluster) any
	what    string
	// fill completes the options, size the size of a node.
	fill func(*Cluster)
	size func(*Cluster, profileDefaults)
	// validate checks the options, nodes the size and the fixed settings of nodes.
	validate, nodes func(*validator)
	// capacity checks that the nodes fit, once the zones are known.
	capacity func(*Cluster) Problems
}

// topologies is the table of topologies. It is a function because its rows' functions read their own row.
func topologies() []topology {
	return []topology{{
		name: EC2, schemes: []Scheme{AWS, WKA, Multicast},
		size: (*Cluster).sizeInstances, nodes: (*validator).serverNodes, capacity: (*Cluster).validateNodeCapacity,
	}, {
		name: ECS, schemes: []Scheme{AWSECS}, containers: true, aliveOnly: true,
		options: func(c *Cluster) any { return &c.ECS }, what: "tasks", fill: (*Cluster).fillECS, validate: (*validator).ecs,
		size: (*Cluster).sizeTasks, nodes: (*validator).serverNodes, capacity: (*Cluster).validateNodeCapacity,
	}, {
		name: EKS, schemes: []Scheme{Kubernetes}, containers: true, pods: true,
		options: func(c *Cluster) any { return &c.EKS }, what: "Kubernetes cluster", fill: (*Cluster).fillEKS, validate: (*validator).eks,
		size: (*Cluster).sizePods, nodes: (*validator).podNodes, capacity: (*Cluster).validatePodCapacity,
	}}
}

// Topologies are the topologies' names.
func Topologies() []Topology {
	var names []Topology
	for _, t := range topologies() {
		names = append(names, t.name)
	}
	return names
}

// row returns the cluster's topology. It is empty for an unknown topology, which decoding refuses.
func (c Cluster) row() topology {
	for _, t := range topologies() {
		if t.name == c.Topology {
			return t
		}
	}
	return topology{}
}

// topologiesThat lists the topologies with a property, as advice names them.
func topologiesThat(is func(topology) bool) string {
	var names []string
	for _, t := range topologies() {
		if is(t) {
			names = append(names, string(t.name))
		}
	}
	return strings.Join(names, " or ")
}

func runContainers(t topology) bool { return t.containers }

func runArchives(t topology) bool { return !t.containers }

// Containerized reports whether nodes run images instead of the product's archive.
func (c Cluster) Containerized() bool { return c.row().containers }

// AliveOnly reports whether the load balancer only checks that a node's server is alive.
func (c Cluster) AliveOnly() bool { return c.row().aliveOnly }

// fillTopology completes the topology's own options. It empties those of other topologies, so that nothing reads them.
func (c *Cluster) fillTopology() {
	set(&c.Topology, EC2)
	for _, t := range topologies() {
		switch {
		case t.options == nil:
		case t.name == c.Topology:
			t.fill(c)
		default:
			reflect.ValueOf(t.options(c)).Elem().SetZero()
		}
	}
	if schemes := c.row().schemes; len(schemes) > 0 {
		set(&c.Clustering.Scheme, schemes[0])
	}
}

// topology checks the topology's own options, and refuses those of other topologies.
func (v *validator) topology() {
	for _, t := range topologies() {
		switch {
		case t.options == nil:
		case t.name == v.Topology:
			t.validate(v)
		case !reflect.ValueOf(t.options(&v.written)).Elem().IsZero():
			v.refuse(string(t.name), "leave it out, or write topology: "+string(t.name), "the topology %s has no %s", v.Topology, t.what)
		}
	}
}
