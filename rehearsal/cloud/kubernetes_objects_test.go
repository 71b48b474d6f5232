package cloud

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// edit sets one value in a manifest of the workload; nil deletes it.
type edit struct {
	kind, object string
	value        any
	path         []any
	want         string
}

// inPod returns a path within the pods of a template.
func inPod(steps ...any) []any { return append([]any{"spec", "template", "spec"}, steps...) }

// manifestsAreRefused makes the workload up to the edited object. Its message must name the mistake.
func manifestsAreRefused(t *testing.T, edits map[string]edit) {
	t.Helper()
	for name, c := range edits {
		t.Run(name, func(t *testing.T) {
			w := pods(t)
			w.deploy(c.kind + "/" + c.object)
			token, in := manifest(t, c.kind, c.object)
			_, err := w.try(token, c.object, set(in, c.value, c.path...))
			require.ErrorContains(t, err, c.want)
		})
	}
}

func TestRefusesWrongDeployments(t *testing.T) {
	manifestsAreRefused(t, map[string]edit{
		"a misspelt field": {
			"Deployment", "server", 1.0,
			[]any{"spec", "replica"}, `unknown field "spec.replica"`,
		},
		"a text for a number": {"Deployment", "server", "two", []any{"spec", "replicas"}, "cannot unmarshal"},
		"another apiVersion": {
			"Deployment", "server", "apps/v1beta1",
			[]any{"apiVersion"}, `the apiVersion is "apps/v1beta1"`,
		},
		"a selector of others": {
			"Deployment", "server", "x",
			[]any{"spec", "selector", "matchLabels", "app.kubernetes.io/name"}, "does not match template",
		},
		"no account": {
			"Deployment", "server", "nobody",
			inPod("serviceAccountName"), "there is no such core ServiceAccount",
		},
		"no volume": {
			"Deployment", "server", "nothing",
			inPod("containers", 0, "volumeMounts", 0, "name"), `mounts the volume "nothing"`,
		},
		"no ConfigMap": {
			"Deployment", "server", "gone",
			inPod("volumes", 3, "configMap", "name"), "there is no such core ConfigMap",
		},
		"no key of a ConfigMap": {
			"Deployment", "server", "x.toml",
			inPod("volumes", 3, "configMap", "items", 0, "key"), "has no key x.toml",
		},
		"a file at an absolute path": {
			"Deployment", "server", "/nothing",
			inPod("volumes", 3, "configMap", "items", 0, "path"), "a path must be relative",
		},
		"a protocol that is none": {
			"Deployment", "server", "HTTP",
			inPod("containers", 0, "ports", 0, "protocol"), "a port with the protocol HTTP",
		},
		"no key of a secret": {
			"Deployment", "server", "OTHER",
			inPod("containers", 0, "env", 10, "valueFrom", "secretKeyRef", "key"), "takes WSO2_",
		},
		"a probe of no port": {
			"Deployment", "server", Object{"httpGet": Object{"path": "/", "port": "http"}},
			inPod("containers", 0, "livenessProbe"), `asked on the port "http"`,
		},
		"a port that none sends": {
			"Deployment", "server", "web",
			inPod("containers", 0, "ports", 0, "name"), `sends to the port "https"`,
		},
		"more than the limit": {
			"Deployment", "server", "9",
			inPod("containers", 0, "resources", "requests", "cpu"), "asks for more cpu",
		},
	})
}

func TestRefusesWhatPodSecurityForbids(t *testing.T) {
	manifestsAreRefused(t, map[string]edit{
		"root": {"Deployment", "server", 0.0, inPod("securityContext", "runAsUser"),
			`violates PodSecurity "restricted:latest"`},
		"escalation": {"Deployment", "server", true, inPod("containers", 0, "securityContext", "allowPrivilegeEscalation"),
			"allowPrivilegeEscalation != false"},
	})
}

func TestRefusesWrongJobsAndRoles(t *testing.T) {
	manifestsAreRefused(t, map[string]edit{
		"a job that starts anew": {"Job", "schema", "Always", inPod("restartPolicy"), "none of Never, OnFailure"},
		"a role for nothing": {
			"Role", "discovery", []any{Object{"apiGroups": []any{""}, "resources": []any{}, "verbs": []any{"get"}}},
			[]any{"rules"}, "resources is empty",
		},
		"a binding to no role": {
			"RoleBinding", "discovery", "other",
			[]any{"roleRef", "name"}, "no such rbac.authorization.k8s.io Role",
		},
	})
}

func TestRefusesWrongNamesAndRanges(t *testing.T) {
	manifestsAreRefused(t, map[string]edit{
		"no range": {
			"NetworkPolicy", "serve", "10.0.0.1/24",
			[]any{"spec", "ingress", 0, "from", 0, "ipBlock", "cidr"}, "bits beyond its mask",
		},
		"no namespace": {
			"ServiceAccount", "server", "other",
			[]any{"metadata", "namespace"}, `namespaces "other" not found`,
		},
		"a name that is none": {"Service", "server", "WSO2_IS", []any{"metadata", "name"}, "RFC 1123"},
		"a label that is none": {
			"Service", "server", "a b",
			[]any{"metadata", "labels", "app.kubernetes.io/name"}, "a valid label",
		},
	})
}

func TestRefusesWrongVolumes(t *testing.T) {
	manifestsAreRefused(t, map[string]edit{
		"no file system": {
			"PersistentVolume", "Tenants", "fs-00000000000000000::fsap-0123456789abcdef1",
			[]any{"spec", "csi", "volumeHandle"}, "no such file system",
		},
		"no access point": {
			"PersistentVolume", "Tenants", "fs-0123456789abcdef0::fsap-00000000000000000",
			[]any{"spec", "csi", "volumeHandle"}, "no such access point",
		},
		"another's volume": {
			"PersistentVolumeClaim", "Tenants", "wso2is-test-userstores",
			[]any{"spec", "volumeName"}, "the claim's name is",
		},
		"a claim of another mode": {
			"PersistentVolumeClaim", "Tenants", []any{"ReadWriteOnce"},
			[]any{"spec", "accessModes"}, "cannot be mounted ReadWriteOnce",
		},
		"the default class": {
			"PersistentVolumeClaim", "Tenants", "gp3",
			[]any{"spec", "storageClassName"}, "storage class",
		},
	})
}

func TestRefusesWrongTargetGroupBindings(t *testing.T) {
	manifestsAreRefused(t, map[string]edit{
		"a target of instances": {
			"TargetGroupBinding", "target-group", "instance",
			[]any{"spec", "targetType"}, "takes ip",
		},
		"a port of no service": {
			"TargetGroupBinding", "target-group", 443.0,
			[]any{"spec", "serviceRef", "port"}, "has no port 443",
		},
		"no target group": {
			"TargetGroupBinding", "target-group", "arn:aws:x",
			[]any{"spec", "targetGroupARN"}, "TargetGroupNotFound",
		},
	})
}

func TestRefusesWrongSecretProviderClasses(t *testing.T) {
	manifestsAreRefused(t, map[string]edit{
		"no such object": {
			"SecretProviderClass", "server-secrets", "GONE",
			[]any{"spec", "secretObjects", 0, "data", 0, "objectName"}, "no object is called GONE",
		},
		"no such secret": {"SecretProviderClass", "server-secrets", "- objectName: arn:aws:secretsmanager:eu-west-1:1:secret:x\n  objectType: secretsmanager\n",
			[]any{"spec", "parameters", "objects"}, "no object is called"},
	})
}

func TestRefusesWrongBudgetsAndAutoscalers(t *testing.T) {
	manifestsAreRefused(t, map[string]edit{
		"a budget of nobody's pods": {
			"PodDisruptionBudget", "server", "x",
			[]any{"spec", "selector", "matchLabels", "app.kubernetes.io/name"}, "finds no pods",
		},
		"an autoscaler of nothing": {
			"HorizontalPodAutoscaler", "server", "other",
			[]any{"spec", "scaleTargetRef", "name"}, "no such apps Deployment",
		},
		"an autoscaler upside down": {
			"HorizontalPodAutoscaler", "server", 2.0,
			[]any{"spec", "maxReplicas"}, "spec.minReplicas 3",
		},
		"a load that nobody measures": {
			"HorizontalPodAutoscaler", "server", "x",
			[]any{"spec", "metrics", 0, "containerResource", "container"}, "has no container x",
		},
	})
}

// TestSecretsOfTheSecretsStoreDriver covers the refusals and the omissions of the Secrets Store
// CSI driver.
func TestSecretsOfTheSecretsStoreDriver(t *testing.T) {
	pod := func(readOnly bool) corev1.Volume {
		return corev1.Volume{Name: "secrets", VolumeSource: corev1.VolumeSource{CSI: &corev1.CSIVolumeSource{Driver: secretsStore, ReadOnly: &readOnly}}}
	}
	for _, readOnly := range []bool{true, false} {
		var wrong []string
		volumeFits(pod(readOnly), func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) })
		if readOnly {
			assert.Empty(t, wrong)
		} else {
			assert.Equal(t, []string{"volumes: secrets is not read-only, which the driver secrets-store.csi.k8s.io refuses"}, wrong)
		}
	}
	for values, made := range map[string]bool{
		`{"secrets-store-csi-driver":{"syncSecret":{"enabled":true}}}`: true, `{}`: false, "": false,
	} {
		w := kubernetes(t)
		assert.True(t, w.syncsSecrets(), "an existing cluster is taken to")
		in := Object{"addonName": "aws-secrets-store-csi-driver-provider", "configurationValues": values}
		require.NoError(t, w.put(&Resource{Token: state.Addon, ID: "dev:secrets", Inputs: in, Outputs: in}))
		assert.Equal(t, made, w.syncsSecrets(), values)
	}
}
