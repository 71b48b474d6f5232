package rehearse

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
)

// of lists the state's resources of a type in the order of their URNs.
func (r *results) of(token string) []apitype.ResourceV3 {
	var all []apitype.ResourceV3
	for _, s := range r.stack {
		if string(s.Type) == token && !s.Delete {
			all = append(all, s)
		}
	}
	slices.SortFunc(all, func(a, b apitype.ResourceV3) int { return cmp.Compare(a.URN, b.URN) })
	return all
}

// table writes a Markdown table, or a line that says there is nothing.
func table(b *strings.Builder, rows [][]string, head ...string) {
	if len(rows) == 0 {
		b.WriteString("None.\n")
		return
	}
	line := func(cells []string) {
		for i, c := range cells {
			cells[i] = strings.ReplaceAll(c, "|", `\|`)
		}
		b.WriteString("| " + strings.Join(cells, " | ") + " |\n")
	}
	line(head)
	b.WriteString("|" + strings.Repeat(" --- |", len(head)) + "\n")
	for _, row := range rows {
		line(row)
	}
}

// summary is the page that says what the stack would have become.
func (r *run) summary(kept *results, nodes []Node) string {
	b := &strings.Builder{}
	fmt.Fprintf(b, "# Rehearsal of stack %s\n\n", r.o.Stack)
	fmt.Fprintf(b,
		"**Nothing was created on AWS.** Pulumi's engine ran the program against an offline cloud in %s: "+
			"%d resources, %d nodes.\n\n", kept.snapshot.Region, len(kept.snapshot.Left()), len(nodes))

	b.WriteString("## Topology\n\n```mermaid\n" + kept.picture(nodes) + "```\n\n## Nodes\n\n")
	var rows [][]string
	for _, n := range nodes {
		rows = append(rows, []string{
			n.Name, n.Zone, n.Address, n.Type, fmt.Sprintf("[deployment.toml](nodes/%s/deployment.toml)", n.Name),
		})
	}
	table(b, rows, "Node", "Zone", "Address", "Instance type", "Configuration")

	if r.report != nil {
		b.WriteString("\n## Proofs\n\nFrom the state that the engine produced.\n\n")
		rows = nil
		for _, v := range slices.Concat(r.report.Network, r.report.Discovery) {
			rows = append(rows, []string{v.Claim, v.Word(), v.Shown})
		}
		table(b, rows, "Claim", "Verdict", "By what")
	}

	b.WriteString("\n## Endpoints\n\n")
	table(b, kept.endpoints(), "What", "Where")

	b.WriteString("\n## Open flows\n\nEvery rule of every security group in the state; what is not here is closed.\n\n")
	table(b, kept.flows(), "From", "To", "Protocol and ports", "Why")

	b.WriteString("\n## What was run\n\n")
	rows = nil
	for _, s := range r.steps {
		rows = append(rows, []string{s.Command, s.Did, s.Took.Round(100 * time.Millisecond).String()})
	}
	table(b, rows, "Command", "Resources", "Took")

	b.WriteString("\n## What was checked\n\n")
	rows = nil
	for _, kind := range slices.Sorted(maps.Keys(kept.snapshot.Checks)) {
		rows = append(rows, []string{kind, fmt.Sprint(kept.snapshot.Checks[kind])})
	}
	table(b, rows, "During the first up", "Passed")
	b.WriteString("\nA second `up` and a `refresh` changed nothing, and `destroy` left nothing behind" +
		map[bool]string{true: " (not run: the stack was kept)", false: ""}[r.o.Keep] + ".\n\n" +
		"## What was not checked\n\nNothing was started: no instance booted, no server ran, no certificate was issued, " +
		"no database took a connection. Quotas, prices, capacity, IAM's own decisions and the content of the product " +
		"archive are unknown here. Ids, addresses and names that AWS chooses are made up; what the stack file names by " +
		"id or ARN was taken to exist.\n")
	return b.String()
}

// picture draws clients, load balancer, zones, nodes and what they share.
func (r *results) picture(nodes []Node) string {
	b := &strings.Builder{}
	b.WriteString("flowchart LR\n")
	balancers := r.of("aws:lb/loadBalancer:LoadBalancer")
	for i, lb := range balancers {
		fmt.Fprintf(b, "    clients([clients]) -->|%s| lb%d[\"load balancer<br/>%s\"]\n", r.listeners(lb), i,
			str(lb.Outputs, "name"))
	}
	byZone := map[string][]int{}
	for i, n := range nodes {
		byZone[n.Zone] = append(byZone[n.Zone], i)
	}
	for z, zone := range slices.Sorted(maps.Keys(byZone)) {
		fmt.Fprintf(b, "    subgraph zone%d[%s]\n", z, zone)
		for _, i := range byZone[zone] {
			fmt.Fprintf(b, "        node%d[\"%s<br/>%s\"]\n", i, nodes[i].Name, nodes[i].Address)
		}
		b.WriteString("    end\n")
	}
	databases, files := r.of("aws:rds/instance:Instance"), r.of("aws:efs/fileSystem:FileSystem")
	for i, d := range databases {
		fmt.Fprintf(b, "    db%d[(\"%s<br/>%s %s\")]\n", i, str(d.Outputs, "identifier"), str(d.Outputs, "engine"),
			str(d.Outputs, "engineVersion"))
	}
	for i, f := range files {
		fmt.Fprintf(b, "    fs%d[(\"shared files<br/>%s\")]\n", i, f.ID)
	}
	for n := range nodes {
		for i := range balancers {
			fmt.Fprintf(b, "    lb%d --> node%d\n", i, n)
		}
		for i := range databases {
			fmt.Fprintf(b, "    node%d --> db%d\n", n, i)
		}
		for i := range files {
			fmt.Fprintf(b, "    node%d --> fs%d\n", n, i)
		}
		if n > 0 {
			fmt.Fprintf(b, "    node%d <-.-> node%d\n", n-1, n)
		}
	}
	return b.String()
}

func (r *results) listeners(lb apitype.ResourceV3) string {
	var ports []string
	for _, l := range r.of("aws:lb/listener:Listener") {
		if l.Outputs["loadBalancerArn"] == lb.Outputs["arn"] {
			ports = append(ports, fmt.Sprintf("%v", l.Outputs["port"]))
		}
	}
	slices.Sort(ports)
	return strings.Join(ports, ", ")
}

// endpoints lists where things are reached: the stack's outputs that are text, and each service's own name.
func (r *results) endpoints() [][]string {
	var rows [][]string
	outputs := r.outputs()
	for _, key := range slices.Sorted(maps.Keys(outputs)) {
		if s, ok := outputs[key].(string); ok {
			rows = append(rows, []string{key, s})
		}
	}
	for _, service := range []struct{ token, property, what string }{
		{"aws:lb/loadBalancer:LoadBalancer", "dnsName", "load balancer"},
		{"aws:rds/instance:Instance", "endpoint", "database"},
		{"aws:efs/fileSystem:FileSystem", "dnsName", "file system"},
		{"aws:route53/record:Record", "fqdn", "DNS record"},
	} {
		for _, s := range r.of(service.token) {
			rows = append(rows, []string{service.what + " " + s.URN.Name(), str(s.Outputs, service.property)})
		}
	}
	return rows
}

// flows lists what the rules of the security groups open, each connection once.
func (r *results) flows() [][]string {
	names := map[string]string{}
	for _, g := range r.of("aws:ec2/securityGroup:SecurityGroup") {
		names[string(g.ID)] = str(g.Outputs, "name")
	}
	name := func(id string) string { return cmp.Or(names[id], id) }
	peer := func(rule apitype.ResourceV3) string {
		return cmp.Or(name(str(rule.Outputs, "referencedSecurityGroupId")), str(rule.Outputs, "cidrIpv4"),
			str(rule.Outputs, "prefixListId"), str(rule.Outputs, "cidrIpv6"))
	}
	ports := func(rule apitype.ResourceV3) string {
		protocol := str(rule.Outputs, "ipProtocol")
		if protocol == "-1" {
			return "everything"
		}
		from, to := rule.Outputs["fromPort"], rule.Outputs["toPort"]
		switch {
		case from == nil:
			return "protocol " + protocol
		case from == to:
			return fmt.Sprintf("%s %v", protocol, from)
		}
		return fmt.Sprintf("%s %v-%v", protocol, from, to)
	}
	rows := map[string][]string{}
	for _, rule := range r.of("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule") {
		row := []string{peer(rule), name(str(rule.Outputs, "securityGroupId")), ports(rule), str(rule.Outputs, "description")}
		rows[strings.Join(row[:3], " ")] = row
	}
	for _, rule := range r.of("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule") {
		row := []string{name(str(rule.Outputs, "securityGroupId")), peer(rule), ports(rule), str(rule.Outputs, "description")}
		rows[strings.Join(row[:3], " ")] = row
	}
	var all [][]string
	for _, key := range slices.Sorted(maps.Keys(rows)) {
		all = append(all, rows[key])
	}
	return all
}
