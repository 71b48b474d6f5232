package workload

import (
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	rbacv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/rbac/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// access makes the service accounts and lets the servers' one find the members, its only permission in Kubernetes. The
// schema's job has an account of its own, since only its role may read a master user's password.
func (b *builder) access() ([]pulumi.Resource, error) {
	account, err := corev1.NewServiceAccount(b.ctx, b.Named("server"), &corev1.ServiceAccountArgs{
		Metadata: b.meta(ServiceAccount, ""),
		// The membership scheme reads the token from the pod.
		AutomountServiceAccountToken: pulumi.Bool(true),
	}, b.child...)
	if err != nil {
		return nil, err
	}
	schema, err := corev1.NewServiceAccount(b.ctx, b.Named(schemaRole), &corev1.ServiceAccountArgs{
		Metadata: b.meta(SchemaAccount, schemaRole), AutomountServiceAccountToken: pulumi.Bool(false),
	}, b.child...)
	if err != nil {
		return nil, err
	}
	rules, err := b.rules()
	if err != nil {
		return nil, err
	}
	role, err := rbacv1.NewRole(b.ctx, b.Named("discovery"), &rbacv1.RoleArgs{
		Metadata: b.meta(Name, ""), Rules: rules,
	}, b.child...)
	if err != nil {
		return nil, err
	}
	binding, err := rbacv1.NewRoleBinding(b.ctx, b.Named("discovery"), &rbacv1.RoleBindingArgs{
		Metadata: b.meta(Name, ""),
		RoleRef: &rbacv1.RoleRefArgs{
			ApiGroup: pulumi.String("rbac.authorization.k8s.io"), Kind: pulumi.String("Role"), Name: role.Metadata.Name().Elem(),
		},
		Subjects: rbacv1.SubjectArray{rbacv1.SubjectArgs{
			Kind: pulumi.String("ServiceAccount"), Name: account.Metadata.Name().Elem(), Namespace: b.namespace.ToStringPtrOutput(),
		}},
	}, b.child...)
	if err != nil {
		return nil, err
	}
	return []pulumi.Resource{account, schema, role, binding}, nil
}

// rules are the Role's. Without clustering there are none.
//
// From 4 on, Hazelcast reads its own pod before it joins, and then this pod's Kubernetes node for the zone. The pod is
// granted, since each start would retry eight times if an answer did not have the API server's own form
// (KubernetesClient and RetryUtils in Hazelcast 5.3.6: it does not retry after a 403 with "reason":"Forbidden"). The
// node is not granted: that would be a permission on the whole cluster, for a zone that the server does not use.
func (b *builder) rules() (rbacv1.PolicyRuleArray, error) {
	facts, err := b.Config.Version.Facts()
	if err != nil || !b.Config.Clustered() {
		return rbacv1.PolicyRuleArray{}, err
	}
	read := pulumi.StringArray{pulumi.String("get"), pulumi.String("list")}
	rules := rbacv1.PolicyRuleArray{rbacv1.PolicyRuleArgs{
		ApiGroups: pulumi.StringArray{pulumi.String("")}, Resources: pulumi.StringArray{pulumi.String("endpoints")}, Verbs: read,
	}}
	if !facts.KubernetesSchemeJar {
		rules = append(rules, rbacv1.PolicyRuleArgs{
			ApiGroups: pulumi.StringArray{pulumi.String("")}, Resources: pulumi.StringArray{pulumi.String("pods")},
			Verbs: pulumi.StringArray{pulumi.String("get")},
		})
	}
	if facts.EndpointSlices {
		rules = append(rules, rbacv1.PolicyRuleArgs{
			ApiGroups: pulumi.StringArray{pulumi.String("discovery.k8s.io")},
			Resources: pulumi.StringArray{pulumi.String("endpointslices")}, Verbs: read,
		})
	}
	return rules, nil
}
