package cloud

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	psaapi "k8s.io/pod-security-admission/api"
	psapolicy "k8s.io/pod-security-admission/policy"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// portsNamed checks Services with several ports.
func portsNamed(c *Call) error {
	ports := objects(c.In, "spec.ports[]")
	names := map[string]bool{}
	for _, p := range ports {
		name := text(p, "name")
		if len(ports) > 1 && name == "" {
			return fail("Invalid", "spec.ports: a service with several ports names each of them")
		}
		if names[name] {
			return fail("Invalid", "spec.ports: the name %q is there twice", name)
		}
		names[name] = true
	}
	return nil
}

// podTemplate checks every pod alone.
func podTemplate(c *Call) error {
	var template corev1.PodTemplateSpec
	in, _ := get(c.In, "spec.template").(Object)
	if err := decode(in, &template); err != nil {
		return nil // isObject has reported it.
	}
	spec := template.Spec
	var wrong []error
	bad := func(format string, args ...any) {
		wrong = append(wrong, fail("Invalid", "spec.template.spec."+format, args...))
	}
	volumes, used := map[string]bool{}, map[string]bool{}
	for _, v := range spec.Volumes {
		if volumes[v.Name] {
			bad("volumes: the name %q is there twice", v.Name)
		}
		volumes[v.Name] = true
		volumeFits(v, bad)
	}
	if len(spec.Containers) == 0 {
		bad("containers: a pod has one at least")
	}
	names := map[string]bool{}
	for _, container := range slices.Concat(spec.InitContainers, spec.Containers) {
		if names[container.Name] || container.Name == "" {
			bad("containers: the name %q is empty or there twice", container.Name)
		}
		names[container.Name] = true
		if container.Image == "" && !hasUnknown(in) {
			bad("containers: %s has no image", container.Name)
		}
		for _, m := range container.VolumeMounts {
			used[m.Name] = true
			if !volumes[m.Name] {
				bad("containers: %s mounts the volume %q, which the pod does not have", container.Name, m.Name)
			}
		}
		containerFits(container, bad)
	}
	for _, name := range slices.Sorted(maps.Keys(volumes)) {
		if !used[name] {
			bad("volumes: no container mounts %q, so it is never there", name)
		}
	}
	return errors.Join(wrong...)
}

// volumeFits checks a volume alone. The Secrets Store CSI driver refuses a mount that is not read-only:
// NodePublishVolume in github.com/kubernetes-sigs/secrets-store-csi-driver, pkg/secrets-store/nodeserver.go.
func volumeFits(v corev1.Volume, bad func(format string, args ...any)) {
	if v.ConfigMap != nil {
		for _, item := range v.ConfigMap.Items {
			if path.IsAbs(item.Path) {
				bad("volumes: %s has the file %s; a path must be relative", v.Name, item.Path)
			}
		}
	}
	if v.CSI != nil && v.CSI.Driver == secretsStore && (v.CSI.ReadOnly == nil || !*v.CSI.ReadOnly) {
		bad("volumes: %s is not read-only, which the driver %s refuses", v.Name, secretsStore)
	}
}

// secretsStore is the driver that mounts values of Secrets Manager.
const secretsStore = "secrets-store.csi.k8s.io"

// containerFits checks a container alone.
func containerFits(container corev1.Container, bad func(format string, args ...any)) {
	ports := map[string]bool{}
	for _, p := range container.Ports {
		ports[p.Name] = true
		if !slices.Contains([]corev1.Protocol{"", corev1.ProtocolTCP, corev1.ProtocolUDP, corev1.ProtocolSCTP}, p.Protocol) {
			bad("containers: %s has a port with the protocol %s; there are TCP, UDP and SCTP", container.Name, p.Protocol)
		}
	}
	for _, probe := range []*corev1.Probe{container.StartupProbe, container.ReadinessProbe, container.LivenessProbe} {
		if probe != nil && probe.HTTPGet != nil && probe.HTTPGet.Port.StrVal != "" && !ports[probe.HTTPGet.Port.StrVal] {
			bad("containers: %s is asked on the port %q, which it does not have", container.Name, probe.HTTPGet.Port.StrVal)
		}
	}
	paths := map[string]bool{}
	for _, m := range container.VolumeMounts {
		if paths[m.MountPath] {
			bad("containers: %s mounts two volumes at %s", container.Name, m.MountPath)
		}
		paths[m.MountPath] = true
	}
	for name, limit := range container.Resources.Limits {
		if request := container.Resources.Requests[name]; request.Cmp(limit) > 0 {
			bad("containers: %s asks for more %s than its limit", container.Name, name)
		}
	}
	env := map[string]bool{}
	for _, e := range container.Env {
		if env[e.Name] {
			bad("containers: %s has the variable %s twice", container.Name, e.Name)
		}
		env[e.Name] = true
	}
}

// podStarts checks that the pod can start: its Pod Security level, and every key that it refers to.
func podStarts(c *Call) error {
	if c.Preview {
		return nil
	}
	var template corev1.PodTemplateSpec
	in, _ := get(c.In, "spec.template").(Object)
	if err := decode(in, &template); err != nil {
		return fail("BadRequest", "%s", err)
	}
	var wrong []error
	wrong = append(wrong, c.Cloud.admits(c.text("metadata.namespace"), template.ObjectMeta, &template.Spec))
	wrong = append(wrong, staleSecrets(c, &template.Spec))
	synced := c.Cloud.syncedKeys(c.text("metadata.namespace"), &template.Spec)
	for _, container := range slices.Concat(template.Spec.InitContainers, template.Spec.Containers) {
		for _, e := range container.Env {
			if e.ValueFrom == nil || e.ValueFrom.SecretKeyRef == nil {
				continue
			}
			if r := e.ValueFrom.SecretKeyRef; !synced[r.Name+"/"+r.Key] {
				wrong = append(wrong, fail("CreateContainerConfigError", "%s takes %s from the key %s of the secret %s, which "+
					"neither a secret nor a SecretProviderClass that the pod mounts has", container.Name, e.Name, r.Key, r.Name))
			}
		}
	}
	for _, v := range template.Spec.Volumes {
		if v.ConfigMap == nil {
			continue
		}
		found := c.Cloud.object(state.ConfigMap, c.text("metadata.namespace"), v.ConfigMap.Name)
		if found == nil {
			continue // The reference has been refused already.
		}
		data, _ := found.Inputs["data"].(Object)
		for _, item := range v.ConfigMap.Items {
			if data[item.Key] == nil {
				wrong = append(wrong, fail("FailedMount", "%s has no key %s", found.describe(), item.Key))
			}
		}
	}
	return errors.Join(wrong...)
}

// syncedKeys returns the secrets that a pod would find, as name/key: those of the namespace, and those that the Secrets
// Store CSI driver makes for the classes that a container mounts.
func (c *Cloud) syncedKeys(namespace string, pod *corev1.PodSpec) map[string]bool {
	keys := map[string]bool{}
	for _, s := range c.all(state.KubernetesSecret) {
		if text(s.Inputs, "metadata.namespace") != namespace {
			continue
		}
		for _, field := range []string{"data", "stringData"} {
			data, _ := s.Inputs[field].(Object)
			for key := range data {
				keys[text(s.Inputs, "metadata.name")+"/"+key] = true
			}
		}
	}
	for _, class := range c.syncedClasses(namespace, pod) {
		for _, made := range objects(class.Inputs, "spec.secretObjects[]") {
			for _, d := range objects(made, "data[]") {
				keys[text(made, "secretName")+"/"+text(d, "key")] = true
			}
		}
	}
	return keys
}

// syncedClasses returns the SecretProviderClasses of which the driver makes secrets for a pod: those that it mounts.
func (c *Cloud) syncedClasses(namespace string, pod *corev1.PodSpec) []*Resource {
	var classes []*Resource
	for _, v := range pod.Volumes {
		if v.CSI == nil || v.CSI.Driver != secretsStore || !c.syncsSecrets() {
			continue
		}
		if class := c.object(state.SecretProviderClass, namespace, v.CSI.VolumeAttributes["secretProviderClass"]); class != nil {
			classes = append(classes, class)
		}
	}
	return classes
}

// syncsSecrets reports whether the Secrets Store CSI driver makes the secrets of a SecretProviderClass. By default it
// does not. For an existing cluster this is assumed.
// Source: "Sync as Kubernetes Secret" in the driver's guide.
func (c *Cloud) syncsSecrets() bool {
	addon := c.find("aws-secrets-store-csi-driver-provider", "addonName", state.Addon)
	if addon == nil {
		return true
	}
	var values Object
	_ = json.Unmarshal([]byte(text(addon.Inputs, "configurationValues")), &values)
	on, _ := get(values, "secrets-store-csi-driver.syncSecret.enabled").(bool)
	return on
}

// admits does Pod Security admission with Kubernetes' own evaluator, at the level that the namespace enforces.
func (c *Cloud) admits(namespace string, meta metav1.ObjectMeta, pod *corev1.PodSpec) error {
	space := c.find(namespace, "metadata.name", state.Namespace)
	if space == nil {
		return nil
	}
	labels := map[string]string{}
	given, _ := get(space.Inputs, "metadata.labels").(Object)
	for key, value := range given {
		labels[key], _ = value.(string)
	}
	policy, wrong := psaapi.PolicyToEvaluate(labels, psaapi.Policy{
		Enforce: psaapi.LevelVersion{Level: psaapi.LevelPrivileged, Version: psaapi.LatestVersion()},
	})
	if err := wrong.ToAggregate(); err != nil {
		return fail("Invalid", "%s: %s", space.describe(), err)
	}
	evaluator, err := psapolicy.NewEvaluator(psapolicy.DefaultChecks(), nil)
	if err != nil {
		return fmt.Errorf("preparing Pod Security admission: %w", err)
	}
	result := psapolicy.AggregateCheckResults(evaluator.EvaluatePod(policy.Enforce, &meta, pod))
	if result.Allowed {
		return nil
	}
	return fail("Forbidden", "violates PodSecurity %q: %s", policy.Enforce.String(), result.ForbiddenDetail())
}
