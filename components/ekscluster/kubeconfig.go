package ekscluster

import (
	"encoding/json"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/awskit"
	"github.com/wso2is-aws/wso2is/config"
)

// access is a cluster's name, its API's URL, and the API's certificate authority.
type access[T any] struct{ Name, Endpoint, Authority T }

// kubeconfig asks the AWS CLI of the machine that runs Pulumi for a token, with the identity of the AWS provider. JSON
// is YAML, the format of kubeconfig files.
func kubeconfig(
	scope awskit.Scope, provider config.Provider, name, endpoint, authority pulumi.StringInput,
) pulumi.StringOutput {
	values := access[pulumi.StringInput]{Name: name, Endpoint: endpoint, Authority: authority}
	text := awskit.Resolve(values, func(known access[string]) (string, error) {
		type object = map[string]any
		args, variables := token(scope.Region, known.Name, provider)
		exec := object{
			"apiVersion": "client.authentication.k8s.io/v1beta1", "command": "aws", "args": args, "interactiveMode": "Never",
			"provideClusterInfo": false,
		}
		var env []map[string]string
		for name, value := range awskit.Sorted(variables) {
			env = append(env, map[string]string{"name": name, "value": value})
		}
		if len(env) > 0 {
			exec["env"] = env
		}
		text, err := json.Marshal(object{
			"apiVersion": "v1", "kind": "Config", "current-context": known.Name,
			"clusters": []object{{"name": known.Name, "cluster": object{
				"server": known.Endpoint, "certificate-authority-data": known.Authority,
			}}},
			"users":    []object{{"name": known.Name, "user": object{"exec": exec}}},
			"contexts": []object{{"name": known.Name, "context": object{"cluster": known.Name, "user": known.Name}}},
		})
		return string(text), err
	})
	return pulumi.ToSecret(text).(pulumi.StringOutput)
}

// token is the call of the AWS CLI, with the variables that it needs.
func token(region, cluster string, p config.Provider) (args []string, env map[string]string) {
	args, env = []string{"--region", region}, map[string]string{}
	set := func(variable, value string) {
		if value != "" {
			env[variable] = value
		}
	}
	switch {
	case p.AccessKey != "":
		// Like the provider, the CLI prefers keys to a profile in a variable.
		env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"] = p.AccessKey, p.SecretKey.Reveal()
		env["AWS_SESSION_TOKEN"] = p.Token.Reveal() // an empty one hides the one that Pulumi runs with
	case p.Profile != "":
		// The option takes precedence over keys in variables, like the provider's own profile. AWS_PROFILE does not
		// (AWS CLI, "Configuration settings and precedence").
		args = append(args, "--profile", p.Profile)
	}
	if role := p.AssumeRoleWithWebIdentity; role != nil {
		set("AWS_ROLE_ARN", role.RoleArn)
		set("AWS_WEB_IDENTITY_TOKEN_FILE", role.WebIdentityTokenFile)
		set("AWS_ROLE_SESSION_NAME", role.SessionName)
		if p.AccessKey == "" {
			env["AWS_ACCESS_KEY_ID"] = "" // keys would take precedence over the web identity
		}
	}
	for variable, files := range map[string][]string{
		"AWS_CONFIG_FILE": p.SharedConfigFiles, "AWS_SHARED_CREDENTIALS_FILE": p.SharedCredentialsFiles,
	} {
		if len(files) == 1 { // validated
			set(variable, files[0])
		}
	}
	set("AWS_CA_BUNDLE", p.CustomCaBundle)
	set("HTTP_PROXY", p.HttpProxy)
	set("HTTPS_PROXY", p.HttpsProxy)
	set("NO_PROXY", p.NoProxy)
	args = append(args, "eks", "get-token", "--cluster-name", cluster, "--output", "json")
	if role := p.AssumeRole; role != nil {
		args = append(args, "--role-arn", role.RoleArn)
	}
	return args, env
}
