package proof_test

import (
	"encoding/base64"
	"strings"
)

const (
	fronted    = "Clients come in only through the existing load balancer"
	outside443 = "The load balancer reaches 9443 of every node, and nothing else"
	ofTasks    = "The load balancer reaches 9443 and 9763 of every node, and nothing else"
)

var balancerMutations = map[string]mutation{
	"a load balancer beside it": {"proxy", func(d *document) {
		d.add("aws:lb/loadBalancer:LoadBalancer", "alb", "alb-1", map[string]any{"name": "alb", "arn": "arn:aws:x"})
	}, fronted, "LoadBalancer alb must not exist beside the existing load balancer"},
	"a rule for everybody": {"proxy", func(d *document) {
		d.set(ingressRule, "serve-in-10.20.200.0_28", "cidrIpv4", "10.20.0.0/16")
	}, "Nobody else reaches a node, except the load balancer on port 9443", "is too wide: it lets 10.20.0.0/16 reach"},
	"no rule": {"proxy", func(d *document) { d.drop(ingressRule, "serve-in-10.20.200.0_28") }, outside443, "lets 10.20.200.0/28 in"},
	"a file without a node": {"proxy", func(d *document) {
		files := d.out("Stack", "", "proxyFiles").(map[string]any)
		files["nginx.conf"] = strings.ReplaceAll(files["nginx.conf"].(string), "10.20.16.20:9443", "10.20.16.21:9443")
	}, outside443, "nginx.conf of the stack's output proxyFiles does not have the address of wso2is-proxy-node-2"},
	"a key of the node's own": {"proxy", func(d *document) {
		text, _ := base64.StdEncoding.DecodeString(d.out("Instance", "node-1", "userDataBase64").(string))
		d.set("Instance", "node-1", "userDataBase64", base64.StdEncoding.EncodeToString(
			[]byte(strings.Replace(string(text), "TLS_KEYSTORE_SECRET=", "OTHER=", 1))))
	}, fronted,
		"serves TLS with a key of its own: a proxy cannot verify its certificate"},
	"a node in no target group": {"fronted members", func(d *document) { d.drop("TargetGroupAttachment", "node-1") }, outside443,
		"is not in the target group " + targets},
	"a group in no target group": {"fronted group", func(d *document) { d.set("Group", "nodes", "targetGroupArns", []any{}) }, outside443,
		"is not in the target group " + targets},
	"a member that nothing takes out": {"fronted members", func(d *document) { d.drop("Association", "node-2-drain") },
		"A node that is replaced finishes its requests first", "nothing takes it out of " + targets + " before"},
	"a rule for another name": {"listener tasks", func(d *document) {
		d.set("ListenerRule", "nodes", "conditions", []any{map[string]any{"hostHeader": map[string]any{"values": []any{"other.example.com"}}}})
	}, fronted, "takes the requests for other.example.com, which are not this stack's"},
	"a rule of another listener": {"listener tasks", func(d *document) { d.set("ListenerRule", "nodes", "listenerArn", ofTeam+"0") }, ofTasks,
		"is in no target group to which a rule of " + ofTeam + " forwards the requests for "},
	"a group beside the rule's": {"listener tasks", func(d *document) { d.set("Service", "nodes", "loadBalancers", []any{}) }, ofTasks,
		"is in no target group to which a rule of " + ofTeam},
	"a target group in the clear": {"listener tasks", func(d *document) { d.set("TargetGroup", "nodes-ip", "protocol", "HTTP") }, ofTasks, "nodes serve HTTPS on 9443"},
	"an unverified node": {"nginx pods", func(d *document) {
		d.each("Ingress", "server", "metadata", func(m map[string]any) {
			m["annotations"].(map[string]any)["nginx.ingress.kubernetes.io/proxy-ssl-verify"] = "off"
		})
	}, fronted, `has nginx.ingress.kubernetes.io/proxy-ssl-verify "off" instead of "on"`},
	"pods of everybody": {"nginx pods", func(d *document) { d.drop("NetworkPolicy", "serve") }, outside443, "from pods in ingress-nginx"},
}
