package cloud

import (
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// clusterPolicies are the access policies of EKS, by the end of their ARN.
var clusterPolicies = []string{
	"AmazonEKSAdminPolicy", "AmazonEKSAdminViewPolicy", "AmazonEKSClusterAdminPolicy", "AmazonEKSEditPolicy",
	"AmazonEKSViewPolicy",
}

// entryFits refuses an access entry in a cluster that does not use entries, and one for the cluster's creator, since
// EKS makes that one itself.
func entryFits(c *Call) error {
	cluster := c.cluster()
	if cluster == nil || cluster.Existing {
		return nil
	}
	if mode := text(cluster.Inputs, "accessConfig.authenticationMode"); mode != "API" && mode != "API_AND_CONFIG_MAP" {
		return fail("InvalidRequestException", "%s has the authentication mode %q, which reads no access entries",
			cluster.describe(), mode)
	}
	creator := c.Cloud.principal()
	if c.text("principalArn") == creator && flag(cluster.Inputs, "accessConfig.bootstrapClusterCreatorAdminPermissions") {
		return fail("ResourceInUseException", "%s has an entry already: it made the cluster", creator)
	}
	return nil
}

// accessPolicy refuses unknown policies, and a scope that does not fit.
func accessPolicy(c *Call) error {
	name, ok := strings.CutPrefix(c.text("policyArn"), "arn:"+c.Cloud.partition()+":eks::aws:cluster-access-policy/")
	switch namespaces := c.given([]string{"accessScope.namespaces"}) > 0; {
	case !c.unknown("policyArn") && (!ok || !slices.Contains(clusterPolicies, name)):
		return fail("InvalidParameterException", "policyArn is %s, which is no access policy of EKS", c.text("policyArn"))
	case namespaces != (c.text("accessScope.type") == "namespace") && !c.unknown("accessScope"):
		return fail("InvalidParameterException", "accessScope has namespaces exactly when its type is namespace")
	}
	return nil
}

// tagsSessions refuses a role that does not let EKS tag the sessions of pods.
func tagsSessions(c *Call) error {
	role := c.Cloud.find(c.text("roleArn"), "arn", state.Role)
	if role == nil || role.Existing || strings.Contains(text(role.Outputs, "assumeRolePolicy"), "sts:TagSession") {
		return nil
	}
	return fail("InvalidParameterException", "%s does not allow sts:TagSession, which EKS Pod Identity needs", role.describe())
}
