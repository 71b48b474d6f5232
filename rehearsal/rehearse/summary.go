package rehearse

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// verdict is the result of the proofs in a sentence.
func (r *run) verdict() string {
	if r.report == nil {
		return "The rehearsal passed."
	}
	all := r.report.All()
	failed := 0
	for _, v := range all {
		if !v.Proven() {
			failed++
		}
	}
	if failed > 0 {
		return fmt.Sprintf("%d of %d proofs failed.", failed, len(all))
	}
	return fmt.Sprintf("The rehearsal passed, all %d proofs hold.", len(all))
}

// summary is the page about the rehearsed stack.
func (r *run) summary(kept *results, nodes []Node, before *state.State) *page {
	p := &page{title: "Rehearsal of stack " + r.o.Stack}
	p.add(paragraph(fmt.Sprintf("**%s** **Nothing was created on AWS:** Pulumi's engine ran the program against an offline "+
		"cloud in %s, with %d resources and %d nodes.", r.verdict(), kept.snapshot.Region, len(kept.snapshot.Left()), len(nodes))))
	p.add(heading("Topology"), kept.newTopology(nodes))
	kept.sizing(p)
	kept.support(p, time.Now())
	if len(r.parts) == 0 {
		costs(p, kept.state, before, time.Now())
	} else if texts := r.monthly(); len(texts) > 0 {
		p.add(heading("Cost"), paragraph(strings.Join(texts, " ")))
	}
	kept.backups(p)
	r.proofs(p)
	r.events(p)
	r.times(p)

	p.add(heading("Changes since the last `up`"))
	p.add(changedSince(before, kept.state)...)

	table := grid{head: []string{"Node", "Zone", "Address", "Runs on", "Configuration"}}
	for _, n := range nodes {
		config := cell{text: "deployment.toml", link: fmt.Sprintf("nodes/%s/deployment.toml", n.Name)}
		if n.Config == "" {
			config = cell{text: "in its image"}
		}
		table.rows = append(table.rows, []cell{{text: n.Name}, {text: n.Zone}, {text: n.Address}, {text: n.Type}, config})
	}
	p.add(heading("Nodes"), table)
	p.add(fold{"Endpoints", []block{gridOf(kept.endpoints(), "What", "Where")}})
	p.add(fold{"Open flows", []block{
		paragraph("Every rule of every security group in the state. Everything else is closed."),
		gridOf(kept.flows(), "From", "To", "Protocol and ports", "Why")}})
	var rows [][]string
	for _, s := range r.steps {
		rows = append(rows, []string{s.Command, s.Did, s.Took.Round(100 * time.Millisecond).String()})
	}
	var checks [][]string
	for _, kind := range slices.Sorted(maps.Keys(kept.snapshot.Checks)) {
		checks = append(checks, []string{kind, fmt.Sprint(kept.snapshot.Checks[kind])})
	}
	p.add(fold{"What was run and checked", []block{
		gridOf(rows, "Command", "Resources", "Took"), gridOf(checks, "During the first up", "Passed"),
		paragraph("A second `up` and a `refresh` changed nothing, and `destroy` left nothing except what the state retains" +
			map[bool]string{true: " (not run: the stack was kept)", false: ""}[r.o.Keep] + "."),
	}})
	p.add(heading("What was not checked"), paragraph("Nothing was started: no instance booted, no server ran, no certificate was "+
		"issued, no database took a connection. Quotas, capacity, the account's own "+
		"policies (service control policies, the deployer's permissions) and the content of the product archive are unknown here. Ids, addresses and names that AWS chooses are invented; resources that the "+
		"stack file names by id or ARN were assumed to exist."))
	if unknown := r.Cloud.Unknown(); len(unknown) > 0 {
		p.add(paragraph(unknownHere + ": " + strings.Join(unknown, "; ") + "."))
	}
	return p
}

// sizing adds the figures for the stack's size, from its outputs.
func (r *results) sizing(p *page) {
	figures := state.List(r.outputs()["sizing"])
	if len(figures) == 0 {
		return
	}
	var rows [][]string
	for _, f := range figures {
		rows = append(rows, []string{fmt.Sprint(f)})
	}
	p.add(heading("Load"), gridOf(rows, "What WSO2 measured"))
}

// support adds the end of support of the versions in use, from the stack's outputs. Less than 120 days make a cell bad.
func (r *results) support(p *page, today time.Time) {
	table := grid{head: []string{"Version", "Standard support ends", "In", "Then"}}
	for _, v := range state.Objects(r.outputs()["support"]) {
		ends, err := time.Parse(time.DateOnly, v.Text("ends"))
		if err != nil {
			continue
		}
		left := cell{text: fmt.Sprintf("%d days", int(ends.Sub(today).Hours()/24))}
		if ends.Before(today.AddDate(0, 0, 120)) {
			left.mood = "bad"
		}
		table.rows = append(table.rows, []cell{{text: v.Text("version")}, {text: v.Text("ends"), link: v.Text("source")}, left, {text: v.Text("after")}})
	}
	if len(table.rows) > 0 {
		p.add(heading("Dates"), table, paragraph("The days of WSO2's releases are not known here: "+
			"https://wso2.com/products/support-matrix/ has them."))
	}
}

// changedSince shows the differences between the inputs of two programs; before is nil without an earlier rehearsal.
func changedSince(before, after *state.State) []block {
	if before == nil {
		return []block{paragraph("There was no rehearsal of this stack to compare with.")}
	}
	changes := changesSince(before, after)
	if len(changes) == 0 {
		return []block{paragraph("None: the program registers the same resources as at the last rehearsal.")}
	}
	const shown = 25
	var rows [][]string
	for _, c := range changes[:min(len(changes), shown)] {
		rows = append(rows, []string{c.resource, c.what, c.properties})
	}
	blocks := []block{gridOf(rows, "Resource", "What", "Properties")}
	if more := len(changes) - shown; more > 0 {
		blocks = append(blocks, paragraph(fmt.Sprintf("And %d more.", more)))
	}
	return blocks
}

// proofs adds the proofs of the state, and the reasons of those that failed or are open.
func (r *run) proofs(p *page) {
	if r.report == nil {
		return
	}
	p.add(heading("Proofs"), paragraph("Decided from the state that the engine produced: its rules, routes, endpoints, policies "+
		"and the nodes' own configuration."))
	table := grid{head: []string{"Claim", "Verdict", "Because"}}
	for _, v := range r.report.All() {
		mood, why := "good", v.Shown
		if !v.Proven() {
			mood, why = "bad", strings.Join(v.Faults, "; ")
		}
		if len(v.Open) > 0 {
			why += ". Not shown by the state: " + strings.Join(v.Open, "; ")
		}
		table.rows = append(table.rows, []cell{{text: v.Claim}, {text: v.Word(), mood: mood}, {text: why}})
	}
	p.add(table)
}

// events adds the results of the simulated failures.
func (r *run) events(p *page) {
	if r.judged == nil || len(r.judged.Events) == 0 {
		return
	}
	text := "Decided from the state alone: health checks, grace periods, probes, deregistration delays and alarms, with the times of the " +
		"timeline below and AWS's documented times of its services."
	if !r.judged.Told {
		text += " **No topic is named in `observability.alarmTopicArn`: alarms ring, and nobody is told.**"
	}
	p.add(heading("What happens in an outage"), paragraph(text))
	table := grid{head: []string{"What happens", "Nodes ended", "Longest time without a serving node", "Requests cut", "Alarms", "Who acts"}}
	var remarks []string
	for _, e := range r.judged.Events {
		dark := cell{text: e.Darkness()}
		if e.Dark > 0 {
			dark.mood = "bad"
		}
		ended := cell{text: fmt.Sprint(e.Terminated)}
		if len(e.Faults) > 0 {
			ended.mood = "bad"
		}
		table.rows = append(table.rows, []cell{{text: e.What}, ended, dark, {text: e.Cut}, {text: e.Told()}, {text: e.Acts}})
		for _, remark := range slices.Concat(e.Faults, e.Warnings) {
			remarks = append(remarks, fmt.Sprintf("%s: %s.", e.What, remark))
		}
	}
	p.add(table)
	for _, remark := range remarks {
		p.add(paragraph(remark))
	}
}

// times adds the time of up.
func (r *run) times(p *page) {
	if r.timeline == nil || len(r.timeline.Spans) == 0 {
		return
	}
	t := gantt{r.timeline}
	names := map[string]string{}
	for _, s := range t.Spans {
		names[s.URN] = t.label(s)
	}
	var path []string
	for _, urn := range t.Critical {
		path = append(path, cmp.Or(names[urn], urn))
	}
	p.add(heading("Timeline"), paragraph(fmt.Sprintf("With the typical times of AWS's services, the first `up` would serve after "+
		"**%s**; the longest unavoidable chain takes %s. The critical chain: %s.", minutes(t.Serving), minutes(t.Bound),
		cmp.Or(strings.Join(path, ", then "), "nothing that takes time"))), t)
	if r.roll == nil {
		return
	}
	drained := ""
	if r.roll.Drain > 0 {
		drained = fmt.Sprintf(" In the rest, %s, leaving nodes finish their requests.", minutes(r.roll.Drain))
	}
	p.add(paragraph(fmt.Sprintf("A change of all %d nodes, one at a time, would take **%s**, while the others serve; starting the nodes "+
		"alone takes %s.%s", r.roll.Nodes, minutes(r.roll.Takes), minutes(r.roll.Bound), drained)))
}

func (r *results) listeners(lb *state.Resource) string {
	var ports []string
	for _, l := range r.state.Of(state.Listener) {
		group := r.state.One(state.TargetGroup, state.Text(l.At("defaultActions.0.targetGroupArn")), "arn")
		if lb.Text("loadBalancerType") == "network" && group != nil && r.state.NginxOf(group) == nil {
			continue // only makes the load balancer check the nodes
		}
		if l.Outputs["loadBalancerArn"] == lb.Outputs["arn"] {
			ports = append(ports, fmt.Sprintf("%v", l.Outputs["port"]))
		}
	}
	slices.Sort(ports)
	return strings.Join(ports, ", ")
}

// endpoints lists the addresses: the stack's outputs that are text, and each service's own name.
func (r *results) endpoints() [][]string {
	var rows [][]string
	outputs := r.outputs()
	for _, key := range slices.Sorted(maps.Keys(outputs)) {
		if s, ok := outputs[key].(string); ok {
			rows = append(rows, []string{key, s})
		}
	}
	for _, service := range []struct{ token, property, what string }{
		{state.LoadBalancer, "dnsName", "load balancer"},
		{state.DBInstance, "endpoint", "database"},
		{state.DBCluster, "endpoint", "database"},
		{state.FileSystem, "dnsName", "file system"},
		{state.DNSRecord, "fqdn", "DNS record"},
	} {
		for _, s := range r.state.Of(service.token) {
			rows = append(rows, []string{service.what + " " + s.Name, s.Text(service.property)})
		}
	}
	return rows
}

// flows lists the connections that the rules of the security groups allow, each once.
func (r *results) flows() [][]string {
	names := map[string]string{}
	for _, g := range r.state.Of(state.SecurityGroup) {
		names[g.ID] = g.Text("name")
	}
	name := func(id string) string { return cmp.Or(names[id], id) }
	peer := func(rule *state.Resource) string {
		return cmp.Or(name(rule.Text("referencedSecurityGroupId")), rule.Text("cidrIpv4"),
			rule.Text("prefixListId"), rule.Text("cidrIpv6"))
	}
	ports := func(rule *state.Resource) string {
		protocol := rule.Text("ipProtocol")
		if protocol == "-1" {
			return "everything"
		}
		from, to := rule.Outputs["fromPort"], rule.Outputs["toPort"]
		switch from {
		case nil:
			return "protocol " + protocol
		case to:
			return fmt.Sprintf("%s %v", protocol, from)
		}
		return fmt.Sprintf("%s %v-%v", protocol, from, to)
	}
	rows := map[string][]string{}
	for _, rule := range r.state.Of(state.SecurityGroupIngressRule) {
		row := []string{peer(rule), name(rule.Text("securityGroupId")), ports(rule), rule.Text("description")}
		rows[strings.Join(row[:3], " ")] = row
	}
	for _, rule := range r.state.Of(state.SecurityGroupEgressRule) {
		row := []string{name(rule.Text("securityGroupId")), peer(rule), ports(rule), rule.Text("description")}
		rows[strings.Join(row[:3], " ")] = row
	}
	var all [][]string
	for _, key := range slices.Sorted(maps.Keys(rows)) {
		all = append(all, rows[key])
	}
	return all
}
