package proof_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/rehearsal/proof"
)

var shippedNames = []string{"dev", "prod", "ecs", "fargate", "eks"}

// damage changes the value at a path, as far as the path exists; it reports whether it changed anything.
func damage(v any, path []string) bool {
	if list, ok := v.([]any); ok {
		return slices.ContainsFunc(list, func(e any) bool { return damage(e, path) })
	}
	in, ok := v.(map[string]any)
	if !ok {
		return false
	}
	key := strings.TrimSuffix(path[0], "[]")
	if len(path) == 1 {
		in[key] = "damaged"
		return true
	}
	return damage(in[key], path[1:])
}

// faults returns the faults of a claim.
func faults(t *testing.T, state []byte, want proof.Expected, claim string) string {
	t.Helper()
	report, err := proof.Check(state, want)
	require.NoError(t, err)
	var all []string
	for _, v := range report.All() {
		if v.Claim == claim {
			all = append(all, v.Faults...)
		}
	}
	return strings.Join(all, "\n")
}

// TestEveryRequiredSettingIsProven damages each property of a claim: the claim must fail and name it.
func TestEveryRequiredSettingIsProven(t *testing.T) {
	for _, s := range proof.RequiredSettings() {
		kind := s.Token[strings.LastIndex(s.Token, ":")+1:]
		noticed := slices.ContainsFunc(append([]string{"aurora"}, shippedNames...), func(stack string) bool {
			d := open(t, stateOf(t, stack))
			damaged := false
			for _, r := range d.resources {
				if one := r.(map[string]any); one["type"] == s.Token {
					damaged = damage(one["inputs"], strings.Split(s.Path, ".")) || damaged
				}
			}
			if !damaged {
				return false
			}
			said := faults(t, d.state(), wantOf(t, stack), s.Claim)
			return strings.Contains(said, kind+" ") && strings.Contains(said, " has "+s.Path+" damaged: ")
		})
		assert.True(t, noticed, "no stack fails when %s of a %s is damaged", s.Path, kind)
	}
}

// TestEveryRequiredOrderIsProven removes every dependency of a type: the claim must fail and name both.
func TestEveryRequiredOrderIsProven(t *testing.T) {
	for _, pair := range proof.Waits() {
		what, before := pair[0], pair[1]
		kind := func(token string) string { return token[strings.LastIndex(token, ":")+1:] + " " }
		noticed := slices.ContainsFunc(append([]string{"monitored", "monitored cluster", "listener tasks"}, shippedNames...), func(stack string) bool {
			d := open(t, stateOf(t, stack))
			damaged := false
			for _, r := range d.resources {
				if one := r.(map[string]any); one["type"] == what {
					one["dependencies"] = []any{}
					damaged = true
				}
			}
			return damaged && slices.ContainsFunc(strings.Split(faults(t, d.state(), wantOf(t, stack), waits), "\n"), func(line string) bool {
				return strings.HasPrefix(line, kind(what)) && strings.Contains(line, " does not wait for "+kind(before))
			})
		})
		assert.True(t, noticed, "no stack fails when a %s waits for no %s", what, before)
	}
}

// TestUsersOfARoleWaitForItsPolicies removes the dependencies of resources with a role, one at a time.
func TestUsersOfARoleWaitForItsPolicies(t *testing.T) {
	for kind, want := range map[string][3]string{
		"FlowLog":     {"dev", "vpc", "FlowLog vpc does not wait for RolePolicy flow-logs: it acts under Role flow-logs"},
		"Association": {"dev", "node-1", "Association node-1 does not wait for RolePolicy members: it acts under Role members"},
		"Instance":    {"dev", "node-1", "Instance node-1 does not wait for RolePolicy nodes: it acts under Role nodes"},
		"Group":       {"prod", "nodes", "Group nodes does not wait for BucketObjectv2 nodes/all/deployment.toml: a node that starts first"},
		"Service":     {"ecs", "nodes", "Service nodes does not wait for RolePolicy task: it acts under Role task"},
		"NodeGroup":   {"eks", "nodes", "NodeGroup nodes does not wait for RolePolicyAttachment nodes-AmazonEKSWorkerNodePolicy"},
		"Deployment":  {"eks", "server", "Deployment server does not wait for PodIdentityAssociation pods: a pod that starts first gets no"},
	} {
		d := open(t, stateOf(t, want[0]))
		d.get(kind, want[1])["dependencies"] = []any{}
		d.get(kind, want[1])["propertyDependencies"] = map[string]any{}
		assert.Contains(t, faults(t, d.state(), wantOf(t, want[0]), "Every resource waits for the resources that it needs"), want[2])
	}
}

func TestUnreferencedResourcesAreFaults(t *testing.T) {
	d := open(t, stateOf(t, "prod"))
	d.set("Instance", "main", "parameterGroupName", nil)
	assert.Regexp(t, "^ParameterGroup [a-z0-9]+ is made, and nothing names it$",
		faults(t, d.state(), wantOf(t, "prod"), "Every resource made for another one is used"))
}

func TestBucketsAreClosedAndDataIsProtected(t *testing.T) {
	const claim = "All stored data is encrypted with the stack's key"
	d := open(t, stateOf(t, "prod"))
	d.drop("BucketPublicAccessBlock", "config")
	d.get("FileSystem", "shared")["protect"] = false
	said := faults(t, d.state(), wantOf(t, "prod"), claim)
	assert.Contains(t, said, "BucketV2 config has no BucketPublicAccessBlock")
	assert.Contains(t, said, "FileSystem shared is not protected: an update may replace it")

	d = open(t, stateOf(t, "dev"))
	d.get("FileSystem", "shared")["protect"] = false
	assert.Empty(t, faults(t, d.state(), wantOf(t, "dev"), claim), "a stack that may be thrown away needs no protection")
}

// Pulumi refuses to replace a protected resource, and another value of a secret is another version.
func TestOnlyRenewedSecretsAreUnprotected(t *testing.T) {
	const claim, key = "All stored data is encrypted with the stack's key", "encryption-key"
	d, want := open(t, stateOf(t, "prod")), wantOf(t, "prod")
	want.Renewed = map[string]bool{key: true}
	assert.Contains(t, faults(t, d.state(), want, claim), "SecretVersion encryption-key is protected, although the stack file gives the value")
	d.get("SecretVersion", key)["protect"] = false
	assert.Empty(t, faults(t, d.state(), want, claim))
	assert.Contains(t, faults(t, d.state(), wantOf(t, "prod"), claim), "SecretVersion encryption-key is not protected")
}

// statements changes each statement of the policies of a type.
func statements(t *testing.T, d *document, kind string, change func(statement map[string]any)) {
	t.Helper()
	for _, r := range d.resources {
		if !is(r, kind, "") {
			continue
		}
		for _, part := range []string{"inputs", "outputs"} {
			in := r.(map[string]any)[part].(map[string]any)
			var policy map[string]any
			text, _ := in["policy"].(string)
			require.NoError(t, json.Unmarshal([]byte(text), &policy))
			for _, s := range policy["Statement"].([]any) {
				change(s.(map[string]any))
			}
			raw, err := json.Marshal(policy)
			require.NoError(t, err)
			in["policy"] = string(raw)
		}
	}
}

func TestPoliciesNameWhatTheyAllow(t *testing.T) {
	const claim = "Each policy names its resources, and none allows everybody without a condition"
	for _, stack := range shippedNames {
		d := open(t, stateOf(t, stack))
		statements(t, d, "RolePolicy", func(s map[string]any) { s["Resource"] = "*"; delete(s, "Condition") })
		statements(t, d, "FileSystemPolicy", func(s map[string]any) { s["Principal"] = "*"; delete(s, "Condition") })
		said := faults(t, d.state(), wantOf(t, stack), claim)
		for _, want := range []string{
			"allows secretsmanager:GetSecretValue on everything: name the resource in ",
			"allows cloudwatch:PutMetricData on everything: ReportMembers needs a condition on cloudwatch:namespace",
			"FileSystemPolicy shared allows everybody the actions of NodesMount, without a condition",
		} {
			assert.Contains(t, said, want, stack)
		}
		assert.NotContains(t, said, "ec2:Describe", stack)
	}
	d := open(t, stateOf(t, "dev"))
	statements(t, d, "RolePolicy", func(s map[string]any) { delete(s, "Condition") })
	said := faults(t, d.state(), wantOf(t, "dev"), claim)
	for _, want := range []string{
		"RolePolicy members allows the actions of RunOnNodes on every instance",
		"RolePolicy schema-maker allows iam:PassRole for any service: PassInstanceRole needs a condition on iam:PassedToService",
		"RolePolicy schema-maker allows kms:CreateGrant for any service: EncryptDisk needs a condition on kms:",
	} {
		assert.Contains(t, said, want)
	}
	d = open(t, stateOf(t, "dev"))
	statements(t, d, "Key", func(s map[string]any) { delete(s, "Condition") })
	assert.Contains(t, faults(t, d.state(), wantOf(t, "dev"), claim), "allows logs.eu-west-1.amazonaws.com the actions of Logs for any account")
}

// TestTheKeyOfAFinalSnapshotStays checks that the key of a snapshot remains, and that a stack file may delete both.
func TestTheKeyOfAFinalSnapshotStays(t *testing.T) {
	const claim = "The snapshots and backups of a deleted database can be read"
	d := open(t, stateOf(t, "prod"))
	d.get("Key", "key")["retainOnDelete"] = false
	assert.Equal(t, "Instance main leaves a snapshot or backups when it is deleted, and Key key, which opens them, is deleted too",
		faults(t, d.state(), wantOf(t, "prod"), claim))
	d.set("Instance", "main", "skipFinalSnapshot", true)
	d.set("Instance", "main", "deleteAutomatedBackups", true)
	assert.Empty(t, faults(t, d.state(), wantOf(t, "prod"), claim))
	const data = "Data can be restored"
	assert.Contains(t, faults(t, d.state(), wantOf(t, "prod"), data), "nothing is left of it when it is deleted")
	want, err := proof.ExpectedFrom(map[string]string{"wso2is:profile": "prod",
		"wso2is:database": `{"instance": {"skipFinalSnapshot": true, "deleteAutomatedBackups": true}}`})
	require.NoError(t, err)
	assert.Empty(t, faults(t, d.state(), want, data))
}

// TestARestoredDatabaseIsIndependentOfItsSnapshotsStack removes the settings that a restored instance needs besides its snapshot.
func TestARestoredDatabaseIsIndependentOfItsSnapshotsStack(t *testing.T) {
	const claim = "A restored database does not depend on the snapshot's stack"
	d := open(t, stateOf(t, "prod"))
	d.set("Instance", "main", "snapshotIdentifier", "other-stack-final")
	assert.Equal(t, "Instance main is made from other-stack-final, which is no copy of the stack's own: it has the key of the stack that "+
		"made the snapshot", faults(t, d.state(), wantOf(t, "prod"), claim))
	d.get("Instance", "main")["outputs"].(map[string]any)["masterUserSecrets"] = []any{}
	assert.Contains(t, faults(t, d.state(), wantOf(t, "prod"), claim), "has no managed master password")
}
