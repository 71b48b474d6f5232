package plan

import (
	"encoding/base64"
	"net/netip"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/rehearsal/drill/vpc"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// office is a state with a node that may call the directory's port outside, through a gateway.
func office(t *testing.T, port int, cidr string, route bool) *vpc.Network {
	t.Helper()
	resource := func(token, name string, outputs map[string]any) *state.Resource {
		return &state.Resource{
			URN: "urn:pulumi:a::b::" + token + "::" + name, Name: name, Type: token, ID: name, Custom: true, Inputs: outputs, Outputs: outputs,
		}
	}
	all := []*state.Resource{
		resource(state.VPC, "vpc", map[string]any{"cidrBlock": "10.0.0.0/16", "mainRouteTableId": "table"}),
		resource(state.Subnet, "subnet", map[string]any{"vpcId": "vpc", "cidrBlock": "10.0.1.0/24"}),
		resource(state.EC2Instance, "node", map[string]any{"subnetId": "subnet", "privateIp": "10.0.1.5", "vpcSecurityGroupIds": []any{"group"}}),
		resource(state.SecurityGroupEgressRule, "any", map[string]any{
			"securityGroupId": "group", "ipProtocol": "tcp", "fromPort": 443.0, "toPort": 443.0, "cidrIpv4": "0.0.0.0/0",
		}),
		resource(state.SecurityGroupEgressRule, "out", map[string]any{
			"securityGroupId": "group", "ipProtocol": "tcp", "fromPort": float64(port), "toPort": float64(port), "cidrIpv4": cidr,
		}),
		resource(state.InternetGateway, "gateway", map[string]any{"vpcId": "vpc"}),
	}
	if route {
		all = append(all, resource(state.Route, "out", map[string]any{
			"routeTableId": "table", "destinationCidrBlock": "0.0.0.0/0", "gatewayId": "gateway",
		}))
	}
	n, err := vpc.Of(state.New(all...))
	require.NoError(t, err)
	return n
}

func TestTheDirectoryIsWhereTheStateLetsNodesOut(t *testing.T) {
	for name, c := range map[string]struct {
		url, cidr string
		port      int
		route     bool
		at, lacks string
		beyond    bool
	}{
		"LDAPS":              {"ldaps://ldap.example.com", "198.51.100.16/28", 636, true, "ldaps://198.51.100.17:636", "", false},
		"LDAP":               {"ldap://ldap.example.com", "198.51.100.16/32", 389, true, "ldap://198.51.100.16:389", "", false},
		"anywhere":           {"ldaps://ldap.example.com:1636", "0.0.0.0/0", 1636, true, "ldaps://198.51.100.200:1636", "", false},
		"an address":         {"ldaps://198.51.100.20", "198.51.100.0/24", 636, true, "ldaps://198.51.100.20:636", "", false},
		"no rule":            {"ldaps://ldap.example.com", "198.51.100.0/24", 389, true, "", "no egress rule lets node out to the directory's port 636", false},
		"no route":           {"ldaps://ldap.example.com", "198.51.100.0/24", 636, false, "ldaps://198.51.100.200:636", "", true},
		"a directory inside": {"ldaps://ldap.example.com", "10.0.7.0/24", 636, true, "ldaps://10.0.7.1:636", "", true},
	} {
		t.Run(name, func(t *testing.T) {
			var s settings
			require.NoError(t, toml.Unmarshal([]byte("[user_store.properties]\nAnonymousBind = false\nConnectionURL = '"+c.url+"'\n"+
				"ConnectionName = 'CN=Bind &amp; Co,DC=example'\nConnectionPassword = '$env{PASSWORD}'\nUserSearchBase = 'OU=Users,DC=example'\n"), &s))
			p := &Plan{Network: office(t, c.port, c.cidr, c.route)}
			require.NoError(t, p.directory(&s, &Node{Secrets: map[string]string{"PASSWORD": "a secret"}}, p.Network.Find(vpc.Node)[0]))
			require.Equal(t, []string{"CN=Bind & Co,DC=example", "a secret"}, []string{p.Directory.BindDN, p.Directory.Password})
			if c.lacks != "" {
				require.Contains(t, p.Directory.Lacks, c.lacks)
				require.Equal(t, netip.Addr{}, p.Directory.Address)
				return
			}
			require.Empty(t, p.Directory.Lacks)
			require.Equal(t, c.at, p.Directory.URL())
			require.Equal(t, c.beyond, p.Network.Beyond == p.Directory.Address, "a way that is not in the state")
		})
	}
}

func TestADirectoryHasEveryEntryAboveThoseInWhichNodesSearch(t *testing.T) {
	d := Directory{Bases: []string{`OU=Users \2C all, DC=example`, `ou=Groups,dc=example`}}
	var names []string
	for line := range strings.SplitSeq(d.Tree(), "\n") {
		if text, ok := strings.CutPrefix(line, "dn:: "); ok {
			raw, err := base64.StdEncoding.DecodeString(text)
			require.NoError(t, err)
			names = append(names, string(raw))
		}
	}
	require.Equal(t, []string{"DC=example", `OU=Users \2C all,DC=example`, "ou=Groups,dc=example"}, names)
	require.Contains(t, d.Tree(), "OU:: "+base64.StdEncoding.EncodeToString([]byte("Users , all"))+"\n")
}
