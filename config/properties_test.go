package config_test

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/wso2is-aws/wso2is/config"
	"github.com/wso2is-aws/wso2is/config/configtest"
	"github.com/wso2is-aws/wso2is/config/instancetype"
	"github.com/wso2is-aws/wso2is/config/ports"
)

func TestValidConfigurationsKeepTheirPromises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := configtest.Valid(t)
		complete(t, "cluster", reflect.ValueOf(c))
		subnets := map[string]netip.Prefix{}
		var all []netip.Prefix
		vpc := netip.MustParsePrefix(c.Network.CIDR)
		for _, s := range c.Subnets() {
			for _, cidr := range []string{s.Private.CIDR, s.Public.CIDR} {
				p := netip.MustParsePrefix(cidr)
				require.True(t, vpc.Overlaps(p) && p.Bits() > vpc.Bits(), "%s is outside %s", p, vpc)
				for _, other := range all {
					require.False(t, other.Overlaps(p), "%s and %s overlap", p, other)
				}
				all = append(all, p)
			}
			subnets[s.Zone] = netip.MustParsePrefix(s.Private.CIDR)
		}
		require.Len(t, subnets, len(c.Network.Zones))
		require.GreaterOrEqual(t, len(subnets), 2)

		if c.Fixed() {
			require.Len(t, c.Nodes.Members, c.Nodes.Count)
		} else {
			require.Empty(t, c.Nodes.Members)
			require.LessOrEqual(t, c.Clustering.Port, ports.HazelcastProbedLast)
		}
		seen := map[string]bool{}
		for _, m := range c.Nodes.Members {
			require.True(t, subnets[m.Zone].Contains(netip.MustParseAddr(m.Address)), "%s in %s", m.Address, m.Zone)
			require.False(t, seen[m.Name] || seen[m.Address], "%v is there twice", m)
			seen[m.Name], seen[m.Address] = true, true
			require.True(t, m.Port >= ports.HazelcastFirst && m.Port <= ports.HazelcastLast)
		}
		kind, ok := instancetype.Lookup(c.Nodes.InstanceType)
		require.True(t, ok && kind.VCPU >= max(4, c.Nodes.CPU) && kind.Memory >= float64(max(4, c.Nodes.Memory)))
		require.Less(t, float64(c.JVM.Heap), kind.Memory*1024)

		names := map[string]bool{}
		for _, l := range c.Database.Logical {
			require.True(t, c.Database.Existing != nil || c.Database.Instances[l.Instance].Class != "")
			require.False(t, names[l.Name])
			names[l.Name] = true
		}
		require.Equal(t, c.Database.Existing == nil, c.Database.Instance.Class != "")
		require.Equal(t, c.Database.Instance, c.Database.Instances[config.MainInstance])
		require.NotEmpty(t, c.Database.RDSEngine())
		require.NotEmpty(t, c.Database.Family())
		require.NotZero(t, c.Database.Port())
		require.NotEmpty(t, c.Product.Archive.Source)
		require.NotEmpty(t, c.Product.Driver.SHA256)

		text, err := json.Marshal(c)
		require.NoError(t, err)
		for _, shown := range []string{string(text), fmt.Sprintf("%v %+v %#v", c, c, c)} {
			require.NotContains(t, shown, "MARKER")
			require.NotContains(t, shown, c.Admin.Password.Reveal())
		}
	})
}

// complete checks that no pointer of a defaulted configuration is nil, except those that mean "not at all".
func complete(t *rapid.T, path string, v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			if strings.HasPrefix(path, "cluster.Provider.") {
				return // the provider has its own defaults
			}
			require.Contains(t, []string{"cluster.Nodes.Autoscaling", "cluster.Network.Adopt", "cluster.Network.Proxy", "cluster.EKS.Cluster",
				"cluster.Load", "cluster.Backup.Lock", "cluster.Backup.CopyTo", "cluster.Database.Existing", "cluster.Database.Users",
				"cluster.LoadBalancer.Existing", "cluster.LoadBalancer.Nginx", "cluster.FileSystem.Existing"}, path)
			return
		}
		complete(t, path, v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			complete(t, path+"."+v.Type().Field(i).Name, v.Field(i))
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			complete(t, path+"."+key.String(), v.MapIndex(key))
		}
	}
}

// FuzzLoad gives text to every key. Load must return a cluster, or problems that name a key.
func FuzzLoad(f *testing.F) {
	f.Add("nodes", `{"count": 3, "members": [{"name": "a"}]}`, false)
	f.Add("network", `{"cidr": "10.0.0.0/30", "zones": ["a", ""], "adopt": {}}`, false)
	f.Add("network", `{"cidr": "::/0", "adopt": {"privateSubnets": {"": {}}}}`, false)
	f.Add("network", `{"egressCidrs": ["", null, {"ports": [0, "x"]}, {"cidr": 5, "ports": []}, ["10.0.0.0/8"]]}`, false)
	f.Add("clustering", `{"scheme": "wka", "wkaMembers": ["10.0.0.1-999:5701"], "hazelcastXml": "<hazelcast/>"}`, true)
	f.Add("database", `{"engine": null, "logical": {"user": null}, "instances": {"main": {}}}`, false)
	f.Add("extraConfig", `{"a": [1, 1e400, {"b": null}]}`, false)
	f.Add("secrets", `{"keystore": "AAAA", "keystorePassword": "x", "recoveryDays": 1}`, true)
	f.Add("userStore", `{"type": "readOnlyLdap", "url": "ldap:"}`, true)
	f.Add("version", "7.1.0\x00", false)
	f.Add("tags", "null", false)
	f.Add("eks", `{"version": 1.3, "nodeGroup": {"min": 9, "max": 1}, "cluster": {"kubeconfig": "x"}}`, true)
	f.Add("eks", `{"publicAccessCidrs": ["", "::/0", "10.0.0.0/8"], "admins": [""], "addons": {"coredns": ""}}`, false)
	f.Fuzz(func(t *testing.T, key, text string, secret bool) {
		values := configtest.Minimal()
		values[key] = text
		// Fixed addresses reach the most code.
		if key == "eks" {
			values["topology"] = "eks"
		} else if key != "clustering" {
			values["clustering"] = `{"scheme": "wka"}`
		}
		var secrets []string
		if secret {
			secrets = append(secrets, key)
		}
		loaded, err := config.Load(configtest.Source(values, secrets...), configtest.Environment())
		if err == nil {
			require.Equal(t, loaded.Cluster.Fixed(), len(loaded.Cluster.Nodes.Members) > 0)
			return
		}
		var problems config.Problems
		require.ErrorAs(t, err, &problems)
		for _, p := range problems {
			require.True(t, strings.HasPrefix(p.Path, "wso2is:"), p.Path)
			require.NotEmpty(t, p.Problem)
			require.NotEmpty(t, p.Fix)
		}
	})
}

// TestNumbersHaveBounds checks that 0 is refused if it has no meaning, so that it never counts as left out. If it has a
// meaning, TestEveryDefaultCanBeSwitchedOff checks that it stays.
func TestNumbersHaveBounds(t *testing.T) {
	var walk func(path string, typ reflect.Type)
	walk = func(path string, typ reflect.Type) {
		for i := range typ.NumField() {
			f := typ.Field(i)
			at := path + "." + f.Name
			inner := f.Type
			for inner.Kind() == reflect.Pointer || inner.Kind() == reflect.Map || inner.Kind() == reflect.Slice {
				inner = inner.Elem()
			}
			switch {
			case inner.Kind() == reflect.Struct && inner != reflect.TypeFor[config.Secret]():
				walk(at, inner)
			case inner.Kind() == reflect.Int:
				low, _, bounded := config.Bounds(f.Tag)
				require.Contains(t, f.Tag.Get("jsonschema"), "minimum=", at)
				require.True(t, low > 0 || bounded, at)
			}
		}
	}
	walk("Cluster", reflect.TypeFor[config.Cluster]())
}
