package state

import (
	"cmp"
	"encoding/base64"
	"slices"
	"strings"
)

// RunsNginx reports whether the instances of an Auto Scaling group are the stack's own nginx and no nodes. Their user data says it.
func (s *State) RunsNginx(group *Resource) bool {
	template := s.One(LaunchTemplate, cmp.Or(group.Text("launchTemplate.id"), group.Text("launchTemplate.name")), "name")
	if template == nil {
		return false
	}
	text, err := base64.StdEncoding.DecodeString(template.Text("userData"))
	return err == nil && strings.Contains(string(text), "/etc/nginx/nginx.conf")
}

// NodeGroups returns the Auto Scaling groups without those of nginx.
func (s *State) NodeGroups() []*Resource {
	return slices.DeleteFunc(slices.Clone(s.Of(AutoScalingGroup)), s.RunsNginx)
}

// NodeTargets returns the target groups without those of nginx.
func (s *State) NodeTargets() []*Resource {
	return slices.DeleteFunc(slices.Clone(s.Of(TargetGroup)), func(t *Resource) bool { return s.NginxOf(t) != nil })
}

// NginxOf returns the Auto Scaling group whose nginx are the targets of a target group, or nil.
func (s *State) NginxOf(targets *Resource) *Resource {
	for _, g := range s.Of(AutoScalingGroup) {
		if slices.Contains(g.Texts("targetGroupArns"), targets.Text("arn")) && s.RunsNginx(g) {
			return g
		}
	}
	return nil
}
