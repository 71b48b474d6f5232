package cloud

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/pkg/v3/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// objectOrder is the order in which the program makes its objects.
var objectOrder = []string{
	state.Namespace, state.ServiceAccount, state.KubernetesRole, state.RoleBinding, state.NetworkPolicy, state.ConfigMap, state.KubernetesSecret,
	state.SecretProviderClass, state.PersistentVolume, state.PersistentVolumeClaim, state.Job, state.KubernetesService, state.TargetGroupBinding, state.Deployment, state.PodDisruptionBudget,
	state.HorizontalPodAutoscaler,
}

// pods is kubernetes with hosts, controllers, and everything in the workload's manifests.
func pods(t *testing.T) *world {
	t.Helper()
	w := kubernetes(t)
	there := func(token, id string, outputs Object) {
		outputs["id"] = id
		require.NoError(t, w.put(&Resource{Token: token, ID: id, Inputs: outputs, Outputs: outputs, Existing: true}))
	}
	there(state.FileSystem, "fs-0123456789abcdef0", Object{})
	there(state.AccessPoint, "fsap-0123456789abcdef1", Object{"fileSystemId": "fs-0123456789abcdef0"})
	there(state.AccessPoint, "fsap-0123456789abcdef2", Object{"fileSystemId": "fs-0123456789abcdef0"})
	group := "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/wso2is/0123456789abcdef"
	there(state.TargetGroup, group, Object{"arn": group, "targetType": "ip"})
	for _, name := range []string{
		"admin-password", "db-identity-password", "db-shared-password", "encryption-key", "endpoint-password", "keystore",
		"keystore-password", "main", "database-identity", "database-shared",
	} {
		arn := "arn:aws:secretsmanager:eu-west-1:123456789012:secret:" + name
		there(state.Secret, arn, Object{"arn": arn})
	}
	there(state.NodeGroup, "dev:nodes", Object{})
	for _, host := range []struct{ id, subnet, zone string }{{"i-1", "a", "eu-west-1a"}, {"i-2", "b", "eu-west-1b"}} {
		require.NoError(t, w.put(&Resource{Token: state.EC2Instance, ID: host.id, Owner: "dev:nodes", Inputs: Object{}, Outputs: Object{
			"id": host.id, "subnetId": w.ids[host.subnet], "availabilityZone": host.zone, "instanceType": "m6i.2xlarge",
		}}))
	}
	there(state.Addon, "dev:aws-secrets-store-csi-driver-provider", Object{"addonName": "aws-secrets-store-csi-driver-provider",
		"configurationValues": `{"secrets-store-csi-driver":{"syncSecret":{"enabled":true}}}`})
	w.create(state.HelmRelease, "controller", controller(w, nil))
	return w
}

func controller(w *world, values Object) Object {
	all := Object{"clusterName": "dev", "region": "eu-west-1", "vpcId": w.ids["vpc"]}
	for key, value := range values {
		all[key] = value
	}
	return Object{
		"chart": "aws-load-balancer-controller", "version": "1.14.1", "namespace": "kube-system", "name": "controller",
		"repositoryOpts": Object{"repo": "https://aws.github.io/eks-charts"}, "values": all,
	}
}

// manifest returns an object of the workload, by kind and Pulumi name.
func manifest(t *testing.T, kind, name string) (string, Object) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../../components/workload/testdata/autoscaled", kind+"-"+name+".yaml"))
	require.NoError(t, err)
	var raw any
	require.NoError(t, yaml.Unmarshal(text, &raw))
	// Numbers have the type in which Pulumi sends them.
	encoded, err := json.Marshal(raw)
	require.NoError(t, err)
	var in Object
	require.NoError(t, json.Unmarshal(encoded, &in))
	for _, token := range objectOrder {
		if strings.HasSuffix(token, ":"+kind) {
			return token, in
		}
	}
	t.Fatalf("no row is of the kind %s", kind)
	return "", nil
}

// deploy makes the workload up to the named object, without it; or all of it.
func (w *world) deploy(until string) {
	w.Helper()
	files, err := filepath.Glob("../../components/workload/testdata/autoscaled/*.yaml")
	require.NoError(w.T, err)
	for _, token := range objectOrder {
		for _, file := range files {
			kind, name, _ := strings.Cut(strings.TrimSuffix(filepath.Base(file), ".yaml"), "-")
			if !strings.HasSuffix(token, ":"+kind) {
				continue
			}
			if kind+"/"+name == until {
				return
			}
			_, in := manifest(w.T, kind, name)
			w.create(token, kind+"/"+name, in)
		}
	}
}

// set sets a value in an object by its path; nil deletes it.
func set(in Object, value any, path ...any) Object {
	var at any = in
	for _, step := range path[:len(path)-1] {
		switch step := step.(type) {
		case string:
			at = at.(Object)[step]
		case int:
			at = at.([]any)[step]
		}
	}
	last := path[len(path)-1]
	switch last := last.(type) {
	case string:
		if value == nil {
			delete(at.(Object), last)
		} else {
			at.(Object)[last] = value
		}
	case int:
		at.([]any)[last] = value
	}
	return in
}

func TestTheWorkloadIsAccepted(t *testing.T) {
	w := pods(t)
	w.deploy("")
	running := w.Snapshot().Of(RunningPod)
	require.Len(t, running, 3)
	zones := map[string]bool{}
	for _, p := range running {
		zones[text(p.Outputs, "availabilityZone")] = true
		assert.Regexp(t, `^10\.0\.[01]\.`, text(p.Outputs, "privateIp"), "an address of its host's subnet")
	}
	assert.Len(t, zones, 2, "pods are in every zone that has hosts")
}

func TestObjectsNeedTheirDefinitions(t *testing.T) {
	w := pods(t)
	require.NoError(t, w.Delete(state.HelmRelease, "kube-system/controller", nil))
	w.deploy("TargetGroupBinding/target-group")
	token, in := manifest(t, "TargetGroupBinding", "target-group")
	_, err := w.try(token, "target-group", in)
	require.ErrorContains(t, err, `no matches for kind "TargetGroupBinding"`)
}

func TestDeletesInAWrongOrderAreRefused(t *testing.T) {
	w := pods(t)
	w.deploy("")
	for what, want := range map[[2]string]string{
		{state.Namespace, "wso2is"}:                                  "would also delete",
		{state.HelmRelease, "kube-system/controller"}:                "is still needed to delete",
		{state.PersistentVolume, "wso2is-test-tenants"}:              "PersistentVolumeClaim",
		{state.PersistentVolumeClaim, "wso2is/wso2is-tenants"}:       "Deployment",
		{state.ServiceAccount, "wso2is/wso2is"}:                      "is still used by",
		{state.ConfigMap, "wso2is/config-00000000"}:                  "Deployment",
		{state.KubernetesService, "wso2is/wso2is"}:                   "TargetGroupBinding",
		{state.SecretProviderClass, "wso2is/wso2is-server-00000000"}: "Deployment",
		{state.Deployment, "wso2is/wso2is"}:                          "HorizontalPodAutoscaler",
		{state.EKSCluster, "dev"}:                                    "dev",
	} {
		require.ErrorContains(t, w.Delete(what[0], what[1], nil), want, what)
	}
	require.NoError(t, w.Delete(state.ConfigMap, "wso2is/schema-00000000", nil), "the Job that reads it has ended")
	for _, token := range slices.Backward(objectOrder) {
		for _, r := range w.Snapshot().Of(token) {
			require.NoError(t, w.Delete(token, r.ID, r.Outputs), r.ID)
		}
	}
	assert.Empty(t, w.Snapshot().Of(RunningPod))
	require.NoError(t, w.Delete(state.HelmRelease, "kube-system/controller", nil))
}

func TestCharts(t *testing.T) {
	w := pods(t)
	for name, c := range map[string]struct {
		change func(Object) Object
		want   string
	}{
		"an unknown chart": {
			func(in Object) Object {
				return set(in,
					"nginx", "chart")
			}, "there is no chart nginx",
		},
		"no version":         {func(in Object) Object { return set(in, nil, "version") }, "version is required"},
		"the newest version": {func(in Object) Object { return set(in, "1.x", "version") }, "an exact version"},
		"a misspelt value": {
			func(in Object) Object {
				return set(in,
					"x", "values", "vpcID")
			}, "has no value vpcID",
		},
		"no cluster": {
			func(in Object) Object {
				return set(in, nil,
					"values", "clusterName")
			}, "needs the value clusterName",
		},
		"another cluster": {
			func(in Object) Object {
				return set(in,
					"prod", "values", "clusterName")
			}, "there is no such cluster",
		},
		"another region": {
			func(in Object) Object {
				return set(in,
					"us-east-1", "values", "region")
			}, "values.region is us-east-1",
		},
		"another VPC": {
			func(in Object) Object {
				return set(in,
					"vpc-1", "values", "vpcId")
			}, "there is no such VPC",
		},
		"a registry that need not have it": {
			func(in Object) Object {
				return set(in, Object{"repository": "602401143452.dkr.ecr.eu-west-1.amazonaws.com/amazon/aws-load-balancer-controller"},
					"values", "image")
			}, "ErrImagePull",
		},
		"from nowhere": {
			func(in Object) Object {
				return set(in, nil,
					"repositoryOpts")
			}, "comes from no repository",
		},
	} {
		_, err := w.try(state.HelmRelease, "second", set(c.change(controller(w, nil)), "second", "name"))
		require.ErrorContains(t, err, c.want, name)
	}
}

func TestNamesAreTheProviders(t *testing.T) {
	w := pods(t)
	k := NewKubernetes(w.Cloud)
	token, in := manifest(t, "ConfigMap", "config")
	set(in, nil, "metadata", "name")
	check := func(olds, news Object) Object {
		t.Helper()
		var old property.Map
		if olds != nil {
			old = properties(olds, nil)
		}
		r, err := k.Check(t.Context(), plugin.CheckRequest{
			URN: resource.URN(urn(token, "config")), Type: tokens.Type(token), Name: "config", OldInputs: old, NewInputs: properties(news, nil),
		})
		require.NoError(t, err)
		require.Empty(t, r.Failures)
		checked, _ := plain(r.Properties)
		return checked
	}
	w.create(state.Namespace, "wso2is", Object{"metadata": Object{"name": "wso2is"}, "kind": "Namespace", "apiVersion": "v1"})
	first := check(nil, in)
	assert.Regexp(t, regexp.MustCompile(`^config-[0-9a-f]{8}$`), text(first, "metadata.name"))
	_, err := w.Create(token, urn(token, "config"), "config", first, nil, false)
	require.NoError(t, err)
	changed := set(clone(in), "another", "data", "deployment.toml")
	kept := check(first, changed)
	assert.Equal(t, get(first, "metadata.name"), get(kept, "metadata.name"), "the name stays until the object is replaced")
	diff := func(olds, news Object) plugin.DiffResult {
		t.Helper()
		d, err := k.Diff(context.Background(), plugin.DiffRequest{
			URN: resource.URN(urn(token, "config")), Type: tokens.Type(token), OldInputs: properties(olds, nil),
			NewInputs: properties(news, nil),
		})
		require.NoError(t, err)
		return d
	}
	d := diff(first, kept)
	assert.True(t, d.Replace(), "a ConfigMap's data are those of another one")
	assert.False(t, d.DeleteBeforeReplace, "both are there until nobody names the old one")
	assert.NotEqual(t, get(first, "metadata.name"), get(check(nil, changed), "metadata.name"))

	named := set(clone(in), "fixed", "metadata", "name")
	d = diff(named, set(clone(named), "another", "data", "deployment.toml"))
	assert.True(t, d.Replace() && d.DeleteBeforeReplace, "two of one name cannot be")
}

func TestKubeconfigLeadsToTheClusterThatIsRehearsed(t *testing.T) {
	w := kubernetes(t)
	cluster := w.Snapshot().Of(state.EKSCluster)[0]
	server, ca := text(cluster.Outputs, "endpoint"), text(cluster.Outputs, "certificateAuthority.data")
	write := func(server, ca, name, extra string) Object {
		return Object{"kubeconfig": `{"apiVersion":"v1","kind":"Config","current-context":"c",
			"contexts":[{"name":"c","context":{"cluster":"k","user":"u"}}],
			"clusters":[{"name":"k","cluster":{"server":"` + server + `","certificate-authority-data":"` + ca + `"` + extra + `}}],
			"users":[{"name":"u","user":{"exec":{"command":"aws","args":["eks","get-token","--cluster-name","` + name + `"]}}}]}`}
	}
	require.NoError(t, w.configureKubernetes(write(server, ca, "dev", "")))
	require.NoError(t, w.configureKubernetes(Object{"kubeconfig": Unknown{}}), "in a preview the cluster is still to come")
	for want, config := range map[string]Object{
		"no kubeconfig":                 {},
		"no cluster of this account":    write("https://example.com", ca, "dev", ""),
		"certificate authority":         write(server, "x", "dev", ""),
		"does not name the cluster dev": write(server, ca, "prod", ""),
		"trusts every server":           write(server, ca, "dev", `,"insecure-skip-tls-verify":true`),
		"no context":                    {"kubeconfig": "{}"},
		"is no YAML":                    {"kubeconfig": "\t{"},
	} {
		require.ErrorContains(t, w.configureKubernetes(config), want)
	}
}

// TestEveryPathExistsInKubernetesTypes compares the rows with Kubernetes' own types. Another test compares those of AWS
// with the SDK.
func TestEveryPathExistsInKubernetesTypes(t *testing.T) {
	for token, kind := range objectKinds {
		row := table[token]
		require.NotNil(t, row, token)
		for _, path := range row.paths() {
			assert.True(t, hasField(reflect.TypeOf(kind), strings.Split(path, ".")), "%s has no field %s", token, path)
		}
	}
}

func hasField(at reflect.Type, path []string) bool {
	for at.Kind() == reflect.Pointer || at.Kind() == reflect.Slice {
		at = at.Elem()
	}
	if len(path) == 0 || at.Kind() == reflect.Map || at.Kind() == reflect.Interface {
		return true
	}
	if at.Kind() != reflect.Struct {
		return false
	}
	for i := range at.NumField() {
		f := at.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == strings.TrimSuffix(path[0], "[]") && name != "" {
			return hasField(f.Type, path[1:])
		}
		if name == "" && (strings.Contains(options, "inline") || f.Anonymous) && hasField(f.Type, path) {
			return true
		}
	}
	return false
}
