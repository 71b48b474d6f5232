package proof_test

import (
	"encoding/base64"
	"strings"

	"github.com/stretchr/testify/require"
)

const throughNginx = "Requests go through nginx alone"

// started changes the user data of nginx.
func (d *document) started(replace ...string) {
	d.t.Helper()
	text, err := base64.StdEncoding.DecodeString(d.out("LaunchTemplate", "nginx", "userData").(string))
	require.NoError(d.t, err)
	changed := strings.NewReplacer(replace...).Replace(string(text))
	require.NotEqual(d.t, string(text), changed)
	d.set("LaunchTemplate", "nginx", "userData", base64.StdEncoding.EncodeToString([]byte(changed)))
}

var nginxMutations = map[string]mutation{
	"nginx that verifies no node": {"nginx", func(d *document) { d.started("proxy_ssl_verify on;", "proxy_ssl_verify off;") }, throughNginx,
		"it takes every certificate for a node's"},
	"nginx without the nodes' certificate": {"nginx", func(d *document) { d.started("BEGIN CERTIFICATE", "BEGIN NOTHING") }, throughNginx,
		"has no certificate of the nodes to verify them with"},
	"nginx without WebSockets": {"nginx", func(d *document) { d.started("proxy_set_header Upgrade $http_upgrade;", "") }, throughNginx, "no WebSocket gets through"},
	"nginx that forgets browsers": {"nginx", func(d *document) { d.started("COOKIE=WSO2IS_NODE", "COOKIE=''") }, throughNginx,
		"keeps no browser with its node"},
	"nginx that learns of its nodes too late": {"nginx", func(d *document) { d.started("POLL_SECONDS=10", "POLL_SECONDS=60") }, throughNginx,
		"asks for its nodes every 60 s, and a deregistered node ends after 60 s"},
	"nginx of other nodes": {"nginx", func(d *document) { d.set("Group", "nodes", "targetGroupArns", []any{}) }, throughNginx, "where Group nginx asks for its nodes"},
	"nodes with keys of their own": {"nginx members", func(d *document) {
		text, _ := base64.StdEncoding.DecodeString(d.out("Instance", "node-1", "userDataBase64").(string))
		d.set("Instance", "node-1", "userDataBase64", base64.StdEncoding.EncodeToString([]byte(strings.Replace(string(text), "TLS_KEYSTORE_SECRET=", "OTHER=", 1))))
	}, throughNginx, "serves TLS with a key of its own: nginx cannot verify its certificate"},
	"tasks with keys of their own": {"nginx tasks", func(d *document) {
		d.edit("TaskDefinition", "nodes", "containerDefinitions", "WSO2_TLS_KEYSTORE", "OTHER")
	}, throughNginx, "serves TLS with a key of its own: nginx cannot verify its certificate"},
	"one nginx": {"nginx", func(d *document) { d.set("Group", "nginx", "minSize", 1.0) }, throughNginx, "clients are served by none while it is replaced"},
	"no nginx for clients": {"nginx", func(d *document) {
		d.set("Group", "nginx", "targetGroupArns", []any{d.out("TargetGroup", "nginx-http", "arn")})
	},
		throughNginx, "no nginx is in a target group that a listener forwards 443 to"},
	"hidden clients": {"nginx", func(d *document) { d.set("TargetGroup", "nginx-https", "preserveClientIp", "false") }, throughNginx,
		"hides the addresses of clients from nginx"},
	"a health check that no nginx answers": {"nginx", func(d *document) { d.put("TargetGroup", "nginx-https", "healthCheck", "path", "/") }, throughNginx,
		"asks for / on 80, which nginx does not answer itself"},
	"a firewall between nginx and nodes": {"nginx", func(d *document) { d.drop(ingressRule, "nginx-serve-in") }, throughNginx, "tcp 9443"},
	"a firewall before nginx":            {"nginx", func(d *document) { d.drop(ingressRule, "nginx-https-in") }, throughNginx, "tcp 443"},
	"nginx open to everybody": {"nginx", func(d *document) {
		d.set(ingressRule, "nginx-https-in", "referencedSecurityGroupId", nil)
		d.set(ingressRule, "nginx-https-in", "cidrIpv4", "0.0.0.0/0")
	}, nobodyElse, "is too wide: it lets 0.0.0.0/0 reach"},
	"clients at the nodes' listener": {"nginx", func(d *document) {
		d.set(ingressRule, "https-in-0.0.0.0_0", "toPort", 9443.0)
	}, clientsReach, "is too wide: it lets 0.0.0.0/0 reach"},
	"nginx that may not ask": {"nginx", func(d *document) {
		d.edit("RolePolicy", "nginx", "policy", "elasticloadbalancing:DescribeTargetHealth", "elasticloadbalancing:DescribeTags")
	}, nodesCall, "may not elasticloadbalancing:DescribeTargetHealth"},
	"nginx that may not read its certificate": {"nginx", func(d *document) {
		d.edit("RolePolicy", "nginx", "policy", "is.example.com-AbCdEf", "other-AbCdEf")
	}, nodesCall, "may not secretsmanager:GetSecretValue"},
}
