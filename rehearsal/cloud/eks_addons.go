package cloud

import (
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// addons are the known add-ons: the release that EKS recommends, whether the add-on needs a node to become active, and
// the top-level values of its schema.
var addons = map[string]struct {
	release  string
	needNode bool
	values   []string
}{
	"vpc-cni": {"v1.20.4-eksbuild.1", false, []string{
		"affinity", "cri", "enableNetworkPolicy", "enableWindowsIpam", "enableWindowsPrefixDelegation", "eniConfig", "env",
		"init", "livenessProbeTimeoutSeconds", "nodeAgent", "nodeSelector", "podAnnotations", "podLabels",
		"readinessProbeTimeoutSeconds", "resources", "tolerations", "warmWindowsIPTarget",
	}},
	"kube-proxy":             {"v{kubernetes}.0-eksbuild.2", false, []string{"ipvs", "mode", "podAnnotations", "podLabels", "resources"}},
	"eks-pod-identity-agent": {"v1.3.10-eksbuild.1", false, []string{"agent", "affinity", "podAnnotations", "podLabels", "resources", "tolerations"}},
	"coredns": {"v1.12.4-eksbuild.1", true, []string{
		"affinity", "autoScaling", "computeType", "corefile", "nodeSelector", "podAnnotations", "podDisruptionBudget",
		"podLabels", "replicaCount", "resources", "tolerations", "topologySpreadConstraints",
	}},
	"aws-efs-csi-driver": {"v2.1.15-eksbuild.1", true, []string{"controller", "fips", "node", "portRangeUpperBound", "sidecars", "useFIPS"}},
	"metrics-server": {"v0.8.0-eksbuild.3", true, []string{
		"addonResizer", "affinity", "args", "containerPort", "nodeSelector", "podAnnotations", "podDisruptionBudget",
		"podLabels", "replicas", "resources", "tolerations", "topologySpreadConstraints", "updateStrategy",
	}},
	"aws-secrets-store-csi-driver-provider": {"v3.0.0-eksbuild.1", true, []string{
		"affinity", "nodeSelector", "podAnnotations", "podLabels", "resources", "secrets-store-csi-driver", "tolerations",
	}},
	"amazon-cloudwatch-observability": {"v4.6.0-eksbuild.1", true, []string{
		"admissionWebhooks", "agent", "agents", "containerLogs", "dcgmExporter", "manager", "neuronMonitor", "nodeSelector",
		"tolerations",
	}},
}

// addonAccounts are the service accounts of add-ons that call AWS, with an AWS managed policy that is enough.
var addonAccounts = map[string]struct{ account, policy string }{
	"vpc-cni": {"kube-system/aws-node", "AmazonEKS_CNI_Policy"},
}

func (c *Cloud) addon(cluster, name string) *Resource {
	for _, r := range c.all(state.Addon) {
		if text(r.Inputs, "clusterName") == cluster && text(r.Inputs, "addonName") == name {
			return r
		}
	}
	return nil
}

// assumes reports whether Pod Identity gives the service account a role with the policy.
func (c *Cloud) assumes(cluster, account, policy string) bool {
	if c.addon(cluster, "eks-pod-identity-agent") == nil {
		return false
	}
	return slices.ContainsFunc(c.all(state.PodIdentityAssociation), func(r *Resource) bool {
		role := c.find(text(r.Inputs, "roleArn"), "arn", state.Role)
		return text(r.Inputs, "clusterName") == cluster && role != nil && (role.Existing || c.hasPolicy(role, policy)) &&
			text(r.Inputs, "namespace")+"/"+text(r.Inputs, "serviceAccount") == account
	})
}

var addonRelease = regexp.MustCompile(`^v\d+\.\d+\.\d+-eksbuild\.\d+$`)

// addonKnown refuses unknown add-ons, releases of an unknown form, and values that are not in the add-on's schema.
func addonKnown(c *Call) error {
	name := c.text("addonName")
	if c.unknown("addonName") {
		return nil
	}
	known, ok := addons[name]
	if !ok {
		return fail("InvalidParameterException", "addonName is %q; the cloud knows no such add-on", name)
	}
	var wrong []error
	if version := c.text("addonVersion"); version != "" && !addonRelease.MatchString(version) {
		wrong = append(wrong, fail("InvalidParameterException", "addonVersion is %q, which is no version of %s", version, name))
	}
	raw := c.text("configurationValues")
	if raw == "" {
		return errors.Join(wrong...)
	}
	var values map[string]any
	if err := json.Unmarshal([]byte(raw), &values); err != nil {
		return errors.Join(append(wrong, fail("InvalidParameterException", "configurationValues is no JSON object: %v", err))...)
	}
	for key, value := range values {
		if !slices.Contains(known.values, key) {
			wrong = append(wrong, fail("InvalidParameterException",
				"configurationValues: the schema of %s does not define %s, and allows nothing else", name, key))
		}
		// In the schema, this boolean is a text.
		if _, isText := value.(string); key == "enableNetworkPolicy" && !isText {
			wrong = append(wrong, fail("InvalidParameterException", "configurationValues: enableNetworkPolicy is no string"))
		}
	}
	return errors.Join(wrong...)
}

// addonFits refuses a kube-proxy that Kubernetes does not support, and add-ons that would wait for a node without an
// end.
func addonFits(c *Call) error {
	cluster := c.cluster()
	if cluster == nil || c.unknown("addonName") {
		return nil
	}
	name, of := c.text("addonName"), text(cluster.Outputs, "version")
	if version := c.text("addonVersion"); name == "kube-proxy" && version != "" && minor(of) > 0 {
		parts := strings.Split(strings.TrimPrefix(version, "v"), ".")
		if n := minor(strings.Join(parts[:min(2, len(parts))], ".")); n > minor(of) || n < minor(of)-3 {
			return fail("InvalidParameterException", "addonVersion is %s, and %s runs %s", version, cluster.describe(), of)
		}
	}
	if c.Preview || cluster.Existing || !addons[name].needNode || c.Cloud.nodesOf(cluster.ID) > 0 {
		return nil
	}
	return fail("InsufficientNumberOfReplicas", "%s stays degraded: %s has no nodes for its pods", name, cluster.describe())
}
