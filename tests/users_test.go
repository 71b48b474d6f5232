package tests

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

const dbaSecret = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:dba/app-AbCdEf"

// onOwned is a stack on a database whose owner made its databases and one user for them.
func onOwned(pairs ...any) map[string]any {
	all := object("network", existing()["network"], "database", object("existing", object("host", "db.example.com", "cidrs", []string{"10.9.0.0/28"},
		"userSecretArns", object("identity", dbaSecret, "shared", dbaSecret),
		"secretKeyArn", "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555")))
	for key, value := range object(pairs...) {
		all[key] = value
	}
	return all
}

// decryptors returns the policies of roles that read the user, each of which may decrypt its secret.
func decryptors(t *testing.T, p *plan) []string {
	t.Helper()
	var all []string
	for _, r := range p.All("aws:iam/rolePolicy:RolePolicy") {
		if text := fmt.Sprint(r.Get("policy")); strings.Contains(text, dbaSecret) {
			assert.Contains(t, text, "key/11111111-2222-3333-4444-555555555555", r.Name)
			assert.Equal(t, 1, strings.Count(text, dbaSecret), "%s names the secret of two databases once", r.Name)
			all = append(all, r.Name)
		}
	}
	for _, r := range p.All("aws:secretsmanager/secret:Secret") {
		assert.NotContains(t, r.Name, "database-", "the stack makes no user")
	}
	return all
}

//guide:own-database
func TestServersLogInAsTheUserOfADatabasesOwner(t *testing.T) {
	p := deploy(t, onOwned("clustering", object("scheme", "aws")))
	assert.ElementsMatch(t, []string{"nodes", "schema"}, decryptors(t, p))
	for name, variable := range map[string]string{"nodes": "WSO2_DB_", "schema": "SCHEMA_"} {
		text := userData(t, p.One(t, "aws:ec2/launchTemplate:LaunchTemplate", name), "userData")
		for _, property := range []string{"username", "password"} {
			assert.Contains(t, text, variable+"IDENTITY_"+strings.ToUpper(property)+"|"+dbaSecret+"||"+property)
		}
	}

	p = deploy(t, onECS(onOwned()))
	assert.ElementsMatch(t, []string{"execution", "schema-execution"}, decryptors(t, p))
	for task, name := range map[string]string{"nodes": "WSO2_DB_SHARED_", "schema": "SCHEMA_SHARED_"} {
		container := containers(t, p, task)[map[string]string{"nodes": "server", "schema": "schema"}[task]]
		from := map[string]string{}
		for _, s := range container.Secrets {
			from[s.Name] = s.ValueFrom
			assert.NotContains(t, s.Name, "_MASTER_")
		}
		assert.Equal(t, dbaSecret+":username::", from[name+"USERNAME"])
		assert.Equal(t, dbaSecret+":password::", from[name+"PASSWORD"])
	}
	assert.Contains(t, environment(containers(t, p, "schema")["prepare"], "WSO2IS_SCHEMA"), "identity.owned=true")
}

func TestPodsLogInAsTheUserOfADatabasesOwner(t *testing.T) {
	p := deploy(t, onOwned("topology", "eks", "eks", object("publicAccessCidrs", []string{"203.0.113.7/32"})))
	assert.ElementsMatch(t, []string{"pods", "schema"}, decryptors(t, p))
	for role, variable := range map[string]string{"server": "WSO2_DB_", "schema": "SCHEMA_"} {
		text := fmt.Sprint(p.One(t, "kubernetes:secrets-store.csi.x-k8s.io/v1:SecretProviderClass", role+"-secrets").Get("spec", "parameters", "objects"))
		assert.Equal(t, 1, strings.Count(text, dbaSecret), "the driver takes each secret once")
		for _, database := range []string{"IDENTITY", "SHARED"} {
			assert.Contains(t, text, "path: username\n      objectAlias: "+variable+database+"_USERNAME")
			assert.Contains(t, text, "path: password\n      objectAlias: "+variable+database+"_PASSWORD")
		}
	}
}
