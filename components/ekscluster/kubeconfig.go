package ekscluster

import (
	"encoding/json"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/awskit"
)

// kubeconfig asks the AWS CLI of the machine that runs Pulumi for a token, with the profile that the stack names, so
// that no credentials are in it. JSON is YAML, which kubeconfig files are written in.
func kubeconfig(
	ctx *pulumi.Context, scope awskit.Scope, name, endpoint, authority pulumi.StringInput,
) pulumi.StringOutput {
	var env []map[string]string
	if profile, ok := ctx.GetConfig("aws:profile"); ok {
		env = append(env, map[string]string{"name": "AWS_PROFILE", "value": profile})
	}
	values := pulumi.StringArray{name, endpoint, authority}.ToStringArrayOutput()
	text := values.ApplyT(func(v []string) (string, error) {
		type object = map[string]any
		exec := object{
			"apiVersion": "client.authentication.k8s.io/v1beta1", "command": "aws",
			"args":               []string{"--region", scope.Region, "eks", "get-token", "--cluster-name", v[0], "--output", "json"},
			"interactiveMode":    "Never",
			"provideClusterInfo": false,
		}
		if len(env) > 0 {
			exec["env"] = env
		}
		text, err := json.Marshal(object{
			"apiVersion": "v1", "kind": "Config", "current-context": v[0],
			"clusters": []object{{"name": v[0], "cluster": object{"server": v[1], "certificate-authority-data": v[2]}}},
			"users":    []object{{"name": v[0], "user": object{"exec": exec}}},
			"contexts": []object{{"name": v[0], "context": object{"cluster": v[0], "user": v[0]}}},
		})
		return string(text), err
	}).(pulumi.StringOutput)
	return pulumi.ToSecret(text).(pulumi.StringOutput)
}
