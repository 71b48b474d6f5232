package cloud

import (
	"errors"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// chart has the known facts about a Helm chart: its values, and the custom resources that it defines.
type chart struct {
	// Values are the chart's own. Required are the values that it needs on EKS without the instance metadata service.
	Values, Required []string
	// Kinds are the custom resources that exist after its installation.
	Kinds []string
}

// charts are the charts that the program may install.
var charts = map[string]chart{
	"aws-load-balancer-controller": {
		// The values are from values.yaml of the chart's release 3.5.0.
		Required: []string{"clusterName", "region", "vpcId"},
		Values: []string{
			"replicaCount", "revisionHistoryLimit", "image", "runtimeClassName", "imagePullSecrets", "nameOverride",
			"fullnameOverride", "autoscaling", "serviceAccount", "rbac", "podSecurityContext", "securityContext",
			"terminationGracePeriodSeconds", "resources", "priorityClassName", "nodeSelector", "tolerations",
			"affinity", "configureDefaultAffinity", "topologySpreadConstraints", "updateStrategy",
			"serviceAnnotations", "deploymentAnnotations", "podAnnotations", "podLabels", "additionalLabels",
			"enableCertManager", "certManager", "clusterName", "cluster", "ingressClass", "ingressClassParams",
			"createIngressClassResource", "region", "vpcId", "vpcTags", "awsApiEndpoints", "awsApiThrottle",
			"awsMaxRetries", "defaultTargetType", "defaultLoadBalancerScheme", "enablePodReadinessGateInject",
			"enableShield", "enableWaf", "enableWafv2", "ingressMaxConcurrentReconciles", "logLevel",
			"metricsBindAddr", "webhookConfig", "webhookBindPort", "webhookTLS", "keepTLSSecret",
			"webhookNamespaceSelectors", "serviceMaxConcurrentReconciles",
			"targetgroupbindingMaxConcurrentReconciles", "targetgroupbindingMaxExponentialBackoffDelay",
			"targetgroupbindingRequeueDuration", "albGatewayMaxConcurrentReconciles",
			"nlbGatewayMaxConcurrentReconciles", "globalAcceleratorMaxConcurrentReconciles",
			"globalAcceleratorMaxExponentialBackoffDelay", "lbStabilizationMonitorInterval", "syncPeriod",
			"watchNamespace", "disableIngressClassAnnotation", "disableIngressGroupNameAnnotation",
			"tolerateNonExistentBackendService", "tolerateNonExistentBackendAction", "defaultSSLPolicy",
			"livenessProbe", "readinessProbe", "env", "hostNetwork", "dnsPolicy", "extraVolumeMounts",
			"extraVolumes", "defaultTags", "podDisruptionBudget", "externalManagedTags", "enableEndpointSlices",
			"enableBackendSecurityGroup", "enableManageBackendSecurityGroupRules", "backendSecurityGroup",
			"disableRestrictedSecurityGroupRules", "maxTargetsPerTargetGroup", "controllerConfig", "certDiscovery",
			"objectSelector", "serviceMonitor", "clusterSecretsPermissions", "ingressClassConfig",
			"enableServiceMutatorWebhook", "serviceMutatorWebhookConfig", "podMutatorWebhookConfig",
			"serviceTargetENISGTags", "loadBalancerClass", "certManagement",
		},
		Kinds: []string{state.TargetGroupBinding},
	},
	smbChart: {
		// The values are from values.yaml of the chart's release 1.20.3.
		Values: []string{
			"image", "serviceAccount", "rbac", "driver", "feature", "controller", "node", "linux", "windows", "customLabels", "podAnnotations",
			"podLabels", "priorityClassName", "securityContext", "storageClasses", "imagePullSecrets",
		},
	},
	"secrets-store-csi-driver": {
		Values: []string{
			"linux", "windows", "logVerbosity", "logFormatJSON", "livenessProbe", "maxCallRecvMsgSize", "rbac", "syncSecret",
			"enableSecretRotation", "rotationPollInterval", "providerHealthCheck", "providerHealthCheckInterval",
			"imagePullSecrets", "tokenRequests", "commonLabels", "nameOverride", "fullnameOverride",
		},
		Kinds: []string{state.SecretProviderClass},
	},
	"secrets-store-csi-driver-provider-aws": {
		Values: []string{
			"nameOverride", "fullnameOverride", "imagePullSecrets", "nodeSelector", "tolerations", "affinity", "image",
			"resources", "podLabels", "podAnnotations", "priorityClassName", "updateStrategy", "rbac", "securityContext",
			"secrets-store-csi-driver", "k8sThrottlingParams", "useFipsEndpoint", "privileged", "port", "ports",
			"awsRegion", "commonLabels", "podSecurityContext", "podIdentityHttpTimeout", "providerVolume",
			"kubeletPath",
		},
		Kinds: []string{state.SecretProviderClass},
	},
}

// addonKinds are the custom resources of EKS add-ons.
var addonKinds = map[string][]string{
	"aws-secrets-store-csi-driver-provider": {state.SecretProviderClass},
}

var releaseRow = Type{
	Token: state.HelmRelease, ID: "{namespace}/{name}", Name: "name", InUse: inUse,
	Required: []string{"chart", "version"},
	Defaults: Object{"namespace": "default"},
	Outputs:  Object{"status": Object{"status": "deployed", "revision": 1.0}},
	Replace:  []string{"name", "namespace", "chart"},
	Fields: []Field{
		like("version", `v?\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?`,
			"an exact version such as 1.14.1, since another day has another newest"),
	},
	Check: []Rule{chartTakes}, Rules: []Rule{clusterServes, chartFits}, Deletable: []Rule{kindsUnused},
}

// chartTakes refuses unknown charts, and values that a chart would silently ignore.
func chartTakes(c *Call) error {
	if c.unknown("chart") {
		return nil
	}
	known, ok := charts[path.Base(c.text("chart"))]
	if !ok {
		return fail("NotFound", "there is no chart %s here; known are %s", c.text("chart"),
			strings.Join(slices.Sorted(maps.Keys(charts)), ", "))
	}
	values, _ := c.In["values"].(Object)
	var wrong []error
	for _, key := range slices.Sorted(maps.Keys(values)) {
		if !slices.Contains(known.Values, key) {
			wrong = append(wrong, fail("ValidationError", "the chart %s has no value %s", c.text("chart"), key))
		}
	}
	for _, key := range known.Required {
		if values[key] == nil || values[key] == "" {
			wrong = append(wrong, fail("ValidationError", "the chart %s needs the value %s", c.text("chart"), key))
		}
	}
	if c.text("repositoryOpts.repo") == "" && !strings.HasPrefix(c.text("chart"), "oci://") && !c.unknown("repositoryOpts") {
		wrong = append(wrong, fail("ValidationError", "the chart %s comes from no repository", c.text("chart")))
	}
	return errors.Join(wrong...)
}

// chartFits checks that the values fit the chart's cluster.
func chartFits(c *Call) error {
	var wrong []error
	if region := c.text("values.region"); region != "" && region != c.Cloud.region {
		wrong = append(wrong, fail("ValidationError", "values.region is %s in %s", region, c.Cloud.region))
	}
	if c.Preview {
		return errors.Join(wrong...)
	}
	if name := c.text("values.clusterName"); name != "" && len(c.Cloud.all(state.EKSCluster)) > 0 &&
		c.Cloud.find(name, "name", state.EKSCluster) == nil {
		wrong = append(wrong, fail("ValidationError", "values.clusterName is %s, and there is no such cluster", name))
	}
	if id := c.text("values.vpcId"); id != "" && c.Cloud.find(id, "id", state.VPC) == nil {
		wrong = append(wrong, fail("ValidationError", "values.vpcId is %s, and there is no such VPC", id))
	}
	if from := c.text("values.image.repository"); eksRegistryImage.MatchString(from) {
		wrong = append(wrong, fail("ErrImagePull", "values.image.repository is %s: since v2.4.6 the controller's releases are in "+
			"public.ecr.aws, and this registry need not have %s", from, c.text("values.image.tag")))
	}
	return errors.Join(wrong...)
}

// eksRegistryImage matches the controller's image in AWS's registry for EKS add-ons.
// Source: the commit "use public ECR repository as default" of github.com/kubernetes-sigs/aws-load-balancer-controller.
var eksRegistryImage = regexp.MustCompile(`^\d{12}\.dkr\.ecr\.[a-z0-9.-]+/amazon/aws-load-balancer-controller$`)

// definedKinds lists the kinds that a chart or an add-on defines.
func definedKinds(r *Resource) []string {
	switch r.Token {
	case state.HelmRelease:
		return charts[path.Base(text(r.Inputs, "chart"))].Kinds
	case state.Addon:
		return addonKinds[text(r.Inputs, "addonName")]
	}
	return nil
}

// kindDefined refuses a custom resource before its definition exists. An existing cluster may have any definition.
func kindDefined(c *Call) error {
	if c.Preview || !c.Cloud.ownsCluster() {
		return nil
	}
	for _, token := range []string{state.HelmRelease, state.Addon} {
		for _, r := range c.Cloud.all(token) {
			if slices.Contains(definedKinds(r), c.Type.Token) {
				return nil
			}
		}
	}
	group, version, name := objectVersion(c.Type.Token)
	return fail("NotFound", "no matches for kind %q in version \"%s/%s\": nothing that defines it is installed yet", name,
		group, version)
}

// kindsUnused prevents a controller's deletion while its custom resources exist: without it, their finalizers would
// keep them and their namespace.
func kindsUnused(c *Call) error {
	for _, kind := range definedKinds(c.Old) {
		if left := c.Cloud.all(kind); len(left) > 0 {
			return fail(inUse, "%s is still needed to delete %s", c.Old.describe(), left[0].describe())
		}
	}
	return nil
}
