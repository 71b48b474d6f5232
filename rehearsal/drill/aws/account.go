// Package aws answers, from an exported state, the calls that nodes make to AWS: the metadata service of instances, the
// metadata and credentials of tasks, and the APIs of EC2, Auto Scaling, ECS, S3, Secrets Manager and CloudWatch. Requests
// must be signed with a role's credentials, and the state's policies decide them.
package aws

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/wso2is-aws/wso2is/rehearsal/drill/vpc"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// Account is the part of an AWS account that a state describes.
type Account struct {
	*state.State
	Region string
	// Instances are in the order of the state's interfaces.
	Instances []*Instance
	// Places are those of ECS tasks, in the same order.
	Places []*Place

	Given Given

	// pods are the Deployments of pods, by the pod's address.
	pods map[netip.Addr]*state.Resource
	// began is the time at which all objects were last modified.
	began  time.Time
	mu     sync.Mutex
	issued map[string]credentials // by access key
}

// Instance is an instance with its metadata.
type Instance struct {
	ID, Name, Zone string
	Address        netip.Addr
	Tags           map[string]string
	// Groups are the names of its security groups.
	Groups []string
	// Group is its Auto Scaling group, or nil. Template is the launch template's id, and Version its version.
	Group             *state.Resource
	Template, Version string
	// Metadata are its metadata options, and Role is the role of its instance profile, or nil.
	Metadata state.Object
	Role     *state.Resource

	// launched, state and running are guarded by the account. State is its lifecycle state in its group.
	launched time.Time
	state    string
	running  bool
}

// Of reads an account from a state and its network.
func Of(n *vpc.Network) *Account {
	a := &Account{State: n.State, began: time.Now(), issued: map[string]credentials{}, pods: map[netip.Addr]*state.Resource{}}
	for _, v := range n.Of(state.VPC) {
		a.Region = strings.Split(v.Text("arn")+":::::", ":")[3]
	}
	names := map[string]string{}
	for _, g := range n.Of(state.SecurityGroup) {
		names[g.ID] = g.Text("name")
	}
	for _, i := range n.Find(vpc.Node) {
		one := &Instance{Name: i.Name, Address: i.Address, Zone: n.Zone(i), Tags: map[string]string{}}
		for _, id := range i.Groups {
			one.Groups = append(one.Groups, names[id])
		}
		switch i.Of.Type {
		case state.EC2Instance:
			one.ID, one.Metadata = i.Of.ID, i.Of.Object("metadataOptions")
			one.Tags = i.Of.Tags()
			one.Role = a.roleOf(i.Of.Text("iamInstanceProfile"))
		case state.AutoScalingGroup:
			a.launch(one, i.Of)
		case state.Deployment:
			a.pods[i.Address] = i.Of
		}
		if i.Of.Type != state.ECSService && i.Of.Type != state.Deployment {
			a.Instances = append(a.Instances, one)
		}
	}
	a.findPlaces(n)
	return a
}

// PlaceAt returns the place of a task with an address, or nil.
func (a *Account) PlaceAt(address netip.Addr) *Place {
	i := slices.IndexFunc(a.Places, func(p *Place) bool { return p.Address == address })
	if i < 0 {
		return nil
	}
	return a.Places[i]
}

// launch gives an instance what its Auto Scaling group and launch template say.
func (a *Account) launch(one *Instance, group *state.Resource) {
	sum := sha256.Sum256([]byte(one.Name))
	one.ID, one.Group = "i-"+hex.EncodeToString(sum[:])[:17], group
	spec := group.Object("launchTemplate")
	template := a.One(state.LaunchTemplate, cmp.Or(spec.Text("id"), spec.Text("name")), "name")
	if template != nil {
		one.Template, one.Version, one.Metadata = template.ID, spec.Text("version"), template.Object("metadataOptions")
		profile := template.Object("iamInstanceProfile")
		one.Role = a.roleOf(cmp.Or(profile.Text("arn"), profile.Text("name")))
		maps.Copy(one.Tags, template.InstanceTags())
	}
	maps.Copy(one.Tags, group.PropagatedTags())
	one.Tags["aws:autoscaling:groupName"] = group.Text("name")
}

// roleOf returns the role of an instance profile.
func (a *Account) roleOf(profile string) *state.Resource {
	p := a.One(state.InstanceProfile, profile, "name", "arn")
	if p == nil {
		return nil
	}
	return a.One(state.Role, p.Text("role"), "name", "arn")
}

// At returns the instance with an address, or nil.
func (a *Account) At(address netip.Addr) *Instance {
	i := slices.IndexFunc(a.Instances, func(i *Instance) bool { return i.Address == address })
	if i < 0 {
		return nil
	}
	return a.Instances[i]
}

// The lifecycle states of an instance of an Auto Scaling group.
const (
	pending   = "Pending:Wait"
	inService = "InService"
)

// Launch says that an instance runs, from now on if it did not. In an Auto Scaling group with a hook for launches a new
// instance is not in service yet.
func (a *Account) Launch(i *Instance) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if i.running {
		return
	}
	i.running, i.launched, i.state = true, time.Now().UTC(), inService
	if i.Group != nil && len(a.hooks(i.Group)) > 0 {
		i.state = pending
	}
}

// Waits reports whether an instance waits for the end of its launch.
func (a *Account) Waits(i *Instance) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return i.state == pending
}

// hooks are the names of a group's hooks for launches.
func (a *Account) hooks(group *state.Resource) []string {
	var names []string
	for _, h := range group.Objects("initialLifecycleHooks") {
		if h.Text("lifecycleTransition") == "autoscaling:EC2_INSTANCE_LAUNCHING" {
			names = append(names, h.Text("name"))
		}
	}
	for _, h := range a.With(state.LifecycleHook, "autoscalingGroupName", group.Text("name")) {
		if h.Text("lifecycleTransition") == "autoscaling:EC2_INSTANCE_LAUNCHING" {
			names = append(names, h.Text("name"))
		}
	}
	slices.Sort(names)
	return slices.Compact(names) // a later hook of the same name has updated the first one
}

// random returns a random text of hexadecimal digits.
func random(bytes int) string {
	raw := make([]byte, bytes)
	_, _ = rand.Read(raw) // which never fails
	return hex.EncodeToString(raw)
}
