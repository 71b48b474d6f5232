package mutation

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/cloud"
)

// Mutant is one change of a program's inputs.
type Mutant struct {
	// Type and Name are the resource's type and logical name.
	Type, Name string
	// Category is the kind of damage, such as a permission or a port.
	Category string
	// Path is the property, with [*] or an element's name for an index. What describes the damage.
	Path, What string
	// edit changes the resource's inputs. If it is nil, Path is a resource option that is removed.
	edit func(cloud.Object)
}

func (m Mutant) String() string {
	return fmt.Sprintf("%s: %s %s: %s %s", m.Category, short(m.Type), m.Name, m.Path, m.What)
}

// kind identifies equal mutants: the same damage to a second resource of the type shows nothing new. For a resource's
// dependencies, each resource has its own kind.
func (m Mutant) kind() string {
	kind := m.Type + " " + m.Path + " " + m.What
	if m.Path == dependsOn {
		kind = m.Type + " " + strings.TrimRight(m.Name, "-0123456789") + " " + m.Path
	}
	return kind
}

// dependsOn and protect are options of a resource.
const (
	dependsOn = "dependsOn"
	protect   = "protect"
)

func short(token string) string {
	parts := strings.Split(token, ":")
	return parts[len(parts)-1]
}

// set replaces a value of a property.
type set struct {
	category, key string
	to            func(old any) any
}

func always(v any) func(any) any { return func(any) any { return v } }

// other returns the second of two values, or the first if the value is already the second.
func other(a, b any) func(any) any {
	return func(old any) any {
		if old == a {
			return b
		}
		return a
	}
}

func plus(n float64) func(any) any {
	return func(old any) any {
		if number, ok := old.(float64); ok {
			return number + n
		}
		return nil
	}
}

// sets are the damages to properties of a name, at every path. A nil result leaves the property unchanged.
var sets = []set{
	{"port", "fromPort", plus(1)}, {"port", "toPort", plus(1)}, {"port", "port", plus(1)}, {"port", "containerPort", plus(1)},
	{"port", "endPort", plus(1)}, {"port", "hostPort", plus(1)}, {"port", "targetPort", plus(1)},
	{"network", "cidrIpv4", other("0.0.0.0/0", "192.0.2.0/24")}, {"network", "ipProtocol", other("tcp", "udp")},
	{"network", "cidrBlock", always("192.168.255.0/28")}, {"network", "destinationCidrBlock", always("192.0.2.0/24")},
	{"encryption", "httpTokens", other("required", "optional")}, {"encryption", "protocol", other("HTTP", "HTTPS")},
	{"encryption", "sslPolicy", always("ELBSecurityPolicy-2016-08")},
	{"encryption", "transitEncryption", other("ENABLED", "DISABLED")}, {"encryption", "sseAlgorithm", other("AES256", "aws:kms")},
	{"permission", "iam", other("ENABLED", "DISABLED")}, {"limit", "httpPutResponseHopLimit", other(1.0, 2.0)},
	{"health check", "healthyThreshold", always(10.0)}, {"health check", "unhealthyThreshold", always(10.0)},
	{"health check", "interval", always(300.0)}, {"health check", "path", always("/nothing")},
	{"health check", "matcher", always("404")}, {"health check", "healthCheckType", other("EC2", "ELB")},
	{"health check", "failureThreshold", always(1.0)}, {"health check", "periodSeconds", always(600.0)},
	{"wait", "healthCheckGracePeriod", always(0.0)}, {"wait", "healthCheckGracePeriodSeconds", always(0.0)},
	{"wait", "deregistrationDelay", always(0.0)}, {"wait", "idleTimeout", always(4000.0)}, {"wait", "stopTimeout", always(2.0)},
	{"wait", "terminationGracePeriodSeconds", always(1.0)}, {"wait", "heartbeatTimeout", always(30.0)},
	{"limit", "minSize", always(0.0)}, {"limit", "maxSize", plus(20)}, {"limit", "desiredCapacity", always(1.0)},
	{"limit", "desiredCount", always(1.0)}, {"limit", "replicas", always(1.0)}, {"limit", "minAvailable", always(0.0)},
	{"limit", "minHealthyPercentage", always(0.0)}, {"limit", "deploymentMinimumHealthyPercent", always(0.0)},
	{"limit", "maxUnavailable", always("100%")}, {"limit", "backupRetentionPeriod", always(0.0)},
}

// keys matches the names of encryption keys. Without the property, AWS's own key or none is used.
var keys = regexp.MustCompile(`(?i)^(kms.*(id|arn|key)|.*kmsKeyId|keyArn)$`)

// tags matches tags by which resources are found.
var tags = regexp.MustCompile(`^(wso2is:cluster|kubernetes\.io/.*)$`)

// lists are lists that lose their first entry.
var lists = map[string]string{
	"subnetIds": "network", "subnets": "network", "vpcSecurityGroupIds": "network", "securityGroups": "network",
	"securityGroupIds": "network", "environment": "setting", "env": "setting", "secrets": "secret", "mountPoints": "mount",
	"volumeMounts": "mount", "targetGroupArns": "network", "initialLifecycleHooks": "wait", "initContainers": "wait",
	"dependsOn": "wait", "egress": "network", "ingress": "network", "ports": "port", "rules": "permission",
	"verbs": "permission", "policyTypes": "network", "alarmActions": "alarm", "loadBalancers": "network",
	"enabledClusterLogTypes": "log", "enabledCloudwatchLogsExports": "log", "systemControls": "setting",
}

// dropped are properties that are removed.
var dropped = map[string]string{
	"referencedSecurityGroupId": "network", "healthCheck": "health check", "livenessProbe": "health check",
	"readinessProbe": "health check", "startupProbe": "health check", "lifecycle": "wait", "topologySpreadConstraints": "limit",
	"podSelector": "label", "namespaceSelector": "label", "posixUser": "permission", "rootDirectory": "mount",
	"deploymentCircuitBreaker": "limit", "userData": "setting", "accessPointId": "mount", "taskRoleArn": "permission",
	"executionRoleArn": "permission", "iamInstanceProfile": "permission", "parameterGroupName": "setting",
	"dimensions": "alarm", "capacityProviderStrategies": "limit", "stickiness": "setting",
	"waitForSuccessTimeoutSeconds": "wait",
}

// containers matches the lists of containers; each container has its own purpose.
var containers = regexp.MustCompile(`^(containerDefinitions|initContainers|containers)$`)

// labels matches the labels by which Kubernetes finds objects.
var labels = regexp.MustCompile(`(^|\.)(labels|matchLabels|selector)\.[^.]*$`)

// mutantsOf lists the mutants of one resource.
func mutantsOf(token, name string, inputs cloud.Object) []Mutant {
	c := &collector{token: token, name: name}
	c.walk(inputs, nil)
	return c.found
}

type collector struct {
	token, name string
	found       []Mutant
}

// step is a key of an object, an index of a list, or the change to JSON in a text.
type step struct {
	key   string
	index int
	list  bool
	json  bool
	// name is a container's name, so that damages of different containers differ.
	name string
}

func pathOf(steps []step) string {
	text := ""
	for _, s := range steps {
		switch {
		case s.list:
			text += "[" + cmp.Or(s.name, "*") + "]"
		case s.json:
		case text == "":
			text = s.key
		default:
			text += "." + s.key
		}
	}
	return text
}

// add adds a mutant that changes the value at the path. If change returns removed, the value is removed.
func (c *collector) add(category string, at []step, what string, change func(any) any) {
	at = slices.Clone(at)
	c.found = append(c.found, Mutant{
		Type: c.token, Name: c.name, Category: category, Path: pathOf(at), What: what,
		edit: func(inputs cloud.Object) { apply(inputs, at, change) },
	})
}

// removed means that a value is removed.
type removed struct{}

// apply returns the value with the change at the path, or unchanged if the path does not exist.
func apply(v any, at []step, change func(any) any) any {
	if len(at) == 0 {
		return change(v)
	}
	s := at[0]
	switch in := v.(type) {
	case string:
		var inner any
		if !s.json || json.Unmarshal([]byte(in), &inner) != nil {
			return v
		}
		raw, err := json.Marshal(apply(inner, at[1:], change))
		if err != nil {
			return v
		}
		return string(raw)
	case map[string]any:
		old, ok := in[s.key]
		if !ok {
			return v
		}
		next := apply(old, at[1:], change)
		if next == (removed{}) {
			delete(in, s.key)
		} else {
			in[s.key] = next
		}
		return in
	case []any:
		if s.index >= len(in) {
			return v
		}
		next := apply(in[s.index], at[1:], change)
		if next == (removed{}) {
			return slices.Delete(slices.Clone(in), s.index, s.index+1)
		}
		in[s.index] = next
		return in
	}
	return v
}

func (c *collector) walk(v any, at []step) {
	last := ""
	if len(at) > 0 {
		last = at[len(at)-1].key
	}
	switch v := v.(type) {
	case map[string]any:
		if statements, ok := v["Statement"].([]any); ok {
			c.policy(statements, append(slices.Clone(at), step{key: "Statement"}))
			return
		}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			here := append(slices.Clone(at), step{key: key})
			c.property(key, v[key], here)
			c.walk(v[key], here)
		}
	case []any:
		if category, ok := lists[last]; ok && len(v) > 0 {
			c.add(category, at, "loses its first entry", func(old any) any {
				list, _ := old.([]any)
				return slices.Clone(list[min(1, len(list)):])
			})
		}
		for i, e := range v {
			one := step{index: i, list: true}
			if element, ok := e.(map[string]any); ok && containers.MatchString(last) {
				one.name, _ = element["name"].(string)
			}
			c.walk(e, append(slices.Clone(at), one))
		}
	case bool:
		c.add("flag", at, fmt.Sprintf("is %t", !v), func(any) any { return !v })
	case string:
		var inner any
		if strings.HasPrefix(v, "{") || strings.HasPrefix(v, "[") {
			if json.Unmarshal([]byte(v), &inner) == nil {
				c.walk(inner, append(slices.Clone(at), step{json: true}))
			}
		}
	}
}

// property adds the damages to a property of this name.
func (c *collector) property(key string, value any, at []step) {
	for _, s := range sets {
		if s.key != key {
			continue
		}
		if to := s.to(value); fmt.Sprintf("%T", to) == fmt.Sprintf("%T", value) && to != value {
			c.add(s.category, at, fmt.Sprintf("is %v", to), always(to))
		}
	}
	path := pathOf(at)
	if category, ok := dropped[key]; ok {
		c.add(category, at, "is gone", always(removed{}))
	}
	text, isText := value.(string)
	switch {
	case isText && keys.MatchString(key):
		c.add("key", at, "is gone", always(removed{}))
	case isText && strings.Contains(path, "tags.") && tags.MatchString(key):
		c.add("tag", at, "is gone", always(removed{}))
	case isText && key == "key" && strings.HasPrefix(path, "tags[*]") && tags.MatchString(text):
		c.add("tag", at, "is another", always("another"))
	case isText && labels.MatchString(path):
		c.add("label", at, "is another", always("another"))
	}
}

// policy removes each statement, each action and each condition, one at a time.
func (c *collector) policy(statements []any, at []step) {
	for i, s := range statements {
		statement, ok := s.(map[string]any)
		if !ok {
			continue
		}
		here := append(slices.Clone(at), step{index: i, list: true})
		name := fmt.Sprint(statement["Sid"])
		c.add("permission", here, "loses the statement "+name, always(removed{}))
		actions, _ := statement["Action"].([]any)
		for j, action := range actions {
			if len(actions) > 1 {
				c.add("permission", append(slices.Clone(here), step{key: "Action"}, step{index: j, list: true}),
					fmt.Sprintf("%s loses %v", name, action), always(removed{}))
			}
		}
		if statement["Condition"] != nil {
			c.add("permission", append(slices.Clone(here), step{key: "Condition"}), name+" has no condition", always(removed{}))
		}
		if _, ok := statement["Resource"]; ok && statement["Effect"] == "Allow" {
			if !slices.Contains([]string{"[*]", "*"}, fmt.Sprint(statement["Resource"])) {
				c.add("permission", append(slices.Clone(here), step{key: "Resource"}), name+" is about everything", always([]any{"*"}))
			}
		}
	}
}
