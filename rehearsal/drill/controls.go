package drill

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/drill/damage"
	"github.com/wso2is-aws/wso2is/rehearsal/drill/plan"
	"github.com/wso2is-aws/wso2is/rehearsal/proof"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// Control is damage that a drill must notice, with the fault that the proofs name.
type Control struct {
	Name  string
	State []byte
	// Claim is the claim that has to fail, and Faults are its faults.
	Claim  string
	Faults []string
	// Says is a part of the readiness message of the first node that does not get ready, and Logs a part of its
	// server's log.
	Says, Logs string
	// Closed is the port that the last node must not reach at the first node. Database says that it must not reach the
	// database, Directory that it must not reach the users' directory, and API that it must not reach EC2's endpoint. Otherwise
	// the network is undamaged.
	Closed                   int
	Database, Directory, API bool
	// Own says that the containers of tasks and pods run with their own commands.
	Own bool
	// Contained says that the nodes form a cluster, and that a container on one of them must not get its credentials.
	Contained bool
}

// damages are the controls before they are applied. Not every stack has what they damage.
var damages = []struct {
	control Control
	do      func(*damage.Document) error
}{
	{Control{Name: "the NetworkPolicy of the members' ports removed", Claim: "Every node reaches every other node", Says: "connected with 1 of at least", Closed: 5701},
		func(d *damage.Document) error {
			if len(d.Find(state.NetworkPolicy)) == 0 {
				return errAbsent
			}
			return remove(d, state.NetworkPolicy, "hazelcast")
		}},
	{Control{Name: "the pods' Role without endpoints", Claim: "The pods' service account may read", Says: "Kubernetes does not say who serves"}, forbidEndpoints},
	{Control{Name: "the pods without their service account's token", Claim: "The pods' service account may read", Says: "Kubernetes does not say who serves"},
		func(d *damage.Document) error {
			return object(d, state.Deployment, "server", func(spec state.Object) {
				spec.Object("template").Object("spec")["automountServiceAccountToken"] = false
			})
		}},
	{Control{Name: "another selector of the members' Service", Claim: "The discovery Service selects exactly", Says: "connected with 1 of at least"},
		func(d *damage.Document) error {
			return object(d, state.KubernetesService, "members", func(spec state.Object) {
				spec.Object("selector")["app.kubernetes.io/component"] = "another"
			})
		}},
	{Control{Name: "the members' ports closed in the security group", Claim: "Every node reaches every other node", Says: "connected with 1 of at least", Closed: 5701},
		func(d *damage.Document) error { return remove(d, state.SecurityGroupIngressRule, "hazelcast-in") }},
	{Control{Name: "the rule for the database removed", Claim: "Every node reaches every database", Says: "the health check", Database: true},
		func(d *damage.Document) error { return remove(d, state.SecurityGroupIngressRule, "database-in") }},
	{Control{Name: "the rule for the users' directory removed", Claim: "Nodes call out only where", Says: "the health check", Directory: true}, closeDirectory},
	{Control{Name: "another cluster's name in the last node's file", Claim: "The nodes' files agree", Says: "connected with 1 of at least"}, rename},
	{Control{Name: "another tag on the nodes", Claim: "The discovery filters select exactly", Says: "connected with 1 of at least",
		Logs: "No IP addresses found! Starting standalone."}, tag},
	{Control{Name: "another tag on the service", Claim: "The discovery tag selects exactly", Says: "connected with 1 of at least",
		Logs: "Starting standalone."}, tagService},
	{Control{Name: "the nodes' role without ec2:DescribeInstances", Claim: "The credentials that discovery uses", Says: "which other nodes are in service is unknown",
		Logs: "AWS IAM Role Policy missing 'ec2:DescribeInstances' Action! Starting standalone."},
		func(d *damage.Document) error { return forbid(d, "", "ec2:DescribeInstances") }},
	{Control{Name: "the task role without ec2:DescribeInstances", Claim: "The credentials that discovery uses", Says: "connected with 1 of at least",
		Logs: "AWS IAM Role Policy missing 'ec2:DescribeInstances' Action! Starting standalone."},
		func(d *damage.Document) error { return forbid(d, "host", "ec2:DescribeInstances") }},
	{Control{Name: "the task role without ecs:DescribeTasks", Claim: "The credentials that discovery uses", Says: "ECS does not say which tasks there are"},
		func(d *damage.Document) error { return forbid(d, "awsvpc", "ecs:DescribeTasks") }},
	{Control{Name: "the endpoints' port closed in their security group", Claim: "The credentials that discovery uses", API: true,
		Says: "which other nodes are in service is unknown"},
		func(d *damage.Document) error {
			if len(d.Find(state.AutoScalingGroup)) == 0 || mode(d) != "" {
				return errAbsent // tasks are the next control's, and fixed members and pods ask no API
			}
			return remove(d, state.SecurityGroupIngressRule, "aws-apis-in")
		}},
	{Control{Name: "the endpoints' port closed in their security group", Claim: "The credentials that discovery uses", API: true,
		Says: "ECS does not say which tasks there are"},
		func(d *damage.Document) error {
			if mode(d) == "" {
				return errAbsent
			}
			return remove(d, state.SecurityGroupIngressRule, "aws-apis-in")
		}},
	{Control{Name: "the server's container without the secret of its keystore", Claim: "Each container has its program's files and variables", Own: true,
		Says: "WSO2_KEYSTORE: parameter not set"},
		func(d *damage.Document) error {
			return ofContainer(d, "server", func(c state.Object) error {
				return lose(c, []string{"secrets", "env"}, "name", "WSO2_KEYSTORE")
			})
		}},
	{Control{Name: "the server's container without the volume of the driver", Claim: "Each container has its program's files and variables", Own: true,
		Says: "there is no JDBC driver in repository/components/lib"},
		func(d *damage.Document) error {
			return ofContainer(d, "server", func(c state.Object) error {
				return lose(c, []string{"mountPoints", "volumeMounts"}, "", "wso2-artifact-volume")
			})
		}},
	{Control{Name: "a command of prepare that AWS' command line does not know", Claim: "Every AWS call of the nodes is allowed", Own: true,
		Says: "gave up after five attempts: download s3://"},
		func(d *damage.Document) error {
			return ofContainer(d, "prepare", func(c state.Object) error {
				for _, key := range []string{"entryPoint", "command"} {
					for i, text := range state.List(c[key]) {
						if before, after, found := strings.Cut(state.Text(text), "aws s3 cp "); found {
							state.List(c[key])[i] = before + "aws s3 copy " + after
							return nil
						}
					}
				}
				return errors.New("no command of prepare has aws s3 cp")
			})
		}},
	{Control{Name: "a hop more for the metadata service's answers", Claim: "A node's credentials stay on the node", Contained: true,
		Says: "a container on it gets its credentials"}, hop},
	// Hazelcast asks for the node's zone first, and its start ends without one.
	{Control{Name: "the nodes' metadata service switched off", Claim: "The credentials that discovery uses",
		Says: "has ended", Logs: "AwsDiscoveryStrategy.discoverLocalMetadata"}, func(d *damage.Document) error {
		return template(d, func(i int) error {
			options := d.Out(i, "metadataOptions")
			state.AsObject(options)["httpEndpoint"] = "disabled"
			d.Set(i, "metadataOptions", options)
			return nil
		})
	}},
}

// ofContainer changes a container of the nodes' task definition, or of their Deployment.
func ofContainer(d *damage.Document, name string, change func(state.Object) error) error {
	is := func(c state.Object) bool { return c.Text("name") == name }
	for _, service := range d.Find(state.ECSService) {
		for _, i := range d.Find(state.TaskDefinition) {
			if state.Text(d.Out(i, "arn")) != state.Text(d.Out(service, "taskDefinition")) {
				continue
			}
			var all []any
			if err := json.Unmarshal([]byte(state.Text(d.Out(i, "containerDefinitions"))), &all); err != nil {
				return fmt.Errorf("reading containers: %w", err)
			}
			at := slices.IndexFunc(all, func(c any) bool { return is(state.AsObject(c)) })
			if at < 0 {
				return errAbsent
			}
			if err := change(state.AsObject(all[at])); err != nil {
				return err
			}
			raw, err := json.Marshal(all)
			if err != nil {
				return fmt.Errorf("writing containers: %w", err)
			}
			d.Set(i, "containerDefinitions", string(raw))
			return nil
		}
	}
	found := errAbsent
	err := object(d, state.Deployment, "server", func(spec state.Object) {
		pod := spec.Object("template").Object("spec")
		for _, c := range slices.Concat(pod.Objects("initContainers"), pod.Objects("containers")) {
			if is(c) {
				found = change(c)
			}
		}
	})
	return cmp.Or(err, found)
}

// lose removes the element of the first of some lists in which a key has a value, or, without a key, any text that ends with it.
func lose(c state.Object, lists []string, key, value string) error {
	for _, list := range lists {
		all := state.List(c[list])
		left := slices.DeleteFunc(slices.Clone(all), func(e any) bool {
			for k, v := range state.AsObject(e) {
				if k == key && state.Text(v) == value || key == "" && strings.HasSuffix(state.Text(v), value) {
					return true
				}
			}
			return false
		})
		if len(left) < len(all) {
			c[list] = left
			return nil
		}
	}
	return fmt.Errorf("no %s has %s", strings.Join(lists, " or "), value)
}

// closeDirectory removes the rules that let nodes out to the directory of the users, one for each of its ranges.
func closeDirectory(d *damage.Document) error {
	found := false
	for _, i := range slices.Backward(d.Find(state.SecurityGroupEgressRule)) {
		if strings.Contains(d.Name(i), " directory-out") {
			d.Remove(i)
			found = true
		}
	}
	if !found {
		return errAbsent
	}
	return nil
}

// hop lets the metadata service's answers reach containers.
func hop(d *damage.Document) error {
	nodes := d.Find(state.EC2Instance)
	if len(nodes) == 0 {
		nodes = d.Find(state.LaunchTemplate)
	}
	if len(nodes) == 0 || mode(d) == "awsvpc" || len(d.Find(state.Deployment)) > 0 {
		return errAbsent // a task or a pod with an address of its own is no instance
	}
	for _, i := range nodes {
		options := state.AsObject(d.Out(i, "metadataOptions"))
		options["httpPutResponseHopLimit"] = 2.0
		d.Set(i, "metadataOptions", map[string]any(options))
	}
	return nil
}

// errAbsent says that a stack does not have what a control damages.
var errAbsent = errors.New("nothing to damage")

// template changes the launch template of the Auto Scaling group of nodes.
func template(d *damage.Document, change func(i int) error) error {
	for _, g := range d.Find(state.AutoScalingGroup) {
		for _, i := range d.Find(state.LaunchTemplate) {
			if state.Text(d.Out(i, "id")) == state.Text(d.Out(g, "launchTemplate.id")) {
				return change(i)
			}
		}
	}
	return errAbsent
}

// tag gives the nodes another value of the tag by which members find each other.
func tag(d *damage.Document) error {
	const key, other = "WSO2Cluster", "another"
	return template(d, func(i int) error {
		specifications := d.Out(i, "tagSpecifications")
		for _, one := range state.Objects(specifications) {
			one.Object("tags")[key] = other
		}
		d.Set(i, "tagSpecifications", specifications)
		for _, g := range d.Find(state.AutoScalingGroup) {
			tags := d.Out(g, "tags")
			for _, one := range state.Objects(tags) {
				if one.Text("key") == key {
					one["value"] = other
				}
			}
			d.Set(g, "tags", tags)
		}
		return nil
	})
}

// object changes the specification of an object of Kubernetes.
func object(d *damage.Document, token, name string, change func(spec state.Object)) error {
	for _, i := range d.Find(token) {
		if strings.HasSuffix(d.Name(i), " "+name) {
			spec := state.AsObject(d.Out(i, "spec"))
			change(spec)
			d.Set(i, "spec", map[string]any(spec))
			return nil
		}
	}
	return errAbsent
}

// forbidEndpoints removes the permission with which pods find each other.
func forbidEndpoints(d *damage.Document) error {
	for _, i := range d.Find(state.KubernetesRole) {
		rules := d.Out(i, "rules")
		for _, rule := range state.Objects(rules) {
			if slices.Contains(rule.Texts("resources"), "endpoints") {
				rule["resources"] = []any{"services"}
				d.Set(i, "rules", rules)
				return nil
			}
		}
	}
	return errAbsent
}

// tagService gives the service another value of the tag, and so its tasks.
func tagService(d *damage.Document) error {
	if mode(d) != "awsvpc" {
		return errAbsent
	}
	for _, i := range d.Find(state.ECSService) {
		for _, key := range []string{"tags", "tagsAll"} {
			tags := state.AsObject(d.Out(i, key))
			if tags["WSO2Cluster"] != nil {
				tags["WSO2Cluster"] = "another"
				d.Set(i, key, map[string]any(tags))
			}
		}
	}
	return nil
}

// mode returns the network mode of the nodes' tasks, or nothing if the nodes are instances.
func mode(d *damage.Document) string {
	for _, service := range d.Find(state.ECSService) {
		for _, i := range d.Find(state.TaskDefinition) {
			if state.Text(d.Out(i, "arn")) == state.Text(d.Out(service, "taskDefinition")) {
				return state.Text(d.Out(i, "networkMode"))
			}
		}
	}
	return ""
}

// forbid removes the permission with which nodes find each other, for nodes of a network mode.
func forbid(d *damage.Document, of, action string) error {
	if mode(d) != of || of == "" && len(d.Find(state.AutoScalingGroup)) == 0 {
		return errAbsent
	}
	quoted := `"` + action + `"`
	service, _, _ := strings.Cut(action, ":")
	found := false
	for _, i := range d.Find(state.RolePolicy) {
		if policy := state.Text(d.Out(i, "policy")); strings.Contains(policy, quoted) {
			d.Set(i, "policy", strings.ReplaceAll(policy, quoted, `"`+service+`:DescribeNothing"`))
			found = true
		}
	}
	if !found {
		return fmt.Errorf("no policy in the state has %s", action)
	}
	return nil
}

func remove(d *damage.Document, token, name string) error {
	for _, i := range d.Find(token) {
		if strings.HasSuffix(d.Name(i), " "+name) {
			d.Remove(i)
			return nil
		}
	}
	return fmt.Errorf("the state has no %s %s", state.Kind(token), name)
}

// rename changes the domain in the last node's deployment.toml.
func rename(d *damage.Document) error {
	files := slices.DeleteFunc(d.Find(state.BucketObject), func(i int) bool { return !strings.HasSuffix(d.Name(i), "/deployment.toml") })
	if len(files) < 2 {
		return errAbsent // a file of all nodes
	}
	slices.SortFunc(files, func(a, b int) int { return -strings.Compare(d.Name(a), d.Name(b)) })
	for _, i := range files {
		content := state.Text(d.Out(i, "content"))
		if before, after, found := strings.Cut(content, "\ndomain = '"); found {
			d.Set(i, "content", before+"\ndomain = 'another-"+after)
			return nil
		}
	}
	return fmt.Errorf("no deployment.toml in the state has a domain")
}

// Controls damages a state and adds the proofs' faults.
func Controls(exported []byte, prove func([]byte) (*proof.Report, error)) ([]Control, error) {
	before, err := state.Read(exported)
	if err != nil {
		return nil, err
	}
	running, err := plan.Of(before)
	if err != nil {
		return nil, err
	}
	var all []Control
	for _, one := range damages {
		if running.Scheme == "" && !one.control.Database && !one.control.Directory && !one.control.Contained {
			continue // no cluster, whose forming it could prevent
		}
		d, err := damage.Read(exported)
		if err != nil {
			return nil, err
		}
		if err := one.do(d); errors.Is(err, errAbsent) {
			continue
		} else if err != nil {
			return nil, err
		}
		c := one.control
		if c.State, err = d.Write(); err != nil {
			return nil, err
		}
		report, err := prove(c.State)
		if err != nil {
			return nil, fmt.Errorf("proving the state with %s: %w", c.Name, err)
		}
		for _, v := range report.All() {
			if strings.HasPrefix(v.Claim, c.Claim) {
				c.Claim, c.Faults = v.Claim, v.Faults
			}
		}
		all = append(all, c)
	}
	return all, nil
}
