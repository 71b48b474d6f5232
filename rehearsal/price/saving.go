package price

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/config/instancetype"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// Saving is an edit of the stack file that lowers the monthly cost, and its disadvantage.
type Saving struct {
	// Edit is the text to write, Gives the disadvantage.
	Edit, Gives string
	// Month is the amount saved in a month, as the difference of two bills.
	Month Cents
	// Change is the name of the same edit in the change table, or empty.
	Change string
}

// lever is a possible saving.
type lever struct {
	edit, gives, change string
	// pull makes the change in a copy of a state. It is false if there is nothing to change.
	pull func(*state.State) (*state.State, bool)
}

var levers = []lever{
	{
		"network.nat: single", "the internet access of every zone if the zone of the only NAT gateway fails; data from other zones costs money",
		"nat", oneNAT,
	},
	{
		"database.instance.multiAz: false", "the standby: a database that fails is restored from its backups, with a loss of up to the last five minutes, " +
			"and maintenance stops it for minutes", "", noStandby,
	},
	{
		"nodes.instanceType of AWS's own processors (the same size of the generation 7g, or t4g)",
		"WSO2's published measurements, which were made on Intel's processors; images of containers must be built for arm64", "", graviton,
	},
	{
		"database.instance.class of AWS's own processors (the same size of db.m7g, db.r7g or db.t4g)",
		"nothing for the product; the instance restarts once", "", gravitonDatabase,
	},
	{
		"network.zones with two zones", "a third zone: the outage of a zone then takes half of the connections, not a third", "", twoZones,
	},
	{
		"nodes.count: one fewer", "a node's part of the load that the cluster carries", "nodes-down", oneNodeFewer,
	},
	{"observability.logRetention: 30", "logs that are older than 30 days", "", shortLogs},
	{"network.flowLogs: false", "the record of connections, which an investigation needs first", "", noFlowLogs},
}

// Savings returns the largest possible savings, the largest first. Each is priced separately, so they do not add up.
func Savings(s *state.State, most int) []Saving {
	now := Of(s).Total()
	var all []Saving
	for _, l := range levers {
		changed, can := l.pull(clone(s))
		if !can {
			continue
		}
		if less := now - Of(changed).Total(); less > 0 {
			all = append(all, Saving{l.edit, l.gives, less, l.change})
		}
	}
	slices.SortStableFunc(all, func(a, b Saving) int { return cmp.Compare(b.Month, a.Month) })
	return all[:min(len(all), most)]
}

// clone copies a state; top-level properties of the copy may be set.
func clone(s *state.State) *state.State {
	all := make([]*state.Resource, len(s.All))
	for i, r := range s.All {
		c := *r
		c.Inputs, c.Outputs = maps.Clone(r.Inputs), maps.Clone(r.Outputs)
		all[i] = &c
	}
	return state.New(all...)
}

// set sets a property in a resource's outputs.
func set(r *state.Resource, property string, v any) {
	if r.Outputs == nil {
		r.Outputs = map[string]any{}
	}
	r.Outputs[property] = v
}

// without returns the state without some resources.
func without(s *state.State, gone func(*state.Resource) bool) *state.State {
	return state.New(slices.DeleteFunc(s.All, gone)...)
}

func oneNAT(s *state.State) (*state.State, bool) {
	gateways := s.Of(state.NATGateway)
	if len(gateways) < 2 {
		return s, false
	}
	addresses := map[string]bool{}
	for _, g := range gateways[1:] {
		addresses[g.Text("allocationId")] = true
	}
	return without(s, func(r *state.Resource) bool {
		return slices.Contains(gateways[1:], r) || r.Type == state.ElasticIP && (addresses[r.ID] || addresses[r.Text("allocationId")])
	}), true
}

func noStandby(s *state.State) (*state.State, bool) {
	found := false
	for _, db := range s.Of(state.DBInstance) {
		if db.Flag("multiAz", false) {
			set(db, "multiAz", false)
			found = true
		}
	}
	readers := map[*state.Resource]bool{}
	for _, cluster := range s.Of(state.DBCluster) {
		for _, member := range s.DatabaseMembers(cluster) {
			if !member.Flag("writer", false) {
				readers[member], found = true, true
			}
		}
	}
	return without(s, func(r *state.Resource) bool { return readers[r] }), found
}

// armOf are the Graviton families with the same memory per vCPU as another family.
var armOf = map[byte]string{'t': "t4g", 'm': "m7g", 'c': "c7g", 'r': "r7g"}

// arm returns the Graviton type of the same size; empty if the type has Graviton already, or if its family is not in
// the table.
func arm(kind string) string {
	family, size, _ := strings.Cut(strings.TrimPrefix(kind, "db."), ".")
	other := armOf[cmp.Or(family, " ")[0]]
	if other == "" || instancetype.ARMFamily(family) {
		return ""
	}
	if strings.HasPrefix(kind, "db.") {
		other = "db." + other
	}
	return other + "." + size
}

func graviton(s *state.State) (*state.State, bool) {
	found := false
	swap := func(r *state.Resource, property string) {
		if other := arm(r.Text(property)); other != "" {
			set(r, property, other)
			found = true
		}
	}
	for _, token := range []string{state.EC2Instance, state.LaunchTemplate} {
		for _, r := range s.Of(token) {
			swap(r, "instanceType")
		}
	}
	for _, group := range s.Of(state.NodeGroup) {
		if types := group.Texts("instanceTypes"); len(types) > 0 && arm(types[0]) != "" {
			set(group, "instanceTypes", []any{arm(types[0])})
			found = true
		}
	}
	return s, found
}

func gravitonDatabase(s *state.State) (*state.State, bool) {
	found := false
	for _, db := range s.Of(state.DBInstance) {
		// RDS has no Graviton classes for Oracle and SQL Server (RDS user guide, "DB instance classes").
		if other := arm(db.Text("instanceClass")); other != "" && slices.Contains([]string{"postgres", "mysql", "mariadb"}, db.Text("engine")) {
			set(db, "instanceClass", other)
			found = true
		}
	}
	for _, member := range s.Of(state.DBClusterInstance) {
		if other := arm(member.Text("instanceClass")); other != "" {
			set(member, "instanceClass", other)
			found = true
		}
	}
	return s, found
}

// twoZones removes the third zone from resources that cost money in each zone. The number of nodes stays.
func twoZones(s *state.State) (*state.State, bool) {
	zone := map[string]string{}
	for _, subnet := range s.Of(state.Subnet) {
		zone[subnet.ID] = subnet.Text("availabilityZone")
	}
	zones := slices.Compact(slices.Sorted(maps.Values(zone)))
	if len(zones) < 3 {
		return s, false
	}
	stays := func(id any) bool { return slices.Index(zones, zone[fmt.Sprint(id)]) < 2 }
	for property, token := range map[string]string{"subnetIds": state.VPCEndpoint, "subnets": state.LoadBalancer} {
		for _, r := range s.Of(token) {
			if kept := slices.DeleteFunc(slices.Clone(r.List(property)), func(id any) bool { return !stays(id) }); len(kept) > 0 {
				set(r, property, kept)
			}
		}
	}
	addresses := map[string]bool{}
	gone := map[*state.Resource]bool{}
	if gateways := s.Of(state.NATGateway); len(gateways) > 1 {
		for _, g := range gateways {
			if !stays(g.Text("subnetId")) {
				gone[g], addresses[g.Text("allocationId")] = true, true
			}
		}
	}
	return without(s, func(r *state.Resource) bool { return gone[r] || r.Type == state.ElasticIP && addresses[r.ID] }), true
}

// oneNodeFewer removes a node if at least two remain.
func oneNodeFewer(s *state.State) (*state.State, bool) {
	const least = 2
	if members := s.Of(state.EC2Instance); len(members) > least {
		last := members[len(members)-1]
		return without(s, func(r *state.Resource) bool { return r == last }), true
	}
	fewer := func(r *state.Resource, property string) bool {
		n, _ := r.Int(property)
		if n > least {
			set(r, property, float64(n-1))
		}
		return n > least
	}
	found := false
	for _, r := range s.Of(state.AutoScalingGroup) {
		found = fewer(r, "desiredCapacity") || found
	}
	for _, r := range s.Of(state.ECSService) {
		found = fewer(r, "desiredCount") || found
	}
	return s, found
}

func shortLogs(s *state.State) (*state.State, bool) {
	const days = 30
	found := false
	for _, g := range s.Of(state.LogGroup) {
		if n, _ := g.Int("retentionInDays"); n > days {
			set(g, "retentionInDays", float64(days))
			found = true
		}
	}
	return s, found
}

func noFlowLogs(s *state.State) (*state.State, bool) {
	flows := s.Of(state.FlowLog)
	return without(s, func(r *state.Resource) bool { return slices.Contains(flows, r) }), len(flows) > 0
}
