package aws

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// Services are the services with an API here, by their name in host names.
var Services = []string{"ec2", "autoscaling", "ecs", "secretsmanager", "monitoring"}

// Objects is the service whose hosts are buckets, behind gateway endpoints.
const Objects = "s3"

// Handler returns a service's API behind an interface endpoint, or on the internet if there is none.
func (a *Account) Handler(service string, endpoint *state.Resource) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if service == Objects {
			a.serveS3(w, r, endpoint)
			return
		}
		answer, failed := a.call(w, r, service, endpoint)
		if failed != nil {
			answer = failed.of(service)
			if service == "ecs" || service == "secretsmanager" {
				w.Header().Set("X-Amzn-Errortype", failed.code)
			}
			w.WriteHeader(failed.status)
		}
		_, _ = w.Write(answer)
	})
}

// of returns a refusal in a service's format. EC2 has codes of its own.
func (r *refusal) of(service string) []byte {
	type shown struct{ Type, Code, Message string }
	if service == "ec2" {
		code := r.code
		if code == "AccessDenied" {
			code = "UnauthorizedOperation"
		}
		return document(struct {
			XMLName xml.Name `xml:"Response"`
			Error   shown    `xml:"Errors>Error"`
		}{Error: shown{"", code, r.message}})
	}
	if service == Objects {
		return document(struct {
			XMLName xml.Name `xml:"Error"`
			Code    string
			Message string
		}{Code: r.code, Message: r.message})
	}
	if service == "ecs" || service == "secretsmanager" {
		return []byte(text(map[string]string{"__type": r.code, "message": r.message}))
	}
	return document(struct {
		XMLName xml.Name `xml:"ErrorResponse"`
		Error   shown    `xml:"Error"`
	}{Error: shown{"Sender", r.code, r.message}})
}

func document(v any) []byte {
	raw, err := xml.Marshal(v)
	if err != nil {
		return []byte(err.Error())
	}
	return raw
}

// largest is the size of the largest request.
const largest = 1 << 20

func (a *Account) call(w http.ResponseWriter, r *http.Request, service string, endpoint *state.Resource) ([]byte, *refusal) {
	body, err := io.ReadAll(io.LimitReader(r.Body, largest))
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "RequestTimeout", "%v", err)
	}
	role, failed := a.signer(r, body, service)
	if failed != nil {
		return nil, failed
	}
	switch service {
	case "ecs":
		return a.callECS(r.Header.Get("X-Amz-Target"), body, role, endpoint)
	case "secretsmanager":
		return a.callSecrets(r.Header.Get("X-Amz-Target"), body, role, endpoint)
	case "monitoring":
		return a.callMetrics(w, r, body, role, endpoint)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if err := r.ParseForm(); err != nil {
		return nil, refuse(http.StatusBadRequest, "MalformedQueryString", "%v", err)
	}
	action := r.Form.Get("Action")
	calls := map[string]func(url.Values) ([]byte, *refusal){
		"ec2:DescribeInstances":                 a.describeInstances,
		"ec2:DescribeNetworkInterfaces":         a.describeInterfaces,
		"autoscaling:DescribeAutoScalingGroups": a.describeGroups,
		"autoscaling:CompleteLifecycleAction":   a.completeLaunch,
	}
	do, known := calls[service+":"+action]
	if !known {
		return nil, refuse(http.StatusBadRequest, "InvalidAction", "the API here does not know %s", action)
	}
	on := "*"
	if action == "CompleteLifecycleAction" {
		if g := a.One(state.AutoScalingGroup, r.Form.Get("AutoScalingGroupName"), "name"); g != nil {
			on = g.Text("arn")
		}
	}
	if failed := a.may(role, service+":"+action, on, endpoint, nil); failed != nil {
		return nil, failed
	}
	return do(r.Form)
}

// filter is a filter of EC2: one of its values must match.
type filter struct {
	name   string
	values []string
}

func filters(form url.Values) []filter {
	var all []filter
	for n := 1; form.Has(fmt.Sprintf("Filter.%d.Name", n)); n++ {
		f := filter{name: form.Get(fmt.Sprintf("Filter.%d.Name", n))}
		for v := 1; form.Has(fmt.Sprintf("Filter.%d.Value.%d", n, v)); v++ {
			f.values = append(f.values, form.Get(fmt.Sprintf("Filter.%d.Value.%d", n, v)))
		}
		all = append(all, f)
	}
	return all
}

func (f filter) matches(i *Instance) (bool, *refusal) {
	if key, ok := strings.CutPrefix(f.name, "tag:"); ok {
		value, tagged := i.Tags[key]
		return tagged && slices.Contains(f.values, value), nil
	}
	of := func(match func(string) bool) (bool, *refusal) { return slices.ContainsFunc(f.values, match), nil }
	switch f.name {
	case "tag-key":
		return of(func(v string) bool { _, ok := i.Tags[v]; return ok })
	case "tag-value":
		return of(func(v string) bool {
			for _, value := range i.Tags {
				if value == v {
					return true
				}
			}
			return false
		})
	case "instance.group-name":
		return of(func(v string) bool { return slices.Contains(i.Groups, v) })
	case "instance-state-name":
		return of(func(v string) bool { return v == "running" && i.running })
	}
	return false, refuse(http.StatusBadRequest, "InvalidParameterValue", "the filter %q is not known here", f.name)
}

// The parts of an answer of DescribeInstances that nodes read.
type (
	tag struct {
		Key   string `xml:"key"`
		Value string `xml:"value"`
	}
	described struct {
		InstanceID string `xml:"instanceId"`
		State      string `xml:"instanceState>name"`
		Address    string `xml:"privateIpAddress"`
		Launched   string `xml:"launchTime"`
		Zone       string `xml:"placement>availabilityZone"`
		Tags       []tag  `xml:"tagSet>item"`
	}
	reservation struct {
		Instances []described `xml:"instancesSet>item"`
	}
)

func (a *Account) describeInstances(form url.Values) ([]byte, *refusal) {
	a.mu.Lock()
	defer a.mu.Unlock()
	var found []reservation
	wanted := filters(form)
	for _, i := range a.Instances {
		if !i.running {
			continue
		}
		all := true
		for _, f := range wanted {
			one, failed := f.matches(i)
			if failed != nil {
				return nil, failed
			}
			all = all && one
		}
		if !all {
			continue
		}
		d := described{i.ID, "running", i.Address.String(), i.launched.Format(time.RFC3339), i.Zone, nil}
		for _, key := range slices.Sorted(maps.Keys(i.Tags)) {
			d.Tags = append(d.Tags, tag{key, i.Tags[key]})
		}
		found = append(found, reservation{[]described{d}})
	}
	return document(struct {
		XMLName      xml.Name      `xml:"http://ec2.amazonaws.com/doc/2016-11-15/ DescribeInstancesResponse"`
		Reservations []reservation `xml:"reservationSet>item"`
	}{Reservations: found}), nil
}

// describeInterfaces answers with the interfaces that have one of the addresses.
func (a *Account) describeInterfaces(form url.Values) ([]byte, *refusal) {
	type shown struct {
		Address string `xml:"privateIpAddress"`
	}
	var found []shown
	wanted := filters(form)
	for _, p := range a.Places {
		if slices.ContainsFunc(wanted, func(f filter) bool {
			return f.name == "addresses.private-ip-address" && slices.Contains(f.values, p.Address.String())
		}) {
			found = append(found, shown{p.Address.String()})
		}
	}
	return document(struct {
		XMLName    xml.Name `xml:"http://ec2.amazonaws.com/doc/2016-11-15/ DescribeNetworkInterfacesResponse"`
		Interfaces []shown  `xml:"networkInterfaceSet>item"`
	}{Interfaces: found}), nil
}

// The parts of an answer of DescribeAutoScalingGroups that nodes read.
type (
	member struct {
		InstanceId, AvailabilityZone, LifecycleState, HealthStatus string //nolint:revive // the service's names
		Template                                                   string `xml:"LaunchTemplate>LaunchTemplateId"`
		Version                                                    string `xml:"LaunchTemplate>Version"`
	}
	group struct {
		AutoScalingGroupName string
		Instances            []member `xml:"Instances>member"`
	}
)

func (a *Account) describeGroups(form url.Values) ([]byte, *refusal) {
	a.mu.Lock()
	defer a.mu.Unlock()
	var found []group
	for _, r := range a.Of(state.AutoScalingGroup) {
		if name := form.Get("AutoScalingGroupNames.member.1"); name != "" && name != r.Text("name") {
			continue
		}
		g := group{AutoScalingGroupName: r.Text("name")}
		for _, i := range a.Instances {
			if i.Group == r && i.running {
				g.Instances = append(g.Instances, member{i.ID, i.Zone, i.state, "Healthy", i.Template, i.Version})
			}
		}
		found = append(found, g)
	}
	return document(struct {
		XMLName xml.Name `xml:"http://autoscaling.amazonaws.com/doc/2011-01-01/ DescribeAutoScalingGroupsResponse"`
		Groups  []group  `xml:"DescribeAutoScalingGroupsResult>AutoScalingGroups>member"`
	}{Groups: found}), nil
}

// completeLaunch ends the wait of a new instance.
func (a *Account) completeLaunch(form url.Values) ([]byte, *refusal) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, i := range a.Instances {
		if i.ID != form.Get("InstanceId") || i.Group == nil || i.Group.Text("name") != form.Get("AutoScalingGroupName") || i.state != pending ||
			!slices.Contains(a.hooks(i.Group), form.Get("LifecycleHookName")) {
			continue
		}
		i.state = inService
		if form.Get("LifecycleActionResult") != "CONTINUE" {
			i.state, i.running = "", false
		}
		return document(struct {
			XMLName xml.Name `xml:"http://autoscaling.amazonaws.com/doc/2011-01-01/ CompleteLifecycleActionResponse"`
			Result  string   `xml:"CompleteLifecycleActionResult"`
		}{}), nil
	}
	return nil, refuse(http.StatusBadRequest, "ValidationError", "No active Lifecycle Action found with instance ID %s", form.Get("InstanceId"))
}
