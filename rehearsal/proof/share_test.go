package proof_test

import (
	"encoding/base64"
	"strings"

	"github.com/stretchr/testify/require"
)

const mounted = "Every node mounts the share that exists, and checks its owner before the server starts"

// userData replaces text in the user data of a launch template.
func (d *document) userData(name, old, instead string) {
	d.t.Helper()
	text, err := base64.StdEncoding.DecodeString(d.out("LaunchTemplate", name, "userData").(string))
	require.NoError(d.t, err)
	require.Contains(d.t, string(text), old)
	d.set("LaunchTemplate", name, "userData", base64.StdEncoding.EncodeToString([]byte(strings.ReplaceAll(string(text), old, instead))))
}

var shareMutations = map[string]mutation{
	"a file system beside it": {"share", func(d *document) {
		d.add("aws:efs/fileSystem:FileSystem", "shared", "fs-1", map[string]any{"creationToken": "x"})
	}, mounted, "FileSystem shared is made beside the share that exists"},
	"another export": {"share", func(d *document) { d.userData("nodes", "/exports/wso2is/Tenants|", "/exports/other/Tenants|") }, mounted,
		"does not mount files.example.com:/exports/wso2is/Tenants"},
	"a mount that loses writes": {"share", func(d *document) { d.userData("nodes", ",hard,", ",soft,") }, mounted,
		"mounts the share without the option hard"},
	"no check": {"share", func(d *document) {
		for _, r := range d.resources {
			if is(r, "BucketObjectv2", "") {
				outputs := r.(map[string]any)["outputs"].(map[string]any)
				outputs["content"] = strings.ReplaceAll(outputs["content"].(string), "check_shared", "true")
			}
		}
	}, mounted, "starts its server without a check that uid 802 may write to the share"},
	"a file server that lets nobody in": {"share", func(d *document) { d.drop(ingressRule, "shared-files-in") }, filesReach,
		"no ingress rule of sg-0123456789abcdef1 lets wso2is-share-nodes in"},
	"a file server that lets in too much": {"share", func(d *document) { d.set(ingressRule, "shared-files-in", "fromPort", 111) }, filesReach,
		"is too wide"},
	"no way out to a range": {"share of tasks", func(d *document) { d.drop(egressRule, "shared-files-out-10.9.2.0_28") }, filesReach,
		"no egress rule of wso2is-share-of-tasks-nodes lets it out"},
	"a way out to more": {"share of tasks", func(d *document) {
		d.set(egressRule, "shared-files-out-10.9.2.0_28", "cidrIpv4", "10.9.0.0/16")
	}, callOut, "is too wide"},
	"an instance without the share": {"share of tasks", func(d *document) { d.userData("nodes", "10.9.2.4:/Userstores", "10.9.2.5:/Userstores") },
		mounted, "does not mount 10.9.2.4:/Userstores where its task has it"},
	"a task without the share": {"share of tasks", func(d *document) {
		d.container("nodes", "server", func(c map[string]any) {
			var left []any
			for _, m := range c["mountPoints"].([]any) {
				if m.(map[string]any)["sourceVolume"] != "Tenants" {
					left = append(left, m)
				}
			}
			c["mountPoints"] = left
		})
	}, mounted, "does not have 10.9.2.4:/Tenants"},
	"tasks after a restart": {"share of tasks", func(d *document) { d.userData("nodes", "RequiresMountsFor=", "Documentation=") }, mounted,
		"starts without the share after a restart of its instance: files would be on the instance"},
	"tasks on an instance without a mount": {"share of tasks", func(d *document) { d.userData("nodes", "systemctl stop --no-block ecs", "true") },
		mounted, "starts although the share could not be mounted: files would be on the instance"},
	"a task that checks nothing": {"share of tasks", func(d *document) {
		d.container("nodes", "server", lacks("environment", "name", "WSO2IS_SHARES"))
	}, mounted, "starts its server without a check"},
	"another volume": {"share of pods", func(d *document) {
		for _, r := range d.resources {
			if is(r, "PersistentVolume", "") && strings.Contains(r.(map[string]any)["urn"].(string), "::Tenants-") {
				r.(map[string]any)["outputs"].(map[string]any)["spec"].(map[string]any)["nfs"].(map[string]any)["path"] = "/exports/other"
			}
		}
	}, mounted, "instead of files.example.com:/exports/wso2is/Tenants"},
}
