package cloud

// The kinds of Kubernetes objects, as Pulumi's tokens.
const (
	namespaceObject      = "kubernetes:core/v1:Namespace"
	serviceAccountObject = "kubernetes:core/v1:ServiceAccount"
	configMapObject      = "kubernetes:core/v1:ConfigMap"
	secretObject         = "kubernetes:core/v1:Secret"
	serviceObject        = "kubernetes:core/v1:Service"
	volumeObject         = "kubernetes:core/v1:PersistentVolume"
	claimObject          = "kubernetes:core/v1:PersistentVolumeClaim"
	deploymentObject     = "kubernetes:apps/v1:Deployment"
	jobObject            = "kubernetes:batch/v1:Job"
	roleObject           = "kubernetes:rbac.authorization.k8s.io/v1:Role"
	roleBindingObject    = "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding"
	networkPolicyObject  = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
	ingressObject        = "kubernetes:networking.k8s.io/v1:Ingress"
	budgetObject         = "kubernetes:policy/v1:PodDisruptionBudget"
	autoscalerObject     = "kubernetes:autoscaling/v2:HorizontalPodAutoscaler"
	bindingObject        = "kubernetes:elbv2.k8s.aws/v1beta1:TargetGroupBinding"
	secretClassObject    = "kubernetes:secrets-store.csi.x-k8s.io/v1:SecretProviderClass"
)

// inUse is what a delete is answered with here while something still needs the object. Kubernetes itself would let most
// of them go, and leave what needed them broken.
const inUse = "Conflict"

// object starts the row of a kind in namespaces.
func object(token string, t Type) Type {
	t.ID = "{metadata.namespace}/{metadata.name}"
	t.Defaults = Object{"metadata.namespace": "default"}
	t.Rules = append([]Rule{namespaceExists}, t.Rules...)
	return anyObject(token, t)
}

// anyObject is what every kind has. Replace lists what the provider makes a new object for; every other change is sent
// to the API server.
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

// byName makes a reference to an object in the same cluster.
func byName(path string, to ...string) Ref {
	return Ref{Path: path, To: to, By: "metadata.name", NotFound: "NotFound"}
}

// podRefs are what a pod's template names.
var podRefs = []Ref{
	byName("spec.template.spec.serviceAccountName", serviceAccountObject),
	byName("spec.template.spec.volumes[].configMap.name", configMapObject),
	byName("spec.template.spec.volumes[].secret.secretName", secretObject),
	byName("spec.template.spec.volumes[].persistentVolumeClaim.claimName", claimObject),
	byName("spec.template.spec.volumes[].csi.volumeAttributes.secretProviderClass", secretClassObject),
}

// kubernetesTypes are the objects that a stack may make in the cluster.
var kubernetesTypes = []Type{
	anyObject(namespaceObject, Type{Deletable: []Rule{namespaceEmpty}}),
	object(serviceAccountObject, Type{}),
	object(configMapObject, Type{Replace: []string{"data", "binaryData"}, Check: []Rule{sizeOf("data", 1<<20)}}),
	object(secretObject, Type{
		Replace: []string{"data", "stringData", "type"}, Secret: []string{"data", "stringData"},
		Check: []Rule{sizeOf("stringData", 1<<20)},
	}),
	object(serviceObject, Type{
		Required: []string{"spec", "spec.ports"}, Replace: []string{"spec.clusterIP"},
		Check: []Rule{portsNamed}, Fields: []Field{
			oneOf("spec.type", "ClusterIP", "NodePort", "LoadBalancer", "ExternalName"),
			between("spec.ports[].port", 1, 65535), oneOf("spec.ports[].protocol", "TCP", "UDP", "SCTP"),
		},
	}),
	anyObject(volumeObject, Type{
		Required: []string{"spec", "spec.capacity", "spec.accessModes"}, Replace: []string{"spec.csi"},
		Rules: []Rule{volumeMountable},
	}),
	object(claimObject, Type{
		Required: []string{"spec", "spec.accessModes", "spec.resources"}, Replace: []string{"spec"},
		Refs:  []Ref{byName("spec.volumeName", volumeObject)},
		Rules: []Rule{claimBinds},
	}),
	object(deploymentObject, Type{
		Required: []string{"spec", "spec.selector", "spec.template"}, Replace: []string{"spec.selector"},
		Refs: podRefs, Check: []Rule{podTemplate, selectsItsPods}, Rules: []Rule{podStarts, portsServed, hostsThere},
		After: runPods, Deleted: stopPods,
	}),
	object(jobObject, Type{
		Required: []string{"spec", "spec.template"},
		Replace:  []string{"spec.template", "spec.selector", "spec.completions", "spec.parallelism"},
		Refs:     podRefs, Check: []Rule{podTemplate}, Rules: []Rule{podStarts, hostsThere},
		Fields: []Field{oneOf("spec.template.spec.restartPolicy", "Never", "OnFailure")},
	}),
	object(roleObject, Type{Check: []Rule{rolesRead}}),
	object(roleBindingObject, Type{
		Required: []string{"roleRef", "subjects"}, Replace: []string{"roleRef"},
		Refs: []Ref{byName("roleRef.name", roleObject), byName("subjects[].name", serviceAccountObject)},
	}),
	object(networkPolicyObject, Type{
		Required: []string{"spec", "spec.podSelector"},
		Check:    []Rule{cidr("spec.ingress[].from[].ipBlock.cidr", 0, 32), cidr("spec.egress[].to[].ipBlock.cidr", 0, 32)},
		Fields:   []Field{oneOf("spec.policyTypes[]", "Ingress", "Egress")},
	}),
	object(ingressObject, Type{
		Required: []string{"spec"},
		Refs:     []Ref{byName("spec.rules[].http.paths[].backend.service.name", serviceObject)},
		Fields:   []Field{oneOf("spec.rules[].http.paths[].pathType", "Prefix", "Exact", "ImplementationSpecific")},
		Rules:    []Rule{publishes}, After: published, Deletable: []Rule{controllerStays}, Deleted: unpublish,
	}),
	object(budgetObject, Type{
		Required: []string{"spec", "spec.selector"}, AtMostOne: [][]string{{"spec.minAvailable", "spec.maxUnavailable"}},
		Rules: []Rule{selectsPods("spec.selector.matchLabels")},
	}),
	object(autoscalerObject, Type{
		Required: []string{"spec", "spec.maxReplicas", "spec.scaleTargetRef"},
		Refs:     []Ref{byName("spec.scaleTargetRef.name", deploymentObject)},
		Check:    []Rule{autoscalerBounds}, Rules: []Rule{autoscalerMeasures},
	}),
	object(bindingObject, Type{
		Required: []string{"spec", "spec.serviceRef", "spec.targetGroupARN"},
		Replace:  []string{"spec.targetGroupARN", "spec.targetType"},
		Refs: []Ref{
			byName("spec.serviceRef.name", serviceObject),
			ref("spec.targetGroupARN", targetGroupType).by("arn").code("TargetGroupNotFound"),
		},
		Fields: []Field{oneOf("spec.targetType", "ip", "instance"), oneOf("spec.ipAddressType", "ipv4", "ipv6")},
		Rules:  []Rule{kindDefined, bindingFits},
	}),
	object(secretClassObject, Type{
		Required: []string{"spec", "spec.provider"}, Check: []Rule{classLists}, Rules: []Rule{kindDefined, secretsThere},
	}),
	releaseRow,
}
