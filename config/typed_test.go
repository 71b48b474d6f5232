package config_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/config"
	"github.com/wso2is-aws/wso2is/config/configtest"
)

// both loads a configuration that a Go program writes, and the same one as a stack file has it.
func both(t *testing.T, c config.Cluster, zero []string, same map[string]any, secrets ...string) (typed, file config.Loaded, errs [2]error) {
	t.Helper()
	c.Region, c.Version, c.Hostname = "eu-west-1", "7.1.0", "is.example.com"
	c.LoadBalancer.CertificateARN = configtest.Minimal()["loadBalancer"].(map[string]any)["certificateArn"].(string)
	typed, errs[0] = config.Load(config.Typed(c, zero...), configtest.Environment())
	file, errs[1] = configtest.TryLoad(same, secrets...)
	return typed, file, errs
}

func TestAValueOfGoIsReadAsAStackFile(t *testing.T) {
	type object = map[string]any
	for name, c := range map[string]struct {
		typed   config.Cluster
		zero    []string
		file    object
		secrets []string
	}{
		"nothing":        {},
		"values":         {config.Cluster{Profile: config.Dev, Nodes: config.Nodes{Count: 3}}, nil, object{"profile": "dev", "nodes": object{"count": 3}}, nil},
		"a false":        {config.Cluster{}, []string{"network.flowLogs"}, object{"network": object{"flowLogs": false}}, nil},
		"a 0":            {config.Cluster{}, []string{"observability.logRetention"}, object{"observability": object{"logRetention": 0}}, nil},
		"an empty list":  {config.Cluster{Network: config.Network{EgressCIDRs: []config.Egress{}}}, nil, object{"network": object{"egressCidrs": []any{}}}, nil},
		"a list":         {config.Cluster{Nodes: config.Nodes{Count: 1, Members: []config.Member{{Name: "one"}}}}, nil, object{"nodes": object{"count": 1, "members": []any{object{"name": "one"}}}}, nil},
		"a secret":       {config.Cluster{Admin: config.Admin{Password: config.NewSecret("Str0ng-enough!")}}, nil, object{"admin": object{"password": "Str0ng-enough!"}}, []string{"admin"}},
		"TOML":           {config.Cluster{ExtraConfig: object{"server": object{"offset": 5}}}, nil, object{"extraConfig": object{"server": object{"offset": 5}}}, nil},
		"a wrong value":  {config.Cluster{Topology: "ec3", Nodes: config.Nodes{Count: -1}}, nil, object{"topology": "ec3", "nodes": object{"count": -1}}, nil},
		"an unknown key": {config.Cluster{}, []string{"network.flowLog"}, object{"network": object{"flowLog": false}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if c.typed.Topology == "" {
				c.typed.Topology = config.EC2
			}
			typed, file, errs := both(t, c.typed, c.zero, c.file, c.secrets...)
			if errs[1] != nil {
				require.EqualError(t, errs[0], errs[1].Error())
				return
			}
			require.NoError(t, errs[0])
			assert.Equal(t, file, typed)
		})
	}
}

func TestANameOfOnesOwnIsTheBeginningOfAllOthers(t *testing.T) {
	env := configtest.Environment()
	env.Name = "login-one"
	loaded, err := config.Load(configtest.Source(configtest.Minimal()), env)
	require.NoError(t, err)
	assert.Equal(t, "login-one", loaded.Cluster.Name())
	assert.Equal(t, "login-one", loaded.Cluster.Clustering.Domain)

	env.Name = "Login One"
	_, err = config.Load(configtest.Source(configtest.Minimal()), env)
	assert.ErrorContains(t, err, "Login One")
}

// TestThePublicValuesHaveNoSecrets looks at an object with a secret beside other keys, and at a source with a whole secret key.
func TestThePublicValuesHaveNoSecrets(t *testing.T) {
	c := config.Cluster{Region: "eu-west-1", UserStore: config.UserStore{URL: "ldaps://directory.example.com", BindPassword: config.NewSecret("Marker0Secret")}}
	public := config.Public(config.Typed(c, "network.flowLogs"))
	assert.Equal(t, map[string]string{
		"aws:region": "eu-west-1", "wso2is:network": `{"flowLogs":false}`, "wso2is:userStore": `{"url":"ldaps://directory.example.com"}`,
	}, public)
	with := config.Public(config.With(config.Typed(c), map[string]any{"userStore.cidrs": []string{"10.0.0.0/8"}}))
	assert.Equal(t, `{"cidrs":["10.0.0.0/8"],"url":"ldaps://directory.example.com"}`, with["wso2is:userStore"])
	written := configtest.Minimal()
	written["admin"] = map[string]any{"username": "root"}
	assert.NotContains(t, config.Public(configtest.Source(written, "admin")), "wso2is:admin")
}
