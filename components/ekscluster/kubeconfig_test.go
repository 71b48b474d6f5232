package ekscluster

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/wso2is-aws/wso2is/config"
)

func TestTokenIsAskedForAsTheProvider(t *testing.T) {
	const role, call = "arn:aws:iam::123456789012:role/deploy", "eks get-token --cluster-name c --output json"
	for name, c := range map[string]struct {
		provider config.Provider
		args     string
		env      map[string]string
	}{
		"nobody":  {config.Provider{}, call, map[string]string{}},
		"profile": {config.Provider{Profile: "prod"}, "--profile prod " + call, map[string]string{}},
		"role of a profile": {config.Provider{Profile: "prod", AssumeRole: &config.AssumeRole{RoleArn: role}},
			"--profile prod " + call + " --role-arn " + role, map[string]string{}},
		"keys before a profile": {config.Provider{Profile: "prod", AccessKey: "AKIA", SecretKey: config.NewSecret("s")}, call,
			map[string]string{"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SESSION_TOKEN": ""}},
		"web identity": {config.Provider{AssumeRoleWithWebIdentity: &config.WebIdentity{RoleArn: role, WebIdentityTokenFile: "/token"}},
			call, map[string]string{"AWS_ROLE_ARN": role, "AWS_WEB_IDENTITY_TOKEN_FILE": "/token", "AWS_ACCESS_KEY_ID": ""}},
		"files and proxy": {config.Provider{SharedConfigFiles: []string{"/config"}, HttpsProxy: "http://proxy"}, call,
			map[string]string{"AWS_CONFIG_FILE": "/config", "HTTPS_PROXY": "http://proxy"}},
	} {
		t.Run(name, func(t *testing.T) {
			args, env := token("eu-west-1", "c", c.provider)
			assert.Equal(t, "--region eu-west-1 "+c.args, strings.Join(args, " "))
			assert.Equal(t, c.env, env)
		})
	}
}
