package tests

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestFurtherAuthoritiesReachEveryNode checks that a node of each topology gets trust.caBundle and may read it.
func TestFurtherAuthoritiesReachEveryNode(t *testing.T) {
	const source, object, path = "s3://authorities/ca.pem", "arn:aws:s3:::authorities/ca.pem", "/opt/wso2is/security/trust-ca.pem"
	sum := "0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f"
	with := map[string]any{"trust": map[string]any{"caBundle": map[string]any{"source": source, "sha256": sum}}}

	instances := deploy(t, with)
	data := userData(t, instances.One(t, "aws:ec2/launchTemplate:LaunchTemplate", "nodes"), "userData")
	for _, line := range []string{"TRUST_SOURCE=" + source + "\n", "TRUST_SHA256=" + sum + "\n", "TRUST_FILE=" + path + "\n"} {
		assert.Contains(t, data, line)
	}
	allowed := func(p *plan) string {
		all := ""
		for _, r := range p.All(rolePolicy) {
			all += policy(t, p, r.Name)
		}
		return all
	}
	assert.Contains(t, allowed(instances), object)

	fetched := source + "|" + sum + "|" + path
	tasks := deploy(t, onFargate(with))
	assert.Contains(t, environment(containers(t, tasks, "nodes")["prepare"], "WSO2IS_FILES"), fetched)
	assert.Contains(t, allowed(tasks), object)

	pods := deploy(t, eks("trust", with["trust"]))
	prepare := pods.One(t, "kubernetes:apps/v1:Deployment", "server").
		Get("spec", "template", "spec", "initContainers", "0", "env")
	assert.Contains(t, fmt.Sprint(prepare), fetched)
	assert.Contains(t, allowed(pods), object)
}
