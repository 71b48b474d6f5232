package proof

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// serves reports whether a port of a Service, by number or name, leads to the node's port of the workload's pods.
func (w *workload) serves(name string, port any) bool {
	service := w.object(state.KubernetesService, name)
	if !w.served(service) {
		return false
	}
	for _, p := range service.Object("spec").Objects("ports") {
		if p["port"] != port && p["name"] != port {
			continue
		}
		target, ok := state.Int(p["targetPort"])
		if !ok {
			if target, ok = w.named(state.Text(p["targetPort"])); !ok {
				target, _ = p.Int("port")
			}
		}
		if target == nodeHTTPS {
			return true
		}
	}
	return false
}

// served reports whether a Service's selector matches the workload's pods.
func (w *workload) served(service *state.Resource) bool {
	selector := service.Object("spec").Object("selector")
	return len(selector) > 0 && selects(map[string]any{"matchLabels": map[string]any(selector)}, w.labels)
}

// kubernetes proves discovery by the scheme kubernetes.
func (s *searches) kubernetes() []*Verdict {
	selected := &Verdict{Claim: "The discovery Service selects exactly the cluster's pods"}
	allowed := &Verdict{Claim: "The pods' service account may read the Service's endpoints and the pod itself"}
	listens := &Verdict{Claim: "Every member listens on the address that discovery finds, its pod's address"}
	ports := map[string]bool{}
	for _, n := range s.nodes {
		if n.settings.Clustering == nil {
			continue
		}
		if n.pod == nil {
			s.agree.fault("%s has the scheme kubernetes and is no pod", n)
			continue
		}
		s.serviceOf(n, selected)
		s.access(n, allowed)
		ports[fmt.Sprint(n.port())] = true
		if len(ports) > 1 {
			listens.fault("members have different ports, and each asks the others on its own")
		}
		if name, ok := strings.CutPrefix(n.settings.Clustering.Host, "$env{"); ok {
			name = strings.TrimSuffix(name, "}")
			if field := n.pod.field(name); field != "status.podIP" {
				listens.fault("%s gets %s from %q; a member is found at its pod's address, status.podIP", n.pod.of, name, field)
			}
		}
	}
	listens.Shown = "port " + strings.Join(slices.Sorted(maps.Keys(ports)), ", ")
	return []*Verdict{selected, allowed, listens}
}

// field returns the field of the pod in the server's variable.
func (w *workload) field(variable string) string {
	for _, c := range w.spec.Objects("containers") {
		for _, e := range c.Objects("env") {
			if e.Text("name") == variable {
				return e.Object("valueFrom").Object("fieldRef").Text("fieldPath")
			}
		}
	}
	return ""
}

func (s *searches) serviceOf(n *node, v *Verdict) {
	properties := n.settings.Clustering.Properties
	namespace, name := properties["KUBERNETES_NAMESPACE"], properties["KUBERNETES_SERVICES"]
	if namespace != n.pod.namespace {
		v.fault("%s looks in the namespace %q; the pods are in %s", n.configKey, namespace, n.pod.namespace)
		return
	}
	service := n.pod.object(state.KubernetesService, name)
	if service.Type == "" {
		v.fault("%s names the Service %q, and the namespace %s has none", n.configKey, name, namespace)
		return
	}
	if !n.pod.served(service) {
		v.fault("the selector of %s does not match the pods of %s", service, n.pod.of)
	}
	if !service.Object("spec").Flag("publishNotReadyAddresses", false) {
		v.fault("%s does not list pods that are not ready: members that start do not find each other", service)
	}
	for _, other := range s.workloads(state.Deployment, state.StatefulSet, state.Job) {
		if other.namespace == namespace && other.of != n.pod.of && other.served(service) {
			v.fault("the selector of %s matches the pods of %s too", service, other.of)
		}
	}
	v.Shown = fmt.Sprintf("Service %s in namespace %s", name, namespace)
}

func (s *searches) access(n *node, v *Verdict) {
	name := cmp.Or(n.pod.spec.Text("serviceAccountName"), "default")
	account := n.pod.object(state.ServiceAccount, name)
	mounted := n.pod.spec.Flag("automountServiceAccountToken", account.At("automountServiceAccountToken") != false)
	if !mounted {
		v.fault("the token of service account %s is not mounted into the pods of %s", name, n.pod.of)
	}
	for _, verb := range []string{"get", "list"} {
		if !n.pod.granted(name, "", "endpoints", verb) {
			v.fault("no RoleBinding lets service account %s of namespace %s %s endpoints: every pod stays alone", name, n.pod.namespace, verb)
		}
	}
	v.Shown = fmt.Sprintf("service account %s, get and list endpoints", name)
	s.apiServer(n, v)
	if n.major() != 5 {
		if !n.pod.granted(name, "", "pods", "get") {
			v.fault("no RoleBinding lets service account %s of namespace %s get pods: each start asks for its own pod again and again",
				name, n.pod.namespace)
		}
		v.Shown += ", get pods"
	}
	if len(s.control) > 0 {
		p := &proofs{cluster: s.cluster}
		for _, c := range s.control {
			take(v)(p.reach(&n.endpoint, c, tcpPort(publicHTTPS)))
		}
	}
}

// apiServer checks the URL and the token that a node's file may have in place of those of its service account.
func (s *searches) apiServer(n *node, v *Verdict) {
	properties := n.settings.Clustering.Properties
	if properties["KUBERNETES_API_SERVER_TOKEN"] != "" {
		v.open("what the token of %s may do is not in the state", n.configKey)
	}
	given := properties["KUBERNETES_API_SERVER"]
	u, err := url.Parse(given)
	clusters := s.Of(state.EKSCluster)
	switch {
	case given == "" || err == nil && u.Hostname() == "kubernetes.default.svc":
	case slices.ContainsFunc(clusters, func(c *state.Resource) bool {
		return strings.EqualFold(c.Text("endpoint"), strings.TrimSuffix(given, "/"))
	}):
	case len(clusters) > 0:
		v.fault("%s asks %s for members, which is not the API of the pods' own cluster", n.configKey, given)
	default:
		v.open("whether %s is the API of the pods' own cluster is not in the state", given)
	}
}

// granted reports whether a Role of the namespace gives a service account a permission.
func (w *workload) granted(account, group, what, verb string) bool {
	has := func(list []string, one string) bool { return slices.Contains(list, one) || slices.Contains(list, "*") }
	for _, b := range w.inNamespace(state.RoleBinding) {
		bound := slices.ContainsFunc(b.Objects("subjects"), func(o state.Object) bool {
			return o.Text("kind") == "ServiceAccount" && o.Text("name") == account && cmp.Or(o.Text("namespace"), w.namespace) == w.namespace
		})
		ref := b.Object("roleRef")
		if !bound || ref.Text("kind") != "Role" {
			continue
		}
		for _, rule := range w.object(state.KubernetesRole, ref.Text("name")).Objects("rules") {
			groups, _ := rule["apiGroups"].([]any)
			inGroup := slices.ContainsFunc(groups, func(g any) bool { return g == group || g == "*" })
			if inGroup && has(rule.Texts("resources"), what) && has(rule.Texts("verbs"), verb) {
				return true
			}
		}
	}
	return false
}
