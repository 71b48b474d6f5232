package apiserver

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// refusals checks that the server refuses a manifest with one mistake, and that its message names the mistake.
func (c *cluster) refusals(t *testing.T) {
	all := load(t, "default")
	find := func(kind, name string) *unstructured.Unstructured {
		for _, o := range all {
			if o.GetKind() == kind && (name == "" || o.GetName() == name) {
				return o.DeepCopy()
			}
		}
		t.Fatalf("there is no %s %s", kind, name)
		return nil
	}
	for _, o := range all {
		if o.GetKind() == "Namespace" || o.GetKind() == "ServiceAccount" {
			if err := c.apply(o); err != nil {
				t.Fatal(err)
			}
		}
	}
	set := func(o *unstructured.Unstructured, value any, path ...string) *unstructured.Unstructured {
		if err := unstructured.SetNestedField(o.Object, value, path...); err != nil {
			t.Fatal(err)
		}
		return o
	}
	container := func(o *unstructured.Unstructured, field string, value any) *unstructured.Unstructured {
		list, _, err := unstructured.NestedSlice(o.Object, "spec", "containers")
		if err != nil || len(list) == 0 {
			t.Fatalf("no containers: %v", err)
		}
		list[0].(map[string]any)[field] = value
		return set(o, list, "spec", "containers")
	}
	// On the host's network a pod may not set kernel parameters, and the server would refuse these first.
	hosted := set(podOf(find("Deployment", "")), true, "spec", "hostNetwork")
	unstructured.RemoveNestedField(hosted.Object, "spec", "securityContext", "sysctls")
	binding := find("TargetGroupBinding", "")
	unstructured.RemoveNestedField(binding.Object, "spec", "serviceRef")
	for name, c2 := range map[string]struct {
		object *unstructured.Unstructured
		want   string
	}{
		"a misspelt field":              {set(find("Deployment", ""), int64(1), "spec", "replica"), `.spec.replica: field not declared`},
		"a text where a number belongs": {set(find("Deployment", ""), "two", "spec", "replicas"), "replicas"},
		"a selector that misses its pods": {
			set(find("Deployment", ""), "other", "spec", "selector", "matchLabels", "app.kubernetes.io/name"), "selector",
		},
		"a misspelt field of the load balancer controller's": {
			set(find("TargetGroupBinding", ""), "x", "spec", "targetGroupArn"), "targetGroupArn: field not declared",
		},
		"a binding without a service": {binding, "spec.serviceRef"},
		"a target type that is none": {
			set(find("TargetGroupBinding", ""), "pod", "spec", "targetType"), `Unsupported value: "pod"`,
		},
		"a misspelt field of the secrets driver's": {
			set(find("SecretProviderClass", ""), "x", "spec", "providers"), "providers: field not declared",
		},
		"a range that is no range": {
			set(find("NetworkPolicy", "wso2is-serve"), []any{map[string]any{"from": []any{
				map[string]any{"ipBlock": map[string]any{"cidr": "10.0.0.0"}},
			}}}, "spec", "ingress"), "cidr",
		},
		"a privileged pod": {
			container(podOf(find("Deployment", "")), "securityContext", map[string]any{"privileged": true}),
			`violates PodSecurity "restricted:latest"`,
		},
		"a pod as root": {
			set(podOf(find("Deployment", "")), int64(0), "spec", "securityContext", "runAsUser"), "runAsUser=0",
		},
		"a pod on its host's network": {hosted, "host namespaces"},
	} {
		err := c.apply(c2.object, metav1.DryRunAll)
		if err == nil {
			t.Errorf("%s: the server takes it", name)
		} else if !strings.Contains(err.Error(), c2.want) {
			t.Errorf("%s: refused for something else: %v", name, err)
		}
	}
}
