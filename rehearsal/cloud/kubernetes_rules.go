package cloud

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	psaapi "k8s.io/pod-security-admission/api"
	psapolicy "k8s.io/pod-security-admission/policy"
)

// own are the namespaces that every cluster has.
var own = []string{"default", "kube-system", "kube-public", "kube-node-lease"}

// namespaceExists refuses an object in a namespace that there is not.
func namespaceExists(c *Call) error {
	name := c.text("metadata.namespace")
	if c.Preview || slices.Contains(own, name) || c.Cloud.find(name, "metadata.name", namespaceObject) != nil {
		return nil
	}
	return fail("NotFound", "namespaces %q not found", name)
}

// inNamespace lists the live objects of a namespace.
func (c *Cloud) inNamespace(name string) []*Resource {
	var all []*Resource
	for _, r := range c.live() {
		if strings.HasPrefix(r.Token, "kubernetes:") && text(r.Inputs, "metadata.namespace") == name {
			all = append(all, r)
		}
	}
	return all
}

// namespaceEmpty keeps a namespace until its objects are gone: Kubernetes would delete them with it, in no order.
func namespaceEmpty(c *Call) error {
	if left := c.Cloud.inNamespace(text(c.Old.Inputs, "metadata.name")); len(left) > 0 {
		return fail(inUse, "%s would take %s and %d more with it", c.Old.describe(), left[0].describe(), len(left)-1)
	}
	return nil
}

// clusterServes refuses objects before there is a cluster that takes them.
func clusterServes(c *Call) error {
	if c.Preview {
		return nil
	}
	for _, cluster := range c.Cloud.all(eksClusterType) {
		if !cluster.Existing && text(cluster.Outputs, "endpoint") == "" {
			return fail("ServiceUnavailable", "%s has no endpoint", cluster.describe())
		}
	}
	return nil
}

// hostsThere refuses pods in a cluster without hosts: they would wait for ever, and Pulumi for them.
func hostsThere(c *Call) error {
	if c.Preview {
		return nil
	}
	for _, cluster := range c.Cloud.all(eksClusterType) {
		if !cluster.Existing && len(c.Cloud.all(nodeGroupType)) == 0 {
			return fail("FailedScheduling", "0 nodes are available: %s has no node group", cluster.describe())
		}
	}
	return nil
}

// clusterEmpty keeps a cluster until nothing that Pulumi made is in it: afterwards nobody could delete it there.
func clusterEmpty(c *Call) error {
	for _, r := range c.Cloud.live() {
		if strings.HasPrefix(r.Token, "kubernetes:") {
			return fail("ResourceInUseException", "%s still holds %s", c.Old.describe(), r.describe())
		}
	}
	return nil
}

// sizeOf bounds what etcd takes.
func sizeOf(path string, limit int) Rule {
	return func(c *Call) error {
		data, _ := get(c.In, path).(Object)
		size := 0
		for key, value := range data {
			s, _ := value.(string)
			size += len(key) + len(s)
		}
		if size > limit {
			return fail("Invalid", "%s has %d bytes; %d are possible", path, size, limit)
		}
		return nil
	}
}

// portsNamed holds of services with several ports.
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

// volumeMountable refuses a volume of EFS that is not there, and a claim's volume that changes its source.
func volumeMountable(c *Call) error {
	driver, handle := c.text("spec.csi.driver"), c.text("spec.csi.volumeHandle")
	if driver != "efs.csi.aws.com" || handle == "" || c.Preview {
		return nil
	}
	fs, rest, _ := strings.Cut(handle, ":")
	point := rest[strings.LastIndex(rest, ":")+1:]
	system := c.Cloud.find(fs, "id", fileSystemType)
	if system == nil {
		return fail("NotFound", "spec.csi.volumeHandle is %s, and there is no such file system", handle)
	}
	if point == "" {
		return nil
	}
	access := c.Cloud.find(point, "id", accessPointType)
	if access == nil || text(access.Inputs, "fileSystemId") != fs {
		return fail("NotFound", "spec.csi.volumeHandle is %s, and %s has no such access point", handle, system.describe())
	}
	return nil
}

// notMounted keeps an access point until no volume of the cluster is it.
func notMounted(c *Call) error {
	for _, v := range c.Cloud.all(volumeObject) {
		if strings.HasSuffix(text(v.Inputs, "spec.csi.volumeHandle"), "::"+c.ID) {
			return fail(inUse, "%s is still mounted by %s", c.Old.describe(), v.describe())
		}
	}
	return nil
}

// claimBinds sees that the claim and the volume that it names fit each other, or it would wait for ever.
func claimBinds(c *Call) error {
	volume := c.Cloud.find(c.text("spec.volumeName"), "metadata.name", volumeObject)
	if volume == nil || c.Preview {
		return nil
	}
	var wrong []error
	differ := func(what, claim, has string) {
		if claim != has {
			wrong = append(wrong, fail("Pending", "the claim's %s is %q and that of %s %q", what, claim, volume.describe(), has))
		}
	}
	differ("storage class", c.text("spec.storageClassName"), text(volume.Inputs, "spec.storageClassName"))
	if name := text(volume.Inputs, "spec.claimRef.name"); name != "" {
		differ("name", c.text("metadata.name"), name)
		differ("namespace", c.text("metadata.namespace"), text(volume.Inputs, "spec.claimRef.namespace"))
	}
	for _, mode := range texts(c.In, "spec.accessModes[]") {
		if !slices.Contains(texts(volume.Inputs, "spec.accessModes[]"), mode) {
			wrong = append(wrong, fail("Pending", "%s cannot be mounted %s", volume.describe(), mode))
		}
	}
	for _, other := range c.Cloud.all(claimObject) {
		if other != c.Old && text(other.Inputs, "spec.volumeName") == c.text("spec.volumeName") {
			wrong = append(wrong, fail("Pending", "%s is bound to %s", volume.describe(), other.describe()))
		}
	}
	return errors.Join(wrong...)
}

// rolesRead refuses rules that the API server takes and that grant everything.
func rolesRead(c *Call) error {
	for _, rule := range objects(c.In, "rules[]") {
		for _, field := range []string{"apiGroups[]", "resources[]", "verbs[]"} {
			if len(find(rule, field)) == 0 {
				return fail("Invalid", "rules: %s is empty", strings.TrimSuffix(field, "[]"))
			}
		}
	}
	return nil
}

// labelsMatch says whether labels have all that a selector asks for. An empty selector matches all.
func labelsMatch(selector, labels Object) bool {
	for key, value := range selector {
		if labels[key] != value {
			return false
		}
	}
	return true
}

// selectsItsPods holds of a Deployment, whose pods would otherwise not be its own.
func selectsItsPods(c *Call) error {
	selector, _ := get(c.In, "spec.selector.matchLabels").(Object)
	labels, _ := get(c.In, "spec.template.metadata.labels").(Object)
	if len(selector) == 0 || !labelsMatch(selector, labels) {
		return fail("Invalid", "spec.template.metadata.labels: `selector` does not match template `labels`")
	}
	return nil
}

// selectsPods refuses a selector that finds no pod of any Deployment in the namespace.
func selectsPods(path string) Rule {
	return func(c *Call) error {
		selector, _ := get(c.In, path).(Object)
		if c.Preview {
			return nil
		}
		for _, d := range c.Cloud.all(deploymentObject) {
			labels, _ := get(d.Inputs, "spec.template.metadata.labels").(Object)
			if text(d.Inputs, "metadata.namespace") == c.text("metadata.namespace") && labelsMatch(selector, labels) {
				return nil
			}
		}
		return fail("Invalid", "%s finds no pods", path)
	}
}

// portsServed sees that every service that selects these pods sends to a port that they have.
func portsServed(c *Call) error {
	labels, _ := get(c.In, "spec.template.metadata.labels").(Object)
	names := texts(c.In, "spec.template.spec.containers[].ports[].name")
	for _, s := range c.Cloud.all(serviceObject) {
		selector, _ := get(s.Inputs, "spec.selector").(Object)
		if text(s.Inputs, "metadata.namespace") != c.text("metadata.namespace") || !labelsMatch(selector, labels) {
			continue
		}
		for _, target := range texts(s.Inputs, "spec.ports[].targetPort") {
			if !slices.Contains(names, target) {
				return fail("Invalid", "%s sends to the port %q, which no container of the pods has", s.describe(), target)
			}
		}
	}
	return nil
}

// podTemplate holds of every pod by itself.
func podTemplate(c *Call) error {
	var template corev1.PodTemplateSpec
	in, _ := get(c.In, "spec.template").(Object)
	if err := decode(in, &template); err != nil {
		return nil // isObject has said it already.
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
		ports := map[string]bool{}
		for _, p := range container.Ports {
			ports[p.Name] = true
		}
		for _, probe := range []*corev1.Probe{container.StartupProbe, container.ReadinessProbe, container.LivenessProbe} {
			if probe != nil && probe.HTTPGet != nil && probe.HTTPGet.Port.StrVal != "" && !ports[probe.HTTPGet.Port.StrVal] {
				bad("containers: %s is asked on the port %q, which it does not have", container.Name, probe.HTTPGet.Port.StrVal)
			}
		}
		paths := map[string]bool{}
		for _, m := range container.VolumeMounts {
			used[m.Name] = true
			if !volumes[m.Name] {
				bad("containers: %s mounts the volume %q, which the pod does not have", container.Name, m.Name)
			}
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
	for _, name := range slices.Sorted(maps.Keys(volumes)) {
		if !used[name] {
			bad("volumes: no container mounts %q, so it is never there", name)
		}
	}
	return errors.Join(wrong...)
}

// podStarts sees that the pod could start: its level of security, and every key of what it refers to.
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
	synced := c.Cloud.synced(c.text("metadata.namespace"), &template.Spec)
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
		found := c.Cloud.object(configMapObject, c.text("metadata.namespace"), v.ConfigMap.Name)
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

// object is a live object by name.
func (c *Cloud) object(token, namespace, name string) *Resource {
	for _, r := range c.all(token) {
		if text(r.Inputs, "metadata.namespace") == namespace && text(r.Inputs, "metadata.name") == name {
			return r
		}
	}
	return nil
}

// synced are the keys, name/key, of the secrets that a pod would find: those of the namespace, and those that the
// Secrets Store driver makes for the classes that a container of it mounts.
func (c *Cloud) synced(namespace string, pod *corev1.PodSpec) map[string]bool {
	keys := map[string]bool{}
	for _, s := range c.all(secretObject) {
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
	for _, v := range pod.Volumes {
		if v.CSI == nil || v.CSI.Driver != "secrets-store.csi.k8s.io" {
			continue
		}
		class := c.object(secretClassObject, namespace, v.CSI.VolumeAttributes["secretProviderClass"])
		if class == nil {
			continue
		}
		for _, made := range objects(class.Inputs, "spec.secretObjects[]") {
			for _, d := range objects(made, "data[]") {
				keys[text(made, "secretName")+"/"+text(d, "key")] = true
			}
		}
	}
	return keys
}

// admits is Pod Security admission, by Kubernetes' own evaluator at the level that the namespace enforces.
func (c *Cloud) admits(namespace string, meta metav1.ObjectMeta, pod *corev1.PodSpec) error {
	space := c.find(namespace, "metadata.name", namespaceObject)
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

func autoscalerBounds(c *Call) error {
	low, _ := number(c.In, "spec.minReplicas")
	high, ok := number(c.In, "spec.maxReplicas")
	if ok && (high < 1 || low > high) {
		return fail("Invalid", "spec.maxReplicas is %g and spec.minReplicas %g", high, low)
	}
	return nil
}

// autoscalerMeasures refuses an autoscaler that could never decide: its target's container asks for nothing that the
// load could be measured against.
func autoscalerMeasures(c *Call) error {
	target := c.Cloud.object(deploymentObject, c.text("metadata.namespace"), c.text("spec.scaleTargetRef.name"))
	if target == nil {
		return nil
	}
	for _, metric := range objects(c.In, "spec.metrics[].containerResource") {
		asked := false
		for _, container := range objects(target.Inputs, "spec.template.spec.containers[]") {
			if text(container, "name") == text(metric, "container") {
				requests, _ := get(container, "resources.requests").(Object)
				asked = requests[text(metric, "name")] != nil
			}
		}
		if !asked {
			return fail("FailedGetResourceMetric", "%s has no container %s that requests %s", target.describe(),
				text(metric, "container"), text(metric, "name"))
		}
	}
	return nil
}

// bindingFits sees that the load balancer's target group takes what the binding would register.
func bindingFits(c *Call) error {
	group := c.Cloud.find(c.text("spec.targetGroupARN"), "arn", targetGroupType)
	service := c.Cloud.object(serviceObject, c.text("metadata.namespace"), c.text("spec.serviceRef.name"))
	if c.Preview || group == nil || service == nil {
		return nil
	}
	var wrong []error
	if has, want := text(group.Inputs, "targetType"), c.text("spec.targetType"); want != "" && has != want {
		wrong = append(wrong, fail("ValidationError", "spec.targetType is %s and %s takes %s", want, group.describe(), has))
	}
	port := get(c.In, "spec.serviceRef.port")
	if !slices.ContainsFunc(objects(service.Inputs, "spec.ports[]"), func(p Object) bool {
		return p["port"] == port || p["name"] == port
	}) {
		wrong = append(wrong, fail("BackendNotFound", "%s has no port %v", service.describe(), port))
	}
	return errors.Join(wrong...)
}

// listed is an entry of a SecretProviderClass's objects as the AWS provider reads it.
type listed struct {
	ObjectName  string `yaml:"objectName"`
	ObjectType  string `yaml:"objectType"`
	ObjectAlias string `yaml:"objectAlias"`
	JMESPath    []struct {
		Path        string `yaml:"path"`
		ObjectAlias string `yaml:"objectAlias"`
	} `yaml:"jmesPath"`
}

// classLists refuses a list that the AWS provider refuses: objects twice, or keys that no object gives.
func classLists(c *Call) error {
	if c.text("spec.provider") != "aws" || c.unknown("spec.parameters.objects") {
		return nil
	}
	var list []listed
	decoder := yaml.NewDecoder(strings.NewReader(c.text("spec.parameters.objects")))
	decoder.KnownFields(true)
	if err := decoder.Decode(&list); err != nil {
		return fail("Invalid", "spec.parameters.objects: %s", err)
	}
	given, seen := map[string]bool{}, map[string]bool{}
	var wrong []error
	for _, o := range list {
		if o.ObjectName == "" || seen[o.ObjectName] {
			wrong = append(wrong, fail("Invalid", "spec.parameters.objects: the name %q is empty or there twice", o.ObjectName))
		}
		seen[o.ObjectName] = true
		given[o.ObjectName], given[o.ObjectAlias] = true, true
		for _, p := range o.JMESPath {
			given[p.ObjectAlias] = true
		}
	}
	for _, name := range texts(c.In, "spec.secretObjects[].data[].objectName") {
		if !given[name] {
			wrong = append(wrong, fail("Invalid", "spec.secretObjects: no object is called %s", name))
		}
	}
	return errors.Join(wrong...)
}

// secretsThere refuses a list of secrets of which Secrets Manager does not have one.
func secretsThere(c *Call) error {
	var list []listed
	if c.Preview || yaml.Unmarshal([]byte(c.text("spec.parameters.objects")), &list) != nil {
		return nil
	}
	var wrong []error
	for _, o := range list {
		found := c.Cloud.find(o.ObjectName, "arn", "aws:secretsmanager/secret:Secret") != nil
		for _, db := range c.Cloud.all("aws:rds/instance:Instance") {
			found = found || slices.Contains(texts(db.Outputs, "masterUserSecrets[].secretArn"), o.ObjectName)
		}
		if !found {
			wrong = append(wrong, fail("ResourceNotFoundException", "spec.parameters.objects: Secrets Manager has no secret %s",
				o.ObjectName))
		}
	}
	if region := c.text("spec.parameters.region"); region != "" && region != c.Cloud.region {
		wrong = append(wrong, fail("ResourceNotFoundException", "spec.parameters.region is %s in %s", region, c.Cloud.region))
	}
	return errors.Join(wrong...)
}
