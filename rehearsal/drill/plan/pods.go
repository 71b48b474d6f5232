package plan

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
	"path"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/wso2is-aws/wso2is/rehearsal/drill/aws"
	"github.com/wso2is-aws/wso2is/rehearsal/drill/vpc"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// Pod is the part of a node that only a pod has.
type Pod struct {
	// Namespace is the pod's, and Deployment what makes it.
	Namespace  string
	Deployment *state.Resource
	// Labels are added to those of the Deployment's template.
	Labels map[string]string
	// Turn is the init container that waits for the server's turn, or nil. Members counts the members.
	Turn, Members *Container
	// Environment is the one of the server's container without its secrets.
	Environment map[string]string
	// Startup, Ready and Alive are the server's probes.
	Startup, Ready, Alive Health
	// PreStop is the time between the request to stop and the server's signal, and Stop the time from that to the kill.
	PreStop, Stop time.Duration
	// Gate says that the load balancer's controller adds its readiness gate to the pod.
	Gate bool
}

// Kubernetes is the API of the pods' cluster.
type Kubernetes struct {
	// Release is the cluster's, such as 1.36. Service is the address of the Service kubernetes, and Services the range of all.
	Release  string
	Service  netip.Addr
	Services string
	// Objects are the state's objects, in the order in which they can be made.
	Objects []Manifest
	// Selecting are the Services with a selector, whose endpoints the cluster keeps.
	Selecting []Manifest
}

// Manifest is an object of Kubernetes.
type Manifest struct {
	Kind, Namespace, Name string
	Object                map[string]any
}

// kinds are the kinds that the API server knows, in the order in which objects are made. Those of TargetGroupBinding and
// SecretProviderClass come with their controllers, in whose place the drill is.
var kinds = []struct{ token, version string }{
	{state.Namespace, "v1"}, {state.ServiceAccount, "v1"}, {state.KubernetesRole, "rbac.authorization.k8s.io/v1"},
	{state.RoleBinding, "rbac.authorization.k8s.io/v1"}, {state.NetworkPolicy, "networking.k8s.io/v1"}, {state.ConfigMap, "v1"},
	{state.PersistentVolume, "v1"}, {state.PersistentVolumeClaim, "v1"}, {state.KubernetesService, "v1"}, {state.Job, "batch/v1"},
	{state.Deployment, "apps/v1"}, {state.PodDisruptionBudget, "policy/v1"}, {state.HorizontalPodAutoscaler, "autoscaling/v2"},
}

// parts are the parts of an object that its author writes.
var parts = []string{"spec", "data", "rules", "roleRef", "subjects", "immutable", "automountServiceAccountToken"}

// kubernetes reads the cluster's API.
func (p *Plan) kubernetes(s *state.State) error {
	clusters := s.Of(state.EKSCluster)
	if len(clusters) != 1 {
		return fmt.Errorf("the state has %d EKS clusters: a drill runs the API server of one", len(clusters))
	}
	k := &Kubernetes{
		Release: clusters[0].Text("version"), Service: p.Network.Service(), Services: clusters[0].Object("kubernetesNetworkConfig").Text("serviceIpv4Cidr"),
	}
	if !k.Service.IsValid() {
		return fmt.Errorf("%s has no range of IPv4 addresses for services", clusters[0])
	}
	for _, kind := range kinds {
		for _, r := range s.Of(kind.token) {
			m := Manifest{Kind: state.Kind(kind.token), Namespace: r.Object("metadata").Text("namespace"), Name: r.Object("metadata").Text("name")}
			meta := map[string]any{"name": m.Name}
			for _, key := range []string{"namespace", "labels", "annotations"} {
				if v := r.Object("metadata")[key]; v != nil {
					meta[key] = v
				}
			}
			m.Object = map[string]any{"apiVersion": kind.version, "kind": m.Kind, "metadata": meta}
			for _, key := range parts {
				if v := r.At(key); v != nil {
					m.Object[key] = v
				}
			}
			k.Objects = append(k.Objects, m)
			if kind.token == state.KubernetesService && len(r.Object("spec").Object("selector")) > 0 {
				k.Selecting = append(k.Selecting, m)
			}
		}
	}
	p.Kubernetes = k
	return nil
}

// of returns the object of a namespace with a name.
func of(s *state.State, token, namespace, name string) *state.Resource {
	for _, r := range s.Of(token) {
		if m := r.Object("metadata"); m.Text("name") == name && cmp.Or(m.Text("namespace"), "default") == namespace {
			return r
		}
	}
	return nil
}

// podContainers are the containers of a pod's template by their name, with the init containers.
func podContainers(r *state.Resource) map[string]state.Object {
	spec, by := r.Object("spec").Object("template").Object("spec"), map[string]state.Object{}
	for _, c := range slices.Concat(spec.Objects("initContainers"), spec.Objects("containers")) {
		by[c.Text("name")] = c
	}
	return by
}

// Fields of a pod in a container's environment, in the form in which a running pod replaces them.
const (
	FieldIP        = "$(status.podIP)"
	FieldName      = "$(metadata.name)"
	FieldNamespace = "$(metadata.namespace)"
)

// variables reads a container's environment. Fields of the pod stay as they are, and secrets have the value of where they come from.
func (p *Plan) variables(s *state.State, namespace string, c state.Object) (plain, secrets map[string]string, err error) {
	plain, secrets = map[string]string{}, map[string]string{}
	for _, e := range c.Objects("env") {
		name, from := e.Text("name"), e.Object("valueFrom")
		field, key := from.Object("fieldRef").Text("fieldPath"), from.Object("secretKeyRef")
		switch {
		case field != "":
			plain[name] = "$(" + field + ")"
		case key != nil:
			if secrets[name], err = p.secretOf(s, namespace, key.Text("name"), key.Text("key")); err != nil {
				return nil, nil, err
			}
		default:
			plain[name] = e.Text("value")
		}
	}
	return plain, secrets, nil
}

// mounted is an object of AWS' provider of the Secrets Store CSI driver.
type mounted struct {
	Name  string `yaml:"objectName"`
	Alias string `yaml:"objectAlias"`
	Parts []struct {
		Path  string `yaml:"path"`
		Alias string `yaml:"objectAlias"`
	} `yaml:"jmesPath"`
}

// secretOf returns the value of a key of a Kubernetes secret, which a SecretProviderClass makes from Secrets Manager.
func (p *Plan) secretOf(s *state.State, namespace, name, key string) (string, error) {
	if made := of(s, state.KubernetesSecret, namespace, name); made != nil {
		return "", fmt.Errorf("%s has values that are encrypted in the state: a drill runs pods with eks.secrets csi", made)
	}
	for _, class := range s.Of(state.SecretProviderClass) {
		if class.Object("metadata").Text("namespace") != namespace {
			continue
		}
		file := mountedFile(class, name, key)
		if file == "" {
			continue
		}
		var all []mounted
		if err := yaml.Unmarshal([]byte(class.Object("spec").Object("parameters").Text("objects")), &all); err != nil {
			return "", fmt.Errorf("reading the objects of %s: %w", class, err)
		}
		for _, one := range all {
			if one.Alias == file && len(one.Parts) == 0 {
				return aws.Secret(one.Name), nil
			}
			for _, part := range one.Parts {
				switch {
				case part.Alias != file:
				case part.Path == "username":
					return p.Database.Master, nil
				default:
					return p.Database.Password, nil
				}
			}
		}
	}
	return "", fmt.Errorf("nothing in the state makes the key %s of the secret %s in namespace %s", key, name, namespace)
}

// mounts returns the files that a container gets from ConfigMaps, by their path below /opt/wso2is.
func mounts(s *state.State, r *state.Resource, c state.Object, home string) map[string]string {
	files, namespace := map[string]string{}, r.Object("metadata").Text("namespace")
	volumes := map[string]state.Object{}
	for _, v := range r.Object("spec").Object("template").Object("spec").Objects("volumes") {
		volumes[v.Text("name")] = v.Object("configMap")
	}
	for _, m := range c.Objects("volumeMounts") {
		source := volumes[m.Text("name")]
		data := of(s, state.ConfigMap, namespace, source.Text("name")).Object("data")
		for _, item := range source.Objects("items") {
			at := path.Join(m.Text("mountPath"), item.Text("path"))
			if sub := m.Text("subPath"); sub == item.Text("path") {
				at = m.Text("mountPath")
			} else if sub != "" {
				continue
			}
			files[placed(at, home)] = data.Text(item.Text("key"))
		}
	}
	return files
}

func probe(c state.Object, key string) Health {
	o := c.Object(key)
	seconds := func(key string, absent float64) time.Duration {
		return time.Duration(state.Number(o[key], absent) * float64(time.Second))
	}
	return Health{
		Command: append([]string{"CMD"}, o.Object("exec").Texts("command")...), Interval: seconds("periodSeconds", 10), Timeout: seconds("timeoutSeconds", 1),
		Retries: int(state.Number(o["failureThreshold"], 3)),
	}
}

// mountedFile is the file of a SecretProviderClass from which it makes a key of a Kubernetes secret, or nothing.
func mountedFile(class *state.Resource, secret, key string) string {
	for _, made := range class.Object("spec").Objects("secretObjects") {
		for _, one := range made.Objects("data") {
			if made.Text("secretName") == secret && one.Text("key") == key {
				return one.Text("objectName")
			}
		}
	}
	return ""
}

// pod reads the pod that runs at an interface.
func (p *Plan) pod(s *state.State, i *vpc.Interface) (*Node, error) {
	all, namespace := podContainers(i.Of), cmp.Or(i.Of.Object("metadata").Text("namespace"), "default")
	server, members := all["server"], all["members"]
	for _, key := range []string{"startupProbe", "readinessProbe", "livenessProbe"} {
		if members == nil || len(server.Object(key).Object("exec").Texts("command")) == 0 {
			return nil, fmt.Errorf("%s has not the containers server and members, with a %s of the server that runs a command", i.Of, key)
		}
	}
	template := i.Of.Object("spec").Object("template").Object("spec")
	n := &Node{Name: i.Name, Device: i.Device, Address: i.Address, Members: 1, Pod: &Pod{
		Namespace: namespace, Deployment: i.Of,
		Startup: probe(server, "startupProbe"), Ready: probe(server, "readinessProbe"), Alive: probe(server, "livenessProbe"),
		PreStop: time.Duration(state.Number(server.Object("lifecycle").Object("preStop").Object("sleep")["seconds"], 0)) * time.Second,
	}}
	grace := time.Duration(state.Number(template["terminationGracePeriodSeconds"], 30)) * time.Second
	n.Pod.Stop = max(time.Second, grace-n.Pod.PreStop)
	var err error
	if n.Pod.Environment, n.Secrets, err = p.variables(s, namespace, server); err != nil {
		return nil, err
	}
	if n.Containers, err = p.containersOf(s, namespace, i.Of); err != nil {
		return nil, err
	}
	n.Volumes = podVolumes(s, namespace, i.Of)
	n.Pod.Turn, n.Pod.Members = n.Container("turn"), n.Container("members")
	for name, value := range n.Pod.Environment {
		if value == FieldIP {
			n.Secrets[name] = i.Address.String()
		}
	}
	// The server's program makes it from the other one.
	sum := sha256.Sum256([]byte(n.Secrets["WSO2_ENDPOINT_PASSWORD"]))
	n.Secrets["WSO2_ENDPOINT_PASSWORD_HASH"] = hex.EncodeToString(sum[:])
	// Until then, Kubernetes waits for a server's first answer.
	n.Ready = time.Duration(n.Pod.Startup.Retries) * n.Pod.Startup.Interval
	// https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/deploy/pod_readiness_gate/
	for _, space := range s.Of(state.Namespace) {
		m := space.Object("metadata")
		n.Pod.Gate = n.Pod.Gate || m.Text("name") == namespace && m.Object("labels").Text("elbv2.k8s.aws/pod-readiness-gate-inject") == "enabled"
	}
	if err := bound(s, namespace, i.Of); err != nil {
		return nil, err
	}
	p.Hostname = n.Pod.Environment["WSO2IS_NAME"]
	home := "wso2is-" + p.Version
	n.Files, n.Config = mounts(s, i.Of, server, home), home+"/repository/conf/deployment.toml"
	if n.Files[n.Config] == "" {
		return nil, fmt.Errorf("%s mounts no deployment.toml: its image has one, which is not in the state", i.Of)
	}
	return n, nil
}

// bound reports whether a TargetGroupBinding registers the pods with the state's target group.
func bound(s *state.State, namespace string, r *state.Resource) error {
	for _, b := range s.Of(state.TargetGroupBinding) {
		spec := b.Object("spec")
		service := of(s, state.KubernetesService, namespace, spec.Object("serviceRef").Text("name"))
		if b.Object("metadata").Text("namespace") == namespace && service != nil && s.Get(state.TargetGroup, spec.Text("targetGroupARN")) != nil {
			return nil
		}
	}
	return fmt.Errorf("no TargetGroupBinding in the state registers the pods of %s with its target group: a drill does not run other controllers of an Ingress", r)
}

// schemaJob reads the job whose container makes the schema.
func (p *Plan) schemaJob(s *state.State, d *Database) error {
	for _, job := range s.Of(state.Job) {
		c := podContainers(job)["schema"]
		if c == nil {
			continue
		}
		files := mounts(s, job, c, "")
		d.Properties, d.Program, d.Password = files["etc/schema.properties"], files["lib/SchemaBootstrap.java"], aws.Secret(d.Name)
		p.Database = *d // with the master's account
		_, secrets, err := p.variables(s, cmp.Or(job.Object("metadata").Text("namespace"), "default"), c)
		if err != nil {
			return err
		}
		for name, value := range secrets {
			d.Environment[name] = value
		}
	}
	return nil
}

// Replaceable reports whether a new node at another address takes the place of this one, as ECS and Kubernetes do it.
func (n *Node) Replaceable() bool { return n.Task != nil || n.Pod != nil }

// placed is the path below /opt/wso2is of a path in a container: the image's entrypoint copies its volume over the product.
func placed(at, home string) string {
	if rest, ok := strings.CutPrefix(at, configVolume); ok {
		return path.Join(home, rest)
	}
	return strings.TrimPrefix(at, "/opt/wso2is/")
}

// Rollout is how a deployment of tasks or pods replaces them: at least Least of the Wanted serve, and Most run. From names the
// settings.
type Rollout struct {
	Wanted, Least, Most int
	From                string
}

// Rollout returns how the nodes of a service or a Deployment are replaced.
func (n *Node) Rollout() Rollout {
	if n.Pod != nil {
		r := Rollout{Wanted: int(state.Number(n.Pod.Deployment.Object("spec")["replicas"], 1)), From: "maxUnavailable, maxSurge"}
		r.Least, r.Most = r.Wanted-vpc.Surge(n.Pod.Deployment, "maxUnavailable", false), vpc.PodPlaces(n.Pod.Deployment)
		return r
	}
	service := n.Task.Place.Service
	wanted, _ := service.Int("desiredCount")
	percent := state.Number(service.At("deploymentMinimumHealthyPercent"), 100)
	return Rollout{
		Wanted: wanted, Least: int((float64(wanted)*percent + 99) / 100), Most: vpc.Places(service),
		From: "deploymentMinimumHealthyPercent, deploymentMaximumPercent",
	}
}
