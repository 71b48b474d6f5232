package vpc

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

type object = map[string]any

func labels(role string) object { return object{"app": "wso2is", "role": role} }

func policy(name string, spec object) *state.Resource {
	return resource(state.NetworkPolicy, name, name, object{"metadata": object{"name": name, "namespace": "wso2is"}, "spec": spec})
}

// twoPods is a state with two pods and the place of a third one, on Kubernetes nodes in two subnets.
func twoPods(more ...*state.Resource) *state.State {
	return state.New(append(more,
		resource(state.VPC, "vpc", "vpc-1", object{"cidrBlock": "10.0.0.0/16", "mainRouteTableId": "rtb-1"}),
		resource(state.Subnet, "a", "subnet-a", object{"vpcId": "vpc-1", "cidrBlock": "10.0.1.0/24"}),
		resource(state.Subnet, "b", "subnet-b", object{"vpcId": "vpc-1", "cidrBlock": "10.0.2.0/24"}),
		resource(state.EKSCluster, "cluster", "platform", object{
			"name": "platform", "kubernetesNetworkConfig": object{"serviceIpv4Cidr": "172.20.0.0/16"},
			"vpcConfig": object{"subnetIds": []any{"subnet-a", "subnet-b"}, "securityGroupIds": []any{"sg-control"}, "clusterSecurityGroupId": "sg-own"},
		}),
		resource(state.LaunchTemplate, "nodes", "lt-1", object{"vpcSecurityGroupIds": []any{"sg-nodes"}}),
		resource(state.NodeGroup, "nodes", "group", object{"clusterName": "platform", "subnetIds": []any{"subnet-a", "subnet-b"}, "launchTemplate": object{"id": "lt-1"}}),
		resource(state.Deployment, "server", "wso2is/wso2is", object{"metadata": object{"name": "wso2is", "namespace": "wso2is"}, "spec": object{
			"replicas": 2.0, "strategy": object{"rollingUpdate": object{"maxSurge": 1.0, "maxUnavailable": 0.0}},
			"template": object{"metadata": object{"labels": labels("server")}, "spec": object{"containers": []any{
				object{"name": "server", "ports": []any{object{"name": "https", "containerPort": 9443.0}}},
			}}},
		}}),
	)...)
}

func TestPodsAreInTheSubnetsOfTheirKubernetesNodes(t *testing.T) {
	n, err := Of(twoPods())
	require.NoError(t, err)
	var at []string
	for _, i := range n.Find(Node) {
		require.Equal(t, []string{"sg-nodes"}, i.Groups)
		at = append(at, i.Name+" "+i.Address.String())
	}
	require.Equal(t, []string{"wso2is-1 10.0.1.253", "wso2is-2 10.0.2.253", "wso2is-3 10.0.1.252"}, at, "the third one is for a rollout")
	require.Equal(t, []string{"sg-control", "sg-own"}, n.Find(ControlPlane)[0].Groups)
	require.Contains(t, n.Rules(), "ip daddr 172.20.0.1 tcp dport 443 dnat to numgen random mod 2 map { 0 : 10.0.1.254, 1 : 10.0.2.254 }")
	require.NotContains(t, n.policyRules(), "jump", "without a policy nothing of a pod is closed")
}

func TestNetworkPoliciesBecomeRules(t *testing.T) {
	members := object{"podSelector": object{"matchLabels": labels("server")}}
	n, err := Of(twoPods(
		policy("closed", object{"podSelector": object{}, "policyTypes": []any{"Ingress", "Egress"}}),
		policy("hazelcast", object{
			"podSelector": object{"matchLabels": labels("server")}, "policyTypes": []any{"Ingress", "Egress"},
			"ingress": []any{object{"from": []any{members}, "ports": []any{object{"protocol": "TCP", "port": 5701.0, "endPort": 5800.0}}}},
			"egress":  []any{object{"to": []any{members}, "ports": []any{object{"protocol": "TCP", "port": 5701.0, "endPort": 5800.0}}}},
		}),
		policy("serve", object{"podSelector": object{"matchExpressions": []any{object{"key": "role", "operator": "In", "values": []any{"server"}}}}, "ingress": []any{object{
			"from": []any{object{"ipBlock": object{"cidr": "10.0.0.0/24", "except": []any{"10.0.0.8/32"}}}}, "ports": []any{object{"port": "https"}},
		}}}),
		policy("dns", object{"podSelector": object{}, "policyTypes": []any{"Egress"}, "egress": []any{object{
			"to": []any{object{"namespaceSelector": object{"matchLabels": object{"kubernetes.io/metadata.name": "kube-system"}}}},
		}}}),
		policy("schema", object{"podSelector": object{"matchLabels": labels("schema")}, "egress": []any{object{}}}),
		policy("elsewhere", object{"podSelector": object{}, "ingress": []any{object{}}}),
	))
	require.NoError(t, err)
	n.With(state.NetworkPolicy, "metadata.name", "elsewhere")[0].Outputs["metadata"].(object)["namespace"] = "other"
	rules := n.policyRules()
	const all = "10.0.1.253, 10.0.2.253, 10.0.1.252"
	require.Contains(t, rules, "chain ingress_i2 {\n\t\tip saddr { "+all+" } tcp dport 5701-5800 return\n"+
		"\t\tip saddr 10.0.0.0/24 ip saddr != { 10.0.0.8/32 } tcp dport 9443-9443 return\n\t\tdrop\n")
	require.Contains(t, rules, "chain egress_i2 {\n\t\tip daddr { "+all+" } tcp dport 5701-5800 return\n\t\tdrop\n", "no pod of the state is in kube-system")
	require.Contains(t, rules, "hook prerouting priority mangle;\n\t\tct state established,related accept\n\t\tiifname vmap { \"i2\" : jump egress_i2",
		"a pod's policies see the address of a Service before it is translated")
}

func TestTheNumberOfPodsDuringARolloutIsRoundedAsKubernetesDoes(t *testing.T) {
	r := resource(state.Deployment, "server", "a", object{"spec": object{"replicas": 5.0, "strategy": object{"rollingUpdate": object{"maxSurge": "30%"}}}})
	require.Equal(t, 7, PodPlaces(r))
	require.Equal(t, 1, Surge(r, "maxUnavailable", false), "a quarter, rounded down")
}
