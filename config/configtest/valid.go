package configtest

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"pgregory.net/rapid"

	"github.com/wso2is-aws/wso2is/config"
	"github.com/wso2is-aws/wso2is/config/engine"
	"github.com/wso2is-aws/wso2is/config/product"
)

type object = map[string]any

// Valid draws a cluster from all that a stack file may contain.
func Valid(t *rapid.T) config.Cluster {
	return Load(t, Changes(t), "admin", "clustering", "userStore").Cluster
}

// Changes draws changes to the minimal configuration, for TryLoad with the secrets admin, clustering and userStore.
func Changes(t *rapid.T) map[string]any {
	version := rapid.SampledFrom(product.Versions()).Draw(t, "version")
	scheme := rapid.SampledFrom([]config.Scheme{config.AWS, config.WKA, config.Multicast}).Draw(t, "scheme")
	count := rapid.IntRange(1, 12).Draw(t, "count")
	all := object{
		"profile":      rapid.SampledFrom([]config.Profile{config.Dev, config.Prod}).Draw(t, "profile"),
		"version":      string(version),
		"nodes":        nodes(t, scheme, count),
		"network":      network(t),
		"clustering":   clustering(t, scheme),
		"caching":      caching(t, version),
		"database":     database(t, version),
		"fileSystem":   object{"userstores": rapid.Bool().Draw(t, "userstores"), "tenants": rapid.Bool().Draw(t, "tenants")},
		"loadBalancer": loadBalancer(t),
		"userStore":    userStore(t),
		"extraConfig":  rapid.SampledFrom([]object{{}, {"oauth": object{"timeouts": object{"code": 300}}}}).Draw(t, "extra"),
		"admin":        object{"password": rapid.StringMatching(`[a-z0-9][A-Za-z0-9_.~!*+=@:,/-]{7,20}`).Draw(t, "password")},
		"tags": rapid.MapOfN(rapid.StringMatching(`team-[a-z]{1,8}`), rapid.StringMatching(`[a-z ]{0,9}`), 0,
			3).Draw(t, "tags"),
	}
	if all["network"].(object)["adopt"] != nil && rapid.Bool().Draw(t, "existing database") {
		all["database"] = existing(t, version, all["database"].(object))
	}
	// Pulumi returns a string as it is.
	all["profile"] = string(all["profile"].(config.Profile))
	return all
}

func nodes(t *rapid.T, scheme config.Scheme, count int) object {
	n := object{"count": count}
	switch rapid.IntRange(0, 2).Draw(t, "size") {
	case 0:
		n["instanceType"] = rapid.SampledFrom([]string{"t3.xlarge", "t4g.xlarge", "m7g.2xlarge", "c6i.xlarge",
			"r8g.4xlarge"}).
			Draw(t, "instance type")
	case 1:
		n["cpu"] = rapid.IntRange(4, 96).Draw(t, "cpu")
		n["memory"] = rapid.IntRange(4, 384).Draw(t, "memory")
	}
	if scheme == config.AWS && rapid.Bool().Draw(t, "autoscaling") {
		n["autoscaling"] = object{"max": count + rapid.IntRange(0, 5).Draw(t, "more")}
	}
	return n
}

func network(t *rapid.T) object {
	n := object{}
	if rapid.Bool().Draw(t, "egress") {
		n["egressCidrs"] = []any{"203.0.113.0/24", object{"cidr": "198.51.100.0/24", "ports": []int{587}}}
	}
	if rapid.Bool().Draw(t, "proxy") {
		n["proxy"] = object{"url": "http://proxy.example.com:3128", "cidrs": []string{"172.20.0.0/24"}}
	}
	second := rapid.IntRange(0, 255).Draw(t, "second octet")
	if !rapid.Bool().Draw(t, "adopt") {
		n["cidr"] = fmt.Sprintf("10.%d.0.0/%d", second, rapid.IntRange(16, 22).Draw(t, "prefix"))
		letters := rapid.SliceOfNDistinct(rapid.SampledFrom(strings.Split("abcdefgh", "")), 2, 4, rapid.ID).Draw(t, "zones")
		zones := make([]string, len(letters))
		for i, letter := range letters {
			zones[i] = "eu-west-1" + letter
		}
		if rapid.Bool().Draw(t, "zones given") {
			n["zones"] = zones
		}
		return n
	}
	subnets := func(kind, third int) object {
		group := object{}
		for i, zone := range []string{"eu-west-1a", "eu-west-1c"} {
			group[zone] = object{"id": fmt.Sprintf("subnet-%d000000%d", kind, i), "cidr": fmt.Sprintf("10.%d.%d.0/24", second,
				third+i)}
		}
		return group
	}
	n["cidr"] = fmt.Sprintf("10.%d.0.0/16", second)
	n["adopt"] = object{
		"vpc": "vpc-0123456789abcdef0", "endpointSecurityGroup": "sg-01234567", "s3PrefixList": "pl-01234567",
		"privateSubnets": subnets(1, 10), "publicSubnets": subnets(2, 20),
	}
	return n
}

func clustering(t *rapid.T, scheme config.Scheme) object {
	k := object{
		"scheme": scheme, "port": rapid.IntRange(5701, 5708).Draw(t, "port"),
		"heartbeatTimeout": rapid.IntRange(10, 600).Draw(t, "heartbeat"),
	}
	if scheme == config.AWS && rapid.Bool().Draw(t, "access key") {
		k["aws"] = object{"accessKey": "AKIAIOSFODNN7EXAMPLE", "secretKey": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}
	}
	if rapid.Bool().Draw(t, "property") {
		k["hazelcast"] = object{"hazelcast.slow.operation.detector.enabled": "false"}
	}
	return k
}

func caching(t *rapid.T, version product.Version) object {
	scenario := rapid.SampledFrom([]config.CacheScenario{
		config.CacheLocalInvalidation, config.CacheLocal, config.CacheNone, config.CacheSelected, config.CacheDistributed,
	}).Draw(t, "caching")
	c := object{"scenario": scenario}
	id := rapid.SampledFrom(version.CacheIDs())
	if scenario == config.CacheSelected {
		c["disabled"] = rapid.SliceOfNDistinct(id, 1, 3, rapid.ID).Draw(t, "disabled")
	}
	if rapid.Bool().Draw(t, "adjust a cache") {
		c["caches"] = object{id.Draw(t, "cache"): object{"timeoutSeconds": rapid.IntRange(1, 3600).Draw(t, "timeout")}}
	}
	return c
}

func database(t *rapid.T, version product.Version) object {
	db := object{
		"engine": rapid.SampledFrom(engine.Names()).Draw(t, "engine"),
		"layout": rapid.SampledFrom([]config.Layout{config.Separate, config.Single}).Draw(t, "layout"),
		// The class has enough connections for the largest number of nodes and logical databases.
		"instance": object{"class": "db.m6i.4xlarge"},
	}
	names := []config.LogicalName{config.UserDB, config.ConsentDB, config.SessionDB, config.ConfigDB}
	if facts, err := version.Facts(); err == nil && facts.AgentIdentity {
		names = append(names, config.AgentDB)
	}
	onAurora := slices.Contains(engine.OnAurora(), db["engine"].(engine.Name)) && rapid.Bool().Draw(t, "on Aurora")
	if onAurora {
		db["type"], db["instance"] = string(config.Aurora), object{"class": "db.r6i.4xlarge"}
	}
	instances := []string{config.MainInstance}
	if rapid.Bool().Draw(t, "further instance") {
		instances = append(instances, "further")
		further := object{}
		if !onAurora {
			further["storage"] = rapid.IntRange(20, 1000).Draw(t, "storage")
		}
		db["instances"] = object{"further": further}
	}
	logical := object{}
	for _, name := range rapid.SliceOfDistinct(rapid.SampledFrom(names), rapid.ID).Draw(t, "logical") {
		logical[string(name)] = object{"instance": rapid.SampledFrom(instances).Draw(t, "instance")}
	}
	db["logical"] = logical
	if generation := rapid.IntRange(1, 4).Draw(t, "generation of users"); generation > 1 && db["engine"] != engine.Oracle {
		db["users"] = object{"generation": generation, "revoked": rapid.IntRange(0, generation-1).Draw(t, "revoked users")}
	}
	return db
}

// existing moves the drawn database onto a server that exists.
func existing(t *rapid.T, version product.Version, drawn object) object {
	server := object{"host": rapid.SampledFrom([]string{"10.9.0.4", "identity.cluster-abc.eu-west-1.rds.amazonaws.com"}).Draw(t, "host"),
		"masterSecretArn": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:administrator-AbCdEf"}
	if rapid.Bool().Draw(t, "by group") {
		server["securityGroup"] = "sg-00000002"
	} else {
		server["cidrs"] = []string{"10.9.0.0/28", "10.9.1.0/28"}
	}
	if rapid.Bool().Draw(t, "own port") {
		server["port"] = rapid.IntRange(1, 65535).Draw(t, "database port")
	}
	if rapid.Bool().Draw(t, "own key") {
		server["secretKeyArn"] = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"
	}
	if drawn["engine"] == engine.Oracle {
		server["serviceName"] = "ORCLPDB1"
	}
	logical := object{}
	for name := range drawn["logical"].(object) {
		logical[name] = object{}
	}
	if rapid.Bool().Draw(t, "own users") {
		users := object{"identity": ownUser("identity")}
		if drawn["layout"] != config.Single {
			users["shared"] = ownUser("shared")
		}
		if facts, err := version.Facts(); err == nil && facts.AgentIdentity {
			users["agent"] = ownUser("agent")
		}
		for name := range logical {
			users[name] = ownUser(name)
		}
		delete(server, "masterSecretArn")
		server["userSecretArns"] = users
	}
	return object{"engine": drawn["engine"], "layout": drawn["layout"], "logical": logical, "existing": server}
}

// ownUser is the secret of the user of a logical database.
func ownUser(name string) string {
	return "arn:aws:secretsmanager:eu-west-1:123456789012:secret:dba/" + name + "-AbCdEf"
}

func loadBalancer(t *rapid.T) object {
	lb := maps.Clone(Minimal()["loadBalancer"].(object))
	lb["internal"] = rapid.Bool().Draw(t, "internal")
	if rapid.Bool().Draw(t, "hosted zone") {
		lb["hostedZone"] = "Z0123456789ABC"
	}
	if rapid.Bool().Draw(t, "certificate made") {
		lb["hostedZone"] = "Z0123456789ABC"
		delete(lb, "certificateArn")
	}
	return lb
}

func userStore(t *rapid.T) object {
	kinds := []config.UserStoreType{
		config.DatabaseUserStore, config.ReadOnlyLDAP, config.ReadWriteLDAP, config.ReadOnlyActiveDirectory,
		config.ReadWriteActiveDirectory,
	}
	kind := rapid.SampledFrom(kinds).Draw(t, "user store")
	if slices.Index(kinds, kind) == 0 {
		return object{}
	}
	return object{
		"type": kind, "url": "ldaps://ldap.example.com:636", "cidrs": []string{"10.9.0.0/24"},
		"bindDn": "cn=bind & co,dc=example,dc=com", "bindPassword": "MARKER-bind",
		"userSearchBase": "ou=users,dc=example,dc=com",
	}
}

// ChangesOnEKS draws changes for the topology eks, for TryLoad with the secrets admin and userStore.
func ChangesOnEKS(t *rapid.T) map[string]any {
	all := Changes(t)
	all["topology"] = "eks"
	all["clustering"] = object{"port": rapid.IntRange(5701, 5800).Draw(t, "member port")}
	n := object{"count": rapid.IntRange(1, 6).Draw(t, "pods")}
	if rapid.Bool().Draw(t, "larger pods") {
		n["cpu"], n["memory"] = rapid.IntRange(4, 32).Draw(t, "pod cpu"), rapid.IntRange(4, 64).Draw(t, "pod memory")
	} else if rapid.Bool().Draw(t, "ARM") {
		n["instanceType"] = "m7g.2xlarge"
	}
	if rapid.Bool().Draw(t, "scaled") {
		n["autoscaling"] = object{"max": 6, "memory": rapid.IntRange(10, 90).Draw(t, "memory target")}
	}
	all["nodes"] = n
	e := object{
		"registration": rapid.SampledFrom([]config.Registration{config.TargetGroupBinding, config.Ingress}).Draw(t, "way"),
		"secrets":      rapid.SampledFrom([]config.SecretStore{config.SecretsCSI, config.SecretsKubernetes}).Draw(t, "store"),
	}
	if all["version"] == string(product.V5_11_0) && clustered(all) {
		e["membershipScheme"] = object{"source": "s3://bucket/kubernetes-membership-scheme-1.0.10.jar"}
	}
	adopted := all["network"].(object)["adopt"] != nil
	if !adopted {
		// A network with its own size must have room for whole nodes.
		all["network"].(object)["cidr"] = "10.0.0.0/16"
	}
	all["eks"] = e
	if adopted && rapid.Bool().Draw(t, "existing cluster") {
		delete(n, "instanceType")
		e["cluster"] = object{"name": "drawn", "nodeSecurityGroup": "sg-01234567",
			"fileSystemRole": "arn:aws:iam::123456789012:role/efs-csi-node"}
		return all
	}
	e["version"] = rapid.SampledFrom(config.KubernetesVersions()).Draw(t, "kubernetes")
	e["nodeGroup"] = object{"ami": rapid.SampledFrom([]config.NodeImage{config.AL2023, config.Bottlerocket}).Draw(t, "ami")}
	if !adopted || rapid.Bool().Draw(t, "public") {
		e["publicAccessCidrs"] = []string{"203.0.113.7/32"}
	}
	return all
}

func clustered(all object) bool {
	scenario := all["caching"].(object)["scenario"]
	return scenario != config.CacheLocal && scenario != config.CacheNone
}
