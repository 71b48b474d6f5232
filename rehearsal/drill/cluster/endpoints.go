//go:build linux

package cluster

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/wso2is-aws/wso2is/rehearsal/drill/plan"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// containerView is what the controllers read of a container.
type containerView struct {
	Ports []struct {
		Name          string
		ContainerPort int
	}
	VolumeMounts []struct{ MountPath string }
}

// mounts reports whether the container has something mounted at a path.
func (c containerView) mounts(path string) bool {
	return slices.ContainsFunc(c.VolumeMounts, func(m struct{ MountPath string }) bool { return m.MountPath == path })
}

// podView is what they read of a pod.
type podView struct {
	Metadata struct {
		Name, UID         string
		DeletionTimestamp *time.Time
	}
	Spec struct {
		NodeName   string
		Containers []containerView
	}
	Status struct {
		PodIP      string
		Conditions []struct{ Type, Status string }
	}
}

func (p *podView) ready() bool {
	return slices.ContainsFunc(p.Status.Conditions, func(c struct{ Type, Status string }) bool { return c.Type == "Ready" && c.Status == "True" })
}

// port is the number of a Service's target port, which may be a container's named one.
func (p *podView) port(target any, absent int) int {
	if number, ok := state.Int(target); ok {
		return number
	}
	for _, c := range p.Spec.Containers {
		for _, one := range c.Ports {
			if one.Name == state.Text(target) {
				return one.ContainerPort
			}
		}
	}
	return absent
}

// endpoints writes the endpoints of all Services with a selector, as the controllers of Endpoints and EndpointSlices do.
func (k *control) endpoints(services []plan.Manifest) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, service := range services {
		if err := k.publish(service); err != nil {
			return err
		}
	}
	return nil
}

// publish writes the endpoints of one Service. The API itself says which pods its selector finds. A pod that is not ready, or is
// being deleted, is an endpoint only of a Service that publishes such pods.
func (k *control) publish(service plan.Manifest) error {
	spec := state.AsObject(service.Object["spec"])
	var labels []string
	for key, value := range spec.Object("selector") {
		labels = append(labels, key+"="+state.Text(value))
	}
	slices.Sort(labels)
	var found struct{ Items []podView }
	path := "/api/v1/namespaces/" + service.Namespace + "/pods?labelSelector=" + url.QueryEscape(strings.Join(labels, ","))
	if err := k.call(http.MethodGet, path, inJSON, nil, &found); err != nil {
		return err
	}
	running := slices.DeleteFunc(found.Items, func(p podView) bool { return p.Status.PodIP == "" })
	subset, listed := map[string]any{}, []any{}
	for _, p := range running {
		going := p.Metadata.DeletionTimestamp != nil
		good := spec.Flag("publishNotReadyAddresses", false) || p.ready() && !going
		target := map[string]any{"kind": "Pod", "name": p.Metadata.Name, "namespace": service.Namespace, "uid": p.Metadata.UID}
		listed = append(listed, map[string]any{
			"addresses": []string{p.Status.PodIP}, "nodeName": p.Spec.NodeName, "targetRef": target,
			"conditions": map[string]bool{"ready": good, "serving": p.ready(), "terminating": going},
		})
		if key := map[bool]string{true: "addresses", false: "notReadyAddresses"}[good]; good || !going {
			all, _ := subset[key].([]any)
			subset[key] = append(all, map[string]any{"ip": p.Status.PodIP, "nodeName": p.Spec.NodeName, "targetRef": target})
		}
	}
	ports, subsets := []any{}, []any{}
	for _, one := range spec.Objects("ports") {
		if number, _ := one.Int("port"); len(running) > 0 {
			ports = append(ports, map[string]any{"name": one.Text("name"), "protocol": "TCP", "port": running[0].port(one["targetPort"], number)})
		}
	}
	if len(subset) > 0 {
		subset["ports"] = ports
		subsets = append(subsets, subset)
	}
	made := func(kind, version, name string, more map[string]any) error {
		more["apiVersion"], more["kind"] = version, kind
		more["metadata"] = map[string]any{
			"name": name, "namespace": service.Namespace, "labels": map[string]string{"kubernetes.io/service-name": service.Name},
		}
		return k.apply(plan.Manifest{Kind: kind, Namespace: service.Namespace, Name: name, Object: more})
	}
	return errors.Join(made("Endpoints", "v1", service.Name, map[string]any{"subsets": subsets}),
		made("EndpointSlice", "discovery.k8s.io/v1", service.Name+"-1", map[string]any{"addressType": "IPv4", "endpoints": listed, "ports": ports}))
}
