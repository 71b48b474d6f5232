package proof

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

const (
	// annotation is the prefix of the annotations that the AWS Load Balancer Controller reads.
	// https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/annotations/
	annotation = "alb.ingress.kubernetes.io/"
)

// annotated is an annotation that the AWS Load Balancer Controller reads.
func annotated(ingress *state.Resource, key string) string {
	return ingress.Object("metadata").Object("annotations").Text(annotation + key)
}

func split(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
}

// findIngresses finds the load balancers that the AWS Load Balancer Controller makes. They are not in the state, but an
// Ingress's annotations describe them.
func (c *cluster) findIngresses() {
	for _, r := range c.Of(state.Ingress) {
		name := annotated(r, "load-balancer-name")
		if name == "" {
			name = r.Object("metadata").Text("name")
		}
		for _, subnet := range split(annotated(r, "subnets")) {
			c.balancers = append(c.balancers, new(c.place(endpoint{
				kind: aBalancer, name: "load balancer " + name, of: r, groups: split(annotated(r, "security-groups")),
				public: annotated(r, "scheme") == "internet-facing",
			}, subnet)))
		}
	}
}

// ingressListeners are those that the controller makes.
func ingressListeners(r *state.Resource) []listener {
	var ports []map[string]int
	if json.Unmarshal([]byte(annotated(r, "listen-ports")), &ports) != nil {
		return nil
	}
	var all []listener
	for _, p := range ports {
		for _, protocol := range slices.Sorted(maps.Keys(p)) {
			action := "forward"
			if protocol == "HTTP" && annotated(r, "ssl-redirect") == fmt.Sprint(publicHTTPS) {
				action = "redirect"
			}
			all = append(all, listener{r, p[protocol], protocol, action})
		}
	}
	return all
}

// routed reports whether an Ingress sends everything to a pod's port over HTTPS.
func (p *proofs) routed(n *node) bool {
	if n.pod == nil {
		return false
	}
	for _, r := range n.pod.inNamespace(state.Ingress) {
		https := annotated(r, "target-type") == "ip" && annotated(r, "backend-protocol") == "HTTPS"
		if p.want.Balancer.Class != "" {
			https = r.Object("metadata").Object("annotations").Text(nginx+"backend-protocol") == "HTTPS"
		}
		if !https {
			continue
		}
		for _, rule := range r.Object("spec").Objects("rules") {
			for _, path := range rule.Object("http").Objects("paths") {
				to := path.Object("backend").Object("service")
				port := to.Object("port")
				var wanted any = port.Text("name")
				if number, ok := port["number"]; ok {
					wanted = number
				}
				if n.pod.serves(to.Text("name"), wanted) {
					return true
				}
			}
		}
	}
	return false
}
