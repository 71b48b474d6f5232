package workload

import (
	"maps"

	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes"
	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/apiextensions"
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	networkingv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/networking/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/awskit"
	"github.com/wso2is-aws/wso2is/config/ports"
)

// The ports' names, for probes, services and bindings.
const (
	httpsPort     = "https"
	hazelcastPort = "hazelcast"
)

// publish makes the services and the objects through which clients reach them. It runs before the pods: the load
// balancer controller adds its readiness gate to a pod only if a binding for the pod's service exists when the pod is
// made.
func (b *builder) publish(w *Workload) ([]pulumi.Resource, error) {
	// Pulumi must not wait for endpoints: the pods are made after their services.
	annotated := b.meta(Name, "")
	annotated.Annotations = pulumi.StringMap{"pulumi.com/skipAwait": pulumi.String("true")}
	service, err := corev1.NewService(b.ctx, b.Named("server"), &corev1.ServiceArgs{
		Metadata: annotated,
		Spec: &corev1.ServiceSpecArgs{
			Type: pulumi.String("ClusterIP"), Selector: b.selector(serverRole),
			Ports: corev1.ServicePortArray{corev1.ServicePortArgs{
				Name: pulumi.String(httpsPort), Port: pulumi.Int(ports.HTTPS), TargetPort: pulumi.String(httpsPort),
				Protocol: pulumi.String("TCP"),
			}},
		},
	}, b.child...)
	if err != nil {
		return nil, err
	}
	all := []pulumi.Resource{service}
	if b.Config.Clustered() {
		members, err := b.members()
		if err != nil {
			return nil, err
		}
		all = append(all, members)
	}
	var way pulumi.Resource
	if b.Ingress != nil {
		w.Ingress, err = b.ingress(service)
		way = w.Ingress
	} else {
		way, err = b.binding(service)
	}
	return append(all, way), err
}

// members makes the service for discovery. It has only the Hazelcast port, since discovery takes the first. It is
// headless, since members connect directly. It lists pods that are not ready yet, since otherwise none could join.
func (b *builder) members() (*corev1.Service, error) {
	meta := b.meta(MembersService, "")
	meta.Annotations = pulumi.StringMap{"pulumi.com/skipAwait": pulumi.String("true")}
	return corev1.NewService(b.ctx, b.Named("members"), &corev1.ServiceArgs{
		Metadata: meta,
		Spec: &corev1.ServiceSpecArgs{
			Type: pulumi.String("ClusterIP"), ClusterIP: pulumi.String("None"), PublishNotReadyAddresses: pulumi.Bool(true),
			Selector: b.selector(serverRole),
			Ports: corev1.ServicePortArray{corev1.ServicePortArgs{
				Name: pulumi.String(hazelcastPort), Port: pulumi.Int(b.Config.Clustering.Port),
				TargetPort: pulumi.String(hazelcastPort), Protocol: pulumi.String("TCP"),
			}},
		},
	}, b.child...)
}

// binding registers the pods' addresses with the load balancer's target group. It has no networking section: the
// firewall makes the security group rules, and the controller needs no permission to change any.
func (b *builder) binding(service *corev1.Service) (pulumi.Resource, error) {
	return apiextensions.NewCustomResource(b.ctx, b.Named("target-group"), &apiextensions.CustomResourceArgs{
		ApiVersion: pulumi.String("elbv2.k8s.aws/v1beta1"), Kind: pulumi.String("TargetGroupBinding"),
		Metadata: b.meta(Name, ""),
		OtherFields: kubernetes.UntypedArgs{"spec": pulumi.Map{
			"serviceRef":     pulumi.Map{"name": service.Metadata.Name(), "port": pulumi.Int(ports.HTTPS)},
			"targetGroupARN": b.TargetGroup, "targetType": pulumi.String("ip"), "ipAddressType": pulumi.String("ipv4"),
		}},
	}, b.child...)
}

// ingress makes the controller create a load balancer. Pulumi waits for its DNS name, which the controller sets before
// there are pods, and at the end until the controller has deleted it.
func (b *builder) ingress(service *corev1.Service) (*networkingv1.Ingress, error) {
	annotations := maps.Clone(b.Ingress.Annotations)
	var tls networkingv1.IngressTLSArray
	options := b.child
	if b.Ingress.Namespace != "" {
		certificate, err := b.certificate()
		if err != nil {
			return nil, err
		}
		options = awskit.With(options, pulumi.DependsOn([]pulumi.Resource{certificate}))
		// A controller may give an Ingress no address, and nothing here needs one.
		annotations["pulumi.com/skipAwait"] = pulumi.String("true")
		tls = networkingv1.IngressTLSArray{networkingv1.IngressTLSArgs{Hosts: pulumi.StringArray{pulumi.String(b.Config.Hostname)}}}
	}
	meta := b.meta(Name, "")
	meta.Annotations = annotations
	return networkingv1.NewIngress(b.ctx, b.Named("server"), &networkingv1.IngressArgs{
		Metadata: meta,
		Spec: &networkingv1.IngressSpecArgs{
			IngressClassName: pulumi.String(b.Ingress.Class), Tls: tls,
			Rules: networkingv1.IngressRuleArray{networkingv1.IngressRuleArgs{
				Host: pulumi.String(b.Config.Hostname),
				Http: &networkingv1.HTTPIngressRuleValueArgs{Paths: networkingv1.HTTPIngressPathArray{
					networkingv1.HTTPIngressPathArgs{
						Path: pulumi.String("/"), PathType: pulumi.String("Prefix"),
						Backend: &networkingv1.IngressBackendArgs{Service: &networkingv1.IngressServiceBackendArgs{
							Name: service.Metadata.Name().Elem(),
							Port: &networkingv1.ServiceBackendPortArgs{Name: pulumi.String(httpsPort)},
						}},
					},
				}},
			}},
		},
	}, options...)
}

// certificate makes the secret whose ca.crt is what ingress-nginx verifies the pods with (proxy-ssl-secret in its annotations). It has
// no key, since pods ask for no client certificate.
func (b *builder) certificate() (*corev1.Secret, error) {
	return corev1.NewSecret(b.ctx, b.Named("certificate"), &corev1.SecretArgs{
		Metadata: b.meta(certificateName, ""), Type: pulumi.String("Opaque"), StringData: pulumi.StringMap{"ca.crt": b.Ingress.Certificate},
	}, b.child...)
}
