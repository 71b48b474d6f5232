package apiserver

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"sigs.k8s.io/yaml"
)

// releases are the values of the configuration key eks.version. One server emulates them all: Kubernetes' own emulation
// switches off later features.
var releases = []string{"1.34", "1.35", "1.36"}

// manifests is the directory of the golden manifests, with a directory for each case.
const manifests = "../../components/workload/testdata"

// definitions are the modules with the definitions of the custom resources, and their known checksums.
var definitions = []struct{ module, sum, file string }{
	{
		"sigs.k8s.io/aws-load-balancer-controller@v0.0.0-20221203001353-edeb4f1c1312",
		"h1:iqmp1UXslxq7MuJDW/7arHBniplzp2MbItx0PXP7r/8=",
		"config/crd/bases/elbv2.k8s.aws_targetgroupbindings.yaml",
	},
	{
		"sigs.k8s.io/secrets-store-csi-driver@v1.5.3",
		"h1:SBsYaGmuQN9EIHwi32gaf0k94hyjjeaQ5eWeyqC0lWQ=",
		"config/crd/bases/secrets-store.csi.x-k8s.io_secretproviderclasses.yaml",
	},
}

// cluster is an API server and clients for every kind of object.
type cluster struct {
	config *rest.Config
	client dynamic.Interface
	mapper meta.ResettableRESTMapper
}

// open starts a server of the release with the custom resources.
func open(t *testing.T, release string) *cluster {
	t.Helper()
	config := start(t, release)
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	known, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	c := &cluster{config, client, restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(known))}
	for _, d := range definitions {
		c.define(t, d.module, d.sum, d.file)
	}
	return c
}

// define installs a custom resource's definition from its module.
func (c *cluster) define(t *testing.T, module, sum, file string) {
	t.Helper()
	out, err := exec.Command("go", "mod", "download", "-json", module).Output()
	if err != nil {
		t.Fatalf("downloading %s: %v: %s", module, err, out)
	}
	var downloaded struct{ Dir, Sum string }
	if err := json.Unmarshal(out, &downloaded); err != nil {
		t.Fatal(err)
	}
	if downloaded.Sum != sum {
		t.Fatalf("%s has the checksum %s, not %s", module, downloaded.Sum, sum)
	}
	definition := read(t, filepath.Join(downloaded.Dir, file))
	// A schema that preserves unknown fields would accept every mistake.
	if text := fmt.Sprint(definition.Object); strings.Contains(text, "x-kubernetes-preserve-unknown-fields:true") {
		t.Fatalf("%s accepts everything", file)
	}
	// The server sets the status; this type has it only in old definitions.
	unstructured.RemoveNestedField(definition.Object, "status")
	if err := c.apply(definition); err != nil {
		t.Fatalf("defining %s: %v", definition.GetName(), err)
	}
	deadline := time.Now().Add(time.Minute)
	for {
		live, err := c.resource(definition).Get(context.Background(), definition.GetName(), metav1.GetOptions{})
		if err == nil && strings.Contains(fmt.Sprint(live.Object["status"]), "reason:InitialNamesAccepted status:True") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s is not established: %v %v", definition.GetName(), err, live)
		}
		time.Sleep(100 * time.Millisecond)
	}
	c.mapper.Reset()
}

func read(t *testing.T, path string) *unstructured.Unstructured {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	object := &unstructured.Unstructured{}
	// The API accepts whole numbers only, so JSON's numbers are used.
	if text, err = yaml.YAMLToJSONStrict(text); err == nil {
		err = object.UnmarshalJSON(text)
	}
	if err != nil {
		t.Fatalf("reading %s: %v", path, err)
	}
	return object
}

// first are the kinds that others need, in the program's order.
var first = []string{"Namespace", "ServiceAccount", "Role", "RoleBinding", "NetworkPolicy", "ConfigMap", "Secret",
	"SecretProviderClass", "PersistentVolume", "PersistentVolumeClaim", "Service", "TargetGroupBinding", "Ingress", "Job",
	"Deployment", "PodDisruptionBudget", "HorizontalPodAutoscaler"}

// load reads the manifests of a case.
func load(t *testing.T, name string) []*unstructured.Unstructured {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(manifests, name, "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no manifests of %s: %v", name, err)
	}
	var all []*unstructured.Unstructured
	for _, file := range files {
		object := read(t, file)
		if !slices.Contains(first, object.GetKind()) {
			t.Fatalf("nothing says when a %s is made", object.GetKind())
		}
		all = append(all, object)
	}
	slices.SortStableFunc(all, func(a, b *unstructured.Unstructured) int {
		return slices.Index(first, a.GetKind()) - slices.Index(first, b.GetKind())
	})
	return all
}

func caseNames(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir(manifests)
	if err != nil || len(entries) == 0 {
		t.Fatalf("there are no manifests: %v", err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// resource returns a client for an object's kind.
func (c *cluster) resource(o *unstructured.Unstructured) dynamic.ResourceInterface {
	kind := o.GroupVersionKind()
	mapping, err := c.mapper.RESTMapping(kind.GroupKind(), kind.Version)
	if err != nil {
		return unknown{err: err}
	}
	if mapping.Scope.Name() == meta.RESTScopeNameNamespace {
		return c.client.Resource(mapping.Resource).Namespace(o.GetNamespace())
	}
	return c.client.Resource(mapping.Resource)
}

// unknown is a client for a kind that the server does not have.
type unknown struct {
	dynamic.ResourceInterface
	err error
}

func (u unknown) Patch(
	context.Context, string, types.PatchType, []byte, metav1.PatchOptions, ...string,
) (*unstructured.Unstructured, error) {
	return nil, u.err
}

// apply does what Pulumi's Kubernetes provider does, but strictly: an unknown field is an error.
func (c *cluster) apply(o *unstructured.Unstructured, options ...string) error {
	text, err := o.MarshalJSON()
	if err != nil {
		return err
	}
	patch := metav1.PatchOptions{FieldManager: "pulumi-kubernetes", FieldValidation: metav1.FieldValidationStrict}
	patch.DryRun = options
	_, err = c.resource(o).Patch(context.Background(), o.GetName(), types.ApplyPatchType, text, patch)
	return err
}

// clear deletes a case's objects. Without controllers, nothing else removes their finalizers.
func (c *cluster) clear(t *testing.T, all []*unstructured.Unstructured) {
	t.Helper()
	ctx := context.Background()
	now, background := int64(0), metav1.DeletePropagationBackground
	for _, o := range slices.Backward(all) {
		if o.GetKind() == "Namespace" {
			continue // the next case has it too
		}
		if err := c.resource(o).Delete(ctx, o.GetName(), metav1.DeleteOptions{
			GracePeriodSeconds: &now, PropagationPolicy: &background,
		}); err != nil {
			t.Fatalf("deleting %s %s: %v", o.GetKind(), o.GetName(), err)
		}
		_, err := c.resource(o).Patch(ctx, o.GetName(), types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`),
			metav1.PatchOptions{})
		if err != nil && !apierrors.IsNotFound(err) {
			t.Fatalf("releasing %s %s: %v", o.GetKind(), o.GetName(), err)
		}
	}
}

func TestTheAPIServerTakesEveryManifest(t *testing.T) {
	for _, release := range releases {
		t.Run(release, func(t *testing.T) {
			c := open(t, release)
			for _, name := range caseNames(t) {
				t.Run(name, func(t *testing.T) {
					all := load(t, name)
					for _, o := range all {
						if err := c.apply(o); err != nil {
							t.Errorf("%s %s: %v", o.GetKind(), o.GetName(), err)
						}
					}
					if t.Failed() {
						return
					}
					for _, o := range all {
						c.kept(t, o)
					}
					for _, o := range all {
						c.podsAdmitted(t, o)
					}
					c.clear(t, all)
				})
			}
			t.Run("refusals", func(t *testing.T) { c.refusals(t) })
			t.Run("permissions", func(t *testing.T) { c.permissions(t) })
		})
	}
}

// kept checks that the server stores an object unchanged, and that applying it again changes nothing. If the server
// spelled a value differently, every update would show a difference.
func (c *cluster) kept(t *testing.T, o *unstructured.Unstructured) {
	t.Helper()
	ctx := context.Background()
	before, err := c.resource(o).Get(ctx, o.GetName(), metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	given := o.DeepCopy().Object
	if o.GetKind() == "Secret" {
		delete(given, "stringData") // write-only: it is returned as data
	}
	if at, ok := contains("", before.Object, given); !ok {
		t.Errorf("%s %s: the server keeps something else than it was given: %s", o.GetKind(), o.GetName(), at)
	}
	if err := c.apply(o); err != nil {
		t.Fatalf("%s %s, again: %v", o.GetKind(), o.GetName(), err)
	}
	after, err := c.resource(o).Get(ctx, o.GetName(), metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	// The server may raise the version when only the stored form differs.
	before.SetResourceVersion("")
	after.SetResourceVersion("")
	if !reflect.DeepEqual(before.Object, after.Object) {
		t.Errorf("%s %s: the same manifest changes it", o.GetKind(), o.GetName())
	}
}

// contains reports whether kept contains everything in given, and the first difference.
func contains(path string, kept, given any) (string, bool) {
	switch given := given.(type) {
	case map[string]any:
		has, ok := kept.(map[string]any)
		if !ok {
			// An empty object may be left out.
			return fmt.Sprintf("%s is %v", path, kept), len(given) == 0 && kept == nil
		}
		for key, value := range given {
			if at, ok := contains(path+"."+key, has[key], value); !ok {
				return at, false
			}
		}
		return "", true
	case []any:
		has, ok := kept.([]any)
		if !ok || len(has) != len(given) {
			return fmt.Sprintf("%s is %v instead of %v", path, kept, given), len(given) == 0 && kept == nil
		}
		for i, value := range given {
			if at, ok := contains(fmt.Sprintf("%s[%d]", path, i), has[i], value); !ok {
				return at, false
			}
		}
		return "", true
	}
	return fmt.Sprintf("%s is %#v instead of %#v", path, kept, given), reflect.DeepEqual(kept, given)
}

// podsAdmitted creates the pods that a controller would create, in the namespace with the program's labels: Pod
// Security and the other admission plugins decide.
func (c *cluster) podsAdmitted(t *testing.T, o *unstructured.Unstructured) {
	t.Helper()
	pod := podOf(o)
	if pod == nil {
		return
	}
	if err := c.apply(pod, metav1.DryRunAll); err != nil {
		t.Errorf("a pod of the %s %s: %v", o.GetKind(), o.GetName(), err)
	}
}

// podOf returns a pod from an object's template, or nil without a template.
func podOf(o *unstructured.Unstructured) *unstructured.Unstructured {
	template, ok, err := unstructured.NestedMap(o.Object, "spec", "template")
	if !ok || err != nil {
		return nil
	}
	pod := &unstructured.Unstructured{Object: template}
	pod.SetAPIVersion("v1")
	pod.SetKind("Pod")
	pod.SetName(o.GetName() + "-0")
	pod.SetNamespace(o.GetNamespace())
	return pod
}
