package cloud

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAccountIsTheOneThatTheStackActsIn(t *testing.T) {
	for want, configuration := range map[string]map[string]string{
		defaultAccount: {"aws:profile": "prod"},
		"111122223333": {"aws:assumeRole": `{"roleArn":"arn:aws:iam::111122223333:role/deploy"}`, "aws:allowedAccountIds": `["444455556666"]`},
		"444455556666": {"aws:allowedAccountIds": `["444455556666"]`},
	} {
		require.Equal(t, want, AccountOf(configuration))
	}
}

func TestProviderGetsEveryKeyOfTheConfiguration(t *testing.T) {
	c, err := New(Options{Configuration: map[string]string{
		"aws:region": "eu-west-1", "aws:profile": "prod", "aws:maxRetries": "5", "aws:insecure": "true",
		"aws:allowedAccountIds": `["123456789012"]`, "aws:defaultTags": `{"tags":{"team":"iam"}}`, "wso2is:profile": "dev",
	}})
	require.NoError(t, err)
	whole := func() Object {
		return Object{
			"region": "eu-west-1", "profile": "prod", "maxRetries": 5.0, "insecure": true, "allowedAccountIds": []any{"123456789012"},
			"defaultTags": Object{"tags": Object{"team": "iam", "stack": "dev"}},
		}
	}
	require.NoError(t, c.Configure("aws", whole()))
	inText := whole()
	inText["allowedAccountIds"], inText["insecure"] = `["123456789012"]`, "true"
	require.NoError(t, c.Configure("default", inText), "the engine hands the configuration over as text")
	for key, other := range map[string]any{
		"profile": "dev", "maxRetries": 4.0, "insecure": false, "allowedAccountIds": []any{}, "defaultTags": Object{"tags": Object{}},
	} {
		for _, value := range []any{nil, other} {
			config := whole()
			config[key] = value
			require.ErrorContains(t, c.Configure("aws", config), "the provider aws does not get aws:"+key+
				", which the stack's configuration sets")
		}
	}
}

func TestProviderRefusesAnAccountThatIsNotAllowed(t *testing.T) {
	c, err := New(Options{Account: "111122223333"})
	require.NoError(t, err)
	const role = "arn:aws:iam::444455556666:role/deploy"
	for want, config := range map[string]Object{
		"AWS account ID not allowed: 111122223333": {"allowedAccountIds": []any{"444455556666"}},
		"not allowed: 111122223333":                {"forbiddenAccountIds": []any{"111122223333"}},
		"AWS account ID not allowed: 444455556666": {"assumeRole": Object{"roleArn": role}, "allowedAccountIds": []any{"111122223333"}},
		"acts in the account 444455556666":         {"assumeRole": Object{"roleArn": role}},
	} {
		config["region"] = "eu-west-1"
		require.ErrorContains(t, c.Configure("aws", config), want)
	}
	require.NoError(t, c.Configure("aws", Object{"region": "eu-west-1", "allowedAccountIds": []any{"111122223333"}}))
}

func TestTokenIsTheProvidersOwn(t *testing.T) {
	exec := func(args []string, env ...string) *kubeExec {
		e := &kubeExec{Command: "aws", Args: args}
		for i := 0; i < len(env); i += 2 {
			e.Env = append(e.Env, struct {
				Name  string `yaml:"name"`
				Value string `yaml:"value"`
			}{env[i], env[i+1]})
		}
		return e
	}
	const role = "arn:aws:iam::123456789012:role/deploy"
	profile := Object{"profile": "prod", "assumeRole": Object{"roleArn": role}}
	keys := Object{"accessKey": "AKIA", "secretKey": "s", "profile": "prod"}
	for name, c := range map[string]struct {
		config Object
		exec   *kubeExec
		want   string
	}{
		"nobody":       {Object{}, exec(nil), ""},
		"same":         {profile, exec([]string{"--profile", "prod", "--role-arn", role}), ""},
		"no role":      {profile, exec([]string{"--profile", "prod"}), "gets its token as profile prod, and the AWS provider acts as profile prod, role " + role},
		"no profile":   {profile, exec([]string{"--role-arn", role}), "gets its token as role"},
		"in variables": {profile, exec([]string{"--role-arn", role}, "AWS_PROFILE", "prod"), "which keys in the environment override"},
		"keys":         {keys, exec(nil, "AWS_ACCESS_KEY_ID", "AKIA", "AWS_SECRET_ACCESS_KEY", "s"), ""},
		"other keys":   {keys, exec(nil, "AWS_ACCESS_KEY_ID", "AKIA", "AWS_SECRET_ACCESS_KEY", "x"), "gets its token as access key AKIA"},
		"no keys":      {keys, exec([]string{"--profile", "prod"}), "the AWS provider acts as access key AKIA"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, Options{})
			c.config["region"] = "eu-west-1"
			require.NoError(t, w.Configure("aws", c.config))
			err := w.checkToken(c.exec)
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.want)
			require.NotContains(t, fmt.Sprint(err), " s,")
		})
	}
}
