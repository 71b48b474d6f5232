package aws

import (
	"cmp"
	"net/http"
	"net/netip"
	"time"

	"github.com/wso2is-aws/wso2is/rehearsal/drill/vpc"
	"github.com/wso2is-aws/wso2is/rehearsal/proof/iam"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// The variables that EKS adds to the containers of a pod whose service account has a role.
// https://docs.aws.amazon.com/eks/latest/userguide/pod-id-how-it-works.html
const (
	PodCredentials = "http://" + vpc.PodAddress + "/v1/credentials"
	PodToken       = "/var/run/secrets/pods.eks.amazonaws.com/serviceaccount/eks-pod-identity-token" //nolint:gosec // a path
)

// podRole returns the role of the pods of a Deployment, or nil, and the ARN of their cluster.
func (a *Account) podRole(deployment *state.Resource) (role *state.Resource, cluster string) {
	namespace := cmp.Or(deployment.Object("metadata").Text("namespace"), "default")
	account := cmp.Or(deployment.Object("spec").Object("template").Object("spec").Text("serviceAccountName"), "default")
	for _, identity := range a.With(state.PodIdentityAssociation, "namespace", namespace) {
		if identity.Text("serviceAccount") == account {
			return a.One(state.Role, identity.Text("roleArn"), "arn", "name"), a.One(state.EKSCluster, identity.Text("clusterName"), "name").Text("arn")
		}
	}
	return nil, ""
}

// HasRole reports whether the pods of a Deployment have a role.
func (a *Account) HasRole(deployment *state.Resource) bool {
	role, _ := a.podRole(deployment)
	return role != nil
}

// PodIdentity answers pods as the agent of EKS Pod Identity does. The address from which a request comes decides whose it is.
func (a *Account) PodIdentity() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		from, err := netip.ParseAddrPort(r.RemoteAddr)
		deployment := a.pods[from.Addr()]
		if err != nil || deployment == nil || r.URL.Path != "/v1/credentials" {
			http.NotFound(w, r)
			return
		}
		role, cluster := a.podRole(deployment)
		// Amazon EKS User Guide, "EKS Pod Identity role": the trust policy may have these conditions.
		source := iam.Context{"aws:SourceArn": {cluster}, "aws:SourceAccount": {accountOf(cluster)}}
		if role == nil || !a.trusts(role, "pods.eks.amazonaws.com", source) {
			http.Error(w, "[]: fetched credentials are not available: the service account has no role that EKS may assume", http.StatusBadRequest)
			return
		}
		c := a.issue(role)
		_, _ = w.Write([]byte(text(map[string]string{
			"AccessKeyId": c.key, "SecretAccessKey": c.secret, "Token": c.token, "AccountId": accountOf(role.Text("arn")), "Expiration": c.expires.Format(time.RFC3339),
		})))
	})
}
