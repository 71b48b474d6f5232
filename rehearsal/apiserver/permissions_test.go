package apiserver

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

const (
	space   = "wso2is"
	account = "wso2is"
)

// verbs are all verbs of RBAC, with impersonation and binding.
var verbs = []string{
	"get", "list", "watch", "create", "update", "patch", "delete", "deletecollection", "bind", "escalate", "impersonate", "use",
	"approve", "sign",
}

// permissions asks the server what the pods' service account may do: for every kind, every verb and several namespaces.
// It compares the answer with an account without permissions.
func (c *cluster) permissions(t *testing.T) {
	ctx := context.Background()
	client, err := kubernetes.NewForConfig(c.config)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"5.11.0", "default"} {
		for _, o := range load(t, name) {
			switch o.GetKind() {
			case "Namespace", "ServiceAccount", "Role", "RoleBinding":
				if err := c.apply(o); err != nil {
					t.Fatal(err)
				}
			}
		}
		want := []string{"get endpoints in wso2is", "list endpoints in wso2is"}
		if name == "default" {
			want = append(want, "get pods in wso2is",
				"get endpointslices.discovery.k8s.io in wso2is", "list endpointslices.discovery.k8s.io in wso2is")
		}
		slices.Sort(want)
		nobody := c.allowed(t, client, "default", "nobody")
		granted := c.allowed(t, client, space, account)
		maps.DeleteFunc(granted, func(right string, _ bool) bool { return nobody[right] })
		if got := slices.Sorted(maps.Keys(granted)); !slices.Equal(got, want) {
			t.Errorf("%s: the service account may\n  %s\nand not\n  %s", name, strings.Join(got, "\n  "), strings.Join(want, "\n  "))
		}
		for right := range nobody {
			// The permissions that everybody has concern the caller alone.
			if !strings.HasPrefix(right, "create self") {
				t.Errorf("everybody may %s", right)
			}
		}
	}
	c.withToken(ctx, t, client)
}

// allowed lists the permissions of a service account.
func (c *cluster) allowed(t *testing.T, client *kubernetes.Clientset, namespace, name string) map[string]bool {
	t.Helper()
	lists, err := client.Discovery().ServerPreferredResources()
	if err != nil {
		t.Fatal(err)
	}
	rights := map[string]bool{}
	asked := 0
	for _, list := range lists {
		group, _, found := strings.Cut(list.GroupVersion, "/")
		if !found {
			group = ""
		}
		for _, resource := range list.APIResources {
			kind, sub, _ := strings.Cut(resource.Name, "/")
			qualified := resource.Name
			if group != "" {
				qualified += "." + group
			}
			for _, verb := range verbs {
				for _, in := range []string{space, "default", "kube-system", ""} {
					review, err := client.AuthorizationV1().SubjectAccessReviews().Create(context.Background(),
						&authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
							User: fmt.Sprintf("system:serviceaccount:%s:%s", namespace, name),
							Groups: []string{
								"system:serviceaccounts", "system:serviceaccounts:" + namespace, "system:authenticated",
							},
							ResourceAttributes: &authorizationv1.ResourceAttributes{
								Namespace: in, Verb: verb, Group: group, Version: "*", Resource: kind, Subresource: sub,
							},
						}}, metav1.CreateOptions{})
					if err != nil {
						t.Fatal(err)
					}
					asked++
					if !review.Status.Allowed {
						continue
					}
					right := verb + " " + qualified
					if resource.Namespaced {
						right += " in " + in
					}
					rights[right] = true
				}
			}
		}
	}
	if asked < 1000 {
		t.Fatalf("the server was asked %d times only", asked)
	}
	return rights
}

// withToken does what a pod does: it calls the server with the account's token.
func (c *cluster) withToken(ctx context.Context, t *testing.T, client *kubernetes.Clientset) {
	t.Helper()
	request, err := client.CoreV1().ServiceAccounts(space).CreateToken(ctx, account, &authenticationv1.TokenRequest{},
		metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	config := rest.AnonymousClientConfig(c.config)
	config.BearerToken = request.Status.Token
	pod, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	//nolint:staticcheck // deprecated, and what the scheme reads
	members := &corev1.Endpoints{ObjectMeta: metav1.ObjectMeta{Name: "wso2is-members"}}
	//nolint:staticcheck // as above
	if _, err := client.CoreV1().Endpoints(space).Create(ctx, members, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	//nolint:staticcheck // what the scheme reads
	if _, err := pod.CoreV1().Endpoints(space).Get(ctx, "wso2is-members", metav1.GetOptions{}); err != nil {
		t.Errorf("a pod cannot read its service's endpoints: %v", err)
	}
	if _, err := pod.DiscoveryV1().EndpointSlices(space).List(ctx, metav1.ListOptions{
		LabelSelector: "kubernetes.io/service-name=wso2is-members",
	}); err != nil {
		t.Errorf("a pod cannot list its service's slices: %v", err)
	}
	if _, err := pod.CoreV1().Pods(space).Get(ctx, "wso2is-0", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("a pod cannot read itself: %v", err)
	}
	// Hazelcast also asks for the Kubernetes node. It stops asking only if the answer is exactly this text.
	answer, err := pod.CoreV1().RESTClient().Get().AbsPath("/api/v1/nodes/ip-10-0-0-1").
		SetHeader("Accept", "*/*").SetHeader("User-Agent", "Java/21").DoRaw(ctx)
	if !apierrors.IsForbidden(err) || !strings.Contains(string(answer), `"reason":"Forbidden"`) {
		t.Errorf("each start would ask for its node again and again: %v, %s", err, answer)
	}
	_, secrets := pod.CoreV1().Secrets(space).List(ctx, metav1.ListOptions{})
	_, elsewhere := pod.CoreV1().Endpoints("default").List(ctx, metav1.ListOptions{}) //nolint:staticcheck // as above
	_, pods := pod.CoreV1().Pods(space).List(ctx, metav1.ListOptions{})
	for what, err := range map[string]error{"secrets": secrets, "other namespaces' endpoints": elsewhere, "pods": pods} {
		if !apierrors.IsForbidden(err) {
			t.Errorf("a pod may read %s: %v", what, err)
		}
	}
}
