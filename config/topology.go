package config

import (
	"reflect"
	"strings"
)

// Topology names what nodes run on.
type Topology string

// The topologies.
const (
	EC2 Topology = "ec2"
	ECS Topology = "ecs"
	EKS Topology = "eks"
)

// topology is what is asked of a topology in the place of its name. The program's half of a row, which knows Pulumi, is
// in the package stacks.
type topology struct {
	name Topology
	// schemes are those that find nodes, the default first.
	schemes []Scheme
	// containers says that nodes run images and not the product's archive, pods that they do so in Kubernetes.
	containers, pods bool
	// aliveOnly says that a node which fails the load balancer's check is replaced. The check may then ask for no more than
	// a server that is alive: the health API would have every node replaced while the database is away.
	aliveOnly bool
	// options are what the key of the topology's name configures, nil where there is no such key; what names what it is for.
	options func(*Cluster) any
	what    string
	// fill completes the options, size the size of a node.
	fill func(*Cluster)
	size func(*Cluster, profileDefaults)
	// validate checks the options, nodes the size of a node and what fixes it.
	validate, nodes func(*validator)
	// capacity checks, once the zones are known, that the nodes fit.
	capacity func(*Cluster) Problems
}

// topologies is the one table of topologies. It is a function because its rows' functions ask it for their own row.
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

// row is the cluster's topology. It is empty for a topology that there is not, which decoding refuses.
func (c Cluster) row() topology {
	for _, t := range topologies() {
		if t.name == c.Topology {
			return t
		}
	}
	return topology{}
}

// topologiesThat lists those of which something is true, as advice names them.
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

// Containerized reports whether nodes run images, and not the product's archive.
func (c Cluster) Containerized() bool { return c.row().containers }

// AliveOnly reports whether the load balancer asks of a node no more than to be alive.
func (c Cluster) AliveOnly() bool { return c.row().aliveOnly }

// fillTopology completes the topology's own options. Those of other topologies are emptied, so that nothing reads them.
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
