package proof

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/proof/iam"
)

// program is the shell program of a node, a task or a pod, with its variables.
type program struct {
	call
	texts     []string
	variables map[string]string
	// more are further texts that name the resources of its calls.
	more []string
}

// The calls of the AWS command line, by service and operation, with the resource of each.
var commands = map[string]func(a *access, p program, s *script, c command) []call{
	"secretsmanager get-secret-value": func(a *access, p program, s *script, c command) []call {
		if id := c.options["--secret-id"]; id != "" {
			return a.secretCalls(p.call, id)
		}
		var all []call
		for _, arn := range p.named(s, secretARN) {
			all = append(all, a.secretCalls(p.call, arn)...)
		}
		return all
	},
	"s3 cp": func(a *access, p program, s *script, _ command) []call {
		p.action, p.proves = "s3:GetObject", "files from S3"
		var all []call
		for _, url := range p.named(s, objectURL) {
			p.on = "arn:" + a.partition + ":s3:::" + strings.TrimPrefix(url, "s3://")
			all = append(all, p.call)
		}
		return all
	},
	"cloudwatch put-metric-data": func(_ *access, p program, _ *script, c command) []call {
		p.action, p.on, p.proves = "cloudwatch:PutMetricData", "*", "measurements"
		p.context = iam.Context{"cloudwatch:namespace": {c.options["--namespace"]}}
		return []call{p.call}
	},
	"autoscaling complete-lifecycle-action": func(a *access, p program, _ *script, c command) []call {
		group := c.options["--auto-scaling-group-name"]
		if group == "" {
			return nil // without a hook, the program returns before this call
		}
		p.action, p.proves = "autoscaling:CompleteLifecycleAction", "the launch hook"
		p.on = a.arn("autoscaling", "autoScalingGroup:x:autoScalingGroupName/"+group)
		return []call{p.call}
	},
	"elbv2 describe-target-health": func(_ *access, p program, _ *script, _ command) []call {
		p.action, p.on, p.proves = "elasticloadbalancing:DescribeTargetHealth", "*", "the nodes of nginx"
		return []call{p.call}
	},
	"ecs list-tasks": func(a *access, p program, _ *script, c command) []call {
		p.action, p.on, p.proves = "ecs:ListTasks", a.arn("ecs", "container-instance/"+c.options["--cluster"]+"/x"), "ECS"
		p.context = iam.Context{"ecs:cluster": {a.arn("ecs", "cluster/"+c.options["--cluster"])}}
		return []call{p.call}
	},
	"ecs describe-tasks": func(a *access, p program, _ *script, c command) []call {
		p.action, p.on, p.proves = "ecs:DescribeTasks", a.arn("ecs", "task/"+c.options["--cluster"]+"/x"), "ECS"
		p.context = iam.Context{"ecs:cluster": {a.arn("ecs", "cluster/"+c.options["--cluster"])}}
		return []call{p.call}
	},
}

// named returns the texts of a form that a program sets or is given.
func (p program) named(s *script, form *regexp.Regexp) []string {
	found := map[string]bool{}
	for _, text := range slices.Concat(s.values, p.more) {
		for _, one := range form.FindAllString(text, -1) {
			found[one] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

var (
	mountLine = compile(`\befs ((?:[a-z_]+(?:=\S+?)?,)*[a-z_]+(?:=\S+?)?) 0 0`)
	accessID  = regexp.MustCompile(`\bfsap-[0-9a-f]+\b`)
	systemID  = regexp.MustCompile(`\bfs-[0-9a-f]+\b`)
	groupName = regexp.MustCompile(`^/[A-Za-z0-9._/#-]+$`)
)

// proveProgram reads a program's calls and proves each. All of them use the values that the first text sets.
func (a *access) proveProgram(p program) {
	variables := p.variables
	for _, text := range p.texts {
		if !strings.Contains(text, "\n") {
			continue // a name or an option
		}
		s, err := readScript(text, variables)
		if err != nil {
			a.nodes.open("%s cannot be read as shell: %v", p.by, err)
			continue
		}
		variables = s.variables
		p.more = append(p.more, s.values...)
		for _, c := range s.commands {
			a.proveCommand(p, s, c)
		}
		for _, m := range mountLine.all(text) {
			a.proveMounts(p, s, strings.Split(m[1], ","))
		}
		if strings.Contains(text, "amazon-cloudwatch-agent-ctl") {
			a.proveAgent(p, s)
		}
		if strings.Contains(text, "dnf install") {
			// https://docs.aws.amazon.com/linux/al2023/ug/managing-repos-os-updates.html
			one := p.call
			one.as, one.action = nobody, "s3:GetObject"
			one.as.name = "the package manager"
			one.on = fmt.Sprintf("arn:%s:s3:::al2023-repos-%s-de612dc2/x", a.partition, a.region)
			a.check(a.nodes, one)
		}
	}
}

func (a *access) proveCommand(p program, s *script, c command) {
	var all []call
	switch about, ok := commands[c.service+" "+c.operation]; {
	case ok:
		all = about(a, p, s, c)
	case readOnly(pascal(c.operation)):
		p.action, p.on, p.proves = c.service+":"+pascal(c.operation), "*", c.service
		all = []call{p.call}
	default:
		a.nodes.fault("%s calls aws %s %s; its resource is not known here", p.by, c.service, c.operation)
	}
	a.check(a.nodes, all...)
}

func (a *access) proveMounts(p program, s *script, options []string) {
	if !slices.Contains(options, "iam") {
		p.as = nobody
	}
	for _, fileSystem := range p.named(s, systemID) {
		for _, accessPoint := range p.named(s, accessID) {
			a.proveMount(fileSystem, accessPoint, slices.Contains(options, "tls"), p.call)
		}
	}
}

// proveAgent proves that the CloudWatch agent may write to the groups in the program's variables.
func (a *access) proveAgent(p program, s *script) {
	groups := map[string]bool{}
	for name, value := range s.variables {
		if strings.HasPrefix(name, "LOG_") && groupName.MatchString(value) {
			groups[value] = true
		}
	}
	p.by, p.proves = "the CloudWatch agent beside "+p.by, "logs"
	for _, group := range slices.Sorted(maps.Keys(groups)) {
		described := each(p.call, a.arn("logs", "log-group:"+group+":log-stream:"), "logs:DescribeLogStreams")
		a.check(a.nodes, append(a.logCalls(group, p.call), described...)...)
	}
}
