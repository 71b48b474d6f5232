package cloud

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	kjson "sigs.k8s.io/json"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// objectKinds are Kubernetes' own types: the API server refuses unknown fields.
var objectKinds = map[string]any{
	state.Namespace: corev1.Namespace{}, state.ServiceAccount: corev1.ServiceAccount{}, state.ConfigMap: corev1.ConfigMap{},
	state.KubernetesSecret: corev1.Secret{}, state.KubernetesService: corev1.Service{}, state.PersistentVolume: corev1.PersistentVolume{},
	state.PersistentVolumeClaim: corev1.PersistentVolumeClaim{}, state.Deployment: appsv1.Deployment{}, state.Job: batchv1.Job{},
	state.KubernetesRole: rbacv1.Role{}, state.RoleBinding: rbacv1.RoleBinding{}, state.NetworkPolicy: networkingv1.NetworkPolicy{},
	state.Ingress: networkingv1.Ingress{}, state.PodDisruptionBudget: policyv1.PodDisruptionBudget{},
	state.HorizontalPodAutoscaler: autoscalingv2.HorizontalPodAutoscaler{}, state.TargetGroupBinding: targetGroupBinding{},
	state.SecretProviderClass: secretProviderClass{},
}

// targetGroupBinding is a custom resource of the load balancer controller.
type targetGroupBinding struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		ServiceRef struct {
			Name string `json:"name"`
			Port any    `json:"port"`
		} `json:"serviceRef"`
		TargetGroupARN string                `json:"targetGroupARN"`
		TargetType     string                `json:"targetType"`
		IPAddressType  string                `json:"ipAddressType"`
		VpcID          string                `json:"vpcID"`
		NodeSelector   *metav1.LabelSelector `json:"nodeSelector"`
		Networking     map[string]any        `json:"networking"`
	} `json:"spec"`
}

// secretProviderClass is a custom resource of the Secrets Store CSI driver.
type secretProviderClass struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		Provider      string            `json:"provider"`
		Parameters    map[string]string `json:"parameters"`
		SecretObjects []struct {
			SecretName  string            `json:"secretName"`
			Type        string            `json:"type"`
			Labels      map[string]string `json:"labels"`
			Annotations map[string]string `json:"annotations"`
			Data        []struct {
				ObjectName string `json:"objectName"`
				Key        string `json:"key"`
			} `json:"data"`
		} `json:"secretObjects"`
	} `json:"spec"`
}

// known removes values that are not known yet.
func known(v any) any {
	switch v := v.(type) {
	case Object:
		o := Object{}
		for k, e := range v {
			if _, is := e.(Unknown); !is {
				o[k] = known(e)
			}
		}
		return o
	case []any:
		list := []any{}
		for _, e := range v {
			if _, is := e.(Unknown); !is {
				list = append(list, known(e))
			}
		}
		return list
	}
	return v
}

// decode reads an object as Kubernetes does: every field must have a name and a type of the kind.
func decode(in Object, into any) error {
	text, err := json.Marshal(known(in))
	if err != nil {
		return fmt.Errorf("writing the object as JSON: %w", err)
	}
	strict, err := kjson.UnmarshalStrict(text, into)
	return errors.Join(append(strict, err)...)
}

// isObject checks every object: its kind must exist in Kubernetes, and its metadata must be valid.
func isObject(c *Call) error {
	group, version, kind := objectVersion(c.Type.Token)
	want := version
	if group != "" {
		want = group + "/" + version
	}
	var wrong []error
	if got := c.text("apiVersion"); got != want && !c.unknown("apiVersion") {
		wrong = append(wrong, fail("BadRequest", "the apiVersion is %q instead of %q", got, want))
	}
	if got := c.text("kind"); got != kind && !c.unknown("kind") {
		wrong = append(wrong, fail("BadRequest", "the kind is %q instead of %q", got, kind))
	}
	made := reflect.New(reflect.TypeOf(objectKinds[c.Type.Token])).Interface()
	if err := decode(c.In, made); err != nil {
		wrong = append(wrong, fail("BadRequest", "%s", err))
	}
	if name := c.text("metadata.name"); name != "" {
		for _, problem := range validation.IsDNS1123Subdomain(name) {
			wrong = append(wrong, fail("Invalid", "metadata.name %q: %s", name, problem))
		}
	}
	labels, _ := get(c.In, "metadata.labels").(Object)
	for key, value := range labels {
		for _, problem := range validation.IsQualifiedName(key) {
			wrong = append(wrong, fail("Invalid", "metadata.labels %q: %s", key, problem))
		}
		s, _ := value.(string)
		for _, problem := range validation.IsValidLabelValue(s) {
			wrong = append(wrong, fail("Invalid", "metadata.labels %s=%q: %s", key, s, problem))
		}
	}
	annotations, _ := get(c.In, "metadata.annotations").(Object)
	for key := range annotations {
		for _, problem := range validation.IsQualifiedName(strings.ToLower(key)) {
			wrong = append(wrong, fail("Invalid", "metadata.annotations %q: %s", key, problem))
		}
	}
	return errors.Join(wrong...)
}

// objectVersion splits a token: kubernetes:apps/v1:Deployment. The core group has no name in manifests.
func objectVersion(token string) (group, version, kind string) {
	parts := strings.Split(token, ":")
	if len(parts) != 3 {
		return "", "", ""
	}
	group, version, _ = strings.Cut(parts[1], "/")
	if group == "core" {
		group = ""
	}
	return group, version, parts[2]
}
