package proof_test

import (
	"encoding/base64"
	"slices"
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

const shareUser = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:share-AbCdEf"

// onVolume changes the volume of Tenants.
func onVolume(change func(spec map[string]any)) func(*document) {
	return func(d *document) {
		for _, r := range d.resources {
			if is(r, "PersistentVolume", "") && strings.Contains(r.(map[string]any)["urn"].(string), "::Tenants-") {
				change(r.(map[string]any)["outputs"].(map[string]any)["spec"].(map[string]any))
			}
		}
	}
}

// lacksOption takes a mount option from the volume of Tenants.
func lacksOption(option string) func(*document) {
	return onVolume(func(spec map[string]any) {
		spec["mountOptions"] = slices.DeleteFunc(spec["mountOptions"].([]any), func(o any) bool { return o == option })
	})
}

var smbMutations = map[string]mutation{
	"a node without encryption": {"SMB share", func(d *document) { d.userData("nodes", ",seal,", ",") }, mounted,
		"mounts the share without the option seal"},
	"a node with an older protocol": {"SMB share", func(d *document) { d.userData("nodes", "vers=3.1.1", "vers=2.0") }, mounted,
		"mounts the share without the option vers=3.1.1"},
	"a node without the domain": {"SMB share", func(d *document) { d.userData("nodes", "domain=CORP,", "") }, mounted,
		"mounts the share without the option domain=CORP"},
	"files of another owner": {"SMB share", func(d *document) { d.userData("nodes", "forceuid,", "") }, mounted,
		"mounts the share without the option forceuid"},
	"a node of another user": {"SMB share", func(d *document) { d.userData("nodes", "secret:share-AbCdEf", "secret:other-AbCdEf") }, mounted,
		"instead of " + shareUser},
	"a user on disk": {"SMB share", func(d *document) { d.userData("nodes", "credentials=/run/", "credentials=/etc/") }, mounted,
		"without a file in memory that has its user"},
	"a restart": {"SMB share", func(d *document) { d.userData("nodes", "x-systemd.requires=wso2is-share.service,", "") }, mounted,
		"mounts the share after a restart before its user is in memory"},
	"the port of NFS": {"SMB share", func(d *document) { d.set(ingressRule, "shared-files-in", "fromPort", 2049) }, filesReach,
		"no ingress rule of sg-0123456789abcdef1 lets"},
	"an instance of another user": {"SMB share of tasks", func(d *document) { d.userData("nodes", "secret:share-AbCdEf", "secret:other-AbCdEf") }, mounted,
		"instead of " + shareUser},
	"an instance without encryption": {"SMB share of tasks", func(d *document) { d.userData("nodes", ",seal,", ",") }, mounted,
		"mounts the share without the option seal"},
	"a pod without encryption": {"SMB share of pods", lacksOption("seal"), mounted, "mounts the share without the option seal"},
	"a pod with another share": {"SMB share of pods", onVolume(func(spec map[string]any) {
		spec["csi"].(map[string]any)["volumeAttributes"] = map[string]any{"source": "//files.example.com/other/Tenants"}
	}), mounted, "instead of //files.example.com/wso2is/Tenants"},
	"a pod with no user": {"SMB share of pods", onVolume(func(spec map[string]any) {
		spec["csi"].(map[string]any)["nodeStageSecretRef"].(map[string]any)["name"] = "wso2is-server"
	}), mounted, "which does not come from " + shareUser},
	"a user that nobody fetches": {"SMB share of pods", ofPod("members", func(c map[string]any) {
		c["volumeMounts"] = slices.DeleteFunc(c["volumeMounts"].([]any), func(m any) bool { return m.(map[string]any)["name"] == "share-user" })
	}), mounted, "the user of the share is never fetched"},
	"a secret that is missing": {"SMB share and secrets", func(d *document) { d.drop("core/v1:Secret", "share") }, mounted,
		"which does not come from " + shareUser},
	"a reader that mounts nothing": {"SMB share", func(d *document) {
		policy := d.out("RolePolicy", "schema", "policy").(string)
		d.set("RolePolicy", "schema", "policy", strings.Replace(policy, `"Statement":[`,
			`"Statement":[{"Effect":"Allow","Action":"secretsmanager:GetSecretValue","Resource":"`+shareUser+`"},`, 1))
	}, "No role of the cluster may read secrets", "may read the user of the share, and mounts nothing"},
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
