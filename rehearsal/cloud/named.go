package cloud

import (
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// named are the configuration keys that name existing resources.
var named = []struct {
	like  *regexp.Regexp
	token string
}{
	{regexp.MustCompile(`\bvpc-[0-9a-f]{8,17}\b`), state.VPC},
	{regexp.MustCompile(`\bsubnet-[0-9a-f]{8,17}\b`), state.Subnet},
	{regexp.MustCompile(`\bsg-[0-9a-f]{8,17}\b`), state.SecurityGroup},
	{regexp.MustCompile(`\brtb-[0-9a-f]{8,17}\b`), state.RouteTable},
	{regexp.MustCompile(`\bZ[0-9A-Z]{8,32}\b`), state.HostedZone},
	{regexp.MustCompile(`\barn:aws[a-z-]*:[^\s"',\]}]+`), ""},
}

// Named returns the resources to which a configuration refers by id or ARN. A rehearsal assumes that they exist. Only
// their ids are known, so rules about other properties do not apply to them.
func Named(config map[string]string) []Resource {
	found := map[string]Resource{}
	for _, key := range slices.Sorted(maps.Keys(config)) {
		for _, n := range named {
			for _, id := range n.like.FindAllString(config[key], -1) {
				token, outputs := n.token, Object{}
				if token == "" {
					token, outputs["arn"] = arnType(id), id
				}
				if token != "" {
					found[token+id] = Resource{Token: token, ID: id, Inputs: Object{}, Outputs: outputs, Contents: id}
				}
			}
		}
	}
	for _, key := range []string{"database", "fileSystem"} {
		for _, secret := range existingUsers(config, key) {
			found[state.Secret+secret.ID] = secret
		}
	}
	for _, group := range existingLogGroups(config) {
		found[state.LogGroup+group.ID] = group
	}
	if files, ok := existingFiles(config); ok {
		found[state.FileSystem+files.ID] = files
	}
	for _, r := range existingListener(config) {
		found[r.Token+r.ID] = r
	}
	if cluster, ok := existingCluster(config); ok {
		found[state.EKSCluster+cluster.ID] = cluster
	}
	var all []Resource
	for _, key := range slices.Sorted(maps.Keys(found)) {
		all = append(all, found[key])
	}
	return all
}

// section reads the JSON of a configuration's key in any namespace. Values of other types are left out.
func section(config map[string]string, key string, into any) {
	for full, value := range config {
		if _, name, _ := strings.Cut(full, ":"); name == key {
			_ = json.Unmarshal([]byte(value), into)
		}
	}
}

// existingUsers returns the secrets with users of something that exists, in the format of RDS. Their ARNs are in the configuration's key.
func existingUsers(config map[string]string, key string) []Resource {
	var of struct{ Existing Object }
	section(config, key, &of)
	users := map[string]string{
		text(of.Existing, "masterSecretArn"): "administrator", text(of.Existing, "credentialsSecretArn"): "share",
	}
	given, _ := of.Existing["userSecretArns"].(Object)
	for name := range given {
		users[text(given, name)] = "dba_" + name
	}
	delete(users, "")
	var all []Resource
	for arn, user := range users {
		all = append(all, Resource{Token: state.Secret, ID: arn, Inputs: Object{}, Outputs: Object{
			"arn": arn, "kmsKeyId": text(of.Existing, "secretKeyArn"),
		}, Contents: fmt.Sprintf(`{"username":%q,"password":%q}`, user, identifier(arn, "uuid"))})
	}
	return all
}

// existingLogGroups returns the log groups that the configuration names, without an ARN: a name has neither account nor region.
func existingLogGroups(config map[string]string) []Resource {
	var nodes struct{ LogGroup string }
	var flows struct{ FlowLogGroup string }
	section(config, "observability", &nodes)
	section(config, "network", &flows)
	var all []Resource
	for _, name := range []string{nodes.LogGroup, flows.FlowLogGroup} {
		if name != "" {
			all = append(all, Resource{Token: state.LogGroup, ID: name, Inputs: Object{}, Outputs: Object{"name": name}})
		}
	}
	return all
}

// existingLogGroup accepts the ARN of a log group that the configuration names.
func existingLogGroup(c *Call, arn string) bool {
	_, name, _ := strings.Cut(arn, ":log-group:")
	group := c.Cloud.find(name, "name", state.LogGroup)
	return group != nil && group.Existing
}

// existingFiles returns the EFS file system that the configuration names, which is taken for one that nodes can share.
func existingFiles(config map[string]string) (Resource, bool) {
	var of struct {
		Existing struct{ FileSystemArn string }
	}
	section(config, "fileSystem", &of)
	arn := of.Existing.FileSystemArn
	return Resource{Token: state.FileSystem, ID: path.Base(arn), Inputs: Object{}, Outputs: Object{"arn": arn, "encrypted": true}}, arn != ""
}

// existingListener returns the listener that the configuration names, and its load balancer, which is taken for one that reaches the nodes:
// it is in the VPC and has the security group of the configuration.
func existingListener(config map[string]string) []Resource {
	var of struct {
		Existing struct{ ListenerArn, SecurityGroup string }
	}
	var network struct{ Adopt struct{ VPC string } }
	section(config, "loadBalancer", &of)
	section(config, "network", &network)
	arn := of.Existing.ListenerArn
	if arn == "" {
		return nil
	}
	balancer := balancerOf(arn)
	_, suffix, _ := strings.Cut(balancer, ":loadbalancer/")
	return []Resource{
		{Token: state.Listener, ID: arn, Inputs: Object{}, Outputs: Object{"arn": arn}},
		{Token: state.LoadBalancer, ID: balancer, Inputs: Object{}, Outputs: Object{
			"arn": balancer, "arnSuffix": suffix, "loadBalancerType": "application", "vpcId": network.Adopt.VPC, "idleTimeout": 60.0,
			"securityGroups": []any{of.Existing.SecurityGroup}, "dnsName": "existing.elb.amazonaws.com",
		}},
	}
}

// arnType returns the type of the resource of an ARN, or nothing.
func arnType(arn string) string {
	for marker, token := range map[string]string{
		":certificate/": state.Certificate, ":kms:": state.KMSKey, ":secret:": state.Secret, ":role/": state.Role, ":policy/": state.ManagedPolicy,
		":snapshot:": state.DBSnapshot, ":targetgroup/": state.TargetGroup,
	} {
		if strings.Contains(arn, marker) {
			return token
		}
	}
	return ""
}
