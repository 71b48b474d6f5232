package cloud

import (
	"slices"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// inUse is the answer to the deletion of an object that is still in use. Kubernetes itself would delete most of them
// and break their users.
const inUse = "Conflict"

// object begins the row of a kind with a namespace.
func object(token string, t Type) Type {
	t.ID = "{metadata.namespace}/{metadata.name}"
	t.Defaults = Object{"metadata.namespace": "default"}
	t.Rules = append([]Rule{namespaceExists}, t.Rules...)
	return anyObject(token, t)
}

// anyObject has the rules of every kind. Replace lists the changes for which the provider makes a new object; every
// other change goes to the API server.
func anyObject(token string, t Type) Type {
	t.Token, t.InUse = token, inUse
	if t.ID == "" {
		t.ID = "{metadata.name}"
	}
	t.Required = append([]string{"metadata", "metadata.name"}, t.Required...)
	t.Replace = append([]string{"metadata.name", "metadata.namespace"}, t.Replace...)
	t.Check = append([]Rule{isObject}, t.Check...)
	t.Rules = append([]Rule{clusterServes}, t.Rules...)
	t.Outputs = Object{}
	return t
}

// byName returns a reference to an object in the same cluster.
func byName(path string, to ...string) Ref {
	return Ref{Path: path, To: to, By: "metadata.name", NotFound: "NotFound"}
}

// podRefs are the references in a pod's template.
var podRefs = []Ref{
	byName("spec.template.spec.serviceAccountName", state.ServiceAccount),
	byName("spec.template.spec.volumes[].configMap.name", state.ConfigMap),
	byName("spec.template.spec.volumes[].secret.secretName", state.KubernetesSecret),
	byName("spec.template.spec.volumes[].persistentVolumeClaim.claimName", state.PersistentVolumeClaim),
	byName("spec.template.spec.volumes[].csi.volumeAttributes.secretProviderClass", state.SecretProviderClass),
}

// jobRefs are the references in a Job's template. What they name may be deleted before the Job: its pods have ended when its
// creation is answered, since the provider waits for them.
var jobRefs = func() []Ref {
	refs := slices.Clone(podRefs)
	for i, r := range refs {
		refs[i] = r.free()
	}
	return refs
}()

// kubernetesTypes are the objects that a stack may make in the cluster.
var kubernetesTypes = []Type{
	anyObject(state.Namespace, Type{Deletable: []Rule{namespaceEmpty}}),
	object(state.ServiceAccount, Type{}),
	object(state.ConfigMap, Type{Replace: []string{"data", "binaryData"}, Check: []Rule{sizeOf("data", 1<<20)}}),
	object(state.KubernetesSecret, Type{
		Replace: []string{"data", "stringData", "type"}, Secret: []string{"data", "stringData"},
		Check: []Rule{sizeOf("stringData", 1<<20)},
	}),
	object(state.KubernetesService, Type{
		Required: []string{"spec", "spec.ports"}, Replace: []string{"spec.clusterIP"},
		Check: []Rule{portsNamed}, Fields: []Field{
			oneOf("spec.type", "ClusterIP", "NodePort", "LoadBalancer", "ExternalName"),
			between("spec.ports[].port", 1, 65535), oneOf("spec.ports[].protocol", "TCP", "UDP", "SCTP"),
		},
	}),
	anyObject(state.PersistentVolume, Type{
		Required: []string{"spec", "spec.capacity", "spec.accessModes"}, Replace: []string{"spec.csi"},
		Rules: []Rule{volumeMountable},
	}),
	object(state.PersistentVolumeClaim, Type{
		Required: []string{"spec", "spec.accessModes", "spec.resources"}, Replace: []string{"spec"},
		Refs:  []Ref{byName("spec.volumeName", state.PersistentVolume)},
		Rules: []Rule{claimBinds},
	}),
	object(state.Deployment, Type{
		Required: []string{"spec", "spec.selector", "spec.template"}, Replace: []string{"spec.selector"},
		Refs: podRefs, Check: []Rule{podTemplate, selectsItsPods}, Rules: []Rule{podStarts, portsServed, clusterHasHosts},
		After: runPods, Deleted: stopPods,
	}),
	object(state.Job, Type{
		Required: []string{"spec", "spec.template"},
		Replace:  []string{"spec.template", "spec.selector", "spec.completions", "spec.parallelism"},
		Refs:     jobRefs, Check: []Rule{podTemplate}, Rules: []Rule{podStarts, clusterHasHosts},
		Fields: []Field{oneOf("spec.template.spec.restartPolicy", "Never", "OnFailure")},
		After:  syncSecrets, Deleted: unsyncSecrets,
	}),
	object(state.KubernetesRole, Type{Check: []Rule{rolesRead}}),
	object(state.RoleBinding, Type{
		Required: []string{"roleRef", "subjects"}, Replace: []string{"roleRef"},
		Refs: []Ref{byName("roleRef.name", state.KubernetesRole), byName("subjects[].name", state.ServiceAccount)},
	}),
	object(state.NetworkPolicy, Type{
		Required: []string{"spec", "spec.podSelector"},
		Check:    []Rule{cidr("spec.ingress[].from[].ipBlock.cidr", 0, 32), cidr("spec.egress[].to[].ipBlock.cidr", 0, 32)},
		Fields:   []Field{oneOf("spec.policyTypes[]", "Ingress", "Egress")},
	}),
	object(state.Ingress, Type{
		Required: []string{"spec"},
		Refs:     []Ref{byName("spec.rules[].http.paths[].backend.service.name", state.KubernetesService)},
		Fields:   []Field{oneOf("spec.rules[].http.paths[].pathType", "Prefix", "Exact", "ImplementationSpecific")},
		Rules:    []Rule{publishes}, After: published, Deletable: []Rule{controllerStays}, Deleted: unpublish,
	}),
	object(state.PodDisruptionBudget, Type{
		Required: []string{"spec", "spec.selector"}, AtMostOne: [][]string{{"spec.minAvailable", "spec.maxUnavailable"}},
		Rules: []Rule{selectsPods("spec.selector.matchLabels")},
	}),
	object(state.HorizontalPodAutoscaler, Type{
		Required: []string{"spec", "spec.maxReplicas", "spec.scaleTargetRef"},
		Refs:     []Ref{byName("spec.scaleTargetRef.name", state.Deployment)},
		Check:    []Rule{autoscalerBounds}, Rules: []Rule{autoscalerMeasures},
	}),
	object(state.TargetGroupBinding, Type{
		Required: []string{"spec", "spec.serviceRef", "spec.targetGroupARN"},
		Replace:  []string{"spec.targetGroupARN", "spec.targetType"},
		Refs: []Ref{
			byName("spec.serviceRef.name", state.KubernetesService),
			ref("spec.targetGroupARN", state.TargetGroup).by("arn").code("TargetGroupNotFound"),
		},
		Fields: []Field{oneOf("spec.targetType", "ip", "instance"), oneOf("spec.ipAddressType", "ipv4", "ipv6")},
		Rules:  []Rule{kindDefined, bindingFits},
	}),
	object(state.SecretProviderClass, Type{
		Required: []string{"spec", "spec.provider"}, Check: []Rule{classLists}, Rules: []Rule{kindDefined, secretsExist},
	}),
	releaseRow,
}
