package proof_test

import (
	"encoding/base64"
	"strings"

	"github.com/stretchr/testify/require"
)

const throughProxy = "The server reaches the proxy"

// variable changes the variables of the server in the pods.
func variable(d *document, name string, replace ...string) {
	changed := false
	pod(d, func(spec map[string]any) {
		for _, one := range spec["containers"].([]any)[0].(map[string]any)["env"].([]any) {
			if e := one.(map[string]any); e["name"] == name {
				before := e["value"].(string)
				e["value"] = strings.NewReplacer(replace...).Replace(before)
				changed = changed || e["value"] != before
			}
		}
	})
	require.True(d.t, changed, "nothing to replace in %s", name)
}

// started changes the user data of the group's instances.
func started(d *document, replace ...string) {
	before := d.out("LaunchTemplate", "nodes", "userData").(string)
	text, err := base64.StdEncoding.DecodeString(before)
	require.NoError(d.t, err)
	after := base64.StdEncoding.EncodeToString([]byte(strings.NewReplacer(replace...).Replace(string(text))))
	require.NotEqual(d.t, before, after)
	d.set("LaunchTemplate", "nodes", "userData", after)
}

var proxyMutations = map[string]mutation{
	"the way to the proxy is closed": {"proxied", func(d *document) { d.drop(egressRule, "proxy-out-203.0.113.9_32") }, throughProxy,
		"no egress rule of wso2is-proxied-nodes lets tcp 3128 out to 203.0.113.9/32"},
	"the proxy's port is another": {"proxied", func(d *document) {
		d.set(egressRule, "proxy-out-203.0.113.9_32", "fromPort", 3129.0)
		d.set(egressRule, "proxy-out-203.0.113.9_32", "toPort", 3129.0)
	}, throughProxy, "lets tcp 3128 out to 203.0.113.9/32"},
	"the way to the proxy is too wide": {"proxied", func(d *document) {
		d.set(egressRule, "proxy-out-203.0.113.9_32", "cidrIpv4", "203.0.113.0/24")
	}, callOut, "proxy-out-203.0.113.9_32 is too wide"},
	"a network ACL denies the proxy": {"proxied", func(d *document) {
		acl(d, line(100, false, "allow", "0.0.0.0/0", 0, 65535), line(90, true, "deny", "203.0.113.0/24", 3128, 3128),
			line(100, true, "allow", "0.0.0.0/0", 0, 65535))
	}, throughProxy, "rule 90 of NetworkAcl guard denies"},
	"no route to the proxy": {"proxied", func(d *document) { d.drop("NatGateway", "eu-west-1a") }, throughProxy, "which is not in the state"},
	"the server names another proxy": {"proxied", func(d *document) { started(d, "-Dhttps.proxyHost=203.0.113.9", "-Dhttps.proxyHost=203.0.113.10") },
		throughProxy, `calls https servers through the proxy "203.0.113.10", port "3128"`},
	"a proxy that no rule knows": {"prod", func(d *document) {
		started(d, "\nJVM_OPTIONS=''", "\nJVM_OPTIONS='-Dhttps.proxyHost=proxy.example.com -Dhttps.proxyPort=3128'")
	}, throughProxy, `the stack file names "", port 0, and nothing lets nodes through`},
	"the server names no proxy": {"proxied tasks", func(d *document) {
		d.edit("TaskDefinition", "nodes", "containerDefinitions", "-Dhttp.proxyHost=proxy.example.com ", "")
	}, throughProxy, `calls http servers through the proxy "", port "3128"`},
	"discovery through the proxy": {"proxied", func(d *document) { started(d, "|ec2.eu-west-1.amazonaws.com", "") }, throughProxy,
		"asks the proxy for ec2.eu-west-1.amazonaws.com, which it has to reach itself"},
	"credentials through the proxy": {"proxied tasks", func(d *document) {
		d.edit("TaskDefinition", "nodes", "containerDefinitions", "|169.254.*", "|169.254.169.254")
	}, throughProxy, "asks the proxy for 169.254.170.2"},
	"tasks are asked for through the proxy": {"proxied tasks", func(d *document) {
		d.edit("TaskDefinition", "nodes", "containerDefinitions", "|ecs.eu-west-1.amazonaws.com", "")
	}, throughProxy, "asks the proxy for ecs.eu-west-1.amazonaws.com"},
	"a block of the VPC through the proxy": {"proxied tasks", func(d *document) {
		d.edit("TaskDefinition", "nodes", "containerDefinitions", "|10.0.13.*", "")
	}, throughProxy, "asks the proxy for 10.0.13.9"},
	"a star in the middle": {"proxied", func(d *document) { started(d, "|10.0.*", "|10.*.9") }, throughProxy, "asks the proxy for 10.0.0.9"},
	"its own name through the proxy": {"proxied pods", func(d *document) { variable(d, "WSO2IS_JVM_OPTIONS", "|is.example.com", "") },
		throughProxy, "asks the proxy for is.example.com"},
	"the Kubernetes API through the proxy": {"proxied pods", func(d *document) { variable(d, "WSO2IS_JVM_OPTIONS", "|*.svc", "") },
		throughProxy, "asks the proxy for kubernetes.default.svc"},
	"the proxy is closed to pods": {"proxied pods", func(d *document) { d.drop("NetworkPolicy", "proxy") }, throughProxy,
		"no NetworkPolicy lets tcp 3128 out of Deployment server"},
	"a private proxy's way is closed": {"proxied pods", func(d *document) { d.drop(egressRule, "proxy-out-10.8.0.0_24") }, throughProxy,
		"lets tcp 3128 out to 10.8.0.0/24"},
}
